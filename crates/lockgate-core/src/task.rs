use std::collections::BTreeMap;

use lockgate_model::ServerName;

/// Most tasks a session remembers; then the oldest is forgotten and can no longer be asked for.
const MOST: usize = 1_000;

/// The tasks that calls of this session started: who may ask for one is settled by having started it.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    known: BTreeMap<(ServerName, String), Started>,
    next: u64,
}

#[derive(Debug)]
struct Started {
    number: u64,
}

impl Tasks {
    pub(crate) fn learn(&mut self, server: &ServerName, task: &str) {
        if self.known.len() >= MOST {
            let oldest =
                self.known.iter().min_by_key(|(_, started)| started.number).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.known.remove(&oldest);
            }
        }
        let number = self.next;
        self.next += 1;
        self.known.entry((server.clone(), task.to_owned())).or_insert(Started { number });
    }

    /// Was it started in this session?
    pub(crate) fn knows(&self, server: &ServerName, task: &str) -> bool {
        self.known.contains_key(&(server.clone(), task.to_owned()))
    }
}

use std::collections::BTreeMap;

use lockgate_model::ServerName;

/// Most tasks of a session whose seals are remembered; then the oldest gets another one when it is shown again. Both are good.
const MOST: usize = 1_000;

/// The seals of tasks, so that a task has the same one whenever it is shown.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    known: BTreeMap<(ServerName, String), Shown>,
    next: u64,
}

#[derive(Debug)]
struct Shown {
    seal: String,
    number: u64,
}

impl Tasks {
    pub(crate) fn learn(&mut self, server: &ServerName, task: &str, seal: &str) {
        if self.known.len() >= MOST {
            let oldest = self.known.iter().min_by_key(|(_, shown)| shown.number).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.known.remove(&oldest);
            }
        }
        let shown = Shown { seal: seal.to_owned(), number: self.next };
        self.next += 1;
        self.known.entry((server.clone(), task.to_owned())).or_insert(shown);
    }

    /// The seal that stands for it, where it was shown or asked for in this session.
    pub(crate) fn seal_of(&self, server: &ServerName, task: &str) -> Option<&str> {
        self.known.get(&(server.clone(), task.to_owned())).map(|shown| shown.seal.as_str())
    }
}

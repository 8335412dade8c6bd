//! What people approved for later sessions as well.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use lockgate_audit::{Change, Happening, Record, digest};
use lockgate_core::{Event, Learn};
use lockgate_model::Untrusted;
use lockgate_store::{Destination, Destinations, StateError};

use super::Gateway;
use super::session::{Session, lock, unix_millis};

/// Most characters of an argument's place that are written down.
const SHOWN: usize = 200;

/// The values in the state folder.
pub(super) struct Learned {
    folder: PathBuf,
    open: Mutex<Option<Arc<Destinations>>>,
    /// Was it said that they cannot be used?
    told: Mutex<bool>,
}

impl Learned {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, open: Mutex::default(), told: Mutex::default() }
    }

    /// The file, made at the first need.
    fn destinations(&self) -> Result<Arc<Destinations>, StateError> {
        let mut open = lock(&self.open);
        if let Some(destinations) = &*open {
            return Ok(Arc::clone(destinations));
        }
        let destinations = Arc::new(Destinations::open(&self.folder)?);
        *open = Some(Arc::clone(&destinations));
        Ok(destinations)
    }

    /// What counts for a principal, and for how many milliseconds more. Makes nothing where nothing was learned.
    fn of(&self, principal: &str, now: u64) -> Result<Vec<(String, u64)>, StateError> {
        if !self.folder.join(Destinations::FILE).exists() {
            return Ok(Vec::new());
        }
        let found = self.destinations()?.of(principal, now)?;
        Ok(found.into_iter().map(|one| (one.value, one.until.saturating_sub(now))).collect())
    }
}

impl Gateway {
    fn cannot_learn(&self, error: &StateError) {
        if !std::mem::replace(&mut *lock(&self.learned.told), true) {
            let file = self.learned.folder.join(Destinations::FILE);
            self.say(&format!(
                "what people approved for later sessions cannot be kept or used: {error} ({})",
                file.display()
            ));
        }
    }
}

impl Session {
    /// The session begins: what its principal may use by an approval in an earlier one is known.
    pub(super) fn know_learned(&self) {
        if !self.gateway.boundary().flow.learns {
            return;
        }
        match self.gateway.learned.of(self.principal.as_str(), unix_millis().0) {
            Ok(values) => {
                let steps = self.event(Event::Known { values: &values });
                debug_assert!(steps.is_empty(), "what is known asks for nothing to be done");
            }
            Err(error) => self.gateway.cannot_learn(&error),
        }
    }

    /// Keeps a value for later sessions of the principal.
    pub(super) async fn learn(self: &Arc<Self>, lesson: Box<Learn>) {
        let session = Arc::clone(self);
        // Its digest, not the value: it may say of whom it is.
        let change = Change {
            what: Untrusted::new(lesson.argument.as_str()).escaped(SHOWN),
            before: None,
            after: Some(format!("sha256:{}", digest(lesson.value.as_bytes()))),
        };
        let own = Record::of_gateway(Happening::Destination);
        let name = self.core().session_id().clone();
        let record = Record {
            correlation: name.to_string(),
            session: name,
            principal: self.principal.clone(),
            server: Some(lesson.server.clone()),
            target: Some(lesson.tool.shown().to_owned()),
            changes: vec![change],
            notes: vec!["learned"],
            ..own
        };
        let learning = tokio::task::spawn_blocking(move || {
            let (gateway, now) = (&session.gateway, unix_millis().0);
            gateway.learned.destinations()?.learn(&Destination {
                principal: session.principal.to_string(),
                value: lesson.value,
                server: lesson.server.to_string(),
                tool: lesson.tool.as_str().to_owned(),
                argument: lesson.argument,
                learned: now,
                until: now.saturating_add(gateway.boundary().flow.learned_for),
            })
        });
        match learning.await {
            Ok(Ok(())) => self.gateway.record(Box::new(record)),
            Ok(Err(error)) => self.gateway.cannot_learn(&error),
            Err(_) => {}
        }
    }
}

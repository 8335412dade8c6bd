//! What people approved for later sessions as well.

use std::sync::Arc;

use lockgate_audit::{Change, Happening, Record, digest};
use lockgate_core::{Event, Learn};
use lockgate_model::Untrusted;
use lockgate_store::{Destination, Destinations, StateError};

use super::session::{Session, unix_millis};
use super::shelf::Shelf;

/// What cannot be done without the file.
const CANNOT: &str = "what people approved for later sessions cannot be kept or used";
/// Most characters of an argument's place that are written down.
const SHOWN: usize = 200;

impl Session {
    /// The session begins: what its principal may use by an approval in an earlier one is known.
    pub(super) fn know_learned(&self) {
        if !self.gateway.boundary().flow.learns {
            return;
        }
        match values(&self.gateway.learned, self.principal.as_str(), unix_millis().0) {
            Ok(values) => {
                let steps = self.event(Event::Known { values: &values });
                debug_assert!(steps.is_empty(), "what is known asks for nothing to be done");
            }
            Err(error) => self.gateway.learned.cannot(CANNOT, &error),
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
            gateway.learned.open()?.learn(&Destination {
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
            Ok(Err(error)) => self.gateway.learned.cannot(CANNOT, &error),
            Err(_) => {}
        }
    }
}

/// What counts for a principal, and for how many milliseconds more.
fn values(
    learned: &Shelf<Destinations>,
    principal: &str,
    now: u64,
) -> Result<Vec<(String, u64)>, StateError> {
    let Some(learned) = learned.found()? else { return Ok(Vec::new()) };
    let found = learned.of(principal, now)?;
    Ok(found.into_iter().map(|one| (one.value, one.until.saturating_sub(now))).collect())
}

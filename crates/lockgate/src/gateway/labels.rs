//! What sessions have read outlives the gateway: an agent whose context still holds it does not come back clean.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_core::{Boundary, Event};
use lockgate_model::{Integrity, Label, Principal};
use lockgate_store::{Labelled, Labels, StateError};

use super::session::{Session, lock, unix_millis};
use super::shelf::Shelf;
use super::{Gateway, complain};

/// Shortest time between two writings.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a label that stays the same is written again, so that it counts from when its session was last open.
const AGAIN: Duration = Duration::from_hours(1);

/// The labels of sessions in the state folder.
pub(super) struct Memory {
    labels: Shelf<Labels>,
    ttl: Duration,
    began: Instant,
    left: Left,
    /// Held while labels are written or forgotten: when they last were.
    writing: tokio::sync::Mutex<Option<Instant>>,
}

/// What sessions that were open when their gateway ended had read.
enum Left {
    Known(Vec<Labelled>),
    /// It cannot be read: anything.
    Unknown,
}

impl Memory {
    /// Reads what is left. Makes nothing where nothing was ever kept.
    pub(super) fn new(folder: &Path, ttl: Duration) -> Self {
        let labels = Shelf::new(folder, Labels::FILE, Labels::open);
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let left = |found: Option<Arc<Labels>>| {
            found.map_or_else(|| Ok(Vec::new()), |labels| labels.left(millis, unix_millis().0))
        };
        let left = labels.found().and_then(left).map_or_else(
            |error| {
                complain(&format!(
                    "what earlier sessions have read cannot be known, so that new ones count as having read everything: {error} ({})",
                    labels.path().display()
                ));
                Left::Unknown
            },
            Left::Known,
        );
        Self { labels, ttl, began: Instant::now(), left, writing: tokio::sync::Mutex::default() }
    }

    /// What earlier sessions of this agent had read when their gateway ended.
    fn earlier(&self, principal: &Principal, agent: &str, boundary: &Boundary) -> Label {
        let mut label = Label::clean();
        if self.began.elapsed() > self.ttl {
            return label;
        }
        match &self.left {
            Left::Known(left) => {
                let of_agent = |one: &&Labelled| one.principal == principal.as_str() && one.agent == agent;
                left.iter().filter(of_agent).fold(label, |label, one| label.join(&one.label))
            }
            Left::Unknown => {
                for (server, settings) in &boundary.servers {
                    label.absorb(server, Integrity::FreeText, &settings.trust.secrecy);
                }
                label
            }
        }
    }
}

impl Gateway {
    /// Keeps what sessions have read since it was last kept, at most once a second unless it is the `last` time.
    pub(super) async fn keep_labels(self: &Arc<Self>, last: bool) {
        let mut writing = self.memory.writing.lock().await;
        if !last && writing.is_some_and(|then| then.elapsed() < PAUSE) {
            return;
        }
        let news: Vec<_> =
            self.sessions.all().into_iter().filter_map(|session| Some((session.news()?, session))).collect();
        if news.is_empty() {
            return;
        }
        *writing = Some(Instant::now());
        let gateway = Arc::clone(self);
        let kept = tokio::task::spawn_blocking(move || {
            let all: Vec<Labelled> = news.iter().map(|(one, _)| one.clone()).collect();
            gateway.memory.labels.open()?.keep(&all, unix_millis().0)?;
            for (one, session) in news {
                *lock(&session.kept) = Some((one.label, Instant::now()));
            }
            Ok::<_, StateError>(())
        });
        if let Ok(Err(error)) = kept.await {
            let what = "what sessions have read cannot be kept for after a restart";
            self.memory.labels.cannot(what, &error);
        }
    }
}

impl Session {
    /// The session begins, or its agent is known by now: it has read what earlier ones of the agent had.
    pub(super) fn restore(&self) {
        let gateway = &self.gateway;
        let label = gateway.memory.earlier(&self.principal, &self.agent(), &gateway.boundary());
        if label != Label::clean() {
            let steps = self.event(Event::Restored { label: &label });
            debug_assert!(steps.is_empty(), "what was read before asks for nothing to be done");
        }
    }

    /// Its agent has ended it: nobody has in mind any more what it has read.
    pub(super) async fn forget_label(self: &Arc<Self>) {
        let writing = self.gateway.memory.writing.lock().await;
        if lock(&self.kept).is_some() {
            let session = Arc::clone(self);
            let name = self.core().session_id().to_string();
            let ended =
                tokio::task::spawn_blocking(move || session.gateway.memory.labels.open()?.end(&[name])).await;
            if let Ok(Err(error)) = ended {
                self.gateway.say(&format!("what a session has read cannot be forgotten: {error}"));
            }
        }
        drop(writing);
    }

    /// What is to be kept of it, where that is not what was kept last.
    fn news(&self) -> Option<Labelled> {
        let label = {
            let core = self.core();
            let kept = lock(&self.kept);
            let same =
                kept.as_ref().is_some_and(|(kept, then)| kept == core.label() && then.elapsed() < AGAIN);
            if same || *core.label() == Label::clean() {
                return None;
            }
            core.label().clone()
        };
        let session = self.core().session_id().to_string();
        Some(Labelled { session, principal: self.principal.to_string(), agent: self.agent(), label })
    }

    /// What its agent is known by.
    fn agent(&self) -> String {
        let context = self.context.as_ref().map(|context| format!("context {context}"));
        let client = || self.core().client().map(|client| format!("client {}", client.as_str()));
        context.or_else(client).unwrap_or_default()
    }
}

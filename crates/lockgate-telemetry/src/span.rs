//! Spans: a request of an agent, and within it what its server was asked.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lockgate_audit::Record;
use lockgate_model::{Finding, ServerName, SessionId, Verdict};
use tokio::sync::Notify;

use crate::names::Named;
use crate::operation::Error;
use crate::telemetry::{Transport, lock};

/// Most spans that wait to be sent. What comes then is dropped and counted.
pub(crate) const MOST_SPANS: usize = 4_096;
/// So many are sent at once, as soon as there are so many.
pub(crate) const BATCH: usize = 512;

/// Spans on their way.
pub(crate) struct Spans {
    /// One in so many traces that begin here is kept.
    one_in: u64,
    /// Makes ids that nobody can foresee, and the same for all records of a request.
    ids: RandomState,
    born: AtomicU64,
    waiting: Mutex<VecDeque<Span>>,
    pub(crate) dropped: AtomicU64,
    pub(crate) full: Notify,
}

/// Something that took time.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) trace: u128,
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) role: Role,
    /// Nanoseconds since 1970.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) about: About,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A request of an agent. Is its parent the sender's?
    Served { remote: bool },
    /// What a server was asked.
    Asked,
}

/// What a span tells.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) method: Option<&'static str>,
    pub(crate) named: Option<(Named, Option<Arc<str>>)>,
    pub(crate) server: Option<ServerName>,
    pub(crate) transport: Transport,
    pub(crate) error: Option<Error>,
    pub(crate) session: SessionId,
    pub(crate) correlation: String,
    pub(crate) verdict: Verdict,
    pub(crate) finding: Option<Finding>,
}

impl Spans {
    pub(crate) fn new(one_in: u64) -> Self {
        Self {
            one_in: one_in.max(1),
            ids: RandomState::new(),
            born: AtomicU64::new(0),
            waiting: Mutex::default(),
            dropped: AtomicU64::new(0),
            full: Notify::new(),
        }
    }

    /// Takes the spans that end with a record. `about` is asked only where they are kept: for what the agent was served,
    /// and for what its server was asked.
    pub(crate) fn take(&self, record: &Record, now: SystemTime, about: impl Fn(Role) -> About) {
        // Notifications share one correlation, and nothing is asked within them.
        let own = match record.method {
            Some(method) if method.starts_with("notifications/") => {
                self.born.fetch_add(1, Ordering::Relaxed) + 1
            }
            _ => 0,
        };
        let id = |what: u8| self.ids.hash_one((&record.correlation, own, what)).max(1);
        let begun = || u128::from(id(0)) << 64 | u128::from(id(1));
        let (trace, parent, kept) = if let Some(trace) = &record.trace {
            (trace.id(), Some(trace.span()), trace.is_sampled())
        } else {
            let trace = begun();
            (trace, None, trace % u128::from(self.one_in) == 0)
        };
        if !kept {
            return;
        }
        let end = nanos(now);
        let from = |micros: u64| end.saturating_sub(micros.saturating_mul(1_000));
        let served = id(2);
        if let Some(upstream) = record.upstream {
            let start = from(upstream.took);
            let about = about(Role::Asked);
            self.push(Span { trace, id: id(3), parent: Some(served), role: Role::Asked, start, end, about });
        }
        if record.last {
            let role = Role::Served { remote: parent.is_some() };
            let start = from(record.duration);
            self.push(Span { trace, id: served, parent, role, start, end, about: about(role) });
        }
    }

    /// The oldest that wait, at most a batch.
    pub(crate) fn batch(&self) -> Vec<Span> {
        let mut waiting = lock(&self.waiting);
        let many = waiting.len().min(BATCH);
        waiting.drain(..many).collect()
    }

    fn push(&self, span: Span) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= MOST_SPANS {
            drop(waiting);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back(span);
        let full = waiting.len() == BATCH;
        drop(waiting);
        if full {
            self.full.notify_one();
        }
    }
}

/// Nanoseconds since 1970.
pub(crate) fn nanos(time: SystemTime) -> u64 {
    let since: Duration = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

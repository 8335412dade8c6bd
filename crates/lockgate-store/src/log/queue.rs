use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use lockgate_audit::Record;

/// Most records that wait for the writer; then the calls that make them wait too.
const WAITING: usize = 8_192;
/// So many wake the writer before its time. Fewer do not: to wake a thread costs a call more than all else here.
const BATCH: usize = 256;

/// A record, and when it was made.
pub(super) type Entry = (SystemTime, Box<Record>);

/// Records on their way to the writer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something is to be done.
    ready: Condvar,
    /// Something was done.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    /// How often it was asked that everything be on the disk, and up to which of those it is.
    asked: u64,
    answered: u64,
    /// Nobody puts anything in any more.
    closed: bool,
    /// Nobody takes anything out any more.
    left: bool,
}

/// What the writer is to do.
pub(super) struct Taken {
    pub(super) entries: Vec<Entry>,
    /// Everything is to be on the disk, for whoever asked up to this one.
    pub(super) flush: Option<u64>,
    pub(super) closed: bool,
}

impl Queue {
    /// Waits where there is no room.
    pub(super) fn put(&self, entry: Entry) {
        let full = |state: &mut State| state.entries.len() >= WAITING && !state.left;
        let mut state = self.done.wait_while(self.state(), full).unwrap_or_else(PoisonError::into_inner);
        if state.left {
            return;
        }
        state.entries.push(entry);
        let many = state.entries.len() == BATCH;
        drop(state);
        if many {
            self.ready.notify_one();
        }
    }

    /// Waits until everything that was put in is on the disk.
    pub(super) fn flush(&self) {
        let mut state = self.state();
        state.asked += 1;
        let own = state.asked;
        self.ready.notify_one();
        let waits = |state: &mut State| state.answered < own && !state.left;
        drop(self.done.wait_while(state, waits));
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        self.ready.notify_one();
    }

    /// Takes everything out, as soon as there is much or it is asked for; else after `patience`.
    pub(super) fn take(&self, patience: Duration) -> Taken {
        let idle =
            |state: &mut State| state.entries.len() < BATCH && state.asked == state.answered && !state.closed;
        let waited = self.ready.wait_timeout_while(self.state(), patience, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let entries = std::mem::take(&mut state.entries);
        let flush = (state.asked > state.answered).then_some(state.asked);
        let closed = state.closed;
        drop(state);
        self.done.notify_all();
        Taken { entries, flush, closed }
    }

    /// Everything is on the disk, for whoever asked up to this one.
    pub(super) fn answer(&self, asked: u64) {
        self.state().answered = asked;
        self.done.notify_all();
    }

    /// The writer has ended, as it must not before the queue is closed. Nobody waits for it.
    pub(super) fn leave(&self) {
        self.state().left = true;
        self.done.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

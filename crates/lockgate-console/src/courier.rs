//! Brings alerts to a channel, and keeps them on the disk until it has taken them.
//!
//! What is told is written to the disk first, then sent. Where the channel is away it is tried again after 1 s, then twice as
//! long each time up to 5 min, until it is taken, for up to 7 days; a process that starts goes on with what an earlier one
//! left. An alert may be told twice, with the same id, where a process ends between the two.

mod spool;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::{Channel, Message, Unsent};
use spool::{Claimed, Spool};

/// Most messages in memory: those that are about to be written to the disk, and those that it did not take.
const MOST: usize = 1_000;
/// How long what waits is still sent once the process is closing.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often to look for what another process left.
const LOOK: Duration = Duration::from_mins(1);
/// How long to wait between attempts, and to go on at the end.
const PACE: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_mins(5), farewell: FAREWELL };

/// What has become of what was told since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Taken by the channel.
    pub taken: u64,
    /// Dropped: 1,000 newer ones waited, it was 7 days old, or its file was damaged.
    pub dropped: u64,
    /// Not on the disk, because it did not take them: they are kept in memory.
    pub unkept: usize,
    /// Why the last attempt failed; none where it did not.
    pub failing: Option<Unsent>,
}

/// A channel, and what waits for it.
#[derive(Debug)]
pub struct Courier {
    channel: Channel,
    spool: Spool,
    pace: Pace,
    state: Mutex<State>,
    /// Held while what was told is brought to the disk: one thread at a time.
    keeping: Mutex<()>,
    wake: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Duration,
    longest: Duration,
    farewell: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// Told, and not yet on the disk.
    fresh: VecDeque<Message>,
    number: u64,
    carried: Carried,
}

/// What is to be sent next.
enum Next {
    Kept(Box<Claimed>),
    /// The disk did not take it.
    Unkept(Box<Message>),
}

impl Courier {
    /// A courier to a channel. What waits is in `folder`, which is made where it is missing, for its owner alone. Several
    /// processes may use one; each message is sent by one of them.
    pub fn new(channel: Channel, folder: PathBuf) -> Self {
        Self {
            channel,
            spool: Spool::new(folder),
            pace: PACE,
            state: Mutex::default(),
            keeping: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Takes a message. Never waits: where 1,000 have not come to the disk yet, the oldest is dropped and counted.
    pub fn tell(&self, message: Message) {
        let mut state = self.state();
        if state.fresh.len() >= MOST {
            state.fresh.pop_front();
            state.carried.dropped += 1;
        }
        state.fresh.push_back(message);
        drop(state);
        self.wake.notify_one();
    }

    /// Keeps and sends what is told until `closing` says true or is gone; then goes on for 3 s with what waits. To be
    /// called once. Gives how many wait on the disk at the end, and how many are lost because they are not on it.
    pub async fn run(self: &Arc<Self>, closing: watch::Receiver<bool>) -> (usize, usize) {
        let mut closed = closing.clone();
        let end = async {
            closes(&mut closed).await;
            sleep(self.pace.farewell).await;
        };
        tokio::select! { () = self.carry(closing) => {}, () = end => {} }
        self.keep().await;
        (self.spool.waiting(), self.state().fresh.len())
    }

    /// What has become of what was told.
    pub fn carried(&self) -> Carried {
        let state = self.state();
        Carried { unkept: state.fresh.len(), ..state.carried }
    }

    /// Ends once the process is closing and nothing waits. Nothing is given up half way: what is on its way when the process
    /// closes is not sent twice.
    async fn carry(self: &Arc<Self>, mut closing: watch::Receiver<bool>) {
        let mut pause = self.pace.first;
        let mut failures = BTreeMap::new();
        loop {
            // Asked first: what was told before the end is kept below.
            let closed = *closing.borrow() || closing.has_changed().is_err();
            self.keep().await;
            match self.next(&failures).await {
                None if closed => return,
                None => {
                    failures.clear();
                    tokio::select! {
                        _look = timeout(LOOK, self.wake.notified()) => {}
                        () = closes(&mut closing) => {}
                    }
                }
                Some(next) => {
                    if self.attempt(next, &mut failures).await {
                        pause = self.pace.first;
                    } else if closed {
                        sleep(self.pace.first).await;
                    } else {
                        self.wait(pause, &mut closing).await;
                        pause = pause.saturating_mul(2).min(self.pace.longest);
                    }
                }
            }
        }
    }

    /// Waits for the next attempt, or the end. What is told meanwhile is kept at once.
    async fn wait(self: &Arc<Self>, pause: Duration, closing: &mut watch::Receiver<bool>) {
        let then = Instant::now() + pause;
        loop {
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep_until(then) => return,
                () = closes(closing) => return,
            }
            self.keep().await;
        }
    }

    /// Brings what was told to the disk. What it does not take stays in memory. [`Self::run`] does so by itself; this is for
    /// what is told after it has ended.
    pub async fn keep(self: &Arc<Self>) {
        if self.state().fresh.is_empty() {
            return;
        }
        let courier = Arc::clone(self);
        let keeping = tokio::task::spawn_blocking(move || {
            let _one_at_a_time = courier.keeping.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                let (message, number) = {
                    let mut state = courier.state();
                    state.number += 1;
                    let Some(message) = state.fresh.front().cloned() else { return };
                    (message, state.number)
                };
                let Ok(dropped) = courier.spool.put(&message, unix_millis(), number) else { return };
                let mut state = courier.state();
                state.carried.dropped += dropped;
                // It may have been dropped meanwhile.
                state.fresh.pop_front_if(|first| first.id == message.id);
            }
        });
        // Where a thread cannot be had, what is told stays in memory.
        let _kept = keeping.await;
    }

    async fn next(self: &Arc<Self>, failures: &BTreeMap<String, u32>) -> Option<Next> {
        let (courier, failures) = (Arc::clone(self), failures.clone());
        let looking = tokio::task::spawn_blocking(move || courier.spool.next(&failures, unix_millis()));
        let kept = looking.await.ok().and_then(Result::ok).and_then(|(claimed, dropped)| {
            self.state().carried.dropped += dropped;
            claimed
        });
        if let Some(kept) = kept {
            return Some(Next::Kept(Box::new(kept)));
        }
        self.state().fresh.front().cloned().map(|message| Next::Unkept(Box::new(message)))
    }

    /// Tries once. Was it taken?
    async fn attempt(&self, next: Next, failures: &mut BTreeMap<String, u32>) -> bool {
        let message = match &next {
            Next::Kept(claimed) => &claimed.message,
            Next::Unkept(message) => message,
        };
        let sent = self.channel.send(message, unix_millis() / 1000).await;
        let mut state = self.state();
        state.carried.failing = sent.err();
        if let Err(why) = sent {
            if let Next::Kept(claimed) = &next
                && why.may_be_of_the_message()
            {
                *failures.entry(claimed.name.clone()).or_default() += 1;
            }
            return false;
        }
        state.carried.taken += 1;
        match next {
            Next::Kept(claimed) => {
                drop(state);
                // What cannot be removed is told again, with the same id: once in 5 min.
                claimed.done().is_ok()
            }
            Next::Unkept(message) => {
                state.fresh.pop_front_if(|first| first.id == message.id);
                true
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the process is closing, or whoever would say so is gone: either is the end.
async fn closes(closing: &mut watch::Receiver<bool>) {
    let _closing = closing.wait_for(|closing| *closing).await.is_ok();
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! Notices to an address of the operator's: somebody is needed, or something was decided.
//!
//! Each is one POST with a JSON body and two headers: `Lockgate-Timestamp`, the seconds since 1970 when it was sent, and
//! `Lockgate-Signature: v1=…`, the HMAC-SHA256 in hexadecimal of the timestamp, a point and the body. What the receiver
//! answers counts by its status only, and is never shown.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::StatusCode;
use lockgate_model::UnixMillis;
use lockgate_post::BadAddress;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use crate::post::Post;
use crate::{Event, Signer};

/// Most events that wait. Then the oldest is dropped and counted.
const WAITING: usize = 1000;
/// How long what waits is still sent once the process is closing.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long to wait between attempts.
const PACE: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_mins(1), give_up: Duration::from_mins(10) };

/// Why a webhook cannot be used. Names the matter, never the address: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWebhook {
    /// Nothing can be sent there.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// The secret can be guessed.
    #[error("the secret must have at least 16 bytes")]
    Secret,
}

/// What has become of events since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting or on their way.
    pub waiting: usize,
    /// Taken by the receiver.
    pub delivered: u64,
    /// Dropped because 1,000 waited. One that was just on its way may have arrived all the same.
    pub dropped: u64,
    /// Given up: refused by the receiver, or not taken within 10 minutes.
    pub given_up: u64,
}

/// A webhook, and the events that wait for it.
pub struct Webhook {
    post: Post,
    /// Makes the events' ids different from those of an earlier process. Milliseconds since 1970.
    born: u64,
    pace: Pace,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Before the second attempt; then twice as long each time.
    first: Duration,
    longest: Duration,
    /// Since the event.
    give_up: Duration,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    /// How many events there have been.
    events: u64,
    delivered: u64,
    dropped: u64,
    given_up: u64,
}

#[derive(Clone)]
struct Notice {
    number: u64,
    since: Instant,
    body: Bytes,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Delivered,
    Refused,
    /// Worth another.
    Failed,
}

impl Webhook {
    /// Prepares to send events. `secret` signs them: at least 16 bytes, better 32 random ones. Opens no connection.
    pub fn new(url: &str, secret: &[u8]) -> Result<Self, BadWebhook> {
        let signer = Signer::new(secret).ok_or(BadWebhook::Secret)?;
        Ok(Self {
            post: Post::new(url, Some(signer))?,
            born: unix_millis().0,
            pace: PACE,
            queue: Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Takes an event to be sent. Never waits: where 1,000 are waiting, the oldest is dropped.
    pub fn tell(&self, event: &Event) {
        let mut queue = self.queue();
        queue.events += 1;
        let number = queue.events;
        let body = event.to_json(&format!("{}-{number}", self.born), unix_millis());
        if queue.waiting.len() >= WAITING {
            queue.waiting.pop_front();
            queue.dropped += 1;
        }
        queue.waiting.push_back(Notice { number, since: Instant::now(), body: body.into() });
        drop(queue);
        self.wake.notify_one();
    }

    /// Sends what is told, one event after the other, until `closing` says true or is gone; then goes on for 3 s with
    /// what still waits. To be called once.
    pub async fn run(&self, mut closing: watch::Receiver<bool>) {
        let mut closed = closing.clone();
        let send = async {
            loop {
                self.empty().await;
                tokio::select! {
                    biased;
                    // What was told before the end is sent.
                    () = self.wake.notified() => {}
                    _ = closed.wait_for(|closed| *closed) => return,
                }
            }
        };
        let end = async {
            // Closing or gone: either is the end.
            let _closing = closing.wait_for(|closing| *closing).await.is_ok();
            sleep(FAREWELL).await;
        };
        tokio::select! { () = send => {}, () = end => {} }
    }

    /// What has become of the events.
    pub fn counts(&self) -> Counts {
        let queue = self.queue();
        let Queue { delivered, dropped, given_up, .. } = *queue;
        Counts { waiting: queue.waiting.len(), delivered, dropped, given_up }
    }

    async fn empty(&self) {
        loop {
            let Some(notice) = self.queue().waiting.front().cloned() else { return };
            let delivered = self.deliver(&notice).await;
            let mut queue = self.queue();
            // It may have been dropped meanwhile, and is counted as that.
            if queue.waiting.pop_front_if(|first| first.number == notice.number).is_some() {
                if delivered { queue.delivered += 1 } else { queue.given_up += 1 }
            }
        }
    }

    /// Tries until the event is taken, refused or too old to be of use. At least once, however long it had to wait for
    /// those before it: they may have failed for what they say.
    async fn deliver(&self, notice: &Notice) -> bool {
        let mut pause = self.pace.first;
        loop {
            match self.attempt(&notice.body).await {
                Attempt::Delivered => return true,
                Attempt::Refused => return false,
                Attempt::Failed => {}
            }
            let left = self.pace.give_up.saturating_sub(notice.since.elapsed());
            if left.is_zero() {
                return false;
            }
            sleep(pause.min(left)).await;
            pause = pause.saturating_mul(2).min(self.pace.longest);
        }
    }

    async fn attempt(&self, body: &Bytes) -> Attempt {
        self.post.send(body, unix_millis().0 / 1000).await.map_or(Attempt::Failed, judge)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that holds it can leave it half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address and the secret are nobody's business.
        f.debug_struct("Webhook").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// What a status means. A redirect is not followed: the operator named one address.
fn judge(status: StatusCode) -> Attempt {
    match status.as_u16() {
        200..=299 => Attempt::Delivered,
        408 | 425 | 429 | 500..=599 => Attempt::Failed,
        _ => Attempt::Refused,
    }
}

fn unix_millis() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;

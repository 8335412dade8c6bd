//! Streams of Lockgate's own that an agent may leave and resume (revision 2025-11-25, "Resumability and Redelivery";
//! SEP-1699): for servers that have no streams to resume, such as children.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lockgate_model::ExchangeId;
use lockgate_transport::front::StreamSender;
use tokio::sync::{mpsc, watch};

use super::respond::QUIET;
use super::session::{Delivery, lock};

/// How long an agent is told to wait before it resumes a stream. Milliseconds.
const RETRY: u64 = 100;
/// Most answers of a session that are kept for an agent that may resume; then the oldest is forgotten.
const KEPT: usize = 32;
/// Most messages of one exchange that are kept, and most bytes of them; then the oldest are forgotten, but never the
/// newest.
const MESSAGES: usize = 256;
const BYTES: usize = 1 << 20;
/// A message larger than this is not kept once an agent has been given it.
const LARGE: usize = 64 << 10;

/// What was said on one exchange, kept so that it can be said again.
pub(super) struct Conduit {
    exchange: ExchangeId,
    log: Mutex<Log>,
    grown: watch::Sender<usize>,
}

#[derive(Default)]
struct Log {
    /// Messages, by their number in the stream.
    messages: BTreeMap<usize, Bytes>,
    next: usize,
    done: bool,
    /// The server has closed its own stream for now: so may we.
    polled: bool,
}

impl Log {
    fn bytes(&self) -> usize {
        self.messages.values().map(Bytes::len).sum()
    }
}

impl Conduit {
    /// Keeps all that comes on a stream.
    pub(super) fn open(exchange: ExchangeId, mut stream: mpsc::Receiver<Delivery>) -> Arc<Self> {
        let conduit = Arc::new(Self { exchange, log: Mutex::default(), grown: watch::Sender::new(0) });
        let keeper = Arc::clone(&conduit);
        tokio::spawn(async move {
            while let Some(delivery) = stream.recv().await {
                let last = delivery.last;
                // A request that was taken back ends without a word.
                if !delivery.message.is_empty() {
                    keeper.keep(delivery.message);
                }
                if last {
                    break;
                }
            }
            lock(&keeper.log).done = true;
            keeper.grown.send_modify(|grown| *grown += 1);
        });
        conduit
    }

    fn keep(&self, message: Bytes) {
        let mut log = lock(&self.log);
        log.next += 1;
        let number = log.next;
        log.messages.insert(number, message);
        while log.messages.len() > 1 && (log.messages.len() > MESSAGES || log.bytes() > BYTES) {
            log.messages.pop_first();
        }
        drop(log);
        self.grown.send_modify(|grown| *grown += 1);
    }

    /// The server wants the agent to come back later.
    pub(super) fn poll(&self) {
        lock(&self.log).polled = true;
        self.grown.send_modify(|grown| *grown += 1);
    }

    /// Says what came after a place, and what still comes, until the answer; or for so long.
    pub(super) async fn follow(&self, mut after: usize, sender: &StreamSender, patience: Option<Duration>) {
        let leave = async {
            match patience {
                Some(patience) => tokio::time::sleep(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(leave);
        let mut grown = self.grown.subscribe();
        loop {
            grown.mark_unchanged();
            let (batch, over) = {
                let log = lock(&self.log);
                let batch: Vec<_> = log
                    .messages
                    .range(after + 1..)
                    .map(|(number, message)| (*number, message.clone()))
                    .collect();
                (batch, log.done || (log.polled && patience.is_some()))
            };
            for (number, message) in batch {
                after = number;
                if !sender.send(Some(&self.mark(number)), None, &message).await {
                    return;
                }
                if message.len() > LARGE {
                    lock(&self.log).messages.remove(&number);
                }
            }
            if over {
                return;
            }
            tokio::select! {
                _ = grown.changed() => {}
                () = sender.closed() => return,
                () = &mut leave => return,
                () = tokio::time::sleep(QUIET) => {
                    sender.keep_alive().await;
                }
            }
        }
    }

    /// Tells the agent where it can resume, before anything else is said.
    pub(super) async fn prime(&self, sender: &StreamSender) -> bool {
        sender.send(Some(&self.mark(0)), Some(RETRY), b"").await
    }

    fn mark(&self, number: usize) -> String {
        format!("{}.{number}", self.exchange)
    }
}

/// Reads a mark of ours: the exchange, and the number of the last message that was seen.
pub(super) fn read_mark(mark: &str) -> Option<(ExchangeId, usize)> {
    let (exchange, number) = mark.split_once('.')?;
    Some((ExchangeId(exchange.parse().ok()?), number.parse().ok()?))
}

/// The conduits of a session.
#[derive(Default)]
pub(super) struct Conduits(Mutex<BTreeMap<ExchangeId, Arc<Conduit>>>);

impl Conduits {
    /// Remembers a conduit.
    pub(super) fn keep(&self, conduit: &Arc<Conduit>) {
        let mut conduits = lock(&self.0);
        conduits.insert(conduit.exchange, Arc::clone(conduit));
        if conduits.len() > KEPT {
            conduits.pop_first();
        }
    }

    /// Finds a conduit to resume.
    pub(super) fn find(&self, exchange: ExchangeId) -> Option<Arc<Conduit>> {
        lock(&self.0).get(&exchange).cloned()
    }
}

//! A thread of its own for all that is told, so that no call waits for who asks.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::otlp::{BadTarget, Sender, metrics, spans};
use crate::serve::serve;
use crate::span::Spans;
use crate::telemetry::{Sent, all};
use crate::{House, Telemetry};

/// Longest time a span waits for others before it is sent.
const PACE: Duration = Duration::from_secs(5);
/// How long what is left is still sent at the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// Whom to tell.
#[derive(Clone, Default)]
pub struct Settings {
    /// Where who asks may ask.
    pub listen: Option<SocketAddr>,
    /// Who is told.
    pub otlp: Option<Otlp>,
}

/// A collector.
#[derive(Clone)]
pub struct Otlp {
    /// The address below which `/v1/metrics` and `/v1/traces` are.
    pub endpoint: String,
    /// What is sent with everything. May hold secrets.
    pub headers: Vec<(String, String)>,
    /// How often counts are sent.
    pub interval: Duration,
}

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum BadTelemetry {
    /// Nobody can ask.
    #[error("cannot listen on {0} for metrics: {1}")]
    Listen(SocketAddr, io::Error),
    /// Nobody can be told.
    #[error("the collector of telemetry cannot be used: {0}")]
    Target(#[from] BadTarget),
    /// The system gives no thread.
    #[error("telemetry cannot be started: {0}")]
    Thread(io::Error),
}

/// What tells. It ends when it is dropped, at most 3 s later: what is left is sent before.
pub struct Running {
    address: Option<SocketAddr>,
    close: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Begins to tell what is counted, and what is so in the house.
pub fn start(
    telemetry: Arc<Telemetry>,
    house: Arc<dyn House>,
    settings: &Settings,
) -> Result<Running, BadTelemetry> {
    let listen = |address: SocketAddr| {
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        });
        bound.map_err(|error| BadTelemetry::Listen(address, error))
    };
    let (address, listener) = settings.listen.map(listen).transpose()?.unzip();
    let sender = settings.otlp.as_ref();
    let sender =
        sender.map(|otlp| Ok::<_, BadTarget>((Sender::new(&otlp.endpoint, &otlp.headers)?, otlp.interval)));
    let sender = sender.transpose()?;
    let (close, closing) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(BadTelemetry::Thread)?;
    let thread = std::thread::Builder::new().name("telemetry".to_owned()).spawn(move || {
        runtime.block_on(async {
            let serving = listener.and_then(|listener| tokio::net::TcpListener::from_std(listener).ok());
            let served = serving
                .map(|listener| serve(listener, Arc::clone(&telemetry), Arc::clone(&house), closing.clone()));
            let served = async {
                if let Some(served) = served {
                    served.await;
                }
            };
            let told = async {
                if let Some((sender, pace)) = &sender {
                    tell(&telemetry, &house, sender, *pace, closing.clone()).await;
                }
            };
            tokio::join!(served, told);
        });
        // A connection that is read slowly is not waited for.
        runtime.shutdown_background();
    });
    Ok(Running { address, close, thread: Some(thread.map_err(BadTelemetry::Thread)?) })
}

/// Sends until `closing` says true or is gone, and then once more.
async fn tell(
    telemetry: &Telemetry,
    house: &Arc<dyn House>,
    sender: &Sender,
    pace: Duration,
    mut closing: watch::Receiver<bool>,
) {
    let counts = async {
        let mut next = interval(pace);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first is at once.
        next.tick().await;
        loop {
            next.tick().await;
            send_counts(telemetry, house, sender).await;
        }
    };
    let traces = async {
        let Some(spans) = &telemetry.spans else { return std::future::pending().await };
        loop {
            let _full_or_late = timeout(PACE, spans.full.notified()).await;
            send_spans(telemetry, spans, sender).await;
        }
    };
    // Closing or gone: either is the end.
    tokio::select! {
        () = counts => {}
        () = traces => {}
        _closing = closing.wait_for(|closing| *closing) => {}
    }
    let last = async {
        let spans = async {
            if let Some(spans) = &telemetry.spans {
                send_spans(telemetry, spans, sender).await;
            }
        };
        tokio::join!(spans, send_counts(telemetry, house, sender));
    };
    let _farewell = timeout(FAREWELL, last).await;
}

async fn send_counts(telemetry: &Telemetry, house: &Arc<dyn House>, sender: &Sender) {
    let message = metrics(&all(telemetry, house), telemetry.born, SystemTime::now());
    telemetry.exports.metrics.count(sender.metrics(message).await);
}

async fn send_spans(telemetry: &Telemetry, waiting: &Spans, sender: &Sender) {
    loop {
        let batch = waiting.batch();
        if batch.is_empty() {
            return;
        }
        let mut leaving = Leaving { telemetry, dropped: &waiting.dropped, spans: batch.len() };
        if sender.traces(spans(&batch)).await {
            leaving.spans = 0;
        }
    }
}

/// Spans on their way, which are lost also where nobody waits any more for them to arrive.
struct Leaving<'s> {
    telemetry: &'s Telemetry,
    dropped: &'s AtomicU64,
    spans: usize,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.telemetry.exports.traces.count(self.spans == 0);
        self.dropped.fetch_add(u64::try_from(self.spans).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Sent {
    fn count(&self, delivered: bool) {
        let counter = if delivered { &self.delivered } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

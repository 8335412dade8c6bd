//! Servers that a session holds for itself, children and streams of events: started when first spoken to, restarted with
//! growing pauses, stopped with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use lockgate_core::{Permit, Received};
use lockgate_model::{Reason, ServerName, Untrusted};
use lockgate_transport::child::{Child, Launch};
use lockgate_transport::event_stream::EventStream;
use lockgate_transport::http::HttpServer;
use lockgate_transport::said::Said;
use tokio::sync::{Mutex, mpsc};

use super::session::{Session, Via};
use super::start::Start;

/// Most messages of one server that wait to be read; then the server waits.
const LINES: usize = 64;
/// Pause before a server that ended early is started again: doubled each time from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// A server that lived this long is healthy.
const HEALTHY: Duration = Duration::from_secs(10);

/// How a server is spoken to that a session holds for itself.
#[derive(Clone)]
pub(super) enum Way {
    /// It is started.
    Start(Box<Start>),
    /// Its stream of events is opened.
    Open(Arc<HttpServer>),
}

/// The same once it was seen that it may be.
enum Ready {
    Start(Launch),
    Open(Arc<HttpServer>),
}

/// Such a server.
enum Peer {
    Child(Child),
    Events(EventStream),
}

impl Peer {
    async fn send(&self, permit: Permit) -> Result<(), Reason> {
        match self {
            Self::Child(child) => child.send(permit).await,
            Self::Events(events) => events.send(permit).await,
        }
    }

    /// Ends it with a farewell, where it can be given one.
    async fn stop(&self) {
        match self {
            Self::Child(child) => child.stop().await,
            Self::Events(events) => events.close(),
        }
    }

    /// Ends it at once.
    fn kill(&self) {
        match self {
            Self::Child(child) => child.kill(),
            Self::Events(events) => events.close(),
        }
    }
}

/// These servers of one session.
#[derive(Default)]
pub(super) struct Links {
    links: Mutex<BTreeMap<ServerName, Link>>,
}

#[derive(Default)]
struct Link {
    peer: Option<Arc<Peer>>,
    started: Option<Instant>,
    /// Not to be started before.
    not_before: Option<Instant>,
    pause: Duration,
}

impl Link {
    /// The server where it runs; [`Reason::ServerRestarting`] where it must not be started yet.
    fn running(&self) -> Result<Option<Arc<Peer>>, Reason> {
        let early = self.not_before.is_some_and(|not_before| Instant::now() < not_before);
        match &self.peer {
            None if early => Err(Reason::ServerRestarting),
            peer => Ok(peer.clone()),
        }
    }
}

/// Counts the children and streams of events of all sessions against the limit.
#[derive(Default)]
pub(super) struct Population(AtomicUsize);

impl Population {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

struct Place(Arc<Population>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Links {
    /// Sends to a server; starts it where it does not run.
    pub(super) async fn send(&self, session: &Arc<Session>, permit: Permit) -> Result<(), Reason> {
        let peer = self.peer(session, permit.server()).await?;
        peer.send(permit).await
    }

    async fn peer(&self, session: &Arc<Session>, server: &ServerName) -> Result<Arc<Peer>, Reason> {
        if let Some(peer) = self.links.lock().await.entry(server.clone()).or_default().running()? {
            return Ok(peer);
        }
        let gateway = &session.gateway;
        let way = gateway.way(server).ok_or(Reason::UnknownServer)?;
        // Others of the session do not wait while files are read.
        let ready = match way {
            Way::Start(start) => Ready::Start(gateway.examined(server, start).await?),
            Way::Open(http) => gateway.refusal(server).map_or(Ok(Ready::Open(http)), Err)?,
        };
        let mut links = self.links.lock().await;
        let link = links.entry(server.clone()).or_default();
        if let Some(peer) = link.running()? {
            return Ok(peer);
        }
        let now = Instant::now();
        let place = gateway.place_for_child()?;
        let (said, incoming) = mpsc::channel(LINES);
        let peer = match ready {
            Ready::Start(launch) => {
                let line_bytes = gateway.boundary().limits.result_bytes;
                Child::start(&launch, line_bytes, said).map(Peer::Child).map_err(|error| {
                    gateway.say(&format!("server `{server}` cannot be started: {error}"));
                    Reason::ServerUnreachable
                })?
            }
            Ready::Open(http) => Peer::Events(EventStream::open(http, gateway.patience(server), said)),
        };
        let peer = Arc::new(peer);
        link.peer = Some(Arc::clone(&peer));
        link.started = Some(now);
        tokio::spawn(listen(Arc::downgrade(session), Arc::downgrade(&peer), server.clone(), incoming, place));
        Ok(peer)
    }

    /// The server has ended by itself. False where it was stopped before and is nobody's any more.
    async fn ended(&self, server: &ServerName, peer: &Weak<Peer>) -> bool {
        let mut links = self.links.lock().await;
        let link = links.get_mut(server);
        let current =
            link.filter(|link| link.peer.as_ref().is_some_and(|own| Arc::as_ptr(own) == peer.as_ptr()));
        if let Some(link) = current {
            link.peer = None;
            let healthy = link.started.is_some_and(|started| started.elapsed() >= HEALTHY);
            link.pause = if healthy { FIRST_PAUSE } else { (link.pause * 2).clamp(FIRST_PAUSE, LAST_PAUSE) };
            link.not_before = Some(Instant::now() + link.pause);
            return true;
        }
        false
    }

    /// Ends a server at once; it may be started afresh.
    pub(crate) async fn cut(&self, server: &ServerName) {
        let link = self.links.lock().await.remove(server);
        if let Some(peer) = link.and_then(|link| link.peer) {
            peer.kill();
        }
    }

    /// Stops all of them, side by side.
    pub(super) async fn stop_all(&self) {
        let links = std::mem::take(&mut *self.links.lock().await);
        let stops: Vec<_> = links
            .into_values()
            .filter_map(|link| link.peer)
            .map(|peer| tokio::spawn(async move { peer.stop().await }))
            .collect();
        for stop in stops {
            let _stopped = stop.await;
        }
    }
}

/// Takes one more into the population, or says that it is full.
pub(super) fn place(population: &Arc<Population>, most: usize) -> Result<impl Sized + Send + use<>, Reason> {
    let place = Place(Arc::clone(population));
    if population.0.fetch_add(1, Ordering::Relaxed) >= most {
        Err(Reason::TooManyChildren)
    } else {
        Ok(place)
    }
}

/// Reads what a server says until it ends or its session does.
async fn listen(
    session: Weak<Session>,
    peer: Weak<Peer>,
    server: ServerName,
    mut lines: mpsc::Receiver<Said>,
    _place: impl Sized + Send,
) {
    while let Some(line) = lines.recv().await {
        let Some(session) = session.upgrade() else { return };
        // It was cut off: what it had still to say is nobody's answer any more.
        if peer.strong_count() == 0 {
            return;
        }
        match line {
            Said::Message(bytes) => session.from_server(&server, None, bytes, Via::default()).await,
            Said::TooLong(start) => {
                let steps = session.event(lockgate_core::Event::Server {
                    server: server.clone(),
                    exchange: None,
                    received: Received::too_large(&start),
                });
                session.perform(steps, Via::default()).await;
            }
            Said::Diagnostic(_) if session.gateway.quiet => {}
            Said::Diagnostic(text) => {
                session.gateway.say(&format!("[{server}] {}", Untrusted::new(text).escaped(2_000)));
            }
            Said::Exited(code) => {
                if session.links.ended(&server, &peer).await {
                    let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
                    session.gateway.say(&format!("server `{server}` ended with {code}"));
                    session.server_ended(&server, Reason::ServerExited).await;
                }
                return;
            }
            Said::Closed(ended) => {
                if session.links.ended(&server, &peer).await {
                    session.gateway.say(&format!("server `{server}` over http+sse: {ended}"));
                    session.server_ended(&server, ended.reason()).await;
                }
                return;
            }
        }
    }
}

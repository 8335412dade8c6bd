//! Child processes of a session: started when first spoken to, restarted with growing pauses, stopped with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use lockgate_core::{Permit, Received};
use lockgate_model::{Reason, ServerName, Untrusted};
use lockgate_transport::child::{Child, ChildLine};
use tokio::sync::{Mutex, mpsc};

use super::session::{Session, Via};

/// Most lines of one child that wait to be read; then the child waits.
const LINES: usize = 64;
/// Pause before a child that ended early is started again: doubled each time from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// A child that lived this long is healthy.
const HEALTHY: Duration = Duration::from_secs(10);

/// The children of one session.
#[derive(Default)]
pub(super) struct Links {
    links: Mutex<BTreeMap<ServerName, Link>>,
}

#[derive(Default)]
struct Link {
    child: Option<Arc<Child>>,
    started: Option<Instant>,
    /// Not to be started before.
    not_before: Option<Instant>,
    pause: Duration,
}

/// Counts the children of all sessions against the limit.
#[derive(Default)]
pub(super) struct Population(AtomicUsize);

struct Place(Arc<Population>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Links {
    /// Sends to a server's child; starts it where none runs.
    pub(super) async fn send(&self, session: &Arc<Session>, permit: Permit) -> Result<(), Reason> {
        let child = self.child(session, permit.server()).await?;
        child.send(permit).await
    }

    async fn child(&self, session: &Arc<Session>, server: &ServerName) -> Result<Arc<Child>, Reason> {
        let mut links = self.links.lock().await;
        let link = links.entry(server.clone()).or_default();
        if let Some(child) = &link.child {
            return Ok(Arc::clone(child));
        }
        let now = Instant::now();
        if link.not_before.is_some_and(|not_before| now < not_before) {
            return Err(Reason::ServerRestarting);
        }
        let gateway = &session.gateway;
        let launch = gateway.launch(server).ok_or(Reason::UnknownServer)?;
        let place = gateway.place_for_child()?;
        let (said, incoming) = mpsc::channel(LINES);
        let line_bytes = gateway.boundary().limits.result_bytes;
        let child = Child::start(&launch, line_bytes, said).map_err(|error| {
            gateway.say(&format!("server `{server}` cannot be started: {error}"));
            Reason::ServerUnreachable
        })?;
        let child = Arc::new(child);
        link.child = Some(Arc::clone(&child));
        link.started = Some(now);
        tokio::spawn(listen(
            Arc::downgrade(session),
            Arc::downgrade(&child),
            server.clone(),
            incoming,
            place,
        ));
        Ok(child)
    }

    /// The child has ended by itself. False where it was stopped before and is nobody's any more.
    async fn ended(&self, server: &ServerName, child: &Weak<Child>) -> bool {
        let mut links = self.links.lock().await;
        let link = links.get_mut(server);
        let current =
            link.filter(|link| link.child.as_ref().is_some_and(|own| Arc::as_ptr(own) == child.as_ptr()));
        if let Some(link) = current {
            link.child = None;
            let healthy = link.started.is_some_and(|started| started.elapsed() >= HEALTHY);
            link.pause = if healthy { FIRST_PAUSE } else { (link.pause * 2).clamp(FIRST_PAUSE, LAST_PAUSE) };
            link.not_before = Some(Instant::now() + link.pause);
            return true;
        }
        false
    }

    /// Ends a server's child at once; it may be started afresh.
    pub(crate) async fn cut(&self, server: &ServerName) {
        let link = self.links.lock().await.remove(server);
        if let Some(child) = link.and_then(|link| link.child) {
            child.kill();
        }
    }

    /// Stops all children, side by side.
    pub(super) async fn stop_all(&self) {
        let links = std::mem::take(&mut *self.links.lock().await);
        let stops: Vec<_> = links
            .into_values()
            .filter_map(|link| link.child)
            .map(|child| tokio::spawn(async move { child.stop().await }))
            .collect();
        for stop in stops {
            let _stopped = stop.await;
        }
    }
}

/// Takes one more child into the population, or says that it is full.
pub(super) fn place(population: &Arc<Population>, most: usize) -> Result<impl Sized + Send + use<>, Reason> {
    let place = Place(Arc::clone(population));
    if population.0.fetch_add(1, Ordering::Relaxed) >= most {
        Err(Reason::TooManyChildren)
    } else {
        Ok(place)
    }
}

/// Reads what a child says until it ends or its session does.
async fn listen(
    session: Weak<Session>,
    child: Weak<Child>,
    server: ServerName,
    mut lines: mpsc::Receiver<ChildLine>,
    _place: impl Sized + Send,
) {
    while let Some(line) = lines.recv().await {
        let Some(session) = session.upgrade() else { return };
        // It was cut off: what it had still to say is nobody's answer any more.
        if child.strong_count() == 0 {
            return;
        }
        match line {
            ChildLine::Message(bytes) => session.from_server(&server, None, bytes, Via::default()).await,
            ChildLine::TooLong(start) => {
                let steps = session.event(lockgate_core::Event::Server {
                    server: server.clone(),
                    exchange: None,
                    received: Received::too_large(&start),
                });
                session.perform(steps, Via::default()).await;
            }
            ChildLine::Diagnostic(text) => {
                session.gateway.say(&format!("[{server}] {}", Untrusted::new(text).escaped(2_000)));
            }
            ChildLine::Exited(code) => {
                if session.links.ended(&server, &child).await {
                    let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
                    session.gateway.say(&format!("server `{server}` ended with {code}"));
                    session.server_ended(&server).await;
                }
                return;
            }
        }
    }
}

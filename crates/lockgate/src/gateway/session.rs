//! One session's shell: holds its core, carries out its steps, and feeds back what comes of them.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use lockgate_core::{Core, Event, Headers, Outlet, Permit, Received, Release, Scope, Step};
use lockgate_model::{ExchangeId, Label, Principal, Reason, Revision, ServerName, Side, Tick, UnixMillis};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::AbortHandle;

use super::Gateway;
use super::budget::Taken;
use super::conduit::Conduits;
use super::links::Links;

/// Most messages that wait on one stream for an agent that reads slowly; then its servers wait.
const WAITING: usize = 64;
/// Most messages kept for an agent that has no standing stream open; then the oldest is dropped.
const BACKLOG: usize = 64;
/// Most bytes of them; the newest is kept in any case.
const BACKLOG_BYTES: usize = 4 << 20;
/// How long a child may take to read a message before it is sent beside others.
const READING: Duration = Duration::from_millis(50);
/// Most messages of a session on their way to children that do not read; then further ones wait in line.
const STRAGGLERS: usize = 256;
/// How long servers may take to end their sessions with this one.
const GOODBYE: Duration = Duration::from_secs(3);

/// Something on its way to the agent on one stream.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The message; empty for a mere mark.
    pub message: Bytes,
    /// The HTTP status, where it is the first.
    pub status: u16,
    /// Is the stream over with it?
    pub last: bool,
    /// The mark of a resumable stream, as the server gave it.
    pub mark: Option<Mark>,
}

/// `id` and `retry` of a server-sent event.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark {
    /// Where to resume.
    pub id: Option<String>,
    /// How long to wait before. Milliseconds.
    pub retry: Option<u64>,
}

/// One agent's run.
pub(super) struct Session {
    pub(super) gateway: Arc<Gateway>,
    pub(super) principal: Principal,
    /// The agent's run, where its client names one.
    pub(super) context: Option<String>,
    core: Mutex<Core>,
    /// What was last kept of what it has read, and when.
    pub(super) kept: Mutex<Option<(Label, Instant)>>,
    pub(super) links: Links,
    /// Session ids that HTTP servers gave. They never leave Lockgate.
    upstream_ids: Mutex<BTreeMap<ServerName, String>>,
    sinks: Mutex<BTreeMap<ExchangeId, mpsc::Sender<Delivery>>>,
    standing: Mutex<Standing>,
    /// Requests under way to HTTP servers, to be dropped when nobody waits any more.
    under_way: Mutex<BTreeMap<ExchangeId, AbortHandle>>,
    /// Requests that were lately decided to be sent.
    sends: Mutex<Sends>,
    /// Standing streams of servers of the handshake era, for an agent that has none.
    pub(super) listening: Mutex<BTreeMap<ServerName, AbortHandle>>,
    touched: AtomicU64,
    /// When it was opened, by the wall clock.
    pub(super) opened: UnixMillis,
    /// Streams of our own that may be resumed.
    pub(super) conduits: Conduits,
    /// Messages of the agent that are being taken.
    in_use: AtomicUsize,
    /// Said when the session cannot go on.
    over: watch::Sender<bool>,
    /// Calls that were put before people outside the client, and what those call them.
    pub(super) asked: Mutex<BTreeMap<ExchangeId, String>>,
    /// What calls under way have taken of limits.
    pub(super) reserved: Mutex<BTreeMap<ExchangeId, Vec<Taken>>>,
    /// Places for messages to children that do not read.
    stragglers: Arc<Semaphore>,
}

#[derive(Default)]
struct Standing {
    sink: Option<mpsc::Sender<Delivery>>,
    backlog: VecDeque<Delivery>,
}

impl Standing {
    /// Forgets the oldest messages that nobody has come for.
    fn bound(&mut self) {
        let mut bytes: usize = self.backlog.iter().map(|delivery| delivery.message.len()).sum();
        while self.backlog.len() > BACKLOG || (bytes > BACKLOG_BYTES && self.backlog.len() > 1) {
            let Some(oldest) = self.backlog.pop_front() else { return };
            bytes -= oldest.message.len();
        }
    }
}

/// Which stream of a server brought a message, and so which stream of the agent takes what belongs to no request.
#[derive(Clone, Default)]
pub(super) struct Via {
    /// The agent's stream that a standing stream of the server feeds.
    pub stream: Option<mpsc::Sender<Delivery>>,
    /// The mark of the event.
    pub mark: Option<Mark>,
}

/// Requests that were decided to be sent, each with its number: the newest of them.
#[derive(Default)]
struct Sends {
    count: u64,
    last: VecDeque<(u64, ExchangeId)>,
}

impl Sends {
    /// Most that are remembered: more than are sent between the last message of a stream and its end.
    const MOST: usize = 256;

    fn note(&mut self, sent: impl Iterator<Item = ExchangeId>) {
        for exchange in sent {
            self.last.push_back((self.count, exchange));
            self.count += 1;
            if self.last.len() > Self::MOST {
                self.last.pop_front();
            }
        }
    }
}

/// A session that is being used.
pub(super) struct InUse(Arc<Session>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.touch();
        self.0.in_use.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Session {
    /// A session around a core.
    pub(super) fn new(
        gateway: Arc<Gateway>,
        principal: Principal,
        context: Option<String>,
        mut core: Core,
    ) -> Arc<Self> {
        core.know_eras(gateway.eras());
        // Nothing is open yet, so that no step can come of it.
        core.handle(Event::Stopped(gateway.stops()), gateway.clock.now(), &mut Vec::new());
        let touched = AtomicU64::new(gateway.clock.now().0);
        Arc::new(Self {
            gateway,
            principal,
            context,
            core: Mutex::new(core),
            kept: Mutex::default(),
            links: Links::default(),
            upstream_ids: Mutex::default(),
            sinks: Mutex::default(),
            standing: Mutex::default(),
            under_way: Mutex::default(),
            sends: Mutex::default(),
            listening: Mutex::default(),
            asked: Mutex::default(),
            reserved: Mutex::default(),
            touched,
            opened: unix_millis(),
            conduits: Conduits::default(),
            in_use: AtomicUsize::new(0),
            over: watch::Sender::new(false),
            stragglers: Arc::new(Semaphore::new(STRAGGLERS)),
        })
    }

    /// The core, for as long as one event takes.
    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        lock(&self.core)
    }

    /// Keeps the session from being idle while a message of the agent is being taken.
    pub(super) fn in_use(self: &Arc<Self>) -> InUse {
        self.in_use.fetch_add(1, Ordering::Relaxed);
        InUse(Arc::clone(self))
    }

    /// May it be ended, when it is old?
    pub(super) fn at_rest(&self) -> bool {
        self.in_use.load(Ordering::Relaxed) == 0 && self.core().at_rest()
    }

    /// When it was last used.
    pub(super) fn last_used(&self) -> Tick {
        Tick(self.touched.load(Ordering::Relaxed))
    }

    /// A message of the agent goes through the door.
    pub(super) fn from_agent(
        &self,
        bytes: &Bytes,
        received: Received<'_>,
        headers: Option<Headers>,
    ) -> (ExchangeId, Vec<Step>) {
        debug_assert!(
            received.message().is_none_or(|message| !message.whole.raw().is_empty() && !bytes.is_empty())
        );
        let (now, at) = (self.touch(), unix_millis());
        let mut steps = Vec::with_capacity(4);
        let mut core = self.core();
        if let Some(risk) = self.gateway.watch.risk(core.session_id(), &self.principal, at) {
            core.handle(Event::Risk(risk), now, &mut steps);
        }
        let exchange = core.open();
        core.handle(Event::Agent { exchange, received, headers, at }, now, &mut steps);
        (exchange, steps)
    }

    /// Anything else goes through the door.
    pub(super) fn event(&self, event: Event<'_>) -> Vec<Step> {
        let now = self.touch();
        self.pass(&mut self.core(), event, now)
    }

    /// An event goes through the door. What is decided to be sent is noted before anybody else can ask the core what it waits
    /// for.
    fn pass(&self, core: &mut Core, event: Event<'_>, now: Tick) -> Vec<Step> {
        let mut steps = Vec::with_capacity(4);
        core.handle(event, now, &mut steps);
        let sent = steps
            .iter()
            .filter_map(|step| if let Step::Send(permit) = step { permit.exchange() } else { None });
        lock(&self.sends).note(sent);
        steps
    }

    /// How many requests were decided to be sent so far.
    pub(super) fn sends(&self) -> u64 {
        lock(&self.sends).count
    }

    /// Was this one decided to be sent after so many?
    pub(super) fn is_sent_since(&self, exchange: ExchangeId, sends: u64) -> bool {
        lock(&self.sends).last.iter().any(|(number, sent)| *number >= sends && *sent == exchange)
    }

    /// Time passes, which does not count as use.
    pub(super) fn wake(&self) -> Vec<Step> {
        let mut core = self.core();
        if core.waits() { self.pass(&mut core, Event::Wake, self.gateway.clock.now()) } else { Vec::new() }
    }

    /// A message of a server goes through the door, and what follows is done.
    pub(super) async fn from_server(
        self: &Arc<Self>,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        bytes: Bytes,
        via: Via,
    ) {
        let limits = self.gateway.boundary().limits;
        let received = Received::read(&bytes, Side::Server, &limits);
        let steps = self.event(Event::Server { server: server.clone(), exchange, received });
        self.perform(steps, via).await;
    }

    /// A server failed, and what follows is done.
    pub(super) async fn failed(
        self: &Arc<Self>,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        reason: Reason,
    ) {
        let steps = self.event(Event::Failed { server: server.clone(), exchange, reason });
        self.perform(steps, Via::default()).await;
    }

    fn touch(&self) -> Tick {
        let now = self.gateway.clock.now();
        self.touched.store(now.0, Ordering::Relaxed);
        now
    }

    /// Where answers to this exchange go from now on.
    pub(super) fn register(&self, exchange: ExchangeId) -> mpsc::Receiver<Delivery> {
        let (sink, stream) = mpsc::channel(WAITING);
        lock(&self.sinks).insert(exchange, sink);
        stream
    }

    /// The stream of an exchange ends, though its answer may still come on another one.
    pub(super) fn close_stream(&self, exchange: ExchangeId) {
        lock(&self.sinks).remove(&exchange);
    }

    /// Hands on a mark that carries no message.
    pub(super) async fn pass_mark(
        &self,
        exchange: Option<ExchangeId>,
        delivery: Delivery,
        stream: Option<&mpsc::Sender<Delivery>>,
    ) {
        let own = exchange.and_then(|exchange| lock(&self.sinks).get(&exchange).cloned());
        if let Some(sink) = own.as_ref().or(stream) {
            // Where the agent has gone the mark is of no use.
            let _marked = sink.send(delivery).await;
        }
    }

    pub(super) fn aggregates(&self) -> bool {
        *self.core().scope() == Scope::All
    }

    /// The servers this session can reach.
    pub(super) fn servers(&self) -> Vec<ServerName> {
        match self.core().scope() {
            Scope::One(server) => vec![server.clone()],
            Scope::All => self.gateway.boundary().servers.keys().cloned().collect(),
        }
    }

    /// A server has ended, and what waits for it fails for this reason. With one of the handshake era its state has ended too. A session
    /// that had nothing else is over: it is forgotten, so that the agent is told to begin again, and before the agent
    /// hears of it, so that nothing more is sent in it.
    pub(super) async fn server_ended(self: &Arc<Self>, server: &ServerName, reason: Reason) {
        let shook_hands = {
            let core = self.core();
            let modern = Some(Revision::R2026_07_28);
            core.revision() != modern && core.spoken_with(server) != modern
        };
        let over = !self.aggregates() && shook_hands;
        if over {
            self.gateway.sessions.forget(self);
        }
        self.failed(server, None, reason).await;
        if over {
            self.over.send_replace(true);
        }
    }

    /// Waits until the session cannot go on.
    pub(super) async fn over(&self) {
        let mut over = self.over.subscribe();
        // The sender lives as long as the session.
        let _over = over.wait_for(|over| *over).await;
    }

    /// Waits for open requests to be answered, for a short time.
    pub(super) async fn drain(&self) {
        for _ in 0..200 {
            if self.core().at_rest() || *self.over.borrow() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Opens the standing stream; a newer one replaces it.
    pub(super) fn stand(&self) -> (mpsc::Receiver<Delivery>, mpsc::Sender<Delivery>) {
        let (sink, stream) = mpsc::channel(WAITING + BACKLOG);
        let mut standing = lock(&self.standing);
        for delivery in standing.backlog.drain(..) {
            // The channel is as long as the backlog.
            let _kept = sink.try_send(delivery);
        }
        standing.sink = Some(sink.clone());
        (stream, sink)
    }

    /// Carries out steps in order. Boxed: sending may fail, and a failure is an event with steps of its own.
    pub(super) fn perform<'s>(
        self: &'s Arc<Self>,
        steps: Vec<Step>,
        via: Via,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 's>> {
        Box::pin(async move {
            let mut via = via;
            for step in self.gateway.recorded(steps) {
                match step {
                    Step::Record(_) => {}
                    Step::Deliver(release) => self.deliver(&release, &mut via).await,
                    Step::Send(permit) => self.send(permit).await,
                    Step::Reserve { exchange, claims } => {
                        let steps = self.reserve(exchange, claims).await;
                        self.perform(steps, Via::default()).await;
                    }
                    Step::Intercept(call) => {
                        let steps = self.intercept(call).await;
                        self.perform(steps, Via::default()).await;
                    }
                    Step::Refund { exchange } => self.refund(exchange).await,
                    Step::Ask(ask) => {
                        let steps = self.ask(ask).await;
                        self.perform(steps, Via::default()).await;
                    }
                    Step::Vote { exchange, yes } => {
                        let steps = self.vote(exchange, yes).await;
                        self.perform(steps, Via::default()).await;
                    }
                    Step::Learn(lesson) => self.learn(lesson).await,
                    Step::Keep(tokens) => self.keep_tokens(tokens).await,
                    Step::Sight(sighting) => {
                        let steps = self.sight(sighting).await;
                        self.perform(steps, Via::default()).await;
                    }
                    Step::Withdraw { exchange } => self.withdraw(exchange),
                    Step::Alarm { server, tool } => self.alarm(&server, tool),
                    Step::Abandon { exchange, .. } => {
                        let task = lock(&self.under_way).remove(&exchange);
                        // Whoever does these steps does them all, and ends by itself: nothing more is awaited.
                        if let Some(task) = task.filter(|task| tokio::task::try_id() != Some(task.id())) {
                            task.abort();
                        }
                    }
                    Step::Listen { server } => self.listen_to(server),
                    Step::Restart { server } => self.links.cut(&server).await,
                    Step::Era { server, era, speaks } => self.gateway.learn_era(server, era, speaks),
                    Step::Disconnect { server } => {
                        self.links.cut(&server).await;
                        self.server_ended(&server, Reason::ServerExited).await;
                    }
                }
            }
        })
    }

    async fn deliver(&self, release: &Release, via: &mut Via) {
        if let (Outlet::Exchange(exchange), true) = (release.to(), release.last()) {
            self.settle(exchange);
        }
        let delivery = Delivery {
            message: release.message().clone(),
            status: release.status(),
            last: release.last(),
            mark: via.mark.take(),
        };
        let sink = match release.to() {
            Outlet::Exchange(exchange) => {
                let mut sinks = lock(&self.sinks);
                if release.last() { sinks.remove(&exchange) } else { sinks.get(&exchange).cloned() }
            }
            Outlet::Standing => via.stream.clone(),
        };
        let unsent = match sink {
            Some(sink) => sink.send(delivery).await.err().map(|unsent| unsent.0),
            None => Some(delivery),
        };
        // What finds no stream of its own goes to the standing one, or waits for it.
        if let Some(delivery) = unsent.filter(|delivery| !delivery.message.is_empty()) {
            let sink = lock(&self.standing).sink.clone();
            let unsent = match sink {
                Some(sink) => sink.send(delivery).await.err().map(|unsent| unsent.0),
                None => Some(delivery),
            };
            if let Some(delivery) = unsent {
                let mut standing = lock(&self.standing);
                standing.sink = None;
                standing.backlog.push_back(delivery);
                standing.bound();
            }
        }
    }

    async fn send(self: &Arc<Self>, permit: Permit) {
        let server = permit.server().clone();
        let exchange = permit.exchange();
        if let Some(http) = self.gateway.http_server(&server) {
            if let Some(reason) = self.gateway.refusal(&server) {
                if exchange.is_some() {
                    self.failed(&server, exchange, reason).await;
                }
                return;
            }
            if let Some(exchange) = exchange {
                // A request runs beside others; its answer comes as an event.
                let session = Arc::clone(self);
                let task = tokio::spawn(async move { session.exchange_over_http(http, permit).await });
                lock(&self.under_way).insert(exchange, task.abort_handle());
            } else {
                // What wants no answer may fail; a server that is gone will fail the next request.
                let upstream = self.upstream_id(&server);
                let sending = http.send(permit, upstream.as_deref());
                let _sent = tokio::time::timeout(self.gateway.courtesy(&server), sending).await;
            }
            return;
        }
        let session = Arc::clone(self);
        let mut sending = Box::pin(async move {
            if let Err(reason) = session.links.send(&session, permit).await
                && exchange.is_some()
            {
                session.failed(&server, exchange, reason).await;
            }
        });
        if tokio::time::timeout(READING, &mut sending).await.is_ok() {
            return;
        }
        // The server does not read. Others do not wait for it; what is for it stays in order.
        if let Ok(place) = Arc::clone(&self.stragglers).try_acquire_owned() {
            tokio::spawn(async move {
                sending.await;
                drop(place);
            });
        } else {
            sending.await;
        }
    }

    pub(super) fn upstream_id(&self, server: &ServerName) -> Option<String> {
        lock(&self.upstream_ids).get(server).cloned()
    }

    /// Forgets the session that was used, if it is still the one in use. Gives whether there is a newer one.
    pub(super) fn forget_upstream_id(&self, server: &ServerName, used: Option<&str>) -> bool {
        let mut ids = lock(&self.upstream_ids);
        if ids.get(server).map(String::as_str) == used {
            ids.remove(server);
        }
        ids.contains_key(server)
    }

    pub(super) fn keep_upstream_id(&self, server: &ServerName, id: Option<String>) {
        if let Some(id) = id {
            lock(&self.upstream_ids).insert(server.clone(), id);
        }
    }

    pub(super) fn is_under_way(&self, exchange: ExchangeId) -> bool {
        lock(&self.under_way).contains_key(&exchange)
    }

    pub(super) fn arrived(&self, exchange: ExchangeId) {
        lock(&self.under_way).remove(&exchange);
    }

    /// Ends everything the session holds: its child processes, its upstream sessions, its streams.
    pub(super) async fn end(self: &Arc<Self>) {
        // First, so that nothing that ends with it is taken for a failure of a server.
        let steps = self.event(Event::Over);
        self.perform(steps, Via::default()).await;
        let tasks = std::mem::take(&mut *lock(&self.under_way));
        let listening = std::mem::take(&mut *lock(&self.listening));
        for task in tasks.into_values().chain(listening.into_values()) {
            task.abort();
        }
        lock(&self.sinks).clear();
        *lock(&self.standing) = Standing::default();
        let ids = std::mem::take(&mut *lock(&self.upstream_ids));
        let mut ends = tokio::task::JoinSet::new();
        for (server, id) in ids {
            let revision = self.core().spoken_with(&server);
            if let (Some(http), Some(revision)) = (self.gateway.http_server(&server), revision) {
                ends.spawn(async move { http.end(&id, revision).await });
            }
        }
        let ended = async { while ends.join_next().await.is_some() {} };
        // A server that does not say goodbye is not waited for.
        let _goodbyes = tokio::join!(tokio::time::timeout(GOODBYE, ended), self.links.stop_all());
    }
}

/// A lock whose holder panicked still guards whole values: each is replaced at once or not at all.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time by the wall clock, for rules that hold at some hours.
pub(super) fn unix_millis() -> UnixMillis {
    let since = wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The time of a record.
pub(super) fn wall() -> SystemTime {
    SystemTime::now()
}

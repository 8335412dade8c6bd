//! HTTP on both sides of a session: the agent's requests, and servers' streams.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lockgate_core::{Core, Event, Front, Identity, Outlet, Permit, Received, Release, Scope, Step};
use lockgate_model::{Era, ExchangeId, Reason, Revision, ServerName, SessionId, Side};
use lockgate_transport::front::{
    FrontMethod, FrontRequest, FrontResponse, FrontStream, Handler, Route, StreamSender,
};
use lockgate_transport::http::{HttpAnswer, HttpBody, HttpServer, SseStream};
use lockgate_transport::sse::SseEvent;
use tokio::sync::mpsc;

use super::Gateway;
use super::conduit::{Conduit, read_mark};
use super::session::{Delivery, Mark, Session, Via};
use super::sessions::Key;

/// A stream that has been quiet this long gets a comment, so that nothing on the way takes it for dead.
pub(super) const QUIET: Duration = Duration::from_secs(15);

/// Most times that one exchange's stream is resumed.
const RESUMES: usize = 1_000;

impl Handler for Gateway {
    async fn handle(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        match request.method {
            FrontMethod::Post(_) => self.post(request).await,
            FrontMethod::Get => self.get(request).await,
            FrontMethod::Delete => self.delete(request).await,
        }
    }
}

/// A session as it was found for a message, and the id to tell the agent where it is new.
struct Found {
    session: Arc<Session>,
    minted: Option<String>,
}

impl Gateway {
    async fn post(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        let FrontMethod::Post(body) = &request.method else { return FrontResponse::Empty { status: 405 } };
        let limits = self.boundary().limits;
        let received = Received::read(body, Side::Agent, &limits);
        let wants_answer = received.is_request();
        let opens = received.is_initialize();
        let found = match self.find(&request, &received) {
            Ok(found) => found,
            Err(reason) => {
                return FrontResponse::Refuse(
                    reason,
                    lockgate_model::peek_id(body).map(Bytes::copy_from_slice),
                );
            }
        };
        let session = Arc::clone(&found.session);
        let (exchange, steps) = session.from_agent(body, received, Some(request.headers.clone()));
        let response = match () {
            () if opens => session.respond_at_last(exchange, steps).await,
            () if wants_answer => session.respond(exchange, steps).await,
            () => session.accept(exchange, steps).await,
        };
        let minted = found.minted;
        if let Some(id) = &minted
            && session.core().revision().is_none()
        {
            // The handshake failed: there is no session to come back to.
            self.sessions.remove(&Key::Legacy(id.clone()));
            session.end().await;
        }
        match response {
            FrontResponse::Json { status, body, .. } => FrontResponse::Json { status, body, session: minted },
            FrontResponse::Stream { body, .. } => FrontResponse::Stream { body, session: minted },
            other @ (FrontResponse::Empty { .. } | FrontResponse::Refuse(..)) => other,
        }
    }

    /// The session a message belongs to. `design: architecture, section 4`.
    fn find(self: &Arc<Self>, request: &FrontRequest, received: &Received<'_>) -> Result<Found, Reason> {
        let scope = match &request.route {
            Route::All => Scope::All,
            Route::One(server) if self.boundary().servers.contains_key(server) => Scope::One(server.clone()),
            Route::One(_) => return Err(Reason::UnknownServer),
        };
        let claims_modern = request.headers.version.as_deref() == Some(Revision::R2026_07_28.as_str());
        if received.message().is_none() && request.session.is_none() {
            // It cannot be read, so it belongs to nobody: a session of its own refuses it.
            let (_, session) = self.new_session(request, received, scope)?;
            return Ok(Found { session, minted: None });
        }
        if received.is_modern() || claims_modern {
            let who = request.context.clone().map(|context| format!("context {context}"));
            let client = received.client().map(|client| client.to_string());
            let who = who.or(client).unwrap_or_default();
            let key =
                Key::Modern { principal: request.principal.clone(), route: route_name(&request.route), who };
            let session = self.sessions.find_or_place(key, self.most_sessions(), || {
                Ok(self.new_session(request, received, scope)?.1)
            })?;
            return Ok(Found { session, minted: None });
        }
        if received.is_initialize() && request.session.is_none() {
            let (id, session) = self.new_session(request, received, scope)?;
            self.sessions
                .find_or_place(Key::Legacy(id.clone()), self.most_sessions(), || Ok(Arc::clone(&session)))?;
            return Ok(Found { session, minted: Some(id) });
        }
        let id = request.session.clone().ok_or(Reason::MissingSession)?;
        self.legacy(request, &id).map(|session| Found { session, minted: None })
    }

    /// A session by its id, for the principal it belongs to and nobody else.
    fn legacy(&self, request: &FrontRequest, id: &str) -> Result<Arc<Session>, Reason> {
        let session = self.sessions.find(&Key::Legacy(id.to_owned()));
        session.filter(|session| session.principal == request.principal).ok_or(Reason::UnknownSession)
    }

    fn new_session(
        self: &Arc<Self>,
        request: &FrontRequest,
        received: &Received<'_>,
        scope: Scope,
    ) -> Result<(String, Arc<Session>), Reason> {
        let id = Self::mint()?;
        // Records show the beginning of the id: enough to tell sessions apart, too little to take one over.
        let shown: String = id.chars().take(12).collect();
        let identity = Identity {
            session: SessionId::new(&shown),
            principal: request.principal.clone(),
            client: received.client(),
        };
        let core = Core::new(self.boundary(), identity, scope, Front::Http);
        Ok((id, Session::new(Arc::clone(self), request.principal.clone(), core)))
    }

    async fn get(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        let Some(id) = &request.session else {
            return FrontResponse::Refuse(Reason::HttpMethodNotAllowed, None);
        };
        let session = match self.legacy(&request, id) {
            Ok(session) => session,
            Err(reason) => return FrontResponse::Refuse(reason, None),
        };
        session.stream(request.last_event_id.as_deref()).await
    }

    async fn delete(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        let Some(id) = &request.session else {
            return FrontResponse::Refuse(Reason::HttpMethodNotAllowed, None);
        };
        match self.legacy(&request, id) {
            Ok(session) => {
                self.sessions.remove(&Key::Legacy(id.clone()));
                session.end().await;
                FrontResponse::Empty { status: 200 }
            }
            Err(reason) => FrontResponse::Refuse(reason, None),
        }
    }
}

fn route_name(route: &Route) -> String {
    match route {
        Route::All => String::new(),
        Route::One(server) => server.to_string(),
    }
}

/// While a request waits for a server inside the agent's own connection: if the connection is lost, hyper drops the
/// wait, and the core must hear of it.
struct Waiting {
    session: Arc<Session>,
    server: ServerName,
    exchange: ExchangeId,
    done: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let steps = self.session.event(Event::Failed {
            server: self.server.clone(),
            exchange: Some(self.exchange),
            reason: Reason::ServerExited,
        });
        for step in steps {
            if let Step::Record(record) = step {
                self.session.gateway.record(record);
            }
        }
    }
}

/// While a request waits for anything else inside the agent's own connection.
struct Leaving {
    session: Arc<Session>,
    exchange: ExchangeId,
    done: bool,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !self.done
        {
            let (session, exchange) = (Arc::clone(&self.session), self.exchange);
            runtime.spawn(async move {
                let steps = session.event(Event::Gone { exchange });
                session.perform(steps, Via::default()).await;
            });
        }
    }
}

impl Session {
    /// Carries out what a notification or an answer of the agent leads to, before it is acknowledged: what comes next
    /// may rely on it.
    async fn accept(self: &Arc<Self>, exchange: ExchangeId, steps: Vec<Step>) -> FrontResponse {
        let mut stream = self.register(exchange);
        self.perform(steps, Via::default()).await;
        match stream.try_recv() {
            Ok(Delivery { message, status, .. }) if message.is_empty() => FrontResponse::Empty { status },
            Ok(Delivery { message, status, .. }) => {
                FrontResponse::Json { status, body: message, session: None }
            }
            Err(_) => FrontResponse::Empty { status: 202 },
        }
    }

    /// Carries out what a request leads to, and answers it: with one message where the answer comes first, else with a
    /// stream.
    async fn respond(self: &Arc<Self>, exchange: ExchangeId, steps: Vec<Step>) -> FrontResponse {
        let steps = match self.direct(exchange, steps) {
            Ok((http, permit)) => return self.respond_directly(exchange, http, permit).await,
            Err(steps) => steps,
        };
        if let Some(response) = Self::immediate(exchange, &steps) {
            for step in steps {
                if let Step::Record(record) = step {
                    self.gateway.record(record);
                }
            }
            return response;
        }
        let mut stream = self.register(exchange);
        if self.core().revision() == Some(Revision::R2025_11_25) {
            return self.respond_resumably(exchange, steps, stream);
        }
        let mut leaving = Leaving { session: Arc::clone(self), exchange, done: false };
        self.perform(steps, Via::default()).await;
        let first = stream.recv().await;
        leaving.done = true;
        match first {
            Some(Delivery { message, status, last: true, mark: None }) => {
                FrontResponse::Json { status, body: message, session: None }
            }
            Some(first) => {
                let (sender, body) = FrontStream::open();
                let session = Arc::clone(self);
                tokio::spawn(async move { session.feed(Some(exchange), first, stream, sender).await });
                FrontResponse::Stream { body, session: None }
            }
            None => FrontResponse::Refuse(Reason::ShuttingDown, None),
        }
    }

    /// Answers with a stream of our own that the agent may leave and resume.
    fn respond_resumably(
        self: &Arc<Self>,
        exchange: ExchangeId,
        steps: Vec<Step>,
        stream: mpsc::Receiver<Delivery>,
    ) -> FrontResponse {
        let conduit = Conduit::open(exchange, stream);
        self.conduits.keep(&conduit);
        let (sender, body) = FrontStream::open();
        let patience = self.gateway.poll_after();
        tokio::spawn(async move {
            if conduit.prime(&sender).await {
                conduit.follow(0, &sender, Some(patience)).await;
            }
        });
        let session = Arc::clone(self);
        tokio::spawn(async move { session.perform(steps, Via::default()).await });
        FrontResponse::Stream { body, session: None }
    }

    /// Waits for the answer itself, however many messages come before it: a session id goes into the header of the
    /// response, so it must be settled whether there is a session.
    async fn respond_at_last(self: &Arc<Self>, exchange: ExchangeId, steps: Vec<Step>) -> FrontResponse {
        let mut stream = self.register(exchange);
        self.perform(steps, Via::default()).await;
        while let Some(Delivery { message, status, last, .. }) = stream.recv().await {
            if last {
                return FrontResponse::Json { status, body: message, session: None };
            }
        }
        FrontResponse::Refuse(Reason::ShuttingDown, None)
    }

    /// Is it one refusal and nothing else?
    fn immediate(exchange: ExchangeId, steps: &[Step]) -> Option<FrontResponse> {
        let mut answer = None;
        for step in steps {
            match step {
                Step::Record(_) => {}
                Step::Deliver(release) if release.last() && release.to() == Outlet::Exchange(exchange) => {
                    answer = Some(json(release));
                }
                Step::Send(_) | Step::Deliver(_) | Step::Abandon { .. } | Step::Disconnect { .. } => {
                    return None;
                }
            }
        }
        answer
    }

    /// Is it one message to one HTTP server and nothing else? Then it is sent from within the agent's request, without
    /// a task between.
    fn direct(&self, exchange: ExchangeId, steps: Vec<Step>) -> Result<(Arc<HttpServer>, Permit), Vec<Step>> {
        let plain = |step: &Step| match step {
            Step::Record(_) => true,
            Step::Send(permit) => permit.exchange() == Some(exchange),
            Step::Deliver(_) | Step::Abandon { .. } | Step::Disconnect { .. } => false,
        };
        if !steps.iter().all(plain) {
            return Err(steps);
        }
        let http = steps.iter().find_map(|step| match step {
            Step::Send(permit) => self.gateway.http_server(permit.server()),
            Step::Deliver(_) | Step::Abandon { .. } | Step::Disconnect { .. } | Step::Record(_) => None,
        });
        let Some(http) = http else { return Err(steps) };
        let mut sent = None;
        for step in steps {
            match step {
                Step::Record(record) => self.gateway.record(record),
                Step::Send(permit) => sent = Some(permit),
                Step::Deliver(_) | Step::Abandon { .. } | Step::Disconnect { .. } => {}
            }
        }
        sent.map(|permit| (http, permit)).ok_or_else(Vec::new)
    }

    async fn respond_directly(
        self: &Arc<Self>,
        exchange: ExchangeId,
        http: Arc<HttpServer>,
        permit: Permit,
    ) -> FrontResponse {
        let server = permit.server().clone();
        let mut waiting =
            Waiting { session: Arc::clone(self), server: server.clone(), exchange, done: false };
        let patience = self.gateway.deadline(&server);
        let upstream = self.upstream_id(&server);
        let sent = tokio::time::timeout(patience, http.send(permit, upstream.as_deref())).await;
        waiting.done = true;
        let sent = sent.unwrap_or(Err(Reason::ServerTimedOut));
        let event = match self.arrive(&server, sent).await {
            Arrived::Message(bytes) => {
                let limits = self.gateway.boundary().limits;
                let received = Received::read(&bytes, Side::Server, &limits);
                let mut steps =
                    self.event(Event::Server { server: server.clone(), exchange: Some(exchange), received });
                if self.core().is_open(exchange) {
                    // The one answer there will be was not one.
                    let reason = Reason::ServerBrokeProtocol;
                    steps.extend(self.event(Event::Failed { server, exchange: Some(exchange), reason }));
                }
                return self.answer_with(exchange, steps).await;
            }
            Arrived::Stream(events) => {
                let (sender, body) = FrontStream::open();
                let (sink, stream) = mpsc::channel(64);
                self.adopt(exchange, sink);
                let session = Arc::clone(self);
                tokio::spawn(async move {
                    let feeding = {
                        let session = Arc::clone(&session);
                        tokio::spawn(async move { session.feed_all(Some(exchange), stream, sender).await })
                    };
                    let pump = session.pump(&server, exchange, events);
                    let gone = feeding;
                    tokio::pin!(pump);
                    tokio::select! {
                        () = &mut pump => {}
                        // Nobody listens any more: the server's stream is closed with the agent's.
                        _ = gone => {}
                    }
                });
                return FrontResponse::Stream { body, session: None };
            }
            Arrived::Failed(reason) => Event::Failed { server, exchange: Some(exchange), reason },
        };
        let steps = self.event(event);
        self.answer_with(exchange, steps).await
    }

    /// The answer that steps hold, once all else in them is done.
    async fn answer_with(self: &Arc<Self>, exchange: ExchangeId, steps: Vec<Step>) -> FrontResponse {
        if let Some(response) = Self::immediate(exchange, &steps) {
            for step in steps {
                if let Step::Record(record) = step {
                    self.gateway.record(record);
                }
            }
            return response;
        }
        let mut stream = self.register(exchange);
        self.perform(steps, Via::default()).await;
        match stream.recv().await {
            Some(Delivery { message, status, .. }) => {
                FrontResponse::Json { status, body: message, session: None }
            }
            None => FrontResponse::Refuse(Reason::InternalFault, None),
        }
    }

    /// A request of ours or of the agent's, run beside others.
    pub(super) async fn exchange_over_http(self: Arc<Self>, http: Arc<HttpServer>, permit: Permit) {
        let Some(exchange) = permit.exchange() else { return };
        let server = permit.server().clone();
        let upstream = self.upstream_id(&server);
        let patience = self.gateway.deadline(&server);
        let sent = tokio::time::timeout(patience, http.send(permit, upstream.as_deref())).await;
        let sent = sent.unwrap_or(Err(Reason::ServerTimedOut));
        match self.arrive(&server, sent).await {
            Arrived::Message(bytes) => {
                self.arrived(exchange);
                self.from_server(&server, Some(exchange), bytes, Via::default()).await;
                if self.core().is_open(exchange) {
                    self.failed(&server, Some(exchange), Reason::ServerBrokeProtocol).await;
                }
            }
            Arrived::Stream(events) => {
                self.pump_resuming(&server, exchange, events).await;
                self.arrived(exchange);
            }
            Arrived::Failed(reason) => {
                self.arrived(exchange);
                self.failed(&server, Some(exchange), reason).await;
            }
        }
    }

    async fn arrive(self: &Arc<Self>, server: &ServerName, sent: Result<HttpAnswer, Reason>) -> Arrived {
        let answer = match sent {
            Ok(answer) => answer,
            Err(reason) => return Arrived::Failed(reason),
        };
        let had = self.upstream_id(server);
        if had.is_none() {
            self.keep_upstream_id(server, answer.session);
        }
        match answer.body {
            HttpBody::Json(bytes) if !(answer.status == 404 && had.is_some()) => Arrived::Message(bytes),
            HttpBody::Stream(events) => Arrived::Stream(events),
            // A session that its server has forgotten is over here as well.
            _ if answer.status == 404 && had.is_some() => {
                self.forgotten(server).await;
                Arrived::Failed(Reason::UnknownSession)
            }
            HttpBody::Empty | HttpBody::Json(_) | HttpBody::Other => Arrived::Failed(Reason::ServerRefused),
        }
    }

    /// Carries a server's stream for one exchange to the end.
    async fn pump(self: &Arc<Self>, server: &ServerName, exchange: ExchangeId, mut events: SseStream) {
        let mut resumable = false;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    resumable |= event.id.is_some();
                    self.take(server, Some(exchange), event, None).await;
                }
                Err(reason) => return self.failed(server, Some(exchange), reason).await,
            }
        }
        // A stream that may be resumed can end before the answer (2025-11-25, polling); any other has broken off.
        let legacy = self.core().revision().is_none_or(|revision| revision.era() == Era::Legacy);
        if !(resumable && legacy) {
            self.failed(server, Some(exchange), Reason::ServerBrokeProtocol).await;
        }
        self.close_stream(exchange);
    }

    /// The same where the agent's stream is our own: a server's stream that may be resumed is resumed by us, after the
    /// pause that the server asks for.
    async fn pump_resuming(
        self: &Arc<Self>,
        server: &ServerName,
        exchange: ExchangeId,
        mut events: SseStream,
    ) {
        let (mut last, mut pause) = (None, 1_000);
        for _ in 0..RESUMES {
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        last = event.id.or(last);
                        pause = event.retry.unwrap_or(pause).clamp(10, 30_000);
                        if !event.data.is_empty() {
                            self.from_server(server, Some(exchange), event.data, Via::default()).await;
                        }
                    }
                    Err(reason) => return self.failed(server, Some(exchange), reason).await,
                }
            }
            if !self.core().is_open(exchange) {
                return;
            }
            let (Some(http), Some(id)) = (self.gateway.http_server(server), self.upstream_id(server)) else {
                break;
            };
            let (Some(after), Some(revision)) = (&last, self.core().revision()) else { break };
            if let Some(conduit) = self.conduits.find(exchange) {
                conduit.poll();
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match http.listen(&id, revision, Some(after)).await {
                Ok(HttpAnswer { body: HttpBody::Stream(resumed), .. }) => events = resumed,
                _ => break,
            }
        }
        self.failed(server, Some(exchange), Reason::ServerBrokeProtocol).await;
    }

    /// Takes one event: its message through the door, a mere mark straight to the agent.
    async fn take(
        self: &Arc<Self>,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        event: SseEvent,
        stream: Option<&mpsc::Sender<Delivery>>,
    ) {
        let mark = self.mark(server, event.id, event.retry);
        if event.data.is_empty() {
            if let Some(mark) = mark {
                let delivery = Delivery { message: Bytes::new(), status: 200, last: false, mark: Some(mark) };
                self.pass_mark(exchange, delivery, stream).await;
            }
            return;
        }
        self.from_server(server, exchange, event.data, Via { stream: stream.cloned(), mark }).await;
    }

    /// The mark as the agent will give it back: behind one endpoint it names its server.
    fn mark(&self, server: &ServerName, id: Option<String>, retry: Option<u64>) -> Option<Mark> {
        if id.is_none() && retry.is_none() {
            return None;
        }
        let id = if self.aggregates() { id.map(|id| format!("{server}+{id}")) } else { id };
        Some(Mark { id, retry })
    }

    /// Feeds the agent's stream of one exchange until its last message.
    async fn feed(
        self: Arc<Self>,
        exchange: Option<ExchangeId>,
        first: Delivery,
        stream: mpsc::Receiver<Delivery>,
        sender: StreamSender,
    ) {
        if write(&sender, &first).await && !first.last {
            self.feed_all(exchange, stream, sender).await;
        }
    }

    async fn feed_all(
        self: Arc<Self>,
        exchange: Option<ExchangeId>,
        mut stream: mpsc::Receiver<Delivery>,
        sender: StreamSender,
    ) {
        loop {
            let delivery = tokio::select! {
                delivery = stream.recv() => delivery,
                () = sender.closed() => None,
                () = tokio::time::sleep(QUIET) => {
                    sender.keep_alive().await;
                    continue;
                }
            };
            let Some(delivery) = delivery else { break };
            let last = delivery.last && exchange.is_some();
            if !write(&sender, &delivery).await || last {
                if last {
                    return;
                }
                break;
            }
        }
        if let Some(exchange) = exchange {
            let steps = self.event(Event::Gone { exchange });
            self.perform(steps, Via::default()).await;
        }
    }

    /// Opens a stream for what belongs to no request, or resumes one.
    async fn stream(self: &Arc<Self>, last_event_id: Option<&str>) -> FrontResponse {
        if let Some((exchange, number)) = last_event_id.and_then(read_mark)
            && let Some(conduit) = self.conduits.find(exchange)
        {
            let (sender, body) = FrontStream::open();
            tokio::spawn(async move { conduit.follow(number, &sender, None).await });
            return FrontResponse::Stream { body, session: None };
        }
        let (server, after) = match (last_event_id, self.aggregates()) {
            (Some(id), true) => match id.split_once('+') {
                Some((server, id)) => (ServerName::parse(server), Some(id)),
                None => return FrontResponse::Refuse(Reason::NotFound, None),
            },
            (id, _) => (None, id),
        };
        let revision = self.core().revision().unwrap_or(Revision::R2025_11_25);
        let mut sources = Vec::new();
        let mut own = after.is_none();
        for name in self.servers() {
            if server.as_ref().is_some_and(|server| *server != name) {
                continue;
            }
            let (Some(http), Some(id)) = (self.gateway.http_server(&name), self.upstream_id(&name)) else {
                own = true;
                continue;
            };
            match http.listen(&id, revision, after).await {
                Ok(HttpAnswer { body: HttpBody::Stream(events), .. }) => sources.push((name, events)),
                _ if self.aggregates() => own = true,
                Ok(HttpAnswer { status: 405, .. }) if after.is_none() => {
                    return FrontResponse::Refuse(Reason::HttpMethodNotAllowed, None);
                }
                Ok(_) => return FrontResponse::Refuse(Reason::NotFound, None),
                Err(reason) => return FrontResponse::Refuse(reason, None),
            }
        }
        if sources.is_empty() && !own {
            return FrontResponse::Refuse(Reason::NotFound, None);
        }
        let (stream, sink) = if after.is_none() {
            self.stand()
        } else {
            let (sink, stream) = mpsc::channel(64);
            (stream, sink)
        };
        let (sender, body) = FrontStream::open();
        let resumed = after.is_some();
        let session = Arc::clone(self);
        tokio::spawn(async move {
            let pumps: Vec<_> = sources
                .into_iter()
                .map(|(server, mut events)| {
                    let session = Arc::clone(&session);
                    let sink = sink.clone();
                    tokio::spawn(async move {
                        while let Some(Ok(event)) = events.next().await {
                            session.take(&server, None, event, Some(&sink)).await;
                        }
                    })
                })
                .collect();
            // A resumed stream ends with the server's; the standing one stays open for what comes otherwise.
            let keep = (!resumed && own).then_some(sink);
            session.feed_all(None, stream, sender).await;
            drop(keep);
            pumps.iter().for_each(tokio::task::JoinHandle::abort);
        });
        FrontResponse::Stream { body, session: None }
    }
}

enum Arrived {
    Message(Bytes),
    Stream(SseStream),
    Failed(Reason),
}

async fn write(sender: &StreamSender, delivery: &Delivery) -> bool {
    let mark = delivery.mark.clone().unwrap_or_default();
    sender.send(mark.id.as_deref(), mark.retry, &delivery.message).await
}

fn json(release: &Release) -> FrontResponse {
    FrontResponse::Json { status: release.status(), body: release.message().clone(), session: None }
}

//! Answering an agent over HTTP: with one message where the answer comes first, else with a stream.

use std::sync::Arc;

use lockgate_core::{Event, Outlet, Permit, Received, Release, Step};
use lockgate_model::{ExchangeId, Reason, Revision, ServerName, Side};
use lockgate_transport::front::{FrontResponse, FrontStream, StreamSender};
use lockgate_transport::http::{HttpAnswer, HttpBody, HttpServer};
use tokio::sync::mpsc;

use super::conduit::{Conduit, read_mark};
use super::session::{Delivery, Session, Via};
use super::upstream::Arrived;

/// A stream that has been quiet this long gets a comment, so that nothing on the way takes it for dead.
pub(super) const QUIET: std::time::Duration = std::time::Duration::from_secs(15);

/// While a request waits for a server inside the agent's own connection: if the connection is lost, hyper drops the
/// wait, and the core must hear of it.
struct Waiting {
    session: Arc<Session>,
    exchange: ExchangeId,
    done: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.done {
            // What the server says now has no way to the agent.
            self.session.leave(self.exchange, true);
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
        if !self.done {
            self.session.leave(self.exchange, false);
        }
    }
}

impl Session {
    /// The agent has hung up on an exchange; `lost`: it cannot come back for the answer. Where nothing can be done any more,
    /// because the process ends, it is written down all the same.
    fn leave(self: &Arc<Self>, exchange: ExchangeId, lost: bool) {
        let (records, others) = self
            .event(Event::Gone { exchange, lost })
            .into_iter()
            .partition(|step| matches!(step, Step::Record(_)));
        self.gateway.recorded(records).for_each(drop);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let session = Arc::clone(self);
            runtime.spawn(async move { session.perform(others, Via::default()).await });
        }
    }

    /// Carries out what a notification or an answer of the agent leads to, before it is acknowledged: what comes next
    /// may rely on it.
    pub(super) async fn accept(self: &Arc<Self>, exchange: ExchangeId, steps: Vec<Step>) -> FrontResponse {
        let mut stream = self.register(exchange);
        self.perform(steps, Via::default()).await;
        match stream.try_recv() {
            Ok(delivery) => whole(delivery),
            Err(_) => FrontResponse::Empty { status: 202 },
        }
    }

    /// Carries out what a request leads to, and answers it: with one message where the answer comes first, else with a
    /// stream.
    pub(super) async fn respond(self: &Arc<Self>, exchange: ExchangeId, steps: Vec<Step>) -> FrontResponse {
        let steps = match self.direct(exchange, steps) {
            Ok((http, permit)) => return self.respond_directly(exchange, http, permit).await,
            Err(steps) => steps,
        };
        let steps = match self.immediate(exchange, steps) {
            Ok(response) => return response,
            Err(steps) => steps,
        };
        let stream = self.register(exchange);
        if self.core().revision() == Some(Revision::R2025_11_25) {
            return self.respond_resumably(exchange, steps, stream);
        }
        let leaving = Leaving { session: Arc::clone(self), exchange, done: false };
        self.perform(steps, Via::default()).await;
        Self::respond_from(stream, leaving).await
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
    pub(super) async fn respond_at_last(
        self: &Arc<Self>,
        exchange: ExchangeId,
        steps: Vec<Step>,
    ) -> FrontResponse {
        let mut stream = self.register(exchange);
        self.perform(steps, Via::default()).await;
        while let Some(delivery) = stream.recv().await {
            if delivery.last {
                return whole(delivery);
            }
        }
        FrontResponse::Refuse(Reason::ShuttingDown, None)
    }

    /// The answer where it is one message and there is nothing else to do.
    fn immediate(&self, exchange: ExchangeId, steps: Vec<Step>) -> Result<FrontResponse, Vec<Step>> {
        let is_answer = |release: &Release| release.last() && release.to() == Outlet::Exchange(exchange);
        let others = steps.iter().filter(|step| !matches!(step, Step::Record(_)));
        let answers = others.map(|step| matches!(step, Step::Deliver(release) if is_answer(release)));
        if !answers.eq([true]) {
            return Err(steps);
        }
        match self.gateway.recorded(steps).last() {
            Some(Step::Deliver(release)) => Ok(json(&release)),
            left => Err(left.into_iter().collect()),
        }
    }

    /// Is it one message to one HTTP server and nothing else? Then it is sent from within the agent's request, without
    /// a task between.
    fn direct(&self, exchange: ExchangeId, steps: Vec<Step>) -> Result<(Arc<HttpServer>, Permit), Vec<Step>> {
        let plain = |step: &Step| {
            matches!(step, Step::Record(_))
                || matches!(step, Step::Send(permit) if permit.exchange() == Some(exchange) && !permit.is_translated())
        };
        if !steps.iter().all(plain) {
            return Err(steps);
        }
        let http = steps.iter().find_map(|step| {
            if let Step::Send(permit) = step { self.gateway.http_server(permit.server()) } else { None }
        });
        let Some(http) = http else { return Err(steps) };
        let mut sent = None;
        for step in self.gateway.recorded(steps) {
            if let Step::Send(permit) = step {
                sent = Some(permit);
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
        let mut waiting = Waiting { session: Arc::clone(self), exchange, done: false };
        // Before the answer begins there can be no sign of progress.
        let patience = self.gateway.patience(&server);
        let upstream = self.upstream_id(&server);
        let mut stream = self.register(exchange);
        let sent = tokio::select! {
            biased;
            sent = tokio::time::timeout(patience, http.send(permit, upstream.as_deref())) => sent,
            // The core no longer waits: the server took too long, or the agent took its request back.
            Some(delivery) = stream.recv() => {
                waiting.done = true;
                return whole(delivery);
            }
        };
        waiting.done = true;
        let sent = sent.unwrap_or(Err(Reason::ServerTimedOut));
        let event = match self.arrive(&server, upstream.as_deref(), sent) {
            Arrived::Message(bytes) => {
                let limits = self.gateway.boundary().limits;
                let received = Received::read(&bytes, Side::Server, &limits);
                let sends = self.sends();
                let mut steps =
                    self.event(Event::Server { server: server.clone(), exchange: Some(exchange), received });
                if self.awaits_here(&server, exchange, sends) {
                    // The one answer there will be was not one.
                    let reason = Reason::ServerBrokeProtocol;
                    steps.extend(self.event(Event::Failed { server, exchange: Some(exchange), reason }));
                }
                return self.answer_with(exchange, steps, stream).await;
            }
            Arrived::Forgotten { greeted } => Event::Forgotten { server, exchange, greeted },
            Arrived::Stream(events) => {
                let (sender, body) = FrontStream::open();
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
                        _ = gone => session.leave(exchange, true),
                    }
                });
                return FrontResponse::Stream { body, session: None };
            }
            Arrived::Failed(reason) => Event::Failed { server, exchange: Some(exchange), reason },
        };
        let steps = self.event(event);
        self.answer_with(exchange, steps, stream).await
    }

    /// The answer that steps hold, once all else in them is done. Where they hold none, the core stopped waiting at the
    /// same moment, and what it said then is on the stream.
    async fn answer_with(
        self: &Arc<Self>,
        exchange: ExchangeId,
        steps: Vec<Step>,
        stream: mpsc::Receiver<Delivery>,
    ) -> FrontResponse {
        let steps = match self.immediate(exchange, steps) {
            Ok(response) => {
                self.close_stream(exchange);
                return response;
            }
            Err(steps) => steps,
        };
        let leaving = Leaving { session: Arc::clone(self), exchange, done: false };
        self.perform(steps, Via::default()).await;
        Self::respond_from(stream, leaving).await
    }

    /// One message where the answer comes first, else a stream.
    async fn respond_from(mut stream: mpsc::Receiver<Delivery>, mut leaving: Leaving) -> FrontResponse {
        let first = stream.recv().await;
        leaving.done = true;
        match first {
            Some(only @ Delivery { last: true, mark: None, .. }) => whole(only),
            Some(first) => {
                let (sender, body) = FrontStream::open();
                let (session, exchange) = (Arc::clone(&leaving.session), leaving.exchange);
                tokio::spawn(async move { session.feed(Some(exchange), first, stream, sender).await });
                FrontResponse::Stream { body, session: None }
            }
            None => FrontResponse::Refuse(Reason::ShuttingDown, None),
        }
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
            let steps = self.event(Event::Gone { exchange, lost: false });
            self.perform(steps, Via::default()).await;
        }
    }

    /// Opens a stream for what belongs to no request, or resumes one.
    pub(super) async fn stream(self: &Arc<Self>, last_event_id: Option<&str>) -> FrontResponse {
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
            let listening = http.listen(Some(&id), revision, after);
            let heard = if self.aggregates() {
                // One silent server does not keep the streams of the others from the agent.
                let patience = self.gateway.courtesy(&name);
                tokio::time::timeout(patience, listening).await.unwrap_or(Err(Reason::ServerTimedOut))
            } else {
                listening.await
            };
            match heard {
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

/// One message as the whole response; an empty one is a status alone.
fn whole(delivery: Delivery) -> FrontResponse {
    let Delivery { message, status, .. } = delivery;
    if message.is_empty() {
        return FrontResponse::Empty { status };
    }
    FrontResponse::Json { status, body: message, session: None }
}

async fn write(sender: &StreamSender, delivery: &Delivery) -> bool {
    if delivery.message.is_empty() && delivery.mark.is_none() {
        return true;
    }
    let mark = delivery.mark.clone().unwrap_or_default();
    sender.send(mark.id.as_deref(), mark.retry, &delivery.message).await
}

fn json(release: &Release) -> FrontResponse {
    FrontResponse::Json { status: release.status(), body: release.message().clone(), session: None }
}

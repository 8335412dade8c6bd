//! Servers over HTTP: each request has a stream of its own, which may be left and resumed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lockgate_core::{Event, Permit};
use lockgate_model::{Era, ExchangeId, Reason, ServerName};
use lockgate_transport::http::{HttpAnswer, HttpBody, HttpServer, SseStream};
use lockgate_transport::sse::SseEvent;
use tokio::sync::mpsc;

use super::session::{Delivery, Mark, Session, Via, lock};

/// Most times that one exchange's stream is resumed.
const RESUMES: usize = 1_000;

/// Pauses before a server's standing stream is opened again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// What came of a request.
pub(super) enum Arrived {
    Message(Bytes),
    Stream(SseStream),
    /// The server does not know the session of the request any more. Has it been greeted again since?
    Forgotten {
        greeted: bool,
    },
    Failed(Reason),
}

impl Session {
    /// A request of ours or of the agent's, run beside others.
    pub(super) async fn exchange_over_http(self: Arc<Self>, http: Arc<HttpServer>, permit: Permit) {
        let Some(exchange) = permit.exchange() else { return };
        let server = permit.server().clone();
        let upstream = self.upstream_id(&server);
        let greeting = permit.head().method == Some("initialize");
        let patience = self.gateway.deadline(&server);
        let sent = tokio::time::timeout(patience, http.send(permit, upstream.as_deref())).await;
        let sent = sent.unwrap_or(Err(Reason::ServerTimedOut));
        if greeting && sent.as_ref().is_ok_and(may_be_older) {
            self.gateway.say(&format!("server `{server}` may speak HTTP+SSE: set `transport: sse`"));
        }
        match self.arrive(&server, upstream.as_deref(), sent) {
            Arrived::Message(bytes) => {
                let sends = self.sends();
                self.arrived(exchange);
                self.from_server(&server, Some(exchange), bytes, Via::default()).await;
                // In another era it may have been sent again by now.
                if !self.is_under_way(exchange) && self.awaits_here(&server, exchange, sends) {
                    self.failed(&server, Some(exchange), Reason::ServerBrokeProtocol).await;
                }
            }
            Arrived::Stream(events) => {
                self.pump_resuming(&server, exchange, events).await;
                self.arrived(exchange);
            }
            Arrived::Forgotten { greeted } => {
                self.arrived(exchange);
                let steps = self.event(Event::Forgotten { server, exchange, greeted });
                self.perform(steps, Via::default()).await;
            }
            Arrived::Failed(reason) => {
                self.arrived(exchange);
                self.failed(&server, Some(exchange), reason).await;
            }
        }
    }

    /// What came of a request that was sent in the session `used`.
    pub(super) fn arrive(
        &self,
        server: &ServerName,
        used: Option<&str>,
        sent: Result<HttpAnswer, Reason>,
    ) -> Arrived {
        let answer = match sent {
            Ok(answer) => answer,
            Err(reason) => return Arrived::Failed(reason),
        };
        if used.is_none() && self.upstream_id(server).is_none() {
            self.keep_upstream_id(server, answer.session);
        }
        match answer.body {
            HttpBody::Json(bytes) if !(answer.status == 404 && used.is_some()) => Arrived::Message(bytes),
            HttpBody::Stream(events) => Arrived::Stream(events),
            _ if answer.status == 404 && used.is_some() => {
                Arrived::Forgotten { greeted: self.forget_upstream_id(server, used) }
            }
            HttpBody::Empty | HttpBody::Json(_) | HttpBody::Other => Arrived::Failed(Reason::ServerRefused),
        }
    }

    /// Carries a server's stream for one exchange to the end.
    pub(super) async fn pump(
        self: &Arc<Self>,
        server: &ServerName,
        exchange: ExchangeId,
        mut events: SseStream,
    ) {
        let (mut resumable, sends) = (false, self.sends());
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
            if self.goes_on_elsewhere(server, exchange, sends) {
                return;
            }
            self.failed(server, Some(exchange), Reason::ServerBrokeProtocol).await;
        }
        self.close_stream(exchange);
    }

    /// Was the request sent again in another era, after so many sends, or does it wait to be? Then its answer is not on the
    /// stream of before.
    fn goes_on_elsewhere(&self, server: &ServerName, exchange: ExchangeId, sends: u64) -> bool {
        let core = self.core();
        self.is_under_way(exchange)
            || self.is_sent_since(exchange, sends)
            || core.is_open(exchange) && !core.awaits(server, exchange)
    }

    /// Is its answer still expected where it was first sent, before so many sends?
    pub(super) fn awaits_here(&self, server: &ServerName, exchange: ExchangeId, sends: u64) -> bool {
        let core = self.core();
        core.awaits(server, exchange) && !self.is_sent_since(exchange, sends)
    }

    /// Carries a stream as above where the agent's is our own: a server's stream that may be resumed is resumed by us, after
    /// the pause that the server asks for.
    async fn pump_resuming(
        self: &Arc<Self>,
        server: &ServerName,
        exchange: ExchangeId,
        mut events: SseStream,
    ) {
        let (mut last, mut pause, sends) = (None, 1_000, self.sends());
        for _ in 0..RESUMES {
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        last = event.id.or(last);
                        pause = event.retry.unwrap_or(pause).clamp(10, 30_000);
                        if !event.data.is_empty() {
                            self.from_server(server, Some(exchange), event.data, Via::default()).await;
                        }
                        // What a server adds after its answer is not waited for.
                        if !self.awaits_here(server, exchange, sends) {
                            return;
                        }
                    }
                    Err(reason) => return self.failed(server, Some(exchange), reason).await,
                }
            }
            if !self.awaits_here(server, exchange, sends) {
                return;
            }
            let Some(http) = self.gateway.http_server(server) else { break };
            let id = self.upstream_id(server);
            let (Some(after), Some(revision)) = (&last, self.core().spoken_with(server)) else { break };
            if let Some(conduit) = self.conduits.find(exchange) {
                conduit.poll();
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match http.listen(id.as_deref(), revision, Some(after)).await {
                Ok(HttpAnswer { body: HttpBody::Stream(resumed), .. }) => events = resumed,
                _ => break,
            }
        }
        self.failed(server, Some(exchange), Reason::ServerBrokeProtocol).await;
    }

    /// Keeps the standing stream of a server of the handshake era open, for an agent of the stateless one, which has none.
    pub(super) fn listen_to(self: &Arc<Self>, server: ServerName) {
        let Some(http) = self.gateway.http_server(&server) else { return };
        let (session, name) = (Arc::downgrade(self), server.clone());
        let listening = tokio::spawn(async move {
            let (mut last, mut pause) = (None, FIRST_PAUSE);
            loop {
                let Some((id, revision)) = session.upgrade().and_then(|session| {
                    Some((session.upstream_id(&name)?, session.core().spoken_with(&name)?))
                }) else {
                    return;
                };
                // A server that has no such stream says so once.
                let Ok(HttpAnswer { body: HttpBody::Stream(mut events), .. }) =
                    http.listen(Some(&id), revision, last.as_deref()).await
                else {
                    return;
                };
                while let Some(Ok(event)) = events.next().await {
                    last = event.id.or(last);
                    pause = event.retry.map_or(pause, Duration::from_millis).clamp(FIRST_PAUSE, LAST_PAUSE);
                    let Some(session) = session.upgrade() else { return };
                    if !event.data.is_empty() {
                        session.from_server(&name, None, event.data, Via::default()).await;
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LAST_PAUSE);
            }
        });
        if let Some(earlier) = lock(&self.listening).insert(server, listening.abort_handle()) {
            earlier.abort();
        }
    }

    /// Takes one event: its message through the door, a mere mark straight to the agent.
    pub(super) async fn take(
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
}

/// Is it how a server of HTTP+SSE answers what it does not know, a handshake by POST to where its events are?
/// <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#backwards-compatibility>
fn may_be_older(answer: &HttpAnswer) -> bool {
    match answer.status {
        404 | 405 => true,
        400 => !matches!(answer.body, HttpBody::Json(_)),
        _ => false,
    }
}

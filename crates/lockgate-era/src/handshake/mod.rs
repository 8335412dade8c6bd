//! The session is stateless, the server of the handshake era.

mod call;
mod greet;
mod listen;
mod notice;
mod question;
mod result;
mod stray;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, Json, Params, Reason, Revision, Side, peek_id};

use crate::message::{self, read};
use crate::object::Object;
use crate::{Bounds, Moment, Out};
use call::{Call, Waiting};
use greet::{Greeting, Level};
use listen::Listens;

/// A bridge for a session of revision 2026-07-28 and a server of 2024-11-05 to 2025-11-25.
///
/// The first request makes it greet the server, with what that request says of the client; what comes meanwhile waits.
/// `server/discover` and `subscriptions/listen` are answered by the bridge, the rest is carried. What the server asks
/// during a call is given to the agent as `input_required`, and the call stays open at the server until the agent comes
/// back with the answers.
///
/// What has no counterpart:
///
/// - `skills/*`, `resources/directory/read`, `tasks/*`: error -32601. Tasks of the handshake era are not offered, and
///   `task` is taken out of a call. A tool whose definition says `execution.taskSupport: required` cannot be called:
///   the server's error is passed on.
/// - Questions of the server outside a call, of a kind that the call's client does not declare, or under an id that is
///   open: answered with an error. `ping` is answered.
/// - Progress and logs while the agent is away, notifications that no listen asked for, and those of `tasks`: dropped.
/// - Notifications of the session other than `notifications/cancelled`, and its answers: dropped; there are none.
/// - Error codes that 2026-07-28 reserves or forbids: see `result.rs`.
///
/// Calls and listens are as many as the session has open requests; everything else is bounded by [`Bounds`] and by
/// `listen::MOST` and `call::MOST_KEPT`.
#[derive(Debug)]
pub struct Handshake {
    bounds: Bounds,
    greeting: Greeting,
    /// What the server was greeted with.
    hello: Object,
    /// How many handshakes there have been: a request that was lost in an earlier session needs no new one.
    greeted: u64,
    level: Level,
    /// Requests that wait for the handshake or for the log level, the oldest first.
    waiting: Vec<Waiting>,
    /// Requests on the wire and held ones, by their exchange there.
    calls: BTreeMap<ExchangeId, Call>,
    listens: Listens,
}

/// A request of the session, read.
struct Asked<'m> {
    exchange: ExchangeId,
    method: &'static str,
    message: &'m Bytes,
    id: Json<'m>,
    params: Params<'m>,
}

impl<'m> Asked<'m> {
    fn read(exchange: ExchangeId, method: &'static str, message: &'m Bytes) -> Result<Self, Reason> {
        match read(message, Side::Agent)?.body {
            Body::Request { id, params, .. } => Ok(Self { exchange, method, message, id, params }),
            Body::Notification { .. } | Body::Result { .. } | Body::Error { .. } => Err(Reason::BadEnvelope),
        }
    }
}

impl Handshake {
    /// A bridge to a server that has not been greeted.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            greeting: Greeting::Never,
            hello: Object::default(),
            greeted: 0,
            level: Level::default(),
            waiting: Vec::new(),
            calls: BTreeMap::new(),
            listens: Listens::default(),
        }
    }

    /// A request of the session. Its id is the session's own; on the wire it gets the number of the exchange.
    pub fn request(
        &mut self,
        exchange: ExchangeId,
        method: &'static str,
        message: &Bytes,
        moment: &mut Moment<'_>,
    ) {
        let asked = match Asked::read(exchange, method, message) {
            Ok(asked) => asked,
            Err(reason) => return moment.fail(exchange, reason),
        };
        if !call::has_counterpart(method) {
            let text = "the server speaks an older revision of MCP, which has no such method";
            moment.said(exchange, message::error(asked.id.raw(), -32601, text));
        } else if asked.params.get("requestState").is_some() {
            self.resume(&asked, moment);
        } else if result::is_declined(&asked.params) {
            let text = "the address that the server needs to be opened was not opened";
            moment.said(exchange, message::error(asked.id.raw(), -32603, text));
        } else {
            self.admit(&asked, false, moment);
        }
    }

    /// A notification of the session. `notifications/cancelled` is carried, whatever else is dropped.
    pub fn notification(&mut self, method: &'static str, message: &Bytes, moment: &mut Moment<'_>) {
        if method != "notifications/cancelled" {
            return;
        }
        let Ok(read) = read(message, Side::Agent) else { return };
        let Body::Notification { params, .. } = read.body else { return };
        let Some(id) = params.get("requestId").map(Json::raw) else { return };
        let waiting = || self.waiting.iter().find(|waiting| waiting.id == id).map(|waiting| waiting.exchange);
        let called = self.owner_known_as(id).or_else(waiting).or_else(|| self.listens.known_as(id));
        if let Some(exchange) = called {
            self.abandon(exchange, moment);
        }
    }

    /// The session answers a question: a stateless session is asked none, so there is nothing to do.
    pub fn answer(&mut self, _message: &Bytes, _moment: &mut Moment<'_>) {}

    /// Nobody waits for this exchange of the session any more. The server is told so, over HTTP as well: in its era a
    /// closed stream is no cancellation. Of an exchange that was answered with `input_required` it means that the answer
    /// did not reach the agent, and that the agent will not come back.
    pub fn abandon(&mut self, exchange: ExchangeId, moment: &mut Moment<'_>) {
        self.waiting.retain(|waiting| waiting.exchange != exchange);
        if self.listens.has(exchange) {
            return self.listens.end(exchange, moment);
        }
        if let Some(wire) = self.wire_of(exchange) {
            self.cancel(wire, moment);
        }
    }

    /// The server said this; `exchange` is the exchange of the wire on whose own stream it came, none on a pipe and on a
    /// standing stream.
    pub fn heard(&mut self, exchange: Option<ExchangeId>, message: &Bytes, moment: &mut Moment<'_>) {
        let Ok(heard) = read(message, Side::Server) else {
            return self.unreadable(exchange, message, moment);
        };
        match &heard.body {
            Body::Result { id, .. } | Body::Error { id: Some(id), .. } => {
                // An answer has the number of its exchange, and comes on the stream of that one where there is one.
                let number = id.unsigned().map(ExchangeId);
                let wire = number.filter(|wire| exchange.is_none_or(|exchange| exchange == *wire));
                self.answered(wire, message, &heard, moment);
            }
            Body::Error { id: None, .. } => self.answered(exchange, message, &heard, moment),
            Body::Request { id, method, params } => {
                self.questioned(exchange, message, *id, method, params, moment);
            }
            Body::Notification { method, params } => {
                self.notified(exchange, message, method, params, moment);
            }
        }
    }

    /// The wire failed: one exchange of it, or everything, since the server ended.
    pub fn failed(&mut self, exchange: Option<ExchangeId>, reason: Reason, moment: &mut Moment<'_>) {
        match exchange {
            Some(wire) if self.greeting.is_asked(wire) => self.greeting_failed(reason, moment),
            Some(wire) if self.level.is_asked(wire) => self.levelled(moment),
            Some(wire) if self.listens.answered(wire) => {}
            Some(wire) => self.call_failed(wire, reason, moment),
            None => {
                self.greeting = Greeting::Never;
                self.level = Level::default();
                for waiting in std::mem::take(&mut self.waiting) {
                    moment.fail(waiting.exchange, reason);
                }
                for (_, call) in std::mem::take(&mut self.calls) {
                    if let Some(owner) = call.owner {
                        moment.fail(owner.exchange, reason);
                    }
                }
                self.listens.end_all(moment);
            }
        }
    }

    /// HTTP 404: the server has forgotten its session in which this was sent. It is greeted again and this is sent
    /// again, once; a second time it fails with `unknown_session`, and a request of the bridge's own is left at that.
    pub fn forgotten(&mut self, exchange: ExchangeId, moment: &mut Moment<'_>) {
        if self.greeting.is_asked(exchange) {
            return self.greeting_failed(Reason::HandshakeRefused, moment);
        }
        if self.level.is_asked(exchange) {
            return self.level_forgotten(moment);
        }
        if let Some(again) = self.listens.forgotten(exchange) {
            if !again {
                self.greet_again(moment);
            }
            return;
        }
        let Some(call) = self.calls.remove(&exchange) else { return };
        let Some(owner) = call.owner else { return };
        if call.again || owner.exchange != exchange {
            return moment.fail(owner.exchange, Reason::UnknownSession);
        }
        if call.greeted == self.greeted {
            self.greet_again(moment);
        }
        let Ok(asked) = Asked::read(exchange, call.method, &call.message) else { return };
        self.admit(&asked, true, moment);
    }

    /// Time has passed.
    pub fn wake(&mut self, moment: &mut Moment<'_>) {
        if self.greeting.until().is_some_and(|until| until <= moment.now) {
            self.greeting_failed(Reason::ServerTimedOut, moment);
        }
        if self.level.until().is_some_and(|until| until <= moment.now) {
            self.level_is_late(moment);
        }
        self.listens.wake(moment);
        let now = moment.now;
        self.give_up(|call| call.until <= now, moment);
    }

    /// The server is to do nothing more: calls that wait for an agent to come back are cancelled.
    pub fn stop(&mut self, moment: &mut Moment<'_>) {
        self.give_up(|_| true, moment);
    }

    /// Cancels those calls whose agent is away.
    fn give_up(&mut self, which: impl Fn(&Call) -> bool, moment: &mut Moment<'_>) {
        let away = |call: &Call| call.owner.is_none() && which(call);
        let calls: Vec<_> = self.calls.iter().filter(|(_, call)| away(call)).map(|(wire, _)| *wire).collect();
        for wire in calls {
            self.cancel(wire, moment);
        }
    }

    /// Is a message of the server still expected on this exchange of the wire?
    pub fn awaits(&self, exchange: ExchangeId) -> bool {
        self.greeting.is_asked(exchange)
            || self.level.is_asked(exchange)
            || self.listens.awaits(exchange)
            || self.calls.get(&exchange).is_some_and(Call::is_open)
    }

    /// Is there anything that [`Self::wake`] may be about?
    pub fn waits(&self) -> bool {
        self.greeting.until().is_some()
            || self.level.until().is_some()
            || self.listens.waits()
            || self.calls.values().any(|call| call.owner.is_none())
    }

    /// The revision spoken on the wire: the server's, and before the handshake the one that is offered to it.
    pub fn revision(&self) -> Revision {
        self.greeting.server().map_or(Revision::R2025_11_25, |server| server.revision)
    }

    /// Has the server answered the handshake?
    pub fn is_understood(&self) -> bool {
        self.greeting.server().is_some()
    }

    /// Is there no room for another request that waits, for whatever it is?
    fn is_full(&self) -> bool {
        let away = self.calls.values().filter(|call| call.owner.is_none()).count();
        self.waiting.len() + away >= self.bounds.waiting
    }

    /// Something that is not a message. The core is shown it as it came, on the exchange that it was plainly meant for:
    /// that one is over.
    fn unreadable(&mut self, exchange: Option<ExchangeId>, message: &Bytes, moment: &mut Moment<'_>) {
        let wire = exchange.or_else(|| ExchangeId::read(peek_id(message)?));
        let owner = wire.and_then(|wire| self.calls.get(&wire)?.owner.as_ref()).map(|owner| owner.exchange);
        moment.out.push(Out::Said { exchange: owner, message: message.clone() });
        let Some(wire) = wire else { return };
        if owner.is_some() {
            // The core has heard how it ended.
            self.calls.remove(&wire);
            moment.out.push(Out::Abandon { exchange: wire });
        } else if self.awaits(wire) {
            moment.out.push(Out::Abandon { exchange: wire });
            self.failed(Some(wire), Reason::ServerBrokeProtocol, moment);
        }
    }
}

//! A server that is stateless serves a session of the handshake era.
//!
//! Read [`Stateless`] first. `greet` answers `initialize`, `call` carries requests and their answers, `input` asks the
//! agent what the server wants to know, `listen` keeps the one subscription, `result` writes answers.

mod call;
mod greet;
mod input;
mod listen;
mod result;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, Json, Message, Params, Reason, Revision, Side, Splice, peek_id};

use self::call::Call;
use self::greet::Introduction;
use self::listen::Listening;
use crate::message::{self, read};
use crate::meta::without_reserved;
use crate::{Bounds, Moment, Out};

/// The bridge for a session of the handshake era and a server of the revision 2026-07-28.
///
/// `initialize` is answered from `server/discover`, and what it said of the agent is written into every request.
/// `ping` and `logging/setLevel` are answered here. What a server wants to know first (`input_required`) becomes
/// questions to the agent, and with the answers the request is sent again. Subscriptions and changes of lists are one
/// `subscriptions/listen`, which is opened again where the server ends it.
///
/// What the other era cannot say:
/// - Tasks, of either era: the agent's are answered with -32601, a server's `resultType: "task"` fails the call.
/// - Extensions are offered to neither side. `notifications/roots/list_changed`, progress and task states of the agent
///   are dropped: a stateless server asks anew each time.
/// - A `structuredContent` that is no object is dropped, `content` stays; so is the `outputSchema` that promises it.
/// - `ttlMs` and `cacheScope`: the handshake era caches nothing.
/// - A request of the server is answered with -32601, a change that nobody subscribed to is dropped.
/// - An error of the agent where it was asked: as if the user had dismissed an elicitation; with any other question the
///   call fails with that error.
///
/// A cancelled request is both told to the server (`notifications/cancelled`, which only pipes need) and abandoned
/// (over HTTP the closed stream says it).
#[derive(Debug)]
pub struct Stateless {
    bounds: Bounds,
    introduction: Introduction,
    /// Requests of the session, by its exchange.
    calls: BTreeMap<ExchangeId, Call>,
    /// Which of them an exchange of the wire belongs to.
    wires: BTreeMap<ExchangeId, ExchangeId>,
    /// Which of them a question to the agent belongs to.
    questions: BTreeMap<u64, ExchangeId>,
    /// How many questions there were: none has the number of another.
    asked: u64,
    listening: Listening,
}

impl Stateless {
    /// A bridge that knows nothing of the agent yet.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            introduction: Introduction::default(),
            calls: BTreeMap::new(),
            wires: BTreeMap::new(),
            questions: BTreeMap::new(),
            asked: 0,
            listening: Listening::default(),
        }
    }

    /// A request of the session. `method` is of the session's era.
    pub fn request(
        &mut self,
        exchange: ExchangeId,
        method: &'static str,
        message: &Bytes,
        moment: &mut Moment<'_>,
    ) {
        let parsed = read(message, Side::Agent);
        let Ok(Message { body: Body::Request { id, params, .. }, .. }) = parsed else {
            return moment.out.push(Out::Failed { exchange, reason: Reason::InternalFault });
        };
        match method {
            "initialize" => self.initialize(exchange, message, id, &params, moment),
            "ping" => moment.said(exchange, message::result(id.raw(), b"{}")),
            "logging/setLevel" => self.set_level(exchange, id, &params, moment),
            "resources/subscribe" | "resources/unsubscribe" => {
                let adds = method == "resources/subscribe";
                self.subscribe(exchange, message.slice_ref(id.raw()), &params, adds, moment);
            }
            _ if method.starts_with("tasks/") || params.get("task").is_some() => {
                moment.said(exchange, message::refusal(id.raw(), NO_TASKS));
            }
            _ => self.call(exchange, method, message, id, &params, moment),
        }
    }

    /// A notification of the session.
    pub fn notification(&mut self, method: &'static str, message: &Bytes, moment: &mut Moment<'_>) {
        match method {
            "notifications/initialized" => self.listen(moment),
            "notifications/cancelled" => {
                let parsed = read(message, Side::Agent);
                if let Ok(Message { body: Body::Notification { params, .. }, .. }) = parsed
                    && let Some(id) = params.get("requestId")
                {
                    let exchange = self.calls.iter().find(|(_, call)| call.id[..] == *id.raw());
                    if let Some(exchange) = exchange.map(|(exchange, _)| *exchange) {
                        self.cancel(exchange, params.get("reason"), moment);
                    }
                    self.listening.forget(|waiter| waiter.id[..] == *id.raw());
                }
            }
            // Nothing in the stateless era listens to it.
            _ => {}
        }
    }

    /// The session answers a question that the bridge has asked. Other answers are dropped: the server asks nothing.
    pub fn answer(&mut self, message: &Bytes, moment: &mut Moment<'_>) {
        let Ok(parsed) = read(message, Side::Agent) else { return };
        match parsed.body {
            Body::Result { id, result, .. } => self.answered(id, Ok(result), moment),
            Body::Error { id: Some(id), error } => self.answered(id, Err(error), moment),
            Body::Error { id: None, .. } | Body::Request { .. } | Body::Notification { .. } => {}
        }
    }

    /// Nobody waits for this exchange of the session any more.
    pub fn abandon(&mut self, exchange: ExchangeId, moment: &mut Moment<'_>) {
        self.cancel(exchange, None, moment);
        self.listening.forget(|waiter| waiter.exchange == exchange);
    }

    /// The server said this; `exchange` is the wire exchange on whose own stream it came, none on a pipe.
    pub fn heard(&mut self, exchange: Option<ExchangeId>, message: &Bytes, moment: &mut Moment<'_>) {
        let Ok(parsed) = read(message, Side::Server) else {
            return self.unreadable(exchange, message, moment);
        };
        match &parsed.body {
            Body::Result { id, .. } => self.reply(exchange, Some(*id), message, &parsed.body, moment),
            Body::Error { id, .. } => self.reply(exchange, *id, message, &parsed.body, moment),
            Body::Notification { method, params } => self.noticed(exchange, method, params, message, moment),
            Body::Request { id, .. } => {
                let message = message::refusal(id.raw(), NO_QUESTIONS);
                moment.out.push(Out::Send { exchange: None, method: None, message });
            }
        }
    }

    /// The wire failed: one exchange, or everything (the server ended). Calls that wait for the agent are not on the
    /// wire; they are sent again when it has answered.
    pub fn failed(&mut self, exchange: Option<ExchangeId>, reason: Reason, moment: &mut Moment<'_>) {
        let gone: Vec<_> = match exchange {
            Some(exchange) => vec![exchange],
            None => self.wires.keys().copied().chain(self.listening.wires()).collect(),
        };
        for wire in gone {
            if let Some(exchange) = self.wires.remove(&wire) {
                self.calls.remove(&exchange);
                moment.out.push(Out::Failed { exchange, reason });
            } else if self.listening.is_open(wire) {
                self.listen_over(wire, listen::End::Failed(reason), moment);
            }
        }
    }

    /// Time has passed (called at least once a second while [`Self::waits`]).
    pub fn wake(&mut self, moment: &mut Moment<'_>) {
        let due = |call: &Call| call.until.is_some_and(|until| until <= moment.now);
        let due: Vec<_> = self.calls.iter().filter(|(_, call)| due(call)).map(|(key, _)| *key).collect();
        for exchange in due {
            self.give_up(exchange, moment);
        }
        self.listen_on(moment);
    }

    /// Is a message of the server still expected on this wire exchange?
    pub fn awaits(&self, exchange: ExchangeId) -> bool {
        self.wires.contains_key(&exchange) || self.listening.is_open(exchange)
    }

    /// Is there anything that [`Self::wake`] may be about?
    pub fn waits(&self) -> bool {
        self.listening.waits() || self.calls.values().any(|call| call.until.is_some())
    }

    /// Has the server answered `server/discover` as a server of its era does?
    pub fn is_understood(&self) -> bool {
        self.introduction.is_answered()
    }

    /// The revision spoken on the wire.
    pub fn revision(&self) -> Revision {
        Revision::R2026_07_28
    }

    /// An answer of the server. One that nothing waits for is said in an exchange that nobody has: whatever its id is,
    /// it belongs to no other.
    fn reply(
        &mut self,
        exchange: Option<ExchangeId>,
        id: Option<Json<'_>>,
        message: &Bytes,
        body: &Body<'_>,
        moment: &mut Moment<'_>,
    ) {
        let named = id.map(|id| ExchangeId::read(id.raw()));
        let wire = match (exchange, named) {
            (Some(exchange), None) => Some(exchange),
            (Some(exchange), Some(named)) => named.filter(|named| *named == exchange),
            (None, Some(named)) => named,
            (None, None) => None,
        };
        if let Some(wire) = wire {
            if let Some(owner) = self.wires.get(&wire).copied() {
                return self.settle(wire, owner, message, body, moment);
            }
            if self.listening.is_open(wire) {
                let end = match body {
                    Body::Error { error, .. } => listen::End::Refused(*error),
                    Body::Result { .. } | Body::Request { .. } | Body::Notification { .. } => {
                        listen::End::Over
                    }
                };
                return self.listen_over(wire, end, moment);
            }
            if self.listening.has_ended(wire) {
                return;
            }
        }
        astray(message, moment);
    }

    fn noticed(
        &mut self,
        exchange: Option<ExchangeId>,
        method: &str,
        params: &Params<'_>,
        message: &Bytes,
        moment: &mut Moment<'_>,
    ) {
        let owner = exchange.and_then(|wire| self.wires.get(&wire).copied());
        match method {
            "notifications/progress" => self.progress(exchange, params, message, moment),
            "notifications/subscriptions/acknowledged"
            | "notifications/cancelled"
            | "notifications/tools/list_changed"
            | "notifications/prompts/list_changed"
            | "notifications/resources/list_changed"
            | "notifications/resources/updated" => {
                self.listened(exchange, method, params, message, moment);
            }
            // No task was ever asked for.
            "notifications/tasks" | "notifications/tasks/status" => {}
            // The request on whose stream it comes is over.
            _ if owner.is_none() && exchange.is_some_and(|wire| !self.listening.is_open(wire)) => {}
            _ => {
                let message = unmarked(message, params);
                moment.out.push(Out::Said { exchange: owner, message });
            }
        }
    }

    /// Something that is not a message goes on to where it was plainly meant for, which is over then: the core refuses
    /// it.
    fn unreadable(&mut self, exchange: Option<ExchangeId>, message: &Bytes, moment: &mut Moment<'_>) {
        let named = peek_id(message).map(ExchangeId::read);
        let wire = exchange.or(named.flatten());
        let call = wire.and_then(|wire| Some((wire, self.wires.remove(&wire)?)));
        if let Some((wire, owner)) = call {
            self.calls.remove(&owner);
            moment.said(owner, message.clone());
            moment.out.push(Out::Abandon { exchange: wire });
        } else if exchange.is_none() && named.is_none() {
            moment.out.push(Out::Said { exchange: None, message: message.clone() });
        } else {
            astray(message, moment);
        }
    }
}

const NO_TASKS: &[u8] = br#"{"code":-32601,"message":"the server offers no tasks"}"#;
const NO_QUESTIONS: &[u8] =
    br#"{"code":-32601,"message":"a server of this revision asks in its results, with input_required"}"#;

/// What belongs to nothing is said in an exchange of its own, so that the core counts it and maps it onto nothing.
fn astray(message: &Bytes, moment: &mut Moment<'_>) {
    let exchange = Some(moment.open());
    moment.out.push(Out::Said { exchange, message: message.clone() });
}

/// A notification without the protocol's own keys of `_meta`.
fn unmarked(message: &Bytes, params: &Params<'_>) -> Bytes {
    let Some(whole) = params.whole() else { return message.clone() };
    match without_reserved(whole) {
        std::borrow::Cow::Borrowed(_) => message.clone(),
        std::borrow::Cow::Owned(without) => {
            let mut splice = Splice::new(message);
            splice.replace(whole, without);
            splice.finish()
        }
    }
}

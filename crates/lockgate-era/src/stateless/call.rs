//! Requests on their way to the server, and its answers on their way back.

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, Json, Message, Params, Reason, Side, Splice, Tick};

use super::input::Asking;

use super::result::{self, ResultType};
use super::{Stateless, astray};
use crate::message::{self, read};
use crate::meta::{is_reserved, unreserved};
use crate::object::{Object, members};
use crate::{Moment, Out};

/// A request of the session that the server works on, or has questions about.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: &'static str,
    /// As the session sent it, to be sent again.
    pub(super) message: Bytes,
    pub(super) id: Bytes,
    pub(super) token: Option<Bytes>,
    pub(super) state: State,
    /// How often the server wanted to know more.
    pub(super) rounds: usize,
    /// When it is given up; none where the core alone says how long.
    pub(super) until: Option<Tick>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Sent in this exchange of the wire.
    Sent(ExchangeId),
    /// The agent is being asked.
    Asking(Asking),
}

/// What a request says in addition when it is sent again.
pub(super) struct More {
    /// Members of `inputResponses`.
    pub(super) responses: Option<Vec<u8>>,
    /// `requestState`, as the server wrote it.
    pub(super) state: Option<Bytes>,
}

impl Stateless {
    /// Carries a request to the server.
    pub(super) fn call(
        &mut self,
        exchange: ExchangeId,
        method: &'static str,
        message: &Bytes,
        id: Json<'_>,
        params: &Params<'_>,
        moment: &mut Moment<'_>,
    ) {
        let token = params.meta().and_then(|meta| meta.get("progressToken"));
        let call = Call {
            method,
            message: message.clone(),
            id: message.slice_ref(id.raw()),
            token: token.map(|token| message.slice_ref(token.raw())),
            state: State::Sent(exchange),
            rounds: 0,
            until: None,
        };
        self.wires.insert(exchange, exchange);
        self.calls.insert(exchange, call);
        let message = self.outgoing(message, method, (id, params), exchange, None);
        moment.out.push(Out::Send { exchange: Some(exchange), method: Some(method), message });
    }

    /// Sends a request once more, with what the server wanted to know, in a new exchange of the wire.
    pub(super) fn send_again(&mut self, exchange: ExchangeId, more: &More, moment: &mut Moment<'_>) {
        let Some(call) = self.calls.get_mut(&exchange) else { return };
        let wire = moment.open();
        call.state = State::Sent(wire);
        call.until = None;
        self.wires.insert(wire, exchange);
        let (method, source) = (call.method, call.message.clone());
        let parsed = read(&source, Side::Agent);
        if let Ok(Message { body: Body::Request { id, params, .. }, .. }) = parsed {
            let message = self.outgoing(&source, method, (id, &params), wire, Some(more));
            moment.out.push(Out::Send { exchange: Some(wire), method: Some(method), message });
        }
    }

    /// A request as the server must see it: complete in itself, under the number of its wire exchange. An answer to
    /// questions that were never asked is taken off (G14).
    fn outgoing(
        &self,
        source: &Bytes,
        method: &str,
        (id, params): (Json<'_>, &Params<'_>),
        wire: ExchangeId,
        more: Option<&More>,
    ) -> Bytes {
        let number = wire.to_string();
        let mut meta = Object::default();
        meta.push(&self.introduction.members());
        for member in params.meta().into_iter().flat_map(members) {
            if member.key.is("progressToken") {
                meta.add("progressToken", number.as_bytes());
            } else if !is_reserved(&member.key.text()) {
                meta.push(member.text);
            }
        }
        let mut out = Object::default();
        out.add("_meta", meta.json());
        for member in params.whole().into_iter().flat_map(members) {
            let own = ["_meta", "inputResponses", "requestState"].iter().any(|name| member.key.is(name));
            if !own {
                out.push(member.text);
            }
        }
        if let Some(more) = more {
            if let Some(responses) = &more.responses {
                out.add("inputResponses", responses);
            }
            if let Some(state) = &more.state {
                out.add("requestState", state);
            }
        }
        let mut splice = Splice::new(source);
        splice.replace(id, number);
        match params.whole() {
            Some(whole) => splice.replace(whole, out.json()),
            None => return message::request(wire, method, out.json()),
        }
        splice.finish()
    }

    /// The server answers what was sent in `wire` for `owner`.
    pub(super) fn settle(
        &mut self,
        wire: ExchangeId,
        owner: ExchangeId,
        message: &Bytes,
        body: &Body<'_>,
        moment: &mut Moment<'_>,
    ) {
        self.wires.remove(&wire);
        let Some(call) = self.calls.get(&owner) else { return };
        let (id, method) = (call.id.clone(), call.method);
        let said = match body {
            Body::Error { id: given, error } => Ok(result::error(message, *given, *error, method, &id)),
            Body::Result { id: given, result, fields } => match ResultType::of(fields) {
                ResultType::Complete if method == "initialize" => self.welcome(&id, *result, fields),
                ResultType::Complete => Ok(result::complete(message, *given, *result, method, &id)),
                ResultType::InputRequired => return self.input_required(owner, *result, moment),
                ResultType::Unknown => Err(Reason::ServerBrokeProtocol),
            },
            Body::Request { .. } | Body::Notification { .. } => return,
        };
        self.calls.remove(&owner);
        match said {
            Ok(message) => moment.said(owner, message),
            Err(reason) => moment.out.push(Out::Failed { exchange: owner, reason }),
        }
    }

    /// Progress goes to the call that it is about, under the session's own token.
    pub(super) fn progress(
        &mut self,
        exchange: Option<ExchangeId>,
        params: &Params<'_>,
        message: &Bytes,
        moment: &mut Moment<'_>,
    ) {
        let given = params.get("progressToken");
        let wire = given.and_then(|token| ExchangeId::read(token.raw()));
        let wire = wire.filter(|wire| exchange.is_none_or(|exchange| exchange == *wire));
        let owner = wire.and_then(|wire| self.wires.get(&wire).copied());
        let token = owner.and_then(|owner| self.calls.get(&owner)?.token.clone());
        let (Some(given), Some(owner), Some(token)) = (given, owner, token) else {
            return astray(message, moment);
        };
        let mut splice = Splice::new(message);
        splice.replace(given, token.to_vec());
        if let Some(meta) = params.meta()
            && meta.members().any(|(key, _)| is_reserved(&key.text()))
        {
            splice.replace(meta, unreserved(meta).unwrap_or_else(|| b"{}".to_vec()));
        }
        moment.said(owner, splice.finish());
    }

    /// The agent has taken a request back, or nobody waits for it any more.
    pub(super) fn cancel(&mut self, exchange: ExchangeId, reason: Option<Json<'_>>, moment: &mut Moment<'_>) {
        let Some(call) = self.calls.remove(&exchange) else { return };
        match call.state {
            State::Sent(wire) => self.take_back(wire, reason, moment),
            State::Asking(asking) => self.withdraw(&asking, None, moment),
        }
    }

    fn take_back(&mut self, wire: ExchangeId, reason: Option<Json<'_>>, moment: &mut Moment<'_>) {
        self.wires.remove(&wire);
        cancelled(wire, reason, moment);
    }

    /// Time is over: for the handshake, or for the agent to answer.
    pub(super) fn give_up(&mut self, exchange: ExchangeId, moment: &mut Moment<'_>) {
        let Some(call) = self.calls.remove(&exchange) else { return };
        match call.state {
            State::Sent(wire) => self.take_back(wire, None, moment),
            State::Asking(asking) => self.withdraw(&asking, Some(exchange), moment),
        }
        moment.out.push(Out::Failed { exchange, reason: Reason::ServerTimedOut });
    }
}

/// Tells the server that nobody waits for an exchange any more. On a pipe the notification says it, over HTTP the closed
/// stream (specification 2026-07-28, cancellation).
pub(super) fn cancelled(wire: ExchangeId, reason: Option<Json<'_>>, moment: &mut Moment<'_>) {
    let mut params = Object::default().with("requestId", wire.to_string());
    if let Some(reason) = reason {
        params.add("reason", reason.raw());
    }
    moment.tell("notifications/cancelled", message::notification("notifications/cancelled", params));
    moment.out.push(Out::Abandon { exchange: wire });
}

//! Requests that are carried to the server, from the call to its answer.

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, Json, Message, Reason, Splice, Tick};

use super::greet::severity;
use super::question::Question;
use super::result::translate;
use super::{Asked, Handshake, read};
use crate::message;
use crate::meta;
use crate::object::Object;
use crate::{Moment, Out};
use lockgate_model::Side;

/// Most that is kept of what servers ask and answer while agents are away. Bytes. A question beyond it is answered with
/// an error; a call whose answer is beyond it fails with `result_too_large`.
pub(super) const MOST_KEPT: usize = 32 << 20;

/// A request of the session that is not on the wire yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) exchange: ExchangeId,
    pub(super) method: &'static str,
    pub(super) message: Bytes,
    pub(super) id: Bytes,
    /// It was sent before, to a session that the server has forgotten.
    pub(super) again: bool,
}

/// A request on the wire, or one that is over there while the agent is away.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: &'static str,
    /// The request as the session sent it.
    pub(super) message: Bytes,
    /// The handshake in whose session it was sent.
    pub(super) greeted: u64,
    pub(super) again: bool,
    /// Who waits for it; none while the agent is away to find answers.
    pub(super) owner: Option<Owner>,
    /// What the client can, as it has said last.
    pub(super) capabilities: Option<Bytes>,
    /// What the server asks and the agent has not answered, the oldest first.
    pub(super) questions: Vec<Question>,
    /// How many questions there have been.
    pub(super) asked: u64,
    /// The exchange of the session that waits for it or waited last.
    pub(super) last: ExchangeId,
    /// How often the agent was sent away: with the exchange, what it comes back with.
    pub(super) round: u64,
    /// How long the agent may be away.
    pub(super) until: Tick,
    /// How the call ended while the agent was away.
    pub(super) end: Option<End>,
}

#[derive(Debug)]
pub(super) enum End {
    Answered(Bytes),
    Failed(Reason),
}

/// The exchange of the session that waits for a call.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) exchange: ExchangeId,
    /// As it came.
    pub(super) id: Bytes,
    /// The progress token as it came, where progress is wanted.
    pub(super) token: Option<Bytes>,
    /// The place of the least log level that is wanted, where logs are.
    pub(super) level: Option<usize>,
}

impl Call {
    /// Has the server not answered yet?
    pub(super) fn is_open(&self) -> bool {
        self.end.is_none()
    }

    fn kept(&self) -> usize {
        let answer = match &self.end {
            Some(End::Answered(message)) => message.len(),
            Some(End::Failed(_)) | None => 0,
        };
        answer + self.questions.iter().map(Question::len).sum::<usize>()
    }

    /// The kinds of request during which a stateless server may ask for input.
    pub(super) fn may_ask(&self) -> bool {
        self.is_open() && matches!(self.method, "tools/call" | "prompts/get" | "resources/read")
    }
}

impl Owner {
    pub(super) fn of(asked: &Asked<'_>) -> Self {
        let token = asked.params.meta().and_then(|meta| meta.get("progressToken"));
        Self {
            exchange: asked.exchange,
            id: asked.message.slice_ref(asked.id.raw()),
            token: token.map(|token| asked.message.slice_ref(token.raw())),
            level: severity(asked.params.reserved("logLevel")),
        }
    }
}

/// Is there such a request in the handshake era, or an answer to it?
pub(super) fn has_counterpart(method: &str) -> bool {
    matches!(
        method,
        "server/discover"
            | "subscriptions/listen"
            | "tools/list"
            | "tools/call"
            | "resources/list"
            | "resources/templates/list"
            | "resources/read"
            | "prompts/list"
            | "prompts/get"
            | "completion/complete"
    )
}

/// The capabilities that a request declares.
pub(super) fn declared(asked: &Asked<'_>) -> Option<Bytes> {
    asked.params.reserved("clientCapabilities").map(|declared| asked.message.slice_ref(declared.raw()))
}

impl Handshake {
    pub(super) fn call(&mut self, asked: &Asked<'_>, again: bool, moment: &mut Moment<'_>) {
        let call = Call {
            method: asked.method,
            message: asked.message.clone(),
            greeted: self.greeted,
            again,
            owner: Some(Owner::of(asked)),
            capabilities: declared(asked),
            questions: Vec::new(),
            asked: 0,
            last: asked.exchange,
            round: 0,
            until: moment.now,
            end: None,
        };
        moment.send(asked.exchange, asked.method, on_the_wire(asked));
        self.calls.insert(asked.exchange, call);
    }

    /// The exchange of the wire that an exchange of the session waits for, or waited for last.
    pub(super) fn wire_of(&self, exchange: ExchangeId) -> Option<ExchangeId> {
        self.calls.iter().find(|(_, call)| call.last == exchange).map(|(wire, _)| *wire)
    }

    /// How much is kept for agents that are away.
    pub(super) fn kept(&self) -> usize {
        self.calls.values().map(Call::kept).sum()
    }

    /// The exchange of the session that has this id.
    pub(super) fn owner_known_as(&self, id: &[u8]) -> Option<ExchangeId> {
        let owners = self.calls.values().filter_map(|call| call.owner.as_ref());
        owners.filter(|owner| owner.id == id).map(|owner| owner.exchange).next_back()
    }

    /// The server has answered; `wire` is the request that it says it answers.
    pub(super) fn answered(
        &mut self,
        wire: Option<ExchangeId>,
        message: &Bytes,
        heard: &Message<'_>,
        moment: &mut Moment<'_>,
    ) {
        let Some(wire) = wire else { return moment.stray() };
        if self.greeting.is_asked(wire) {
            return self.greeted(&heard.body, moment);
        }
        if self.level.is_asked(wire) {
            return self.levelled(moment);
        }
        if self.listens.answered(wire) {
            return;
        }
        let kept = self.kept();
        let Some(call) = self.calls.get_mut(&wire).filter(|call| call.is_open()) else {
            return moment.stray();
        };
        let Some(owner) = &call.owner else {
            let fits = kept + message.len() <= MOST_KEPT;
            call.end =
                Some(if fits { End::Answered(message.clone()) } else { End::Failed(Reason::ResultTooLarge) });
            return;
        };
        let server = self.greeting.server();
        let answer = translate(call, &owner.id, server, &self.bounds, message, heard);
        moment.said(owner.exchange, answer);
        self.calls.remove(&wire);
    }

    /// The wire failed under a request.
    pub(super) fn call_failed(&mut self, wire: ExchangeId, reason: Reason, moment: &mut Moment<'_>) {
        let Some(call) = self.calls.get_mut(&wire).filter(|call| call.is_open()) else { return };
        match &call.owner {
            Some(owner) => {
                moment.fail(owner.exchange, reason);
                self.calls.remove(&wire);
            }
            None => call.end = Some(End::Failed(reason)),
        }
    }

    /// The end of a call is handed to the agent, which has come back.
    pub(super) fn hand_over(&mut self, wire: ExchangeId, moment: &mut Moment<'_>) {
        let Some(call) = self.calls.remove(&wire) else { return };
        let (Some(owner), Some(end)) = (&call.owner, &call.end) else { return };
        match end {
            End::Answered(message) => match read(message, Side::Server) {
                Ok(heard) => {
                    let server = self.greeting.server();
                    let answer = translate(&call, &owner.id, server, &self.bounds, message, &heard);
                    moment.said(owner.exchange, answer);
                }
                Err(reason) => moment.fail(owner.exchange, reason),
            },
            End::Failed(reason) => moment.fail(owner.exchange, *reason),
        }
    }

    /// Takes a call back, from the server as well.
    pub(super) fn cancel(&mut self, wire: ExchangeId, moment: &mut Moment<'_>) {
        let Some(call) = self.calls.remove(&wire) else { return };
        if call.is_open() {
            let params = Object::default().with("requestId", wire.to_string());
            let message = message::notification("notifications/cancelled", params);
            moment.tell("notifications/cancelled", message);
            moment.out.push(Out::Abandon { exchange: wire });
        }
        for question in call.questions {
            moment.reply(question.unanswered());
        }
    }
}

/// The request as the server reads it: with the number of its exchange as id and progress token, and without what is of
/// the stateless era. The handshake era reads `task` as a wish for a task, which nobody could follow.
fn on_the_wire(asked: &Asked<'_>) -> Bytes {
    let number = asked.exchange.to_string();
    let mut splice = Splice::new(asked.message);
    splice.replace(asked.id, number.clone());
    if let Some(whole) = asked.params.whole() {
        let meta = meta::crossing(&asked.params, &["progressToken"]);
        let wants = asked.params.meta().is_some_and(|meta| meta.get("progressToken").is_some());
        let meta = if wants { meta.with("progressToken", number) } else { meta };
        let gone = ["_meta", "inputResponses", "requestState", "task"];
        let params = Object::of(Some(whole), |name| !gone.contains(&name));
        let params = if meta.is_empty() { params } else { params.with("_meta", meta.json()) };
        splice.replace(whole, params.json());
    }
    splice.finish()
}

/// What a request is about: the name of its tool or prompt, or its address.
pub(super) fn subject<'m>(body: &Body<'m>) -> Option<std::borrow::Cow<'m, str>> {
    match body {
        Body::Request { params, .. } => params.get("name").or_else(|| params.get("uri")).and_then(Json::text),
        Body::Notification { .. } | Body::Result { .. } | Body::Error { .. } => None,
    }
}

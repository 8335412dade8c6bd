//! What a server asks during a call, and the agent that goes away to find the answers.

use bytes::Bytes;
use lockgate_model::{Direction, ExchangeId, Json, Kind, Method, MethodKind, Params, Reason, Side, quote};

use super::call::{Call, MOST_KEPT, Owner, declared, subject};
use super::greet::Server;
use super::{Asked, Handshake, read};
use crate::Moment;
use crate::message;
use crate::meta;
use crate::object::Object;

/// A question of a server that the agent has not answered.
#[derive(Debug)]
pub(super) struct Question {
    /// What the agent knows it by, never twice the same in a call.
    key: String,
    /// The server's id, as it came.
    pub(super) id: Bytes,
    method: &'static str,
    /// The question as the agent reads it: an object.
    text: Vec<u8>,
}

impl Question {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// What the server is told where nobody answers.
    pub(super) fn unanswered(&self) -> Bytes {
        message::error(&self.id, -32603, "the question was not answered")
    }

    /// What the server is told of an answer of the agent.
    fn answer(&self, answer: Json<'_>) -> Bytes {
        let is = |name: &str, kind| answer.get(name).is_some_and(|value| value.kind() == kind);
        let fits = match self.method {
            "elicitation/create" => {
                let action = answer.get("action").and_then(Json::text);
                matches!(action.as_deref(), Some("accept" | "decline" | "cancel"))
            }
            "sampling/createMessage" => {
                is("role", Kind::String) && is("model", Kind::String) && answer.get("content").is_some()
            }
            _ => is("roots", Kind::Array),
        };
        if !fits {
            return message::error(
                &self.id,
                -32603,
                "the answer does not have the form that the question asks for",
            );
        }
        let meta = Object::of(answer.get("_meta"), |key| !meta::is_reserved(key));
        let result = Object::of(Some(answer), |name| !matches!(name, "_meta" | "resultType"));
        let result = if meta.is_empty() { result } else { result.with("_meta", meta.json()) };
        message::result(&self.id, result.json())
    }
}

/// Does the client declare that it can be asked this?
fn is_declared(call: &Call, method: &str, params: &Params<'_>) -> bool {
    let declared = call.capabilities.as_ref().and_then(|declared| Json::check(declared, 128).ok());
    let of = |name: &str| declared.and_then(|declared| declared.get(name));
    match method {
        "elicitation/create" if params.text("mode").as_deref() == Some("url") => {
            of("elicitation").is_some_and(|modes| modes.get("url").is_some())
        }
        // Who names no mode means forms.
        "elicitation/create" => of("elicitation")
            .is_some_and(|modes| modes.get("form").is_some() || modes.members().next().is_none()),
        "sampling/createMessage" if ["tools", "toolChoice"].iter().any(|name| params.get(name).is_some()) => {
            of("sampling").is_some_and(|sampling| sampling.get("tools").is_some())
        }
        "sampling/createMessage" => of("sampling").is_some(),
        _ => of("roots").is_some(),
    }
}

impl Handshake {
    /// A server asks for something. Over HTTP the question belongs to the call on whose stream it comes; elsewhere to the
    /// newest one that may ask and whose client can be asked.
    pub(super) fn questioned(
        &mut self,
        exchange: Option<ExchangeId>,
        message: &Bytes,
        id: Json<'_>,
        method: &str,
        params: &Params<'_>,
        moment: &mut Moment<'_>,
    ) {
        let known = Method::find(method, MethodKind::Request, Direction::ToAgent, self.revision());
        let method = match known.map(|known| known.name) {
            Some("ping") => return moment.reply(message::result(id.raw(), "{}")),
            Some(method @ ("elicitation/create" | "sampling/createMessage" | "roots/list")) => method,
            _ => return moment.reply(message::error(id.raw(), -32601, "the client has no such method")),
        };
        let id = Bytes::copy_from_slice(id.raw());
        let kept = self.kept();
        let mut refuse = |code, text| moment.reply(message::error(&id, code, text));
        if self.calls.values().flat_map(|call| &call.questions).any(|question| question.id == id) {
            return refuse(-32600, "a question with the same id is open");
        }
        let here = |wire: &ExchangeId, call: &Call| {
            call.may_ask() && exchange.is_none_or(|exchange| exchange == *wire)
        };
        if !self.calls.iter().any(|(wire, call)| here(wire, call)) {
            return refuse(-32600, "no call is open during which this may be asked");
        }
        let mut calls = self.calls.iter_mut().rev();
        let asks = calls.find(|(wire, call)| here(wire, call) && is_declared(call, method, params));
        let Some((wire, call)) = asks else {
            return refuse(-32601, "the client does not declare that it can be asked this");
        };
        if call.questions.len() >= self.bounds.questions || kept + message.len() > MOST_KEPT {
            return refuse(-32603, "too many questions wait for an answer");
        }
        call.asked += 1;
        let text = Object::default().with("method", quote(method)).with("params", of_question(params).json());
        call.questions.push(Question {
            key: format!("question-{}", call.asked),
            id,
            method,
            text: text.json(),
        });
        let wire = *wire;
        if call.owner.is_some() {
            self.send_away(wire, moment);
        }
    }

    /// The agent is given the questions of a call, and a token to come back with.
    pub(super) fn send_away(&mut self, wire: ExchangeId, moment: &mut Moment<'_>) {
        let full = self.is_full();
        let until = moment.in_millis(self.bounds.held);
        let Some(call) = self.calls.get_mut(&wire) else { return };
        let Some(owner) = call.owner.take() else { return };
        if full {
            self.cancel(wire, moment);
            return moment.fail(owner.exchange, Reason::TooManyOpen);
        }
        call.round += 1;
        call.until = until;
        let mut questions = Object::default();
        for question in &call.questions {
            questions = questions.with(&question.key, &question.text);
        }
        let state = quote(&token(wire, call));
        let result = input_required(questions, self.greeting.server()).with("requestState", state);
        moment.said(owner.exchange, message::result(&owner.id, result.json()));
    }

    /// The agent has come back: its answers go to the server, and the call is its own again. It is asked again for what
    /// it has no answer to; what it answers without being asked is ignored.
    pub(super) fn resume(&mut self, asked: &Asked<'_>, moment: &mut Moment<'_>) {
        let state = asked.params.text("requestState");
        let held = self.calls.iter_mut().find(|(wire, call)| {
            call.owner.is_none() && state.as_deref() == Some(token(**wire, call).as_str())
        });
        let Some((wire, call)) = held.filter(|(_, call)| is_same(call, asked)) else {
            return moment.fail(asked.exchange, Reason::UnknownRequestState);
        };
        let wire = *wire;
        call.owner = Some(Owner::of(asked));
        call.last = asked.exchange;
        call.capabilities = declared(asked);
        let answers = asked.params.get("inputResponses");
        let over = !call.is_open();
        call.questions.retain(|question| match answers.and_then(|answers| answers.get(&question.key)) {
            Some(answer) => {
                moment.reply(question.answer(answer));
                false
            }
            None if over => {
                moment.reply(question.unanswered());
                false
            }
            None => true,
        });
        let missing = !call.questions.is_empty();
        if over {
            self.hand_over(wire, moment);
        } else if missing {
            self.send_away(wire, moment);
        }
    }

    /// The server takes a question back. Where the agent has it, its answer goes nowhere.
    pub(super) fn withdrawn(&mut self, params: &Params<'_>) {
        let Some(id) = params.get("requestId") else { return };
        for call in self.calls.values_mut() {
            call.questions.retain(|question| question.id != id.raw());
        }
    }
}

/// What the agent comes back with: it names the call and the round, so that it can be used once.
fn token(wire: ExchangeId, call: &Call) -> String {
    format!("{wire}.{}", call.round)
}

/// Does the agent come back with the request that it made?
fn is_same(call: &Call, asked: &Asked<'_>) -> bool {
    let Ok(before) = read(&call.message, Side::Agent) else { return false };
    let Ok(now) = read(asked.message, Side::Agent) else { return false };
    call.method == asked.method && subject(&before.body) == subject(&now.body)
}

/// The parameters of a question as the stateless era has them: no task, which no client of ours declares, and no progress.
fn of_question(params: &Params<'_>) -> Object {
    let meta = meta::crossing(params, &["progressToken"]);
    let same = Object::of(params.whole(), |name| !matches!(name, "_meta" | "task"));
    if meta.is_empty() { same } else { same.with("_meta", meta.json()) }
}

/// A result that asks the agent.
pub(super) fn input_required(questions: Object, server: Option<&Server>) -> Object {
    let result =
        Object::default().with("resultType", "\"input_required\"").with("inputRequests", questions.json());
    match server.map(|server| &server.signature).filter(|signature| !signature.is_empty()) {
        Some(signature) => result.with("_meta", signature.json()),
        None => result,
    }
}

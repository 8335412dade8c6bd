//! What a server wants to know before it answers: its questions become requests to the agent, and when all are
//! answered, the request is sent again.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Json, Kind, Reason, quote};

use super::call::{More, State};

use super::Stateless;
use crate::message;
use crate::meta::without_reserved;
use crate::object::{Object, members};
use crate::{Moment, Out};

/// How often a server may want to know more about one call.
const ROUNDS: usize = 16;

/// Requests that a server may ask back about (specification 2026-07-28, multi round-trip requests).
const ASKABLE: [&str; 3] = ["tools/call", "prompts/get", "resources/read"];

/// What it may ask for.
const QUESTIONS: [&str; 3] = ["elicitation/create", "sampling/createMessage", "roots/list"];

/// The questions about one call, in the server's order.
#[derive(Debug)]
pub(super) struct Asking {
    questions: Vec<Question>,
    /// `requestState`, as the server wrote it.
    state: Option<Bytes>,
}

#[derive(Debug)]
struct Question {
    number: u64,
    /// The server's name for it, as it was written.
    key: String,
    elicits: bool,
    answer: Option<Vec<u8>>,
}

impl Stateless {
    /// The server wants to know more. Too often, too much at once, or nothing at all breaks the protocol.
    pub(super) fn input_required(&mut self, owner: ExchangeId, wanted: Json<'_>, moment: &mut Moment<'_>) {
        if let Err(reason) = self.ask(owner, wanted, moment) {
            self.calls.remove(&owner);
            moment.out.push(Out::Failed { exchange: owner, reason });
        }
    }

    fn ask(&mut self, owner: ExchangeId, wanted: Json<'_>, moment: &mut Moment<'_>) -> Result<(), Reason> {
        let asking = self.calls.values().filter(|call| matches!(call.state, State::Asking(_))).count();
        let call = self.calls.get_mut(&owner).ok_or(Reason::InternalFault)?;
        call.rounds += 1;
        if call.rounds > ROUNDS || !ASKABLE.contains(&call.method) {
            return Err(Reason::ServerBrokeProtocol);
        }
        let state = match wanted.get("requestState") {
            Some(state) if state.kind() != Kind::String => return Err(Reason::ServerBrokeProtocol),
            state => state.map(|state| Bytes::copy_from_slice(state.raw())),
        };
        let requests = wanted.get("inputRequests");
        if requests.is_none_or(|requests| requests.members().next().is_none()) {
            if state.is_none() {
                return Err(Reason::ServerBrokeProtocol);
            }
            self.send_again(owner, &More { responses: None, state }, moment);
            return Ok(());
        }
        let mut said = Vec::new();
        let mut questions = Vec::new();
        for (key, request) in requests.into_iter().flat_map(Json::members) {
            let method = request.get("method").and_then(Json::text).unwrap_or_default();
            if questions.len() == self.bounds.questions || !QUESTIONS.contains(&&*method) {
                return Err(Reason::ServerBrokeProtocol);
            }
            self.asked += 1;
            let number = self.asked;
            said.push(question(number, &method, request.get("params"))?);
            let elicits = method == "elicitation/create";
            questions.push(Question { number, key: quote(&key.text()), elicits, answer: None });
        }
        if asking >= self.bounds.waiting {
            return Err(Reason::TooManyOpen);
        }
        self.questions.extend(questions.iter().map(|question| (question.number, owner)));
        call.state = State::Asking(Asking { questions, state });
        call.until = Some(moment.now.after_millis(self.bounds.held));
        for message in said {
            moment.said(owner, message);
        }
        Ok(())
    }

    /// The agent has answered a question. One that was not asked, or is answered already, is dropped.
    pub(super) fn answered(
        &mut self,
        id: Json<'_>,
        answer: Result<Json<'_>, Json<'_>>,
        moment: &mut Moment<'_>,
    ) {
        let number = id.text().and_then(|text| text.strip_prefix(ASK)?.parse::<u64>().ok());
        let Some((number, owner)) = number.and_then(|number| Some((number, self.questions.remove(&number)?)))
        else {
            return;
        };
        let Some(call) = self.calls.get_mut(&owner) else { return };
        let State::Asking(asking) = &mut call.state else { return };
        let Some(question) = asking.questions.iter_mut().find(|question| question.number == number) else {
            return;
        };
        match answer {
            Ok(result) => question.answer = Some(without_reserved(result).into_owned()),
            Err(_) if question.elicits => question.answer = Some(br#"{"action":"cancel"}"#.to_vec()),
            Err(error) => {
                let message = message::refusal(&call.id, error.raw());
                if let Some(State::Asking(asking)) = self.calls.remove(&owner).map(|call| call.state) {
                    self.withdraw(&asking, Some(owner), moment);
                }
                return moment.said(owner, message);
            }
        }
        if asking.questions.iter().all(|question| question.answer.is_some()) {
            let more = More { responses: Some(asking.responses()), state: asking.state.take() };
            self.send_again(owner, &more, moment);
        }
    }

    /// Takes open questions back: the call that they are about is over.
    pub(super) fn withdraw(
        &mut self,
        asking: &Asking,
        exchange: Option<ExchangeId>,
        moment: &mut Moment<'_>,
    ) {
        for question in &asking.questions {
            if self.questions.remove(&question.number).is_some() {
                let id = identity(question.number);
                let message = format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
                );
                moment.out.push(Out::Said { exchange, message: message.into() });
            }
        }
    }
}

impl Asking {
    fn responses(&self) -> Vec<u8> {
        let mut all = Object::default();
        for question in &self.questions {
            if let Some(answer) = &question.answer {
                all.push(&[question.key.as_bytes(), b":", answer].concat());
            }
        }
        all.json()
    }
}

/// What the ids of questions begin with.
const ASK: &str = "ask-";

fn identity(number: u64) -> String {
    format!("\"{ASK}{number}\"")
}

/// A question as a request of the server. An address to visit gets the `elicitationId` that the handshake era wants.
fn question(number: u64, method: &str, params: Option<Json<'_>>) -> Result<Bytes, Reason> {
    let mut request = Object::default();
    request.add("jsonrpc", br#""2.0""#);
    request.add("id", identity(number).as_bytes());
    request.add("method", quote(method).as_bytes());
    if let Some(params) = params {
        if params.kind() != Kind::Object {
            return Err(Reason::ServerBrokeProtocol);
        }
        let visits = method == "elicitation/create"
            && params.get("mode").and_then(Json::text).is_some_and(|mode| mode == "url")
            && params.get("elicitationId").is_none();
        let params = without_reserved(params);
        if visits && let Ok(params) = Json::check(&params, 128) {
            let mut with = Object::default();
            with.add("elicitationId", identity(number).as_bytes());
            members(params).for_each(|member| with.push(member.text));
            request.add("params", with.json());
        } else {
            request.add("params", &params);
        }
    }
    Ok(request.json().into())
}

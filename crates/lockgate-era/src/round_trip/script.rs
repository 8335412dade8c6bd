//! What happens in a conversation, in words of no era, and what each side must have heard of it.

use lockgate_model::Era;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A whole conversation.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// Does the agent want to read logs?
    pub(super) logs: bool,
    /// Do messages of the server come on one pipe, so that logs belong to no request?
    pub(super) pipe: bool,
    pub(super) calls: Vec<Call>,
    pub(super) steps: Vec<Step>,
    /// Who goes on next, where several could.
    pub(super) turns: Vec<u8>,
}

/// What the agent does, and what changes at the server.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The next of the calls.
    Call,
    Cancel(usize),
    Ping,
    Subscribe(u8),
    Unsubscribe(u8),
    /// A list (0 to 2), or a resource (3 to 5).
    Change(u8),
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) token: bool,
    pub(super) acts: Vec<Act>,
    pub(super) end: End,
}

/// What the server does before it answers.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Progress,
    Log,
    Ask {
        questions: Vec<Question>,
        /// Does the server keep what it knows in `requestState`?
        state: bool,
    },
    /// Only a stateless server can: come again.
    Shed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Elicit,
    Dismissed,
    Sample,
    Refused,
    Roots,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Result(u32),
    /// Not an object, where the method has such.
    Bare(u32),
    Missing,
    Error(i64),
}

/// What the agent has heard of one call, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    Progress(usize),
    Log(usize),
    Asked(Value),
    Result(Value),
    Error(i64),
}

/// The answer of an agent that refuses.
pub(super) const REFUSED: i64 = -32_601;

impl Script {
    /// Every request has its own stream: on a pipe, a question of the handshake era belongs to no call.
    pub(super) fn apart(self) -> Self {
        Self { pipe: false, ..self }
    }

    /// Questions that are asked at once may be asked one after the other, and then the first refusal is the last.
    pub(super) fn in_turn(mut self) -> Self {
        for act in self.calls.iter_mut().flat_map(|call| &mut call.acts) {
            if let Act::Ask { questions, .. } = act {
                let last = questions.iter().position(|question| *question == Question::Refused);
                questions.truncate(last.map_or(questions.len(), |last| last + 1));
            }
        }
        self
    }

    /// A stateless agent has no way to refuse an answer.
    pub(super) fn stateless(mut self) -> Self {
        for act in self.calls.iter_mut().flat_map(|call| &mut call.acts) {
            if let Act::Ask { questions, .. } = act {
                for question in questions {
                    if *question == Question::Refused {
                        *question = Question::Sample;
                    }
                }
            }
        }
        self
    }
}

impl Question {
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Elicit | Self::Dismissed => "elicitation/create",
            Self::Sample | Self::Refused => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }

    /// `at` tells it from all others.
    pub(super) fn params(self, at: &str) -> Value {
        json!({ "message": format!("{self:?}"), "at": at })
    }

    /// What the agent answers.
    pub(super) fn answer(params: &Value) -> Result<Value, Value> {
        let at = &params["at"];
        match params["message"].as_str().unwrap() {
            "Elicit" => Ok(json!({ "action": "accept", "content": { "at": at } })),
            "Sample" => Ok(json!({ "role": "assistant", "model": "m", "content": { "at": at } })),
            "Roots" => Ok(json!({ "roots": [{ "uri": at }] })),
            "Dismissed" | "Refused" => Err(json!({ "code": REFUSED, "message": "no" })),
            other => panic!("{other}"),
        }
    }
}

impl Call {
    /// What is asked for.
    pub(super) fn params(&self, number: usize) -> Value {
        let mut params = json!({ "call": number, "arguments": { "x": 1.5 }, "name": "n", "uri": "u" });
        if self.token {
            params["_meta"] = json!({ "progressToken": format!("token-{number}"), "traceparent": "00" });
        }
        params
    }

    /// The result as the handshake era has it.
    pub(super) fn result(&self, value: u32) -> Value {
        let text =
            json!({ "content": [{ "type": "text", "text": value.to_string() }], "vendor": { "v": value } });
        match self.method {
            "tools/list" => json!({ "tools": [{ "name": "t", "x-vendor": value }], "nextCursor": "" }),
            _ => text,
        }
    }

    /// What the agent hears, and what the server hears in answer.
    pub(super) fn meaning(&self, number: usize, logs: bool, era: Era) -> (Vec<Heard>, Vec<Value>) {
        let (mut heard, mut answers) = (Vec::new(), Vec::new());
        for (index, act) in self.acts.iter().enumerate() {
            match act {
                Act::Progress if self.token => heard.push(Heard::Progress(index)),
                Act::Log if logs => heard.push(Heard::Log(index)),
                Act::Progress | Act::Log | Act::Shed => {}
                Act::Ask { questions, .. } => {
                    let mut given = Vec::new();
                    for (key, question) in questions.iter().enumerate() {
                        let params = question.params(&format!("{number}-{index}-{key}"));
                        heard.push(Heard::Asked(params.clone()));
                        given.push(match (Question::answer(&params), question) {
                            (Ok(answer), _) => answer,
                            (Err(_), Question::Dismissed) => json!({ "action": "cancel" }),
                            (Err(_), _) => Value::Null,
                        });
                    }
                    if questions.contains(&Question::Refused) {
                        heard.push(Heard::Error(REFUSED));
                        return (heard, answers);
                    }
                    answers.extend(given);
                }
            }
        }
        heard.push(match self.end {
            End::Result(value) | End::Bare(value) => Heard::Result(self.result(value)),
            End::Missing if era == Era::Legacy && self.method == "resources/read" => Heard::Error(-32_002),
            End::Missing => Heard::Error(-32_602),
            End::Error(code) => Heard::Error(code),
        });
        (heard, answers)
    }
}

fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        3 => Just(Question::Elicit),
        1 => Just(Question::Dismissed),
        2 => Just(Question::Sample),
        1 => Just(Question::Refused),
        2 => Just(Question::Roots),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let ask = (prop::collection::vec(question(), 1..4), any::<bool>());
    prop_oneof![
        2 => Just(Act::Progress),
        2 => Just(Act::Log),
        3 => ask.prop_map(|(questions, state)| Act::Ask { questions, state }),
        1 => Just(Act::Shed),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let method = prop_oneof![
        4 => Just("tools/call"),
        1 => Just("prompts/get"),
        2 => Just("resources/read"),
        1 => Just("tools/list"),
    ];
    let end = prop_oneof![
        4 => (0_u32..1000).prop_map(End::Result),
        1 => (0_u32..1000).prop_map(End::Bare),
        1 => Just(End::Missing),
        1 => Just(End::Error(77)),
    ];
    (method, any::<bool>(), prop::collection::vec(act(), 0..5), end).prop_map(
        |(method, token, mut acts, end)| {
            if method == "tools/list" {
                acts.retain(|act| matches!(act, Act::Progress | Act::Log));
            }
            Call { method, token, acts, end }
        },
    )
}

pub(super) fn script() -> impl Strategy<Value = Script> {
    let step = prop_oneof![
        6 => Just(Step::Call),
        1 => (0_usize..6).prop_map(Step::Cancel),
        1 => Just(Step::Ping),
        2 => (0_u8..3).prop_map(Step::Subscribe),
        1 => (0_u8..3).prop_map(Step::Unsubscribe),
        2 => (0_u8..6).prop_map(Step::Change),
    ];
    (
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(call(), 0..6),
        prop::collection::vec(step, 0..20),
        prop::collection::vec(any::<u8>(), 0..200),
    )
        .prop_map(|(logs, pipe, calls, steps, turns)| Script { logs, pipe, calls, steps, turns })
}

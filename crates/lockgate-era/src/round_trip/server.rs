//! A server that does what the script says, in either era.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::{Era, ExchangeId};
use serde_json::{Value, json};

use super::chain::{Down, Up};
use super::script::{Act, Call, End};

pub(super) const CHANGES: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
];
const FILTERS: [&str; 3] = ["toolsListChanged", "promptsListChanged", "resourcesListChanged"];
const META: &str = "io.modelcontextprotocol/";
pub(super) const INFO: &str = "io.modelcontextprotocol/serverInfo";

pub(super) struct Server {
    era: Era,
    pipe: bool,
    calls: Vec<Call>,
    /// Calls it works on.
    pub(super) open: Vec<Open>,
    /// What it heard in answer to its questions, by call.
    pub(super) answers: BTreeMap<usize, Vec<Value>>,
    pub(super) out: Vec<Down>,
    level: bool,
    watched: BTreeSet<String>,
    /// Subscriptions of the stateless era by id: where to, the id, and the filter.
    listens: BTreeMap<String, (ExchangeId, Value, Value)>,
    asked: u64,
}

pub(super) struct Open {
    exchange: ExchangeId,
    id: Value,
    number: usize,
    at: usize,
    token: Option<Value>,
    logs: bool,
    /// Questions of the handshake era: the id, and the answer.
    asking: Vec<(u64, Option<Result<Value, Value>>)>,
    /// A stateless server has answered, with a question.
    over: bool,
}

impl Server {
    pub(super) fn new(era: Era, pipe: bool, calls: Vec<Call>) -> Self {
        Self {
            era,
            pipe,
            calls,
            open: Vec::new(),
            answers: BTreeMap::new(),
            out: Vec::new(),
            level: false,
            watched: BTreeSet::new(),
            listens: BTreeMap::new(),
            asked: 0,
        }
    }

    fn stateless(&self) -> bool {
        self.era == Era::Modern
    }

    fn say(&mut self, exchange: Option<ExchangeId>, message: &Value) {
        let mut message = message.clone();
        message["jsonrpc"] = json!("2.0");
        let exchange = exchange.filter(|_| !self.pipe);
        self.out.push(Down::Said(exchange, serde_json::to_vec(&message).unwrap().into()));
    }

    pub(super) fn hear(&mut self, up: Up) {
        match up {
            Up::Request(exchange, message) => {
                let message: Value = serde_json::from_slice(&message).unwrap();
                self.requested(exchange, &message);
            }
            Up::Tell(message) => {
                let message: Value = serde_json::from_slice(&message).unwrap();
                if message["method"] == "notifications/cancelled" {
                    let id = &message["params"]["requestId"];
                    self.open.retain(|open| open.id != *id);
                    self.listens.remove(&id.to_string());
                }
            }
            Up::Answer(message) => {
                let message: Value = serde_json::from_slice(&message).unwrap();
                let id = message["id"].as_u64().unwrap();
                let answer = match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
                let asking = self.open.iter_mut().flat_map(|open| &mut open.asking);
                if let Some((_, given)) = asking.into_iter().find(|(asked, _)| *asked == id) {
                    assert!(given.replace(answer).is_none(), "answered twice");
                }
            }
            Up::Abandon(_) => {}
        }
    }

    fn requested(&mut self, exchange: ExchangeId, message: &Value) {
        let (id, params) = (message["id"].clone(), &message["params"]);
        let meta = &params["_meta"];
        if self.stateless() {
            assert_eq!(meta[format!("{META}protocolVersion")], "2026-07-28", "{message}");
            assert!(meta[format!("{META}clientCapabilities")].is_object(), "{message}");
        } else {
            assert!(!meta.to_string().contains(META), "{message}");
        }
        let capabilities = json!({
            "tools": { "listChanged": true }, "prompts": { "listChanged": true }, "logging": {},
            "resources": { "subscribe": true, "listChanged": true },
        });
        let info = json!({ "name": "server", "version": "1" });
        let result = match message["method"].as_str().unwrap() {
            "initialize" if !self.stateless() => {
                json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info })
            }
            "server/discover" if self.stateless() => json!({
                "resultType": "complete", "supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "private",
                "capabilities": capabilities, "_meta": { format!("{META}serverInfo"): info },
            }),
            "subscriptions/listen" if self.stateless() => {
                let filter = params["notifications"].clone();
                let tag = json!({ format!("{META}subscriptionId"): id });
                self.say(
                    Some(exchange),
                    &json!({
                        "method": "notifications/subscriptions/acknowledged",
                        "params": { "_meta": tag, "notifications": filter },
                    }),
                );
                self.listens.insert(id.to_string(), (exchange, id, filter));
                return;
            }
            "ping" if !self.stateless() => json!({}),
            "logging/setLevel" if !self.stateless() => {
                self.level = true;
                json!({})
            }
            "resources/subscribe" if !self.stateless() => {
                self.watched.insert(params["uri"].as_str().unwrap().to_owned());
                json!({})
            }
            "resources/unsubscribe" if !self.stateless() => {
                self.watched.remove(params["uri"].as_str().unwrap());
                json!({})
            }
            method => {
                let number = usize::try_from(params["call"].as_u64().expect("a call")).unwrap();
                let call = &self.calls[number];
                assert_eq!((method, &params["arguments"]), (call.method, &json!({ "x": 1.5 })));
                assert_eq!(meta.get("traceparent").is_some(), call.token, "{message}");
                let at = self.resumed(number, params);
                let token = meta.get("progressToken").cloned();
                let logs =
                    if self.stateless() { meta.get(format!("{META}logLevel")).is_some() } else { self.level };
                self.open.push(Open {
                    exchange,
                    id,
                    number,
                    at,
                    token,
                    logs,
                    asking: Vec::new(),
                    over: false,
                });
                return;
            }
        };
        self.say(Some(exchange), &json!({ "id": id, "result": result }));
    }

    /// Where a stateless call goes on: after the question that is answered. What comes back must be what was asked for.
    fn resumed(&mut self, number: usize, params: &Value) -> usize {
        let state = params.get("requestState").map(|state| state.as_str().unwrap());
        let answers = params.get("inputResponses").map(|answers| answers.as_object().unwrap());
        assert!(self.stateless() || (state.is_none() && answers.is_none()));
        let named = answers.map(|answers| {
            let key = answers.keys().next().unwrap();
            key.split('-').nth(1).unwrap().parse::<usize>().unwrap()
        });
        let stated = state.map(|state| {
            let at = state.strip_prefix("s\u{e9}\"\\-").unwrap();
            at.parse::<usize>().unwrap()
        });
        let Some(at) = stated.or(named) else { return 0 };
        match &self.calls[number].acts[at] {
            Act::Shed => assert!(answers.is_none() && stated.is_some()),
            Act::Ask { questions, state } => {
                assert_eq!((named, stated.is_some()), (Some(at), *state));
                let answers = answers.unwrap();
                assert_eq!(answers.len(), questions.len());
                for key in 0..questions.len() {
                    let answer = answers[&format!("{number}-{at}-{key}")].clone();
                    self.answers.entry(number).or_default().push(answer);
                }
            }
            act @ (Act::Progress | Act::Log) => panic!("{act:?}"),
        }
        at + 1
    }

    /// Calls that it can go on with.
    pub(super) fn ready(&self) -> Vec<usize> {
        let ready = |open: &Open| open.asking.iter().all(|(_, answer)| answer.is_some());
        (0..self.open.len()).filter(|index| ready(&self.open[*index])).collect()
    }

    /// Does the next thing of one call.
    pub(super) fn advance(&mut self, index: usize) {
        let mut open = self.open.remove(index);
        let call = self.calls[open.number].clone();
        let asked = std::mem::take(&mut open.asking);
        if !asked.is_empty() && !self.take(&open, &call, asked) {
            return;
        }
        let Some(act) = call.acts.get(open.at) else { return self.finish(&open, &call) };
        let exchange = Some(open.exchange);
        match act {
            Act::Progress => {
                if let Some(token) = &open.token {
                    let params = json!({ "progressToken": token, "progress": open.at });
                    self.say(exchange, &json!({ "method": "notifications/progress", "params": params }));
                }
            }
            Act::Log => {
                if open.logs {
                    let data = json!({ "call": open.number, "at": open.at });
                    let params = json!({ "level": "info", "data": data });
                    self.say(exchange, &json!({ "method": "notifications/message", "params": params }));
                }
            }
            Act::Shed => {
                if self.stateless() {
                    self.say(
                        exchange,
                        &json!({ "id": open.id, "result": {
                            "resultType": "input_required", "requestState": state(open.at),
                        }}),
                    );
                    open.over = true;
                }
            }
            Act::Ask { questions, state: keeps } => {
                let mut all = serde_json::Map::new();
                for (key, question) in questions.iter().enumerate() {
                    let at = format!("{}-{}-{key}", open.number, open.at);
                    let params = question.params(&at);
                    if self.stateless() {
                        all.insert(at, json!({ "method": question.method(), "params": params }));
                    } else {
                        self.asked += 1;
                        let id = self.asked;
                        self.say(
                            exchange,
                            &json!({ "id": id, "method": question.method(), "params": params }),
                        );
                        open.asking.push((id, None));
                    }
                }
                if self.stateless() {
                    let mut result = json!({ "resultType": "input_required", "inputRequests": all });
                    if *keeps {
                        result["requestState"] = json!(state(open.at));
                    }
                    self.say(exchange, &json!({ "id": open.id, "result": result }));
                    open.over = true;
                }
            }
        }
        open.at += 1;
        if !open.over {
            self.open.push(open);
        }
    }

    /// The answers to the questions of the handshake era. One that is refused ends the call.
    fn take(&mut self, open: &Open, call: &Call, asked: Vec<(u64, Option<Result<Value, Value>>)>) -> bool {
        let Act::Ask { questions, .. } = &call.acts[open.at - 1] else { panic!() };
        let answers: Vec<_> = asked.into_iter().map(|(_, answer)| answer.unwrap()).collect();
        let mut heard = Vec::new();
        for (answer, question) in answers.into_iter().zip(questions) {
            match answer {
                Ok(answer) => heard.push(answer),
                Err(_) if question.method() == "elicitation/create" => {
                    heard.push(json!({ "action": "cancel" }));
                }
                Err(error) => {
                    self.say(Some(open.exchange), &json!({ "id": open.id, "error": error }));
                    return false;
                }
            }
        }
        self.answers.entry(open.number).or_default().extend(heard);
        true
    }

    fn finish(&mut self, open: &Open, call: &Call) {
        let stateless = self.stateless();
        let error = |code: i64| json!({ "code": code, "message": "m" });
        let said = match call.end {
            End::Missing if stateless || call.method != "resources/read" => {
                json!({ "error": error(-32_602) })
            }
            End::Missing => json!({ "error": error(-32_002) }),
            End::Error(code) => json!({ "error": error(code) }),
            End::Result(value) | End::Bare(value) => {
                let mut result = call.result(value);
                if stateless {
                    result["resultType"] = json!("complete");
                    result["_meta"] =
                        json!({ format!("{META}serverInfo"): { "name": "server", "version": "1" } });
                    if call.method != "tools/call" && call.method != "prompts/get" {
                        result["ttlMs"] = json!(5);
                        result["cacheScope"] = json!("public");
                    }
                    if call.method == "tools/call" && matches!(call.end, End::Bare(_)) {
                        result["structuredContent"] = json!([value]);
                    }
                }
                json!({ "result": result })
            }
        };
        let mut said = said;
        said["id"] = open.id.clone();
        self.say(Some(open.exchange), &said);
    }

    /// A list, or a resource, is another one now.
    pub(super) fn change(&mut self, what: u8) {
        let list = usize::from(what);
        let resource = json!(format!("r{}", what.wrapping_sub(3)));
        let (method, params) = match CHANGES.get(list) {
            Some(method) => (*method, json!({})),
            None => ("notifications/resources/updated", json!({ "uri": resource })),
        };
        if !self.stateless() {
            if list < 3 || self.watched.contains(resource.as_str().unwrap()) {
                self.say(None, &json!({ "method": method, "params": params }));
            }
            return;
        }
        for (exchange, id, filter) in self.listens.clone().into_values() {
            let watched = filter["resourceSubscriptions"].as_array();
            let wants = match FILTERS.get(list) {
                Some(name) => filter[*name] == true,
                None => watched.is_some_and(|watched| watched.contains(&resource)),
            };
            if wants {
                let mut params = params.clone();
                params["_meta"] = json!({ format!("{META}subscriptionId"): id });
                self.say(Some(exchange), &json!({ "method": method, "params": params }));
            }
        }
    }
}

/// Needs escapes, and must come back as it was.
fn state(at: usize) -> String {
    format!("s\u{e9}\"\\-{at}")
}

//! An agent that writes down what it hears, of either era. What only the stateless era has is in `stateless.rs`.

use std::collections::BTreeMap;

use lockgate_model::{Era, ExchangeId};
use serde_json::{Value, json};

use super::chain::{Down, Up};
use super::script::{Call, Heard, Question};
use super::server::CHANGES;

pub(super) struct Client {
    pub(super) era: Era,
    pub(super) out: Vec<Up>,
    /// What was heard of each call.
    pub(super) heard: BTreeMap<usize, Vec<Heard>>,
    /// Logs that belong to no call.
    pub(super) logs: Vec<(u64, u64)>,
    pub(super) changes: Vec<String>,
    /// Does it want to read logs?
    pub(super) level: bool,
    /// The resources it wants to hear of; only the stateless era keeps them.
    pub(super) watched: std::collections::BTreeSet<String>,
    /// The subscription it listens to, and the exchange of that.
    pub(super) listen: Option<(String, ExchangeId)>,
    /// Requests that wait for an answer, by id.
    pub(super) open: BTreeMap<String, (ExchangeId, Waits)>,
    pub(super) exchanges: BTreeMap<ExchangeId, usize>,
    /// What came in an exchange that is none of its own: it belongs to nothing.
    pub(super) astray: usize,
    next: u64,
}

/// The first exchange of those between the bridges and the server; the agent's are smaller.
pub(super) const FIRST: u64 = 1_000;

#[derive(Clone)]
pub(super) enum Waits {
    /// The number of the call, and what it asked for.
    Call(usize, &'static str, Value),
    /// For this very result.
    Exactly(Value),
    Welcome,
    Changes,
}

impl Client {
    pub(super) fn new(era: Era) -> Self {
        Self {
            era,
            out: Vec::new(),
            heard: BTreeMap::new(),
            logs: Vec::new(),
            changes: Vec::new(),
            level: false,
            watched: std::collections::BTreeSet::new(),
            listen: None,
            open: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            astray: 0,
            next: 0,
        }
    }

    pub(super) fn is_stateless(&self) -> bool {
        self.era == Era::Modern
    }

    pub(super) fn ask(&mut self, method: &str, mut params: Value, waits: Waits) -> ExchangeId {
        self.next += 1;
        let exchange = ExchangeId(self.next);
        if let Waits::Call(number, ..) = waits {
            self.exchanges.insert(exchange, number);
            if params["_meta"].get("progressToken").is_some() {
                params["_meta"]["progressToken"] = json!(format!("token-{number}-{exchange}"));
            }
        }
        if self.is_stateless() {
            self.introduce(&mut params);
        }
        let id = format!("id {}", self.next);
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.open.insert(id, (exchange, waits));
        self.out.push(Up::Request(exchange, serde_json::to_vec(&message).unwrap().into()));
        exchange
    }

    pub(super) fn tell(&mut self, message: &Value) {
        self.out.push(Up::Tell(serde_json::to_vec(message).unwrap().into()));
    }

    pub(super) fn start(&mut self) {
        if self.is_stateless() {
            self.ask("server/discover", json!({}), Waits::Welcome);
            return;
        }
        let capabilities = json!({ "elicitation": {}, "sampling": {}, "roots": { "listChanged": true } });
        let info = json!({ "name": "agent", "version": "1" });
        let params =
            json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": info });
        self.ask("initialize", params, Waits::Welcome);
    }

    /// The server has answered the first request.
    pub(super) fn started(&mut self, logs: bool) {
        self.level = logs;
        if self.is_stateless() {
            return self.listen();
        }
        self.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        if logs {
            self.ask("logging/setLevel", json!({ "level": "info" }), Waits::Exactly(json!({})));
        }
    }

    pub(super) fn ping(&mut self) {
        if self.is_stateless() {
            self.ask("server/discover", json!({}), Waits::Welcome);
        } else {
            self.ask("ping", json!({}), Waits::Exactly(json!({})));
        }
    }

    pub(super) fn watch(&mut self, resource: u8, wanted: bool) {
        let resource = format!("r{resource}");
        if self.is_stateless() {
            if if wanted { self.watched.insert(resource) } else { self.watched.remove(&resource) } {
                self.listen();
            }
            return;
        }
        let method = if wanted { "resources/subscribe" } else { "resources/unsubscribe" };
        self.ask(method, json!({ "uri": resource }), Waits::Exactly(json!({})));
    }

    pub(super) fn call(&mut self, number: usize, call: &Call) {
        let params = call.params(number);
        self.ask(call.method, params.clone(), Waits::Call(number, call.method, params));
        self.heard.insert(number, Vec::new());
    }

    /// Takes a call back. False where it is over.
    pub(super) fn cancel(&mut self, number: usize) -> bool {
        let waits = |waits: &Waits| matches!(waits, Waits::Call(call, ..) if *call == number);
        let Some(id) = self.open.iter().find(|(_, (_, open))| waits(open)).map(|(id, _)| id.clone()) else {
            return false;
        };
        self.take_back(&id);
        true
    }

    pub(super) fn take_back(&mut self, id: &str) {
        if let Some((exchange, _)) = self.open.remove(id) {
            let params = json!({ "requestId": id, "reason": "enough" });
            self.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }));
            self.out.push(Up::Abandon(exchange));
        }
    }

    /// Is every request answered? A subscription never is.
    pub(super) fn is_done(&self) -> bool {
        self.open.values().all(|(_, waits)| matches!(waits, Waits::Changes))
    }

    pub(super) fn hear(&mut self, down: Down) {
        let Down::Said(exchange, message) = down else { panic!("{down:?}") };
        if exchange.is_some_and(|exchange| exchange.0 >= FIRST) {
            self.astray += 1;
            return;
        }
        let message: Value = serde_json::from_slice(&message).unwrap();
        let number = exchange.and_then(|exchange| self.exchanges.get(&exchange).copied());
        let params = &message["params"];
        match (message.get("method").and_then(Value::as_str), message.get("id")) {
            (Some(method), Some(id)) => self.asked(method, id, params),
            (Some("notifications/progress"), None) => {
                let mut token = params["progressToken"].as_str().unwrap().split('-').skip(1);
                let call = token.next().unwrap().parse().unwrap();
                let exchange = ExchangeId(token.next().unwrap().parse().unwrap());
                let open = self.open.values().any(|(open, _)| *open == exchange);
                let cancelled =
                    !self.open.values().any(|(_, w)| matches!(w, Waits::Call(n, ..) if *n == call));
                assert!(open || cancelled, "progress for a token that is over");
                let at = usize::try_from(params["progress"].as_u64().unwrap()).unwrap();
                self.heard.get_mut(&call).unwrap().push(Heard::Progress(at));
            }
            (Some("notifications/message"), None) => {
                let (call, at) = (&params["data"]["call"], &params["data"]["at"]);
                match number {
                    Some(number) => {
                        assert_eq!(*call, json!(number));
                        let at = usize::try_from(at.as_u64().unwrap()).unwrap();
                        self.heard.get_mut(&number).unwrap().push(Heard::Log(at));
                    }
                    None => self.logs.push((call.as_u64().unwrap(), at.as_u64().unwrap())),
                }
            }
            (Some("notifications/cancelled"), None) => {}
            (Some(_), None) if self.is_stateless() => self.listened(&message),
            (Some(method), None) => self.changed(method, params),
            (None, id) => self.answered(id.unwrap().as_str(), &message),
        }
    }

    pub(super) fn changed(&mut self, method: &str, params: &Value) {
        if method == "notifications/resources/updated" {
            assert_eq!(*params, json!({ "uri": params["uri"] }));
            self.changes.push(params["uri"].as_str().unwrap().to_owned());
        } else {
            assert!(CHANGES.contains(&method) && params.as_object().is_none_or(serde_json::Map::is_empty));
            self.changes.push(method.to_owned());
        }
    }

    /// Writes a question down, and says what the answer is.
    pub(super) fn note(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        let number = params["at"].as_str().unwrap().split('-').next().unwrap().parse().unwrap();
        assert!(["elicitation/create", "sampling/createMessage", "roots/list"].contains(&method));
        self.heard.get_mut(&number).unwrap().push(Heard::Asked(params.clone()));
        Question::answer(params)
    }

    fn asked(&mut self, method: &str, id: &Value, params: &Value) {
        assert!(!self.is_stateless(), "a stateless agent is asked in results");
        let answer = match self.note(method, params) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        };
        self.out.push(Up::Answer(serde_json::to_vec(&answer).unwrap().into()));
    }

    /// Late answers to what was cancelled have no taker.
    fn answered(&mut self, id: Option<&str>, message: &Value) {
        let Some((_, waits)) = id.and_then(|id| self.open.remove(id)) else { return };
        let mut result = message["result"].clone();
        if self.is_stateless() {
            if result["resultType"] == "input_required" {
                return self.input_required(&waits, &result);
            }
            if result.is_object() {
                Self::strip(&mut result);
            }
        }
        match waits {
            Waits::Welcome => {
                let all = json!({ "subscribe": true, "listChanged": true });
                assert_eq!(result["capabilities"]["resources"], all, "{message}");
                let (version, named) = if self.is_stateless() {
                    (&result["supportedVersions"][0], &message["result"]["_meta"][super::server::INFO])
                } else {
                    (&result["protocolVersion"], &result["serverInfo"])
                };
                let spoken = if self.is_stateless() { "2026-07-28" } else { "2025-11-25" };
                assert_eq!((version, &named["name"]), (&json!(spoken), &json!("server")));
            }
            Waits::Exactly(wanted) => assert_eq!(result, wanted, "{message}"),
            Waits::Call(number, ..) => {
                let heard = match message.get("error") {
                    Some(error) => Heard::Error(error["code"].as_i64().unwrap()),
                    None => Heard::Result(result),
                };
                self.heard.get_mut(&number).unwrap().push(heard);
            }
            Waits::Changes => panic!("nobody ends a subscription: {message}"),
        }
    }
}

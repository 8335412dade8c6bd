//! A session, its agent and its server, played by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{
    Boundary, Core, Event, Front, Identity, Received, Scope, Sent, Server, Speaks, Step, Wire,
};
use lockgate_model::{
    ExchangeId, Limits, Principal, Reason, Revision, ServerName, SessionId, Side, Tick, UnixMillis,
};
use serde_json::{Value, json};

/// What a server of the handshake era says of itself.
pub(crate) fn welcome() -> Value {
    json!({ "protocolVersion": "2025-06-18", "serverInfo": { "name": "x", "version": "1" },
        "capabilities": { "tools": { "listChanged": true }, "resources": { "subscribe": true } } })
}

/// What a stateless server says of itself.
pub(crate) fn discovered() -> Value {
    json!({ "resultType": "complete", "supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "private",
        "capabilities": { "tools": { "listChanged": true }, "resources": { "subscribe": true } } })
}

pub(crate) fn tools(names: &[&str]) -> Value {
    let tool = |name| json!({ "name": name, "inputSchema": { "type": "object" } });
    json!({ "tools": names.iter().map(tool).collect::<Vec<_>>() })
}

pub(crate) fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

/// A question of a server.
pub(crate) fn question(id: u64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": {
        "message": "which?", "requestedSchema": { "type": "object", "properties": {} } } })
}

/// A session with the server `x`, of which it is not known what it speaks.
pub(crate) struct Talk {
    pub(crate) core: Core,
    pub(crate) now: Tick,
    wire: Wire,
    /// What was said since the last look: `> method` and `> answer` to the server, `< …` to the agent, and other steps.
    said: Vec<String>,
    /// What was sent to the server as which exchange.
    pub(crate) sent: BTreeMap<ExchangeId, Value>,
    /// The last message to the agent.
    pub(crate) told: Value,
}

impl Talk {
    pub(crate) fn new(wire: Wire, change: impl FnOnce(&mut Boundary)) -> Self {
        let identity = Identity {
            session: SessionId::new("s"),
            principal: Principal::new("local"),
            client: None,
            bound: "run".to_owned(),
        };
        let core = Core::new(Arc::new(boundary(wire, change)), identity, Scope::One(name()), Front::Stdio);
        Self { core, now: Tick(0), wire, said: Vec::new(), sent: BTreeMap::new(), told: Value::Null }
    }

    /// A server that speaks this era alone, to an agent of the other one; its tools are listed.
    pub(crate) fn bridged(wire: Wire, era: Speaks, change: impl FnOnce(&mut Boundary)) -> Self {
        let mut talk = Self::new(wire, |boundary| {
            boundary.servers.get_mut(&name()).unwrap().speaks = Some(era);
            change(boundary);
        });
        if era == Speaks::Legacy {
            talk.modern(0, "tools/list", json!({}));
            talk.answer("initialize", welcome());
        } else {
            talk.initialize();
            talk.answer("server/discover", discovered());
            talk.notify("notifications/initialized", json!({}));
        }
        if era == Speaks::Modern {
            talk.legacy(0, "tools/list", json!({}));
        }
        let mut listed = tools(&["read_page", "send_mail", "ask_me"]);
        if era == Speaks::Modern {
            listed["resultType"] = json!("complete");
            listed["ttlMs"] = json!(0);
            listed["cacheScope"] = json!("private");
        }
        talk.answer("tools/list", listed);
        talk.heard();
        talk
    }

    /// The agent asks in the stateless era.
    pub(crate) fn modern(&mut self, id: u64, method: &str, params: Value) -> ExchangeId {
        self.request(id, method, modern(params))
    }

    /// The agent asks in the handshake era.
    pub(crate) fn legacy(&mut self, id: u64, method: &str, params: Value) -> ExchangeId {
        self.request(id, method, params)
    }

    pub(crate) fn initialize(&mut self) -> ExchangeId {
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "t", "version": "1" } });
        self.request(99, "initialize", hello)
    }

    fn request(&mut self, id: u64, method: &str, params: Value) -> ExchangeId {
        self.agent(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.agent(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    pub(crate) fn agent(&mut self, message: &Value) -> ExchangeId {
        let bytes = Bytes::from(message.to_string());
        let exchange = self.core.open();
        let received = Received::read(&bytes, Side::Agent, &Limits::default());
        self.event(Event::Agent { exchange, received, headers: None, at: UnixMillis(1_000) });
        exchange
    }

    /// The newest request of this method that the server was sent.
    #[track_caller]
    pub(crate) fn wire_of(&self, method: &str) -> ExchangeId {
        let found = self.sent.iter().rev().find(|(_, message)| message["method"] == method);
        found.map_or_else(|| panic!("{method} was not sent"), |(exchange, _)| *exchange)
    }

    /// The server answers the newest request of this method with a result.
    #[track_caller]
    pub(crate) fn answer(&mut self, method: &str, result: Value) {
        self.answer_with(self.wire_of(method), json!({ "result": result }));
    }

    /// The same with an error.
    #[track_caller]
    pub(crate) fn refuse(&mut self, method: &str, code: i64) {
        self.answer_with(self.wire_of(method), json!({ "error": { "code": code, "message": "no" } }));
    }

    /// The server answers an exchange.
    pub(crate) fn answer_with(&mut self, exchange: ExchangeId, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        message["id"] = self.sent[&exchange]["id"].clone();
        self.server_on(Some(exchange), &message);
    }

    /// The server says something, over HTTP on the stream of this exchange.
    pub(crate) fn server_on(&mut self, exchange: Option<ExchangeId>, message: &Value) {
        self.server_says(exchange, &message.to_string());
    }

    pub(crate) fn server_says(&mut self, exchange: Option<ExchangeId>, text: &str) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let received = Received::read(&bytes, Side::Server, &Limits::default());
        let exchange = exchange.filter(|_| self.wire == Wire::Http);
        self.event(Event::Server { server: name(), exchange, received });
    }

    pub(crate) fn fail(&mut self, exchange: Option<ExchangeId>, reason: Reason) {
        self.event(Event::Failed { server: name(), exchange, reason });
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, millis: u64) {
        self.now = self.now.after_millis(millis);
        self.event(Event::Wake);
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        let mut steps = Vec::new();
        self.core.handle(event, self.now, &mut steps);
        for step in steps {
            let line = match step {
                Step::Send(permit) => {
                    let message: Value = serde_json::from_slice(permit.message()).unwrap();
                    let head = permit.head();
                    if let Some(exchange) = permit.exchange() {
                        self.sent.insert(exchange, message.clone());
                    }
                    // What goes over the wire is of the era that its head says.
                    let marked = message.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion");
                    if head.sent == Sent::Request {
                        assert_eq!(marked.is_some(), head.revision == Revision::R2026_07_28, "{message}");
                    }
                    match message["method"].as_str() {
                        Some("notifications/cancelled") => {
                            format!("> cancelled {}", message["params"]["requestId"])
                        }
                        Some(method) => format!("> {method}"),
                        None => format!("> answer {message}"),
                    }
                }
                Step::Deliver(release) if release.message().is_empty() => continue,
                Step::Deliver(release) => {
                    self.told = serde_json::from_slice(release.message()).unwrap();
                    format!("< {}", self.told)
                }
                Step::Restart { .. } => "restart".to_owned(),
                Step::Listen { .. } => "listen".to_owned(),
                Step::Disconnect { .. } => "disconnect".to_owned(),
                Step::Era { era, speaks, .. } => format!("era {era:?} {speaks}"),
                Step::Abandon { crossed, exchange, .. } => {
                    assert!(crossed || !self.core.is_open(exchange));
                    continue;
                }
                _ => continue,
            };
            self.said.push(line);
        }
    }

    pub(crate) fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// What was said since the last look has these parts, line by line.
    #[track_caller]
    pub(crate) fn expect(&mut self, what: &str, parts: &[&str]) {
        let heard = self.heard();
        let fits = |(line, part): (&String, &&str)| part.split(" … ").all(|word| line.contains(word));
        let same = heard.len() == parts.len() && heard.iter().zip(parts).all(fits);
        assert!(same, "{what}: {heard:#?} is not {parts:#?}");
    }
}

/// Parameters of the stateless era.
pub(crate) fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    });
    params
}

pub(crate) fn boundary(wire: Wire, change: impl FnOnce(&mut Boundary)) -> Boundary {
    let mut boundary = Boundary::new(BTreeMap::from([(name(), Server::new(wire))]));
    change(&mut boundary);
    boundary
}

pub(crate) fn name() -> ServerName {
    ServerName::parse("x").unwrap()
}

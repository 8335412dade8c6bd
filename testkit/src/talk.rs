//! A session of either era in which each side says any JSON at all.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Boundary, Core, Event, Front, Identity, Received, Scope, Sent, Step};
use lockgate_model::{
    ExchangeId, Integrity, Label, Limits, Principal, ServerName, SessionId, Side, Tick, UnixMillis,
};
use serde_json::{Value, json};

/// What became of a request of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// It went to a server.
    Sent,
    /// A person is asked.
    Held,
    /// It was answered without a server.
    Refused,
}

/// A session and the two sides of it, in the handshake era or in the stateless one.
pub struct Talk {
    core: Core,
    modern: bool,
    ids: u64,
    /// The requests that are at a server, the last of them first to be answered.
    open: Vec<(ServerName, ExchangeId)>,
    /// The question that waits for the person.
    question: Option<Value>,
    /// The task that the agent was last told of.
    task: Option<Value>,
}

impl Talk {
    /// A session that has listed the tools: each server answers `tools/list` with what `tools` gives.
    pub fn open(
        boundary: &Arc<Boundary>,
        principal: &str,
        modern: bool,
        tools: fn(&ServerName) -> Value,
    ) -> Self {
        let identity = Identity {
            session: SessionId::new(principal),
            principal: Principal::new(principal),
            client: None,
            bound: String::new(),
        };
        let core = Core::new(boundary.clone(), identity, Scope::All, Front::Stdio);
        let mut talk = Self { core, modern, ids: 0, open: Vec::new(), question: None, task: None };
        if !modern {
            let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities() });
            talk.request("initialize", hello);
            let own =
                json!({ "tools": {}, "logging": {}, "tasks": { "requests": { "tools": { "call": {} } } } });
            let welcome = json!({ "protocolVersion": "2025-11-25", "capabilities": own, "serverInfo": {} });
            while !talk.open.is_empty() {
                talk.answer(json!({ "result": welcome }));
            }
        }
        talk.request("tools/list", json!({}));
        while let Some((server, _)) = talk.open.last().cloned() {
            let kind = if modern { json!("complete") } else { Value::Null };
            talk.answer(json!({ "result": { "resultType": kind, "tools": tools(&server),
                "ttlMs": 0, "cacheScope": "private" } }));
        }
        talk
    }

    /// The agent asks for something.
    pub fn request(&mut self, method: &str, mut params: Value) -> Became {
        self.ids += 1;
        params["_meta"] = json!({ "progressToken": self.ids });
        if self.modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities();
        }
        self.agent(json!({ "jsonrpc": "2.0", "id": self.ids, "method": method, "params": params }))
    }

    /// The agent calls a tool by its exposed name.
    pub fn call(&mut self, name: &str, arguments: Value) -> Became {
        self.request("tools/call", json!({ "name": name, "arguments": arguments }))
    }

    /// The server answers the request that came last: `result` or `error`.
    pub fn answer(&mut self, mut body: Value) {
        let Some((server, exchange)) = self.open.pop() else { return };
        body["jsonrpc"] = json!("2.0");
        body["id"] = json!(exchange.0);
        if let Some(result) = body.get_mut("result").and_then(Value::as_object_mut) {
            result.retain(|_, value| !value.is_null());
        }
        self.server(&server, body);
    }

    /// The request that came last: its server and its number.
    pub fn last(&self) -> Option<(ServerName, u64)> {
        self.open.last().map(|(server, exchange)| (server.clone(), exchange.0))
    }

    /// The task that the agent was last told of, by the name that it was given.
    pub fn task(&self) -> Value {
        self.task.clone().unwrap_or_default()
    }

    /// A server says anything.
    pub fn server(&mut self, server: &ServerName, message: Value) {
        let bytes = Bytes::from(message.to_string());
        let received = Received::read(&bytes, Side::Server, &Limits::default());
        self.event(Event::Server { server: server.clone(), exchange: None, received });
    }

    /// The person who is asked says yes (handshake era).
    pub fn approve(&mut self) -> Became {
        let Some(id) = self.question.take() else { return Became::Refused };
        let yes = json!({ "action": "accept", "content": { "scope": "session" } });
        self.agent(json!({ "jsonrpc": "2.0", "id": id, "result": yes }))
    }

    /// The user says something, over a way of their own.
    pub fn user(&mut self, words: &str) {
        self.event(Event::User { words });
    }

    /// Is it of the stateless era?
    pub fn is_modern(&self) -> bool {
        self.modern
    }

    /// What the session has read.
    pub fn label(&self) -> &Label {
        self.core.label()
    }

    /// Has it read what outsiders can write?
    pub fn is_tainted(&self) -> bool {
        self.label().integrity() == Integrity::FreeText
    }

    fn agent(&mut self, message: Value) -> Became {
        let bytes = Bytes::from(message.to_string());
        let exchange = self.core.open();
        let received = Received::read(&bytes, Side::Agent, &Limits::default());
        self.event(Event::Agent { exchange, received, headers: None, at: UnixMillis(0) })
    }

    fn event(&mut self, event: Event<'_>) -> Became {
        let mut steps = Vec::new();
        self.core.handle(event, Tick(0), &mut steps);
        let mut became = Became::Refused;
        for step in steps {
            if let Step::Send(permit) = step {
                if let (Some(exchange), Sent::Request) = (permit.exchange(), permit.head().sent) {
                    self.open.push((permit.server().clone(), exchange));
                    became = Became::Sent;
                }
            } else if let Step::Deliver(release) = step
                && let Ok(message) = serde_json::from_slice::<Value>(release.message())
            {
                let asks = message["method"] == "elicitation/create"
                    || message["result"]["inputRequests"].get("lockgate_approval").is_some();
                let result = &message["result"];
                let task = result["task"].get("taskId").or_else(|| result.get("taskId"));
                self.task = task.cloned().or(self.task.take());
                if asks {
                    self.question = Some(message["id"].clone());
                    became = Became::Held;
                }
            }
        }
        became
    }
}

fn capabilities() -> Value {
    json!({ "elicitation": {}, "sampling": {},
        "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

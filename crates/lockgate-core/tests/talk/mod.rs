//! A session that tests speak with.
#![allow(dead_code, reason = "each test needs a part of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{
    Boundary, Core, Detect, Event, Front, Identity, Received, Scope, Server, Speaks, Step, Token, Wire,
};
use lockgate_model::{Limits, Principal, ServerName, SessionId, Side, Tick, UnixMillis};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Era {
    Handshake,
    Stateless,
}

pub(crate) const ERAS: [Era; 2] = [Era::Handshake, Era::Stateless];

/// A session with the servers `files`, `vault` and `mail`, each with the tools `get`, `write_note` and `send_message`.
pub(crate) struct Talk {
    pub(crate) core: Core,
    pub(crate) era: Era,
    /// What the client can do.
    pub(crate) capabilities: Value,
    pub(crate) next: u64,
    /// What the agent was told, what was recorded, and what each server was sent.
    pub(crate) agent: String,
    pub(crate) records: String,
    pub(crate) sent: Vec<(String, Value)>,
    /// The tokens that were to be kept.
    pub(crate) kept: Vec<Token>,
}

impl Talk {
    pub(crate) fn new(era: Era, change: impl FnOnce(&mut Boundary)) -> Self {
        Self::of("s", era, change)
    }

    /// With a client that can ask its person.
    pub(crate) fn with_person(era: Era, change: impl FnOnce(&mut Boundary)) -> Self {
        Self::open("s", era, true, change)
    }

    pub(crate) fn of(session: &str, era: Era, change: impl FnOnce(&mut Boundary)) -> Self {
        Self::open(session, era, false, change)
    }

    fn open(session: &str, era: Era, person: bool, change: impl FnOnce(&mut Boundary)) -> Self {
        let servers = ["files", "mail", "vault"].map(|name| {
            (
                server(name),
                Server {
                    speaks: Some(Speaks::Both),
                    maker: Some("test".to_owned()),
                    ..Server::new(Wire::Lines)
                },
            )
        });
        let mut boundary = Boundary::new(BTreeMap::from(servers));
        boundary.records = true;
        boundary.record_arguments = true;
        boundary.flow.mode = lockgate_flow::Mode::Off;
        change(&mut boundary);
        let identity = Identity {
            session: SessionId::new(session),
            principal: Principal::new("local"),
            client: None,
            bound: String::new(),
        };
        let core = Core::new(Arc::new(boundary), identity, Scope::All, Front::Stdio);
        let capabilities = if person { json!({"elicitation": {}}) } else { json!({}) };
        let mut talk = Self {
            core,
            era,
            capabilities,
            next: 1,
            agent: String::new(),
            records: String::new(),
            sent: Vec::new(),
            kept: Vec::new(),
        };
        if era == Era::Handshake {
            let about = json!({"protocolVersion": "2025-11-25", "capabilities": talk.capabilities, "clientInfo": {"name": "t", "version": "1"}});
            talk.ask("initialize", about);
            let about = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}});
            talk.answer_all(&json!({ "result": about }));
        }
        talk.ask("tools/list", json!({}));
        let tools = ["get", "write_note", "send_message"]
            .map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
        talk.answer_all(&json!({"result": {"tools": tools, "ttlMs": 0, "cacheScope": "private", "resultType": "complete"}}));
        talk.agent.clear();
        talk
    }

    pub(crate) fn handle(&mut self, event: Event<'_>) {
        let mut steps = Vec::new();
        self.core.handle(event, Tick(0), &mut steps);
        for step in steps {
            match step {
                Step::Send(permit) => {
                    let message = serde_json::from_slice(permit.message()).unwrap();
                    self.sent.push((permit.server().to_string(), message));
                }
                Step::Deliver(release) => self.agent += &String::from_utf8_lossy(release.message()),
                Step::Keep(tokens) => self.kept.extend(tokens),
                other => self.records += &format!("{other:?}\n"),
            }
        }
    }

    /// The agent asks; what it hears is in `agent`, what a server hears in `sent`.
    pub(crate) fn ask(&mut self, method: &str, mut params: Value) {
        self.sent.clear();
        self.next += 1;
        if self.era == Era::Stateless {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            });
        }
        let message = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        let bytes = Bytes::from(message.to_string());
        let exchange = self.core.open();
        let received = Received::read(&bytes, Side::Agent, &Limits::default());
        self.handle(Event::Agent { exchange, received, headers: None, at: UnixMillis(0) });
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: Value) {
        self.agent.clear();
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
    }

    /// The person in front of the client is asked about the call of a tool, and answers; what they were asked.
    pub(crate) fn person(&mut self, tool: &str, arguments: &Value, answer: &str) -> String {
        let said: Value = serde_json::from_str(&std::mem::take(&mut self.agent)).unwrap();
        let answer = json!({ "action": answer, "content": {} });
        if self.era == Era::Handshake {
            assert_eq!(said["method"], "elicitation/create", "{said}");
            let message = json!({"jsonrpc": "2.0", "id": said["id"], "result": answer}).to_string();
            let bytes = Bytes::from(message);
            let exchange = self.core.open();
            let received = Received::read(&bytes, Side::Agent, &Limits::default());
            self.handle(Event::Agent { exchange, received, headers: None, at: UnixMillis(0) });
        } else {
            assert_eq!(said["result"]["resultType"], "input_required", "{said}");
            let responses = json!({ "lockgate_approval": answer });
            let state = &said["result"]["requestState"];
            let params = json!({"name": tool, "arguments": arguments, "requestState": state, "inputResponses": responses});
            self.ask("tools/call", params);
        }
        said.to_string()
    }

    /// Every server that was asked answers.
    pub(crate) fn answer_all(&mut self, answer: &Value) {
        for (from, asked) in std::mem::take(&mut self.sent) {
            if let Some(id) = asked.get("id") {
                let mut answer = answer.clone();
                (answer["jsonrpc"], answer["id"]) = (json!("2.0"), id.clone());
                self.say(&from, &answer.to_string());
            }
        }
    }

    pub(crate) fn say(&mut self, from: &str, message: &str) {
        let bytes = Bytes::from(message.to_owned());
        let received = Received::read(&bytes, Side::Server, &Limits::default());
        self.handle(Event::Server { server: server(from), exchange: None, received });
    }

    /// Calls `get` of a server, which answers with a text; what the agent is shown.
    pub(crate) fn read(&mut self, from: &str, text: &str) -> String {
        self.call(&format!("{from}__get"), json!({}));
        self.answer_all(&json!({"result": {"content": [{"type": "text", "text": text}]}}));
        self.shown()
    }

    /// The text that the agent was shown last.
    pub(crate) fn shown(&self) -> String {
        let said: Value = serde_json::from_str(&self.agent).unwrap();
        said["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned()
    }

    /// The arguments of the call that a server was sent, or the reason of the refusal.
    pub(crate) fn fate(&self) -> Result<Value, String> {
        if let [(_, message)] = &self.sent[..] {
            return Ok(message["params"]["arguments"].clone());
        }
        let said: Value = serde_json::from_str(&self.agent).unwrap();
        let decision = &said["result"]["_meta"]["io.lockgate/decision"];
        Err(decision["reason"].as_str().unwrap_or(&self.agent).to_owned())
    }
}

/// Changes what is looked for on every server.
pub(crate) fn set(boundary: &mut Boundary, change: impl Fn(&mut Detect)) {
    boundary.flow.rules.clear();
    for server in boundary.servers.values_mut() {
        change(Arc::make_mut(&mut server.detect));
    }
}

pub(crate) fn server(name: &str) -> ServerName {
    ServerName::parse(name).unwrap()
}

/// A token that is found by its own form. Put together, so that none stands here.
pub(crate) fn token(number: u64) -> String {
    format!("glpat{}{:07}Tr4kZq9wLmX2b", "-", number % 10_000_000)
}

/// The handle in a text.
pub(crate) fn handle(text: &str) -> String {
    let found = text.split([' ', '"', ',', '\\']).find(|word| word.starts_with("lockgate-secret-"));
    assert!(found.is_some(), "no handle in {text}");
    found.unwrap().to_owned()
}

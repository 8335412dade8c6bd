//! A session with its agent and servers played by hand: several servers behind one endpoint, spoken to on pipes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Boundary, Claim, Core, Event, Front, Identity, Received, Room, Scope, Sent, Step, Wire};
use lockgate_model::{
    ExchangeId, Label, Limits, Principal, Reason, ServerName, SessionId, Side, Tick, UnixMillis, peek_id,
};
use lockgate_policy::budget::{Charge, Tally};
use serde_json::{Value, json};

/// What became of a message of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went to its server.
    Forward,
    /// A person is asked.
    Hold,
    /// It was refused, with this reason code.
    Deny(String),
    /// Nothing was said about it.
    Nothing,
}

/// A session and the two sides of it.
pub struct Stage {
    core: Core,
    now: Tick,
    /// The wall clock.
    pub wall: UnixMillis,
    counts: BTreeMap<String, Tally>,
    ids: u64,
    /// The call that is at its server, and the server.
    at_server: Option<(ServerName, ExchangeId)>,
    /// The question a held call waits for.
    asked: Option<String>,
    /// Servers whose answers come on a stream of their own.
    over_http: BTreeSet<ServerName>,
    /// The last words on requests of the agent, as they were recorded: how each ended.
    ends: BTreeMap<ExchangeId, Vec<String>>,
}

impl Stage {
    /// A session that has shaken hands with every server. The agent can ask a person where `elicitation` says so.
    pub fn open(boundary: Boundary, elicitation: bool) -> Self {
        let identity = Identity {
            session: SessionId::new("s"),
            principal: Principal::new("local"),
            client: None,
            bound: String::new(),
        };
        let over_http = boundary.servers.iter().filter(|(_, server)| server.wire == Wire::Http);
        let over_http = over_http.map(|(name, _)| name.clone()).collect();
        let core = Core::new(Arc::new(boundary), identity, Scope::All, Front::Stdio);
        let mut stage = Self {
            core,
            now: Tick(0),
            wall: UnixMillis(0),
            counts: BTreeMap::new(),
            ids: 0,
            at_server: None,
            asked: None,
            over_http,
            ends: BTreeMap::new(),
        };
        let capabilities = if elicitation { json!({ "elicitation": {} }) } else { json!({}) };
        let hello = json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": capabilities } });
        let parts = sent(&stage.agent(&hello.to_string()));
        for (server, exchange) in parts {
            // A server of either era is greeted so.
            let result = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {},
                "resultType": "complete", "supportedVersions": ["2026-07-28"] });
            stage.answer(&server, exchange, &result);
        }
        stage
    }

    /// Says that this much time has passed.
    pub fn wait(&mut self, millis: u64) -> Vec<Step> {
        self.now = self.now.after_millis(millis);
        self.event(Event::Wake)
    }

    /// The agent lists the tools, and each server answers with these.
    pub fn list(&mut self, tools: &BTreeMap<ServerName, Vec<String>>) {
        let define = |name: &String| json!({ "name": name, "inputSchema": { "type": "object" } });
        let define_all = |(server, names): (&ServerName, &Vec<String>)| {
            (server.clone(), names.iter().map(define).collect())
        };
        self.list_definitions(&tools.iter().map(define_all).collect());
    }

    /// The agent lists the tools, and each server answers with these definitions.
    pub fn list_definitions(&mut self, tools: &BTreeMap<ServerName, Vec<Value>>) {
        self.ids += 1;
        let list = json!({ "jsonrpc": "2.0", "id": self.ids, "method": "tools/list" });
        for (server, exchange) in sent(&self.agent(&list.to_string())) {
            let tools = tools.get(&server).cloned().unwrap_or_default();
            self.answer(&server, exchange, &json!({ "tools": tools }));
        }
    }

    /// The agent calls a tool by its exposed name.
    pub fn call(&mut self, name: &str, arguments: &Value) -> Outcome {
        self.ids += 1;
        let params = json!({ "name": name, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": self.ids, "method": "tools/call", "params": params });
        let steps = self.agent(&call.to_string());
        self.outcome(&steps)
    }

    /// The agent sends any text at all.
    pub fn say(&mut self, text: &str) -> Outcome {
        let steps = self.agent(text);
        self.outcome(&steps)
    }

    /// The server answers the call that is with it.
    pub fn return_text(&mut self, text: &str) {
        if let Some((server, exchange)) = self.at_server.take() {
            self.answer(&server, exchange, &json!({ "content": [{ "type": "text", "text": text }] }));
        }
    }

    /// A server sends any text at all; over HTTP on the stream of the exchange whose number is its id.
    pub fn server_says(&mut self, server: &ServerName, text: &str) -> Vec<Step> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let received = Received::read(&bytes, Side::Server, &Limits::default());
        let number = || std::str::from_utf8(peek_id(&bytes)?).ok()?.parse().ok();
        let exchange = self.over_http.contains(server).then(number).flatten().map(ExchangeId);
        self.event(Event::Server { server: server.clone(), exchange, received })
    }

    /// The person who was asked answers.
    pub fn decide(&mut self, yes: bool) -> Outcome {
        let Some(id) = self.asked.take() else { return Outcome::Nothing };
        let action = if yes { "accept" } else { "decline" };
        let steps =
            self.agent(&json!({ "jsonrpc": "2.0", "id": id, "result": { "action": action } }).to_string());
        self.outcome(&steps)
    }

    /// The person who was asked accepts, with this content.
    pub fn choose(&mut self, content: &Value) -> Outcome {
        let Some(id) = self.asked.take() else { return Outcome::Nothing };
        let result = json!({ "action": "accept", "content": content });
        let steps = self.agent(&json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string());
        self.outcome(&steps)
    }

    /// Nobody answers.
    pub fn ignore(&mut self, millis: u64) -> Outcome {
        self.asked = None;
        let steps = self.wait(millis);
        self.outcome(&steps)
    }

    /// A server is lost.
    pub fn lose(&mut self, server: &ServerName) {
        let reason = Reason::ServerExited;
        self.event(Event::Failed { server: server.clone(), exchange: None, reason });
    }

    /// What the session has read.
    pub fn label(&self) -> &Label {
        self.core.label()
    }

    /// Anything else that can happen.
    pub fn event(&mut self, event: Event<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.core.handle(event, self.now, &mut steps);
        for step in &steps {
            if let Step::Record(record) = step
                && record.last
                && let Some(exchange) = record.correlation.strip_prefix("s-")
                && let Some(ends) =
                    ExchangeId::read(exchange.as_bytes()).and_then(|exchange| self.ends.get_mut(&exchange))
            {
                let refused = record.finding.as_ref().map(|finding| finding.reason.code());
                let how = record.ended.map(lockgate_audit::Ending::word).or(refused).unwrap_or("answered");
                ends.push(how.to_owned());
            }
        }
        steps
    }

    /// The agent takes the call back that is under way or held.
    pub fn cancel(&mut self) {
        let params = json!({ "requestId": self.ids });
        self.agent(
            &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string(),
        );
    }

    /// The agent leaves the request it has made last, for good.
    pub fn leave(&mut self) {
        if let Some(exchange) = self.ends.keys().next_back().copied() {
            self.event(Event::Gone { exchange, lost: true });
        }
    }

    /// How the request ended that the agent has made last; none while it is open.
    pub fn end_of_last(&self) -> Option<&str> {
        self.ends.values().next_back()?.last().map(String::as_str)
    }

    /// Of every request that is over there is exactly one last record, and of none that is open. Else which is at odds. To be
    /// asked where records are kept.
    pub fn accounts(&self) -> Result<(), String> {
        for (exchange, ends) in &self.ends {
            if ends.len() != usize::from(!self.core.is_open(*exchange)) {
                let open = if self.core.is_open(*exchange) { "open" } else { "over" };
                return Err(format!("request {exchange} is {open} and ended as {ends:?}"));
            }
        }
        Ok(())
    }

    /// The session ends, and with it everything that is open.
    pub fn close(&mut self) -> Result<(), String> {
        self.accounts()?;
        self.event(Event::Over);
        self.accounts()
    }

    fn agent(&mut self, text: &str) -> Vec<Step> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let exchange = self.core.open();
        let received = Received::read(&bytes, Side::Agent, &Limits::default());
        if received.is_request() {
            self.ends.insert(exchange, Vec::new());
        }
        self.event(Event::Agent { exchange, received, headers: None, at: self.wall })
    }

    fn answer(&mut self, server: &ServerName, exchange: ExchangeId, result: &Value) -> Vec<Step> {
        self.server_says(server, &json!({ "jsonrpc": "2.0", "id": exchange.0, "result": result }).to_string())
    }

    /// Counts in memory; calls at once are not counted.
    fn reserve(&mut self, claims: &[Claim]) -> Room {
        for (which, claim) in claims.iter().enumerate() {
            let Charge::Count { amount, at_most, window } = claim.charge else { continue };
            let tally = self.counts.entry(claim.key.clone()).or_default();
            if let Err(full) = tally.add(window.slot(self.wall), amount, at_most) {
                return Room::Full { which, free_at: full.free_at };
            }
        }
        Room::Taken
    }

    fn outcome(&mut self, steps: &[Step]) -> Outcome {
        for step in steps {
            if let Step::Send(permit) = step
                && permit.head().sent == Sent::Request
            {
                self.at_server = permit.exchange().map(|exchange| (permit.server().clone(), exchange));
                return Outcome::Forward;
            }
            if let Step::Deliver(release) = step
                && let Ok(message) = serde_json::from_slice::<Value>(release.message())
            {
                if message["method"] == "elicitation/create" {
                    self.asked = message["id"].as_str().map(str::to_owned);
                    return Outcome::Hold;
                }
                let meta = message["result"]["_meta"]["io.lockgate/decision"]["reason"].as_str();
                if let Some(reason) = meta.or(message["error"]["data"]["reason"].as_str()) {
                    return Outcome::Deny(reason.to_owned());
                }
            }
            if let Step::Reserve { exchange, claims } = step {
                let room = self.reserve(claims);
                let steps = self.event(Event::Reserved { exchange: *exchange, room });
                return self.outcome(&steps);
            }
        }
        Outcome::Nothing
    }
}

/// The requests among steps: to which server, as which exchange.
fn sent(steps: &[Step]) -> Vec<(ServerName, ExchangeId)> {
    let request = |step: &Step| {
        if let Step::Send(permit) = step { Some((permit.server().clone(), permit.exchange()?)) } else { None }
    };
    steps.iter().filter_map(request).collect()
}

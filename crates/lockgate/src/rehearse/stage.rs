//! One session in which one call is made, with servers that answer what they must and are not there.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_audit::{Happening, Record};
use lockgate_core::{
    Boundary, Claim, Core, Desk, Event, Front, Identity, Outlet, Permit, Received, Room, Scope, Sent, Server,
    Step, Wire,
};
use lockgate_model::{
    Limits, Principal, Reason, ServerName, SessionId, Side, Tick, UnixMillis, Verdict, quote,
};
use lockgate_policy::{Action, Rules, Subject};
use lockgate_store::Counters;
use serde_json::Value;

use crate::gateway::room;

/// The tool through which a session reads the text of a server before the call.
const READ: &str = "read_before_the_call";

/// One call.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// What is used.
    pub subject: Subject,
    /// Its name, or its address.
    pub name: &'a str,
    /// Whose it is.
    pub server: &'a ServerName,
    /// Who the agent acts for.
    pub principal: &'a Principal,
    /// When.
    pub at: UnixMillis,
    /// The arguments: an object as JSON.
    pub arguments: Option<&'a str>,
    /// Servers whose text the session has read before.
    pub after: &'a [ServerName],
    /// How often it is made in a row, at the same moment. What becomes of the last one counts. At least 1.
    pub times: u32,
    /// The tool's entry in its server's list; none for one that is made up.
    pub listed: Option<&'a [u8]>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `Allow`: sent. `Ask`: held for a person. `Deny`: refused. `Hide`: refused as if it did not exist.
    pub action: Action,
    /// Why; none where it was sent.
    pub reason: Option<Reason>,
    /// The rule that decided.
    pub rule: String,
    /// What of the arguments decided.
    pub detail: Option<String>,
}

/// Where calls of one policy are tried.
#[derive(Debug)]
pub struct Stage {
    /// The policy as it is, but for how servers are reached.
    boundary: Boundary,
}

impl Stage {
    /// For a policy. How a server is spoken to has no part in what is decided, so that all are spoken to alike, and there
    /// is always somebody to ask.
    pub fn new(boundary: &Boundary) -> Self {
        let desk = Some(Desk { waits: true, valid: 900_000 });
        // What servers say of themselves is not tried here.
        let mut boundary = Boundary { records: true, pins: false, desk, ..boundary.clone() };
        for server in boundary.servers.values_mut() {
            server.wire = Wire::Lines;
        }
        Self { boundary }
    }

    /// Makes the call in a session of its own. The session begins under a policy that offers everything, and the real
    /// one takes effect before the call, as it does when an operator reloads: so it is the policy that answers, not a
    /// list from which it had taken the tool.
    pub fn call(&self, call: &Call<'_>) -> Result<Outcome, String> {
        let mut open = self.boundary.clone();
        for server in open.servers.values_mut() {
            server.rules = Rules::allow_all();
        }
        for origin in call.after {
            open.servers.entry(origin.clone()).or_insert_with(|| Server::new(Wire::Lines));
        }
        let identity = Identity {
            session: SessionId::new("rehearsal"),
            principal: call.principal.clone(),
            client: None,
            bound: String::new(),
        };
        let core = Core::new(Arc::new(open), identity, Scope::All, Front::Stdio);
        let mut session = Session {
            core,
            limits: self.boundary.limits,
            at: call.at,
            offers: offers(call),
            heard: Vec::new(),
            next: 0,
            counters: None,
        };
        session.open()?;
        let exposed = session.learn()?;
        for origin in call.after {
            let name = exposed_tool(&exposed, origin, READ).unwrap_or_default();
            session.ask("tools/call", &format!("{{\"name\":{}}}", quote(name)))?;
        }
        session.core.handle(Event::Changed(Arc::new(self.boundary.clone())), Tick(0), &mut Vec::new());
        let arguments =
            call.arguments.map_or_else(String::new, |arguments| format!(",\"arguments\":{arguments}"));
        let server = call.server;
        let (method, params) = match call.subject {
            Subject::Tool => {
                let made_up = format!("{server}__{}", call.name);
                let name = exposed_tool(&exposed, server, call.name).unwrap_or(&made_up);
                ("tools/call", format!("{{\"name\":{}{arguments}}}", quote(name)))
            }
            Subject::Prompt => (
                "prompts/get",
                format!("{{\"name\":{}{arguments}}}", quote(&format!("{server}__{}", call.name))),
            ),
            Subject::Resource => {
                ("resources/read", format!("{{\"uri\":{}}}", quote(&format!("{server}+{}", call.name))))
            }
        };
        for _ in 1..call.times {
            // Whatever becomes of it: one that is held or refused counts as it does in production.
            let _answer = session.ask(method, &params);
        }
        outcome(session.say(method, &params))
    }
}

/// What the servers list: for each, its tools as JSON.
type Offers = Vec<(ServerName, Vec<String>)>;

fn offers(call: &Call<'_>) -> Offers {
    let made_up = |name: &str| {
        let schema = "{\"type\":\"object\",\"additionalProperties\":true}";
        format!("{{\"name\":{},\"inputSchema\":{schema}}}", quote(name))
    };
    let mut offers: Offers = call.after.iter().map(|server| (server.clone(), vec![made_up(READ)])).collect();
    if call.subject == Subject::Tool {
        let listed = call.listed.map(|entry| String::from_utf8_lossy(entry).into_owned());
        offers.push((call.server.clone(), vec![listed.unwrap_or_else(|| made_up(call.name))]));
    }
    offers
}

/// The name under which a tool is offered: each server offers one tool of its own, and perhaps [`READ`].
fn exposed_tool<'e>(exposed: &'e [String], server: &ServerName, tool: &str) -> Option<&'e str> {
    let reads = format!("{server}__{READ}");
    let mut own = exposed.iter().filter(|name| name.split("__").next() == Some(server.as_str()));
    own.find(|name| (**name == reads) == (tool == READ)).map(String::as_str)
}

/// What the records of the call say. One without any was never decided; one that was to be sent may still find no room
/// in a limit, and has a second record then.
fn outcome(steps: Vec<Step>) -> Result<Outcome, String> {
    let mut decided: Option<Record> = None;
    let mut allowed = None;
    for step in steps {
        if let Step::Record(record) = step {
            if record.happening == Happening::Request {
                decided = Some(*record);
            }
        } else if let Step::Send(permit) = step {
            allowed = Some(permit.rule().to_owned());
        }
    }
    let record = decided.ok_or("the call was not decided")?;
    let Some(finding) = record.finding else {
        let rule = allowed.ok_or("the call was neither refused nor sent")?;
        return Ok(Outcome { action: Action::Allow, reason: None, rule, detail: None });
    };
    let hidden =
        matches!(finding.reason, Reason::UnknownTool | Reason::UnknownPrompt | Reason::UnknownResource);
    let action = match record.verdict {
        Verdict::Forward | Verdict::Rewrite => Action::Allow,
        Verdict::Hold => Action::Ask,
        Verdict::Deny if hidden => Action::Hide,
        Verdict::Deny => Action::Deny,
    };
    Ok(Outcome { action, reason: Some(finding.reason), rule: finding.rule, detail: finding.detail })
}

struct Session {
    core: Core,
    limits: Limits,
    at: UnixMillis,
    offers: Offers,
    /// What was said to the agent.
    heard: Vec<Bytes>,
    next: u64,
    /// What is counted, from the first call with limits on.
    counters: Option<Counters>,
}

impl Session {
    fn open(&mut self) -> Result<(), String> {
        let hello = "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"elicitation\":{}},\
                     \"clientInfo\":{\"name\":\"rehearsal\",\"version\":\"1\"}}";
        self.ask("initialize", hello)?;
        self.agent("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}".to_owned());
        Ok(())
    }

    /// The names of the tools as the agent sees them.
    fn learn(&mut self) -> Result<Vec<String>, String> {
        let answer = self.ask("tools/list", "{}")?;
        let tools =
            answer.pointer("/result/tools").and_then(Value::as_array).ok_or("no tools were listed")?;
        let name = |tool: &Value| tool.get("name").and_then(Value::as_str).map(str::to_owned);
        Ok(tools.iter().filter_map(name).collect())
    }

    /// A request whose answer is awaited: the servers answer what they are asked.
    fn ask(&mut self, method: &str, params: &str) -> Result<Value, String> {
        let mut steps = self.say(method, params);
        while !steps.is_empty() {
            let mut more = Vec::new();
            for step in steps {
                if let Step::Send(permit) = step {
                    self.answer(&permit, &mut more);
                } else if let Step::Deliver(release) = step
                    && release.to() != Outlet::Standing
                {
                    self.heard.push(release.message().clone());
                }
            }
            steps = more;
        }
        let answer = self.heard.pop().ok_or_else(|| format!("`{method}` got no answer"))?;
        self.heard.clear();
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }

    fn say(&mut self, method: &str, params: &str) -> Vec<Step> {
        self.next += 1;
        self.agent(format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"{method}\",\"params\":{params}}}",
            self.next
        ))
    }

    fn agent(&mut self, text: String) -> Vec<Step> {
        let bytes = Bytes::from(text);
        let exchange = self.core.open();
        // What does not keep the limits of the policy is refused here as it is in production.
        let received = Received::read(&bytes, Side::Agent, &self.limits);
        let mut steps = Vec::new();
        let event = Event::Agent { exchange, received, headers: None, at: self.at };
        self.core.handle(event, Tick(0), &mut steps);
        let claims = steps.iter().find_map(|step| {
            if let Step::Reserve { claims, .. } = step { Some(claims.clone()) } else { None }
        });
        if let Some(claims) = claims {
            let room = self.count(&claims);
            self.core.handle(Event::Reserved { exchange, room }, Tick(0), &mut steps);
        }
        steps
    }

    /// Counts as the gateway does. A call is over at once, so that it takes no place among calls at once.
    fn count(&mut self, claims: &[Claim]) -> Room {
        if self.counters.is_none() {
            self.counters = Counters::in_memory().ok();
        }
        let taken = self.counters.as_ref().and_then(|counters| room(counters, self.at, claims).ok());
        taken.map_or(Room::Unknown, |(room, _reserved)| room)
    }

    fn answer(&mut self, permit: &Permit, steps: &mut Vec<Step>) {
        let (Some(exchange), Sent::Request) = (permit.exchange(), permit.head().sent) else { return };
        let server = permit.server();
        let result = match permit.head().method {
            Some("initialize") => {
                "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{},\"prompts\":{},\"resources\":{}},\
                 \"serverInfo\":{\"name\":\"rehearsal\",\"version\":\"1\"}}"
                    .to_owned()
            }
            Some("tools/list") => {
                let offered = self.offers.iter().filter(|(offering, _)| offering == server);
                let tools: Vec<&str> = offered.flat_map(|(_, tools)| tools.iter().map(String::as_str)).collect();
                format!("{{\"tools\":[{}]}}", tools.join(","))
            }
            _ => "{\"content\":[]}".to_owned(),
        };
        let bytes = Bytes::from(format!("{{\"jsonrpc\":\"2.0\",\"id\":{exchange},\"result\":{result}}}"));
        let received = Received::read(&bytes, Side::Server, &self.limits);
        let event = Event::Server { server: server.clone(), exchange: None, received };
        self.core.handle(event, Tick(0), steps);
    }
}

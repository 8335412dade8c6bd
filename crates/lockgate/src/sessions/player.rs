//! One recorded session, played through the core with its agent, its user and its servers.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_audit::Happening;
use lockgate_core::{
    Boundary, Core, Event, Flow, Front, Identity, Permit, Received, Scope, Sent, Server, Speaks, Step, Wire,
    exposed_tool,
};
use lockgate_model::{
    Effect, Finding, Integrity, Json, Limits, Principal, SessionId, Side, Tick, ToolName, UnixMillis,
    Verdict, quote,
};
use serde_json::{Value, json};

use super::Options;
use super::catalogue::Catalogue;
use super::recording::{Call, Recording};

/// What was decided of one call.
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    /// What taint alone would have decided.
    pub(super) coarse: Verdict,
    /// Why it was not let through.
    finding: Option<Finding>,
}

impl Decision {
    pub(super) fn to_json(&self) -> Value {
        let mut shown = json!({ "d": word(self.verdict) });
        if let (Some(finding), Some(shown)) = (&self.finding, shown.as_object_mut()) {
            shown.insert("reason".to_owned(), finding.reason.code().into());
            shown.insert("rule".to_owned(), finding.rule.clone().into());
            if let Some(evidence) = &finding.evidence {
                shown.insert("argument".to_owned(), evidence.argument.clone().into());
            }
        }
        shown
    }

    pub(super) fn coarse_to_json(&self) -> Value {
        match self.coarse {
            Verdict::Hold => json!({ "d": "ask", "reason": "session_taint" }),
            Verdict::Forward | Verdict::Rewrite | Verdict::Deny => json!({ "d": word(self.coarse) }),
        }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Forward | Verdict::Rewrite => "allow",
        Verdict::Hold => "ask",
        Verdict::Deny => "deny",
    }
}

/// What is decided of each call of a session, in order; else why the session cannot be played.
pub(super) fn play_session(
    recording: &Recording<'_>,
    catalogue: &Catalogue,
    options: &Options,
) -> Result<Vec<Decision>, String> {
    let servers = recording
        .servers
        .iter()
        .map(|server| (server.clone(), Server { speaks: Some(Speaks::Both), ..Server::new(Wire::Lines) }));
    let mut boundary = Boundary { records: true, pins: false, ..Boundary::new(servers.collect()) };
    boundary.flow.mode = options.mode.0;
    boundary.flow.violation = options.mode.1;
    boundary.flow.rules = Flow::built_in(options.mode.0, options.mode.1);
    let identity = Identity {
        session: SessionId::new("replay"),
        principal: Principal::new("local"),
        client: None,
        bound: String::new(),
    };
    let mut player = Player {
        limits: boundary.limits,
        core: Core::new(Arc::new(boundary), identity, Scope::All, Front::Stdio),
        catalogue,
        said: 0,
    };
    player.greet()?;
    let mut decisions = Vec::with_capacity(recording.calls.len());
    for (number, call) in recording.calls.iter().enumerate() {
        let turns = recording.turns.iter().filter(|(before, _)| *before == number && !options.no_user_turns);
        for (_, words) in turns {
            player.event(Event::User { words });
        }
        decisions.push(player.call(call).map_err(|what| format!("call {number}: {what}"))?);
    }
    Ok(decisions)
}

struct Player<'c> {
    core: Core,
    limits: Limits,
    catalogue: &'c Catalogue,
    /// How many requests the agent has made.
    said: u64,
}

impl Player<'_> {
    fn greet(&mut self) -> Result<(), String> {
        let hello = "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"elicitation\":{}},\
                     \"clientInfo\":{\"name\":\"replay\",\"version\":\"1\"}}";
        self.request("initialize", hello, b"")?;
        self.agent("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}".to_owned());
        self.request("tools/list", "{}", b"").map(drop)
    }

    fn call(&mut self, call: &Call<'_>) -> Result<Decision, String> {
        let offer = self.catalogue.get(&call.server);
        let effect = offer.and_then(|offer| offer.effects.get(&call.tool)).copied().unwrap_or(Effect::Write);
        let tainted = self.core.label().integrity() == Integrity::FreeText;
        let coarse = if tainted && effect > Effect::Read { Verdict::Hold } else { Verdict::Forward };
        let name = exposed_tool(&call.server, &ToolName::new(&call.tool));
        let arguments = String::from_utf8_lossy(call.arguments);
        let params = format!("{{\"name\":{},\"arguments\":{arguments}}}", quote(&name));
        let finding = self.request("tools/call", &params, call.result)?;
        let verdict = finding.as_ref().map_or(Verdict::Forward, |finding| finding.verdict);
        Ok(Decision { verdict, coarse, finding })
    }

    /// A request of the agent, until it is answered. The user approves whatever they are asked; what is let through is
    /// answered with `result`. What was found first is told; none where nothing stood against the request.
    fn request(&mut self, method: &str, params: &str, result: &[u8]) -> Result<Option<Finding>, String> {
        self.said += 1;
        let id = self.said;
        let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}");
        let mut steps = VecDeque::from(self.agent(text));
        let (mut decided, mut answered) = (None, false);
        while let Some(step) = steps.pop_front() {
            if let Step::Record(record) = step {
                if record.happening == Happening::Request {
                    let finding = record.finding;
                    decided = decided.or(finding.map(|found| Finding { verdict: record.verdict, ..found }));
                }
            } else if let Step::Send(permit) = step {
                steps.extend(self.serve(&permit, result));
            } else if let Step::Deliver(release) = step {
                match self.approve(release.message()) {
                    Some(more) => steps.extend(more),
                    None => answered = true,
                }
            }
        }
        if !answered {
            return Err(format!("`{method}` got no answer"));
        }
        Ok(decided)
    }

    /// The user's yes, where this is a question: to the value for the whole session, where that is offered.
    fn approve(&mut self, message: &Bytes) -> Option<Vec<Step>> {
        let question = Json::check(message, self.limits.message_depth).ok()?;
        question.get("method")?;
        let id = question.get("id")?.written();
        let yes = "{\"action\":\"accept\",\"content\":{\"scope\":\"session\"}}";
        Some(self.agent(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{yes}}}")))
    }

    /// What a server answers.
    fn serve(&mut self, permit: &Permit, result: &[u8]) -> Vec<Step> {
        let (Some(exchange), Sent::Request) = (permit.exchange(), permit.head().sent) else {
            return Vec::new();
        };
        let result = match permit.head().method {
            Some("initialize") => "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\
                 \"serverInfo\":{\"name\":\"replay\",\"version\":\"1\"}}"
                .into(),
            Some("tools/list") => {
                let tools = self.catalogue.get(permit.server()).map_or("[]", |offer| offer.tools.as_str());
                format!("{{\"tools\":{tools}}}").into()
            }
            _ => String::from_utf8_lossy(result),
        };
        let bytes = Bytes::from(format!("{{\"jsonrpc\":\"2.0\",\"id\":{exchange},\"result\":{result}}}"));
        let received = Received::read(&bytes, Side::Server, &self.limits);
        self.event(Event::Server { server: permit.server().clone(), exchange: None, received })
    }

    fn agent(&mut self, text: String) -> Vec<Step> {
        let bytes = Bytes::from(text);
        let exchange = self.core.open();
        let received = Received::read(&bytes, Side::Agent, &self.limits);
        self.event(Event::Agent { exchange, received, headers: None, at: UnixMillis(0) })
    }

    fn event(&mut self, event: Event<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.core.handle(event, Tick(0), &mut steps);
        steps
    }
}

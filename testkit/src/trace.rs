//! Decisions as data: a policy, events, and what must become of each. The files are in `tests/traces`.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_core::{Boundary, ByLevel, Detect, Flow, Handling, Server, Sort, Speaks, Violation, Wire};
use lockgate_flow::rule::{Condition, Known, Rule, Test, Then, Written};
use lockgate_flow::{Mode, Trust};
use lockgate_model::{Class, Effect, ServerName, Tier};
use lockgate_policy::{Action, ClassTable, Fallback, Pattern, RuleSet, Rules};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stage::{Outcome, Stage};

/// One trace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// What it shows, as a sentence.
    pub name: String,
    /// The servers, with what the operator decided and what they offer.
    servers: BTreeMap<String, TraceServer>,
    /// `ask` or `deny`.
    #[serde(default = "ask")]
    on_violation: String,
    /// `off`, `open`, `balanced` or `strict`.
    #[serde(default = "balanced")]
    mode: String,
    /// The operator's rules over flow, beside the built-in ones.
    #[serde(default)]
    rules: Vec<TraceRule>,
    /// What is done with each class, where a server's default goes by it: `allow`, `ask` or `deny`.
    #[serde(default)]
    classes: BTreeMap<String, String>,
    /// Can the client ask a person?
    #[serde(default)]
    elicitation: bool,
    /// Are the tools listed first?
    #[serde(default = "yes")]
    listed: bool,
    /// What happens, in order.
    events: Vec<TraceEvent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TraceServer {
    #[serde(default = "mixed")]
    tier: String,
    #[serde(default = "allow")]
    default: String,
    #[serde(default)]
    tools: BTreeMap<String, String>,
    #[serde(default)]
    effects: BTreeMap<String, String>,
    #[serde(default)]
    classes: BTreeMap<String, String>,
    #[serde(default)]
    offers: Vec<Offer>,
    /// What is done with what is found: `results` or `arguments`, then the sort, then the handling.
    #[serde(default)]
    detect: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TraceRule {
    name: String,
    when: BTreeMap<String, Value>,
    #[serde(default)]
    unless: BTreeMap<String, Value>,
    /// `log`, `ask` or `deny`.
    then: String,
}

impl TraceRule {
    fn checked(&self, known: &Known) -> Result<Rule, String> {
        let then = match self.then.as_str() {
            "log" => Then::Log,
            "ask" => Then::Ask,
            "deny" => Then::Deny,
            other => return Err(format!("`{other}` is not log, ask or deny")),
        };
        let unless = if self.unless.is_empty() { None } else { Some(condition(&self.unless)?) };
        let rule = Rule { name: self.name.clone(), when: condition(&self.when)?, unless, then, approvers: 1 };
        match rule.vain(known) {
            None => Ok(rule),
            Some(vain) => Err(format!("rule `{}`: {}", rule.name, vain.message())),
        }
    }
}

fn condition(tests: &BTreeMap<String, Value>) -> Result<Condition, String> {
    let one = |(key, value): (&String, &Value)| {
        let scalar = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let list = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (not, items) = (value.get("not").map(list), list(value));
        let refer = |items: &[String]| items.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let joined = refer(not.as_deref().unwrap_or(&items));
        let written = match (&not, value.is_array()) {
            (Some(_), _) => Written::Not(joined.split(' ').collect()),
            (None, true) => Written::List(joined.split(' ').collect()),
            (None, false) => Written::Word(&scalar),
        };
        Test::read(key, &written).map_err(|error| format!("`{key}`: {error:?}"))
    };
    Ok(Condition(tests.iter().map(one).collect::<Result<_, _>>()?))
}

/// A tool that a server offers: its name, or more of it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Offer {
    Name(String),
    Definition(Definition),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    name: String,
    /// Hints, by their names in the protocol.
    #[serde(default)]
    hints: BTreeMap<String, bool>,
    /// The names of its arguments.
    #[serde(default)]
    takes: Vec<String>,
}

impl Offer {
    fn definition(&self) -> Value {
        match self {
            Self::Name(name) => json!({ "name": name, "inputSchema": { "type": "object" } }),
            Self::Definition(Definition { name, hints, takes }) => {
                let properties: BTreeMap<_, _> = takes.iter().map(|name| (name, json!({}))).collect();
                let schema = json!({ "type": "object", "properties": properties });
                json!({ "name": name, "annotations": hints, "inputSchema": schema })
            }
        }
    }
}

/// One event: exactly one of call, say, person, server, list, lose and agent, and what must become of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TraceEvent {
    /// The agent calls a tool by its exposed name.
    call: Option<String>,
    /// With these arguments; without it, none.
    arguments: Option<serde_json::Value>,
    /// The agent says this text.
    say: Option<String>,
    /// The person who was asked answers: `accept`, perhaps with a scope, `decline` or `silent`.
    person: Option<String>,
    /// The server says this text, unasked.
    server: Option<(String, String)>,
    /// The tools are listed again, and the servers offer these.
    list: Option<BTreeMap<String, Vec<Offer>>>,
    /// The server is lost.
    lose: Option<String>,
    /// The agent takes its last request back (`cancels`), or its connection is lost (`leaves`).
    agent: Option<String>,
    /// How its last request has ended by now, as its last record says: `answered`, a reason, `cancelled` ….
    ended: Option<String>,
    /// `forward`, `hold`, `nothing`, or `deny` and a reason code.
    expect: Option<String>,
    /// What the server returns, where the call is forwarded.
    returns: Option<String>,
}

fn ask() -> String {
    "ask".to_owned()
}

fn yes() -> bool {
    true
}

fn mixed() -> String {
    "mixed".to_owned()
}

fn balanced() -> String {
    "balanced".to_owned()
}

fn allow() -> String {
    "allow".to_owned()
}

impl Trace {
    /// Reads a trace; else what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    /// Plays it; else the first event that went otherwise.
    pub fn play(&self) -> Result<(), String> {
        let mut stage = Stage::open(self.boundary()?, self.elicitation);
        if self.listed {
            let offers = self.servers.iter().map(|(name, server)| (name, server.offers.as_slice()));
            stage.list_definitions(&definitions(offers)?);
        }
        for (number, event) in self.events.iter().enumerate() {
            let outcome = event.play(&mut stage)?;
            let expected = event.expect.as_deref().unwrap_or("forward");
            if outcome != read_outcome(expected)? {
                return Err(format!("event {}: expected {expected}, got {outcome:?}", number + 1));
            }
            if let Some(text) = &event.returns {
                stage.return_text(text);
            }
            let ended = stage.end_of_last();
            if event.ended.is_some() && event.ended.as_deref() != ended {
                return Err(format!("event {}: it ended as {ended:?}", number + 1));
            }
        }
        stage.close()
    }

    fn boundary(&self) -> Result<Boundary, String> {
        let servers =
            self.servers.iter().map(|(name, server)| Ok((parse_name(name)?, server.checked(&self.classes)?)));
        // What servers say of themselves changes on purpose here, and is the matter of `crates/lockgate-core/tests/pins.rs`.
        let new = Boundary::new(servers.collect::<Result<_, String>>()?);
        let mut boundary = Boundary { pins: false, records: true, ..new };
        boundary.flow.violation = match self.on_violation.as_str() {
            "ask" => Violation::Ask,
            "deny" => Violation::Deny,
            "log" => Violation::Log,
            other => return Err(format!("`{other}` is not ask, deny or log")),
        };
        let mode = Mode::ALL.into_iter().find(|mode| mode.word() == self.mode);
        boundary.flow.mode = mode.ok_or_else(|| format!("`{}` is not a mode", self.mode))?;
        boundary.flow.rules = Flow::built_in(boundary.flow.mode, boundary.flow.violation);
        let tiers = boundary.servers.iter().map(|(name, server)| (name.clone(), server.trust.tier));
        let known = Known { servers: tiers.collect(), ..Known::default() };
        for rule in &self.rules {
            boundary.flow.rules.push(rule.checked(&known)?);
        }
        Ok(boundary)
    }
}

fn detect(written: &BTreeMap<String, BTreeMap<String, String>>) -> Result<Detect, String> {
    let mut detect = Detect::default();
    for (way, sorts) in written {
        let handlings = match way.as_str() {
            "results" => &mut detect.results,
            "arguments" => &mut detect.arguments,
            other => return Err(format!("`{other}` is not results or arguments")),
        };
        for (sort, handling) in sorts {
            let found = Sort::ALL.into_iter().find(|known| known.word() == sort);
            let word = Handling::ALL.into_iter().find(|known| known.word() == handling);
            let (Some(sort), Some(handling)) = (found, word) else {
                return Err(format!("`{sort}: {handling}` is not a sort and a handling"));
            };
            *handlings.sort_mut(sort) = ByLevel::at_block(handling);
        }
    }
    Ok(detect)
}

impl TraceServer {
    fn checked(&self, classes: &BTreeMap<String, String>) -> Result<Server, String> {
        let tier = Tier::ALL.into_iter().find(|tier| tier.word() == self.tier);
        let rules = self.tools.iter().map(|(pattern, word)| Ok((parse_pattern(pattern)?, action(word)?)));
        let effects = self.effects.iter().map(|(pattern, word)| {
            let effect = Effect::ALL.into_iter().find(|effect| effect.word() == word);
            Ok((parse_pattern(pattern)?, effect.ok_or_else(|| format!("`{word}` is not an effect"))?))
        });
        let said = self.classes.iter().map(|(pattern, word)| Ok((parse_pattern(pattern)?, class(word)?)));
        let tier = tier.ok_or_else(|| format!("`{}` is not a tier", self.tier))?;
        let default = if self.default == "class" {
            let said = classes.iter().map(|(word, wish)| Ok((class(word)?, action(wish)?.into())));
            Fallback::Class(ClassTable::new(tier, &said.collect::<Result<Vec<_>, String>>()?))
        } else {
            action(&self.default)?.into()
        };
        Ok(Server {
            trust: Trust::of(tier),
            rules: Rules {
                default,
                tools: RuleSet::plain(rules.collect::<Result<_, String>>()?),
                ..Rules::allow_all()
            },
            effects: effects.collect::<Result<_, String>>()?,
            detect: Arc::new(detect(&self.detect)?),
            classes: said.collect::<Result<_, String>>()?,
            speaks: Some(Speaks::Both),
            ..Server::new(Wire::Lines)
        })
    }
}

impl TraceEvent {
    fn play(&self, stage: &mut Stage) -> Result<Outcome, String> {
        if let Some(name) = &self.call {
            let none = serde_json::json!({});
            return Ok(stage.call(name, self.arguments.as_ref().unwrap_or(&none)));
        }
        if let Some(text) = &self.say {
            return Ok(stage.say(text));
        }
        if let Some((server, text)) = &self.server {
            stage.server_says(&parse_name(server)?, text);
            return Ok(Outcome::Nothing);
        }
        if let Some(offers) = &self.list {
            stage.list_definitions(&definitions(offers.iter().map(|(name, all)| (name, all.as_slice())))?);
            return Ok(Outcome::Nothing);
        }
        if let Some(server) = &self.lose {
            stage.lose(&parse_name(server)?);
            return Ok(Outcome::Nothing);
        }
        match self.agent.as_deref() {
            Some("cancels") => stage.cancel(),
            Some("leaves") => stage.leave(),
            Some(other) => return Err(format!("`{other}` is not cancels or leaves")),
            None => {}
        }
        if self.agent.is_some() {
            return Ok(Outcome::Nothing);
        }
        match self.person.as_deref() {
            Some("accept") => Ok(stage.decide(true)),
            Some("decline") => Ok(stage.decide(false)),
            Some("silent") => Ok(stage.ignore(120_000)),
            Some(answer) if answer.starts_with("accept ") => {
                Ok(stage.choose(&json!({ "scope": answer.trim_start_matches("accept ") })))
            }
            _ => Err("an event is one of call, say, person, server, list, lose and agent".to_owned()),
        }
    }
}

fn definitions<'t>(
    offers: impl Iterator<Item = (&'t String, &'t [Offer])>,
) -> Result<BTreeMap<ServerName, Vec<Value>>, String> {
    offers
        .map(|(name, offers)| Ok((parse_name(name)?, offers.iter().map(Offer::definition).collect())))
        .collect()
}

fn class(word: &str) -> Result<Class, String> {
    let found = Class::ALL.into_iter().find(|class| class.word() == word);
    found.ok_or_else(|| format!("`{word}` is not a class"))
}

fn parse_name(text: &str) -> Result<ServerName, String> {
    ServerName::parse(text).ok_or_else(|| format!("`{text}` is not a server name"))
}

fn parse_pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|error| format!("`{text}`: {error}"))
}

fn action(word: &str) -> Result<Action, String> {
    let all = [Action::Allow, Action::Ask, Action::Deny, Action::Hide];
    all.into_iter().find(|action| action.word() == word).ok_or_else(|| format!("`{word}` is not an action"))
}

fn read_outcome(text: &str) -> Result<Outcome, String> {
    match text.split_once(' ') {
        Some(("deny", reason)) => Ok(Outcome::Deny(reason.to_owned())),
        None if text == "forward" => Ok(Outcome::Forward),
        None if text == "hold" => Ok(Outcome::Hold),
        None if text == "nothing" => Ok(Outcome::Nothing),
        _ => Err(format!("`{text}` is not an outcome")),
    }
}

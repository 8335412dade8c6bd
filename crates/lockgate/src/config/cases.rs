//! Cases for a policy: calls, and the answer that is expected of each.

use std::collections::BTreeSet;

use lockgate_model::{Principal, Reason, ServerName, UnixMillis, quote};
use lockgate_policy::test::Decimal;
use lockgate_policy::{Action, Subject};

use super::error::{At, Place, Report, either, perhaps, quoted};
use super::section::Section;
use super::words::ACTIONS;
use super::yaml::{self, Form, Kind, Node, Style};
use super::{Config, ConfigErrors};
use crate::moment;

/// When a case that says nothing of it takes place: Monday 2026-01-05 at noon, UTC.
const NOON: UnixMillis = UnixMillis(1_767_614_400_000);

/// How often a case may make its call.
const TIMES: u32 = 1_000;

/// A file of cases, read but not yet compared with the policy it names.
#[derive(Debug)]
pub struct CaseFile {
    /// The policy as it is named: relative to the folder of this file.
    pub policy: String,
    file: String,
    cases: Vec<RawCase>,
}

/// One call, and what should become of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The line it begins on, from 1.
    pub line: usize,
    /// What is used.
    pub subject: Subject,
    /// Its name, or its address.
    pub name: String,
    /// Whose it is.
    pub server: ServerName,
    /// Who the agent acts for.
    pub principal: Principal,
    /// When.
    pub at: UnixMillis,
    /// The arguments: an object as JSON. None where there are none.
    pub arguments: Option<String>,
    /// Servers whose text the session has read before.
    pub after: Vec<ServerName>,
    /// How often it is made in a row; the last one counts. 1 to 1000.
    pub times: u32,
    /// What should happen.
    pub expect: Action,
    /// Why it should.
    pub reason: Option<Reason>,
    /// What the author wants said where the case fails.
    pub why: Option<String>,
}

#[derive(Debug)]
struct RawCase {
    place: Place,
    subject: Subject,
    name: String,
    server: Option<At<String>>,
    principal: Option<At<String>>,
    after: Vec<At<String>>,
    times: u32,
    at: UnixMillis,
    arguments: Option<String>,
    expect: Action,
    reason: Option<Reason>,
    why: Option<String>,
}

impl CaseFile {
    /// Reads the text of a file; `file` names it in messages.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigErrors> {
        let report = Report::default();
        let read = yaml::read(text, Form::Yaml, &report).and_then(|node| {
            let root = Section::open("", &node, &report)?;
            let policy = root.text("policy");
            if policy.is_none() && report.is_clean() {
                report.error(root.place(), "no policy is named", "write `policy: lockgate.yaml`");
            }
            let cases = root.take("cases");
            let cases = match cases.map(|node| (&node.value, node.place)) {
                Some((Kind::List(items), _)) if !items.is_empty() => {
                    let numbered = items.iter().enumerate();
                    numbered.filter_map(|(number, item)| RawCase::read(number, item, &report)).collect()
                }
                found => {
                    let place = found.map_or(root.place(), |(_, place)| place);
                    report.error(
                        place,
                        "there are no cases",
                        "write `cases:` and under it `- { call: NAME, expect: allow }`",
                    );
                    Vec::new()
                }
            };
            root.close();
            Some(Self { policy: policy?.value, file: file.to_owned(), cases })
        });
        report.finish(file, read)
    }

    /// The cases for this policy: who and what they name must be in it.
    pub fn resolve(&self, policy: &Config) -> Result<Vec<Case>, ConfigErrors> {
        let report = Report::default();
        let cases = self.cases.iter().filter_map(|raw| raw.resolve(policy, &report)).collect();
        report.finish(&self.file, Some(cases))
    }
}

impl RawCase {
    fn read(number: usize, node: &Node, report: &Report) -> Option<Self> {
        let section = Section::open(&format!("cases[{number}]"), node, report)?;
        let named = [("call", Subject::Tool), ("prompt", Subject::Prompt), ("resource", Subject::Resource)];
        let named: Vec<(Subject, String)> = named
            .into_iter()
            .filter_map(|(key, subject)| Some((subject, section.text(key)?.value)))
            .collect();
        if named.len() != 1 {
            let hint = "write `call` with a tool, or `prompt` with a name, or `resource` with an address";
            report.error(node.place, "a case is about one tool, prompt or resource", hint);
        }
        let arguments = section.take("arguments").map(|node| {
            if !matches!(node.value, Kind::Map(_)) {
                let message = format!("`arguments` must be a section, not {}", node.value.word());
                report.error(node.place, message, "write `arguments: { name: value }`");
            }
            json(node)
        });
        let at = section.text("at").map_or(NOON, |text| {
            moment::parse(&text.value).unwrap_or_else(|| {
                let message = format!("{} is not a moment", quoted(&text.value));
                report.error(text.place, message, "write it as `2026-01-05T12:00:00Z`");
                NOON
            })
        });
        let times = section.text("times").map_or(1, |text| {
            text.value.parse().ok().filter(|times| (1..=TIMES).contains(times)).unwrap_or_else(|| {
                let message = format!("`times` cannot be {}", quoted(&text.value));
                report.error(text.place, message, "write a whole number from 1 to 1000");
                1
            })
        });
        let expect = section.word("expect", ACTIONS);
        if !section.has("expect") {
            let words: Vec<&str> = ACTIONS.iter().map(|(word, _)| *word).collect();
            report.error(
                node.place,
                "the case expects nothing",
                format!("write `expect` with {}", either(&words)),
            );
        }
        let reason = section.text("reason").and_then(|text| reason(&text, report));
        let raw = Self {
            place: node.place,
            server: section.text("server"),
            principal: section.text("as"),
            after: section.texts("after").map(|after| after.value).unwrap_or_default(),
            at,
            times,
            arguments,
            reason,
            why: section.text("why").map(|text| text.value),
            expect: expect.as_ref().map_or(Action::Deny, |expect| expect.value),
            subject: named.first().map_or(Subject::Tool, |(subject, _)| *subject),
            name: named.into_iter().next().map(|(_, name)| name).unwrap_or_default(),
        };
        if raw.expect == Action::Allow && raw.reason.is_some() {
            report.error(node.place, "what is allowed has no reason", "remove `reason`");
        }
        section.close();
        Some(raw)
    }

    fn resolve(&self, policy: &Config, report: &Report) -> Option<Case> {
        let servers: Vec<&str> = policy.boundary.servers.keys().map(ServerName::as_str).collect();
        let known = |name: &At<String>| {
            let found = policy.boundary.servers.keys().find(|server| server.as_str() == name.value);
            if found.is_none() {
                let hint = format!("{}write {}", perhaps(&name.value, &servers), either(&servers));
                report.error(name.place, format!("no server is called {}", quoted(&name.value)), hint);
            }
            found.cloned()
        };
        let server = match (&self.server, servers.len()) {
            (Some(server), _) => known(server),
            (None, 1) => policy.boundary.servers.keys().next().cloned(),
            (None, _) => {
                let hint = format!("write `server` with {}", either(&servers));
                report.error(self.place, "the policy has several servers, and the case names none", hint);
                None
            }
        };
        let mut people: BTreeSet<&str> = policy.principals.iter().map(|(name, _)| name.as_str()).collect();
        people.insert("local");
        let principal = self.principal.as_ref().map_or("local", |name| name.value.as_str());
        if let Some(name) = self.principal.as_ref().filter(|name| !people.contains(name.value.as_str())) {
            let people: Vec<&str> = people.iter().copied().collect();
            let hint = format!("{}write {}", perhaps(&name.value, &people), either(&people));
            report.error(name.place, format!("nobody is called {}", quoted(&name.value)), hint);
        }
        Some(Case {
            line: self.place.line,
            subject: self.subject,
            name: self.name.clone(),
            server: server?,
            principal: Principal::new(principal),
            at: self.at,
            arguments: self.arguments.clone(),
            times: self.times,
            after: self.after.iter().filter_map(known).collect(),
            expect: self.expect,
            reason: self.reason,
            why: self.why.clone(),
        })
    }
}

fn reason(text: &At<String>, report: &Report) -> Option<Reason> {
    let found = Reason::ALL.iter().find(|reason| reason.code() == text.value);
    if found.is_none() {
        let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let hint = format!("{}write a code of `docs/reasons.md`", perhaps(&text.value, &known));
        report.error(text.place, format!("no reason is called {}", quoted(&text.value)), hint);
    }
    found.copied()
}

/// A value as the agent would send it. As in rules, what is written in quotes is a text; `5`, `true` and `null` without
/// them are what they look like.
fn json(node: &Node) -> String {
    match &node.value {
        Kind::Broken | Kind::Nothing | Kind::Null => "null".to_owned(),
        Kind::Text(text, Style::Plain) if matches!(text.as_str(), "true" | "false") => text.clone(),
        Kind::Text(text, Style::Plain) if Decimal::parse(text).is_ok() => text.clone(),
        Kind::Text(text, Style::Plain | Style::Quoted) => quote(text),
        Kind::List(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Kind::Map(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, node)| format!("{}:{}", quote(&key.value), json(node))).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

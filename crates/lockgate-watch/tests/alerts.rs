//! Rules and events as data, with what is told and stopped. Times are seconds. `tests/alerts/*.yaml`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests may fail loudly, and read their cases"
)]

use std::fmt::Write;
use std::path::Path;

use lockgate_model::{Principal, ServerName, SessionId, UnixMillis};
use lockgate_watch::alert::{Act, Alert, Alerts, Per, Rule, default_rules};
use lockgate_watch::{Class, Event, EventName, Severity};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "name")]
    _name: String,
    #[serde(default)]
    channels: Vec<u32>,
    rules: Vec<Written>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    on: Vec<String>,
    #[serde(default)]
    servers: Vec<String>,
    #[serde(default)]
    principals: Vec<String>,
    per: String,
    count: Option<u32>,
    within: Option<u64>,
    quiet: u64,
    then: Vec<usize>,
    contain: Option<String>,
    #[serde(rename = "for")]
    lasts: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at: u64,
    event: Option<String>,
    #[serde(default)]
    pass: bool,
    server: Option<String>,
    session: Option<String>,
    principal: Option<String>,
    acts: Vec<String>,
}

fn per(word: &str) -> Per {
    Per::ALL.into_iter().find(|per| per.word() == word).unwrap()
}

fn rule(written: &Written) -> Rule {
    let on = written.on.iter().map(|word| EventName::parse(word).unwrap()).collect();
    let rule = Rule::new(&written.name, on, written.then.clone());
    Rule {
        servers: written.servers.iter().map(|name| ServerName::parse(name).unwrap()).collect(),
        principals: written.principals.iter().map(|name| Principal::new(name)).collect(),
        per: per(&written.per),
        count: written.count.unwrap_or(1),
        within: written.within.map_or(rule.within, |seconds| seconds * 1000),
        quiet: written.quiet * 1000,
        contain: written
            .contain
            .as_deref()
            .map(|word| (per(word), written.lasts.map(|seconds| seconds * 1000))),
        ..rule
    }
}

fn event(step: &Step) -> Option<Event> {
    let name = EventName::parse(step.event.as_deref()?).unwrap();
    let server = step.server.as_deref().and_then(ServerName::parse);
    let (session, principal) =
        (step.session.as_deref().map(SessionId::new), step.principal.as_deref().map(Principal::new));
    Some(Event::new(name).about(server.as_ref()).within(session.as_ref(), principal.as_ref()))
}

fn shown(act: &Act) -> String {
    match act {
        Act::Contain(it) => {
            let until = it.until.map(|until| format!(" until={}", until / 1000)).unwrap_or_default();
            format!("contain {} {}{until} {}", it.target.0.word(), it.target.1, it.alert)
        }
        Act::Tell(channel, alert) => {
            let Alert { rule, event, count, swallowed, left_out, .. } = &**alert;
            let mut line = format!("tell {channel} {rule} {}", event.name.word());
            let whom = event.server.as_ref().map(ToString::to_string);
            let whom = whom.or(event.session.as_ref().map(ToString::to_string));
            if let Some(whom) = whom.or(event.principal.as_ref().map(ToString::to_string)) {
                write!(line, " {whom}").unwrap();
            }
            for (name, number, usual) in
                [("count", u64::from(*count), 1), ("swallowed", *swallowed, 0), ("left_out", *left_out, 0)]
            {
                if number != usual {
                    write!(line, " {name}={number}").unwrap();
                }
            }
            if let Some(contain) = &alert.contain {
                write!(line, " contained={}", contain.target.0.word()).unwrap();
            }
            line
        }
    }
}

#[test]
fn rules_tell_and_stop_what_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts");
    let mut cases = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let case: Case = serde_saphyr::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let channels = if case.channels.is_empty() { vec![60] } else { case.channels.clone() };
        let mut alerts = Alerts::new(case.rules.iter().map(rule).collect(), &channels, "a");
        for step in &case.steps {
            let now = UnixMillis(step.at * 1000);
            let acts = match event(step) {
                Some(event) => alerts.see(&event, now),
                None if step.pass => alerts.pass(now),
                None => panic!("{}: a step is an event or time that passes", file.display()),
            };
            let acts: Vec<_> = acts.iter().map(shown).collect();
            assert_eq!(acts, step.acts, "{} at {}", file.display(), step.at);
        }
        cases += 1;
    }
    assert!(cases >= 5);
}

/// `docs/operations.md` says what to do when a default rule tells, and when something happens that is told at once.
#[test]
fn operators_are_told_what_to_do() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    for rule in default_rules(1) {
        let row = format!("| `{}` | ", rule.name);
        assert!(rows.iter().any(|line| line.starts_with(&row)), "no row for the rule {}", rule.name);
    }
    let immediate =
        |name: &&EventName| name.class() == Class::Immediate && name.severity() >= Severity::Medium;
    for name in EventName::ALL.iter().filter(immediate) {
        let word = format!("`{}`", name.word());
        assert!(rows.iter().any(|line| line.contains(&word)), "{word} is in no row");
    }
}

/// `docs/alerts.md` has every event, as the code has it.
#[test]
fn the_documentation_has_every_event() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/alerts.md");
    let page = std::fs::read_to_string(page).unwrap();
    let row = |name: &EventName| {
        let (severity, class) = (name.severity().word(), name.class().word());
        format!("| `{}` | {severity} | {class} | {} | {} |", name.word(), name.meaning(), name.remedy())
    };
    let expected: Vec<String> = EventName::ALL.iter().map(row).collect();
    let found: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 4).collect();
    assert_eq!(found, expected, "the table must be:\n{}", expected.join("\n"));
}

//! `rules`: what the operator says about where data comes from and where it goes.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_core::{Flow, Server, Violation};
use lockgate_flow::Mode;
use lockgate_flow::rule::{
    Condition, KEYS, Known, Misread, Names, Rule, Said, Sources, Test, Then, Written, meaning,
};
use lockgate_model::ServerName;
use serde_json::{Value, json};

use super::error::{At, Report, either, perhaps, quoted};
use super::section::{self, Section};
use super::yaml::{Kind, Node};

/// Most people that a rule can want.
const MOST_APPROVERS: u8 = 5;

/// One rule as it is written.
pub(super) struct RawFlowRule {
    pub(super) name: At<String>,
    when: Option<Condition>,
    unless: Option<Condition>,
    then: RawThen,
    approvers: u8,
}

/// What a configuration has that rules rely on.
#[derive(Clone, Copy)]
pub(super) struct Keeps {
    pub(super) records: bool,
    pub(super) behaviour: bool,
}

/// What a rule says is done.
enum RawThen {
    /// Nothing: the built-in rule of this name does not hold.
    Off,
    Then(Then),
}

/// Reads the list of rules. Those that cannot be read are left out, and the report says why.
pub(super) fn read(root: &Section<'_>, report: &Report) -> Vec<RawFlowRule> {
    let form = "write `rules:` and under it `- name: …`, `when: {…}`, `then: ask`";
    let Some(items) = root.list("rules", form) else { return Vec::new() };
    let servers: Vec<&str> =
        root.named("servers").unwrap_or_default().iter().map(|(name, _)| name.value.as_str()).collect();
    let mut rules: Vec<RawFlowRule> = Vec::new();
    for (number, item) in items.value.iter().enumerate() {
        let Some(rule) = rule(&format!("rules[{number}]"), item, &servers, report) else { continue };
        if rules.iter().any(|earlier| earlier.name.value == rule.name.value) {
            let message = format!("two rules are called {}", quoted(&rule.name.value));
            report.error(rule.name.place, message, "give each a name of its own");
        }
        rules.push(rule);
    }
    rules
}

fn rule(path: &str, node: &Node, servers: &[&str], report: &Report) -> Option<RawFlowRule> {
    let section = Section::open(path, node, report)?;
    let before = report.count();
    let name = section.text("name");
    if !section.has("name") {
        let message = format!("{} has no name", quoted(path));
        report.error(
            section.place(),
            message,
            "write `name: my-rule`; findings will call it `rules.my-rule`",
        );
    }
    let name = name.filter(|name| is_name(name, report));
    let when = condition(&section, "when", servers, report);
    let unless = condition(&section, "unless", servers, report);
    let then = then(&section, servers, report);
    let asks = matches!(then, Some(RawThen::Then(Then::Ask)));
    let approvers = approvers(&section, asks, report);
    section.close();
    let (name, then) = (name?, then?);
    (report.count() == before).then_some(RawFlowRule { name, when, unless, then, approvers })
}

fn is_name(name: &At<String>, report: &Report) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let good = (1..=64).contains(&name.value.len()) && name.value.chars().all(plain);
    if !good {
        let message = format!("bad rule name {}", quoted(&name.value));
        report.error(name.place, message, "write 1 to 64 of `a-z`, `0-9`, `-` and `_`");
    }
    good
}

fn condition(
    section: &Section<'_>,
    key: &'static str,
    servers: &[&str],
    report: &Report,
) -> Option<Condition> {
    let members = section.named(key)?;
    if members.is_empty() {
        let hint = "write a test such as `effect: [commit]`, or remove the key";
        report.error(section.place(), format!("{} says nothing", quoted(&section.name(key))), hint);
    }
    let path = section.name(key);
    let tests = members.iter().filter_map(|(fact, node)| test(&path, fact, node, servers, report));
    Some(Condition(tests.collect()))
}

fn test(path: &str, fact: &At<String>, node: &Node, servers: &[&str], report: &Report) -> Option<Test> {
    let path = format!("{path}.{}", fact.value);
    let items = items(&path, node, report)?;
    let words: Vec<&str> = items.words.iter().map(|item| item.value.as_str()).collect();
    let written = match (items.shape, words.as_slice()) {
        (Shape::One, [word]) => Written::Word(word),
        (Shape::One | Shape::Many, _) => Written::List(words),
        (Shape::Not, _) => Written::Not(words),
    };
    let place = |word: &str| {
        items.words.iter().find(|item| item.value.ends_with(word)).map_or(node.place, |item| item.place)
    };
    let known_server = |item: &&At<String>| !servers.contains(&item.value.as_str());
    match Test::read(&fact.value, &written) {
        Ok(test) => {
            if names(&test).is_some()
                && let Some(unknown) = items.words.iter().find(known_server)
            {
                unknown_server(unknown, servers, report);
                return None;
            }
            Some(test)
        }
        Err(error) => {
            let (place, message, hint) = match error {
                Misread::Key => {
                    let known: Vec<&str> = KEYS.iter().map(|(key, ..)| *key).collect();
                    let hint = format!("{}known: {}", perhaps(&fact.value, &known), known.join(", "));
                    (fact.place, format!("there is no fact {}", quoted(&fact.value)), hint)
                }
                Misread::Form(example) => (
                    node.place,
                    format!("{} cannot be written like this", quoted(&path)),
                    format!("write `{}: {example}`", fact.value),
                ),
                Misread::Word(word, known) => (
                    place(&word),
                    format!("{} cannot be {}", quoted(&path), quoted(&word)),
                    format!("{}write {}", perhaps(&word, &known), either(&known)),
                ),
                Misread::Server(word) => (
                    place(&word),
                    format!("no server is called {}", quoted(&word)),
                    format!("{}write a name of `servers`", perhaps(&word, servers)),
                ),
                Misread::Pattern(word, why) => (
                    place(&word),
                    format!("bad pattern {}: {why}", quoted(&word)),
                    "write a name, with `*` for any run of characters".to_owned(),
                ),
                Misread::Chain(chain) => (
                    node.place,
                    format!("{} can never be so", quoted(&path)),
                    format!("the chain is, lowest first: {}", chain.join(", ")),
                ),
            };
            report.error(place, message, hint);
            None
        }
    }
}

fn unknown_server(name: &At<String>, servers: &[&str], report: &Report) {
    let hint = format!("{}write a name of `servers`", perhaps(&name.value, servers));
    report.error(name.place, format!("no server is called {}", quoted(&name.value)), hint);
}

/// The servers that a test names.
fn names(test: &Test) -> Option<&Names> {
    match test {
        Test::Origins(names)
        | Test::Server(names)
        | Test::Arguments(_, Said::Origins(Sources::Named(names)) | Said::Metadata(Sources::Named(names))) => {
            Some(names)
        }
        Test::Integrity(_)
        | Test::Confidentiality(_)
        | Test::Compartments(_)
        | Test::HearsUser(_)
        | Test::Risk(_)
        | Test::Effect(_)
        | Test::Tier(_)
        | Test::Tool(_)
        | Test::Class(_)
        | Test::Signed(_)
        | Test::OriginVerified(_)
        | Test::Arguments(..)
        | Test::ResultClass(_) => None,
    }
}

enum Shape {
    One,
    Many,
    Not,
}

struct Items {
    shape: Shape,
    words: Vec<At<String>>,
}

/// A word, a list of words, or such a list in `{not: […]}`.
fn items(path: &str, node: &Node, report: &Report) -> Option<Items> {
    match &node.value {
        Kind::List(items) => {
            let words = items.iter().map(|item| section::text(path, item, report)).collect::<Option<_>>()?;
            Some(Items { shape: Shape::Many, words })
        }
        Kind::Map(_) => {
            let section = Section::open(path, node, report)?;
            let words = section.texts("not");
            let clean = section.close();
            words.filter(|_| clean).map(|words| Items { shape: Shape::Not, words: words.value })
        }
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) => {
            Some(Items { shape: Shape::One, words: vec![section::text(path, node, report)?] })
        }
    }
}

fn then(section: &Section<'_>, servers: &[&str], report: &Report) -> Option<RawThen> {
    if !section.has("then") {
        let message = format!("{} does not say what is done", quoted(section.path()));
        report.error(section.place(), message, "write `then: ask`, `deny`, `log`, `redact` or `off`");
        return None;
    }
    let node = section.take("then")?;
    let Kind::Map(_) = &node.value else {
        let words = [
            ("ask", Some(Then::Ask)),
            ("deny", Some(Then::Deny)),
            ("log", Some(Then::Log)),
            ("redact", Some(Then::Redact)),
            ("off", None),
        ];
        let text = section::text(&section.name("then"), node, report)?;
        let known = words.clone().map(|(word, _)| (word, word));
        let word = section::word(&quoted(&section.name("then")), &text, &known, report)?;
        let then = words.into_iter().find(|(known, _)| *known == word)?.1;
        return Some(then.map_or(RawThen::Off, RawThen::Then));
    };
    let inside = section.section("then")?;
    let handle = inside.section("handle");
    inside.close();
    let handle = handle?;
    let named = handle.texts("expand_for");
    if !handle.has("expand_for") {
        let message = format!("{} names no server", quoted(handle.path()));
        report.error(
            handle.place(),
            message,
            "write `expand_for: [vault]`, the servers that get the value back",
        );
    }
    handle.close();
    let mut expand_for = BTreeSet::new();
    for name in named?.value {
        match ServerName::parse(&name.value).filter(|_| servers.contains(&name.value.as_str())) {
            Some(server) => drop(expand_for.insert(server)),
            None => unknown_server(&name, servers, report),
        }
    }
    Some(RawThen::Then(Then::Handle { expand_for }))
}

fn approvers(section: &Section<'_>, asks: bool, report: &Report) -> u8 {
    let Some(text) = section.text("approvers") else { return 1 };
    let count = text.value.parse().ok().filter(|count| (1..=MOST_APPROVERS).contains(count));
    match count {
        Some(_) if !asks => {
            let message = format!("{} has no effect", quoted(&section.name("approvers")));
            report.error(text.place, message, "only `then: ask` asks people");
        }
        None => {
            let message = format!("{} cannot be {}", quoted(&section.name("approvers")), quoted(&text.value));
            report.error(text.place, message, format!("write a number from 1 to {MOST_APPROVERS}"));
        }
        Some(_) => {}
    }
    count.unwrap_or(1)
}

/// The rules that hold: the built-in ones as far as the operator leaves them, and the operator's.
pub(super) fn check(
    raw: &[RawFlowRule],
    flow: &Flow,
    servers: &BTreeMap<ServerName, Server>,
    keeps: Keeps,
    report: &Report,
) -> Vec<Rule> {
    let known = known(servers);
    let mut rules = Flow::built_in(flow.mode, flow.violation);
    for raw in raw {
        let name = raw.name.value.as_str();
        let at = rules.iter().position(|rule| rule.name == name);
        let built_in = at.map(|at| rules.remove(at));
        let then = match (&raw.then, &raw.when, &built_in) {
            (RawThen::Off, None, Some(_)) => continue,
            (RawThen::Off, Some(_), _) => {
                let message = format!("the rule {} has tests, and does nothing", quoted(name));
                report.error(raw.name.place, message, "remove it, or write what is done");
                continue;
            }
            (_, None, None) => {
                no_built_in(raw, flow.mode, report);
                continue;
            }
            (RawThen::Then(then), _, _) => then.clone(),
        };
        let (when, unless) = match (&raw.when, built_in) {
            (Some(when), _) => (when.clone(), raw.unless.clone()),
            (None, Some(built_in)) => (built_in.when, raw.unless.clone().or(built_in.unless)),
            (None, None) => continue,
        };
        let rule = Rule { name: name.to_owned(), when, unless, then, approvers: raw.approvers };
        if let Some(vain) = rule.vain(&known) {
            report.error(
                raw.name.place,
                format!("the rule {}: {}", quoted(name), vain.message()),
                vain.hint(),
            );
        } else if rule.then == Then::Log && !keeps.records {
            let message = format!("the rule {} has no effect: no records are kept", quoted(name));
            report.error(raw.name.place, message, "write `records: {file: lockgate-records.jsonl}`");
        } else if !keeps.behaviour && rule.tests().any(|test| matches!(test, Test::Risk(_))) {
            let message = format!("the rule {} asks for a risk, and no behaviour is learned", quoted(name));
            report.error(raw.name.place, message, "write `behaviour: {enabled: true}`");
        }
        rules.push(rule);
    }
    rules
}

/// What rules can speak of.
pub(super) fn known(servers: &BTreeMap<ServerName, Server>) -> Known {
    Known {
        servers: servers.iter().map(|(name, server)| (name.clone(), server.trust.tier)).collect(),
        // What a server is cleared for has its own compartments, and classes of data.
        compartments: servers
            .values()
            .flat_map(|server| server.trust.clearance.compartments.iter().cloned())
            .collect(),
    }
}

fn no_built_in(raw: &RawFlowRule, mode: Mode, report: &Report) {
    let built_in = Flow::built_in(mode, Violation::Ask);
    let names: Vec<&str> = built_in.iter().map(|rule| rule.name.as_str()).collect();
    let message = format!("no built-in rule is called {}", quoted(&raw.name.value));
    let hint = if names.is_empty() {
        format!("in mode `{}` there is none; write `when:`", mode.word())
    } else {
        format!("{}write `when:`, or one of {}", perhaps(&raw.name.value, &names), names.join(", "))
    };
    report.error(raw.name.place, message, hint);
}

/// A rule in one line, for people.
pub(super) fn line(rule: &Rule, mode: Mode) -> String {
    let tests = |condition: &Condition| {
        let written = condition.tests().map(|test| {
            let (key, value) = test.write();
            format!("{key} {}", value.trim_matches('"'))
        });
        written.collect::<Vec<_>>().join(", ")
    };
    let then = match &rule.then {
        Then::Ask if rule.approvers > 1 => format!("{} people are asked", rule.approvers),
        Then::Ask => "a person is asked".to_owned(),
        Then::Deny => "refused".to_owned(),
        Then::Log => "recorded".to_owned(),
        Then::Redact => "what was found is taken out".to_owned(),
        Then::Handle { expand_for } => {
            let names: Vec<_> = expand_for.iter().map(ToString::to_string).collect();
            format!("what was found becomes a handle for {}", names.join(", "))
        }
    };
    if let Some(meaning) = meaning(rule, mode) {
        return format!("{then} when {meaning}");
    }
    let unless =
        rule.unless.as_ref().map_or_else(String::new, |unless| format!("; unless {}", tests(unless)));
    format!("{then} when {}{unless}", tests(&rule.when))
}

/// A rule for machines: as it is written.
pub(super) fn json(rule: &Rule) -> Value {
    let tests = |condition: &Condition| -> serde_json::Map<String, Value> {
        condition.tests().map(Test::write).map(|(key, value)| (key, Value::String(value))).collect()
    };
    json!({
        "name": rule.name,
        "when": tests(&rule.when),
        "unless": rule.unless.as_ref().map(tests),
        "then": rule.then.word(),
        "approvers": rule.approvers,
    })
}

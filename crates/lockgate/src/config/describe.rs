//! What a configuration means, in plain words and for machines. Secrets are stars, variables stay names.

use std::fmt::Write;

use lockgate_core::{MayAsk, Server};
use lockgate_model::{Class, Principal, ServerName};
use lockgate_policy::test::{Conditions, Selector, Test};
use lockgate_policy::{Action, ClassTable, Fallback, Rule, RuleSet, Undeclared};
use lockgate_store::Retention;
use serde_json::{Value, json};

use super::bounds::{self, Bounds};
use super::crossing;
use super::{Admin, Config, Door, Launch, Telemetry, Transport};
use super::{alerts, detect, flow_rules, words};

/// Columns that people read in.
const WIDTH: usize = 100;

/// What the configuration means, for people.
pub fn describe(config: &Config) -> String {
    let mut out = String::new();
    line(&mut out, 0, &who(config));
    if config.boundary.observes {
        line(
            &mut out,
            0,
            "Rules are only observed: everything is let through, and records say what would have been done.",
        );
    }
    for (name, server) in &config.boundary.servers {
        out.push('\n');
        describe_server(&mut out, config, name, server);
    }
    out.push('\n');
    let (head, below) = crossing::told(&config.boundary);
    line(&mut out, 0, &head);
    rows(&mut out, 2, &below);
    let flow = &config.boundary.flow;
    let rules = flow.rules.iter().map(|rule| (rule.name.clone(), flow_rules::line(rule, flow.mode)));
    let rules: Vec<_> = rules.collect();
    if !rules.is_empty() {
        line(&mut out, 0, "\nRules on where data comes from and where it goes:");
        rows(&mut out, 2, &rules);
    }
    let found = detect::told(&config.boundary.servers);
    if !found.is_empty() {
        line(&mut out, 0, "\nWhat is done with what is found, where that is not the default:");
        rows(&mut out, 2, &found);
    }
    let changed: Vec<(String, String)> = measures(config)
        .into_iter()
        .filter(|(_, bounds, value)| *value != bounds.default)
        .map(|(name, bounds, value)| {
            let show = |value| bounds.measure.show(value);
            (name, format!("{} instead of {}", show(value), show(bounds.default)))
        })
        .collect();
    if !changed.is_empty() {
        line(&mut out, 0, "\nLimits that are not the default:");
        rows(&mut out, 2, &changed);
    }
    line(&mut out, 0, &format!("\n{}", records(config)));
    if let Some(settings) = &config.behaviour {
        let half_life = bounds::RISK_HALF_LIFE.measure.show(settings.session_half_life);
        let told = format!(
            "Behaviour is learned: what is unusual adds to the risk of a session, which falls to half in {half_life}."
        );
        line(&mut out, 0, &told);
    }
    for told in people(config) {
        line(&mut out, 0, &told);
    }
    if let Some(told) = &config.alerts {
        let (channels, rules) = alerts::told(told);
        line(&mut out, 0, "\nWho is told of what is worth telling:");
        rows(&mut out, 2, &channels);
        line(&mut out, 0, if told.own_rules { "\nWhat is told:" } else { "\nWhat is told, by default:" });
        rows(&mut out, 2, &rules);
    }
    for note in &config.notes {
        line(&mut out, 0, &format!("\nNote: {}", one_line(note)));
    }
    out
}

/// What the configuration means, for machines: the facts of [`describe`] in one object.
pub fn describe_json(config: &Config) -> Value {
    let servers: serde_json::Map<String, Value> = config
        .boundary
        .servers
        .iter()
        .map(|(name, server)| (name.to_string(), server_json(config, name, server)))
        .collect();
    let limits: serde_json::Map<String, Value> =
        measures(config).into_iter().map(|(name, _, value)| (name, json!(value))).collect();
    json!({
        "listen": config.listen.to_string(),
        "principals": config.principals.iter().map(|(principal, _)| principal.as_str()).collect::<Vec<_>>(),
        "servers": servers,
        "flow": crossing::json(&config.boundary),
        "rules": config.boundary.flow.rules.iter().map(flow_rules::json).collect::<Vec<_>>(),
        "limits": limits,
        "notes": config.notes,
        "admin": config.admin.as_ref().map(admin_json),
        "webhook": config.webhook.is_some(),
        "behaviour": config.behaviour.is_some(),
        "telemetry": config.telemetry.as_ref().map(telemetry_json),
        "alerts": config.alerts.as_ref().map(alerts::json),
        "records": config.records.as_ref().and_then(|records| records.file.as_ref()).map(|file| file.to_string_lossy()),
        "log": config.records.as_ref().and_then(|records| records.folder.as_ref()).map(|folder| folder.to_string_lossy()),
    })
}

fn who(config: &Config) -> String {
    let names: Vec<&str> = config.principals.iter().map(|(principal, _)| principal.as_str()).collect();
    let who = match names.as_slice() {
        [] => "any program on this machine may connect; no token is asked for".to_owned(),
        [one] => format!("{one} may connect, with a bearer token"),
        many => format!("{} may connect, each with a bearer token", and(many)),
    };
    format!("Listens on {}: {who}.", config.listen)
}

/// Where people rule the gateway, and whether they are told that they are needed.
fn people(config: &Config) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(Admin { door, tokens }) = &config.admin {
        let names: Vec<&str> = tokens.iter().map(|(name, _)| name.as_str()).collect();
        let with = if names.is_empty() { String::new() } else { format!("{} by their token", and(&names)) };
        told.push(match door {
            Door::Socket(path) => {
                let path = path.as_ref().map_or_else(
                    || "`admin.sock` in the state folder".to_owned(),
                    |path| path.to_string_lossy().into_owned(),
                );
                let with = if with.is_empty() { with } else { format!(", and {with}") };
                format!("People rule it at the socket {path}: the user it runs as{with}.")
            }
            Door::Loopback(address) => format!("People rule it at {address}: {with}."),
        });
    }
    if config.webhook.is_some() {
        told.push("A webhook is told of calls that wait for people, and of what is stopped.".to_owned());
    }
    if let Some(Telemetry { listen, otlp }) = &config.telemetry {
        told.extend(listen.map(|listen| format!("Metrics and health are read at {listen}.")));
        told.extend(otlp.as_ref().map(|otlp| match otlp.traces {
            None => "A collector is sent metrics.".to_owned(),
            Some(1) => "A collector is sent metrics, and the trace of every request.".to_owned(),
            Some(some) => format!("A collector is sent metrics, and one in {some} traces."),
        }));
    }
    told
}

fn telemetry_json(telemetry: &Telemetry) -> Value {
    let otlp = telemetry.otlp.as_ref();
    json!({
        "listen": telemetry.listen.map(|listen| listen.to_string()),
        "otlp": otlp.map(|otlp| json!({ "interval_ms": otlp.interval.as_millis(), "traces_one_in": otlp.traces })),
    })
}

fn admin_json(admin: &Admin) -> Value {
    let (socket, listen) = match &admin.door {
        Door::Socket(path) => (Some(path.as_ref().map(|path| path.to_string_lossy().into_owned())), None),
        Door::Loopback(address) => (None, Some(address.to_string())),
    };
    let people: Vec<&str> = admin.tokens.iter().map(|(name, _)| name.as_str()).collect();
    json!({ "socket": socket.map(|path| path.unwrap_or_else(|| "admin.sock".to_owned())), "listen": listen, "people": people })
}

fn describe_server(out: &mut String, config: &Config, name: &ServerName, server: &Server) {
    line(out, 0, name.as_str());
    let mut facts = reached(config, name);
    facts.push((
        "tier".to_owned(),
        format!("{}: {}", server.trust.tier.word(), lower(words::tier(server.trust.tier))),
    ));
    facts.extend(crossing::trust_rows(&server.trust));
    if let Some(policy) = &server.intercept {
        let tools: Vec<&str> = policy.tools().into_iter().collect();
        facts.push(("intercept".to_owned(), format!("a policy about {}", and(&tools))));
    }
    if let Some(signed) = &server.signed {
        let rest = if signed.required { "all else is kept from the agent" } else { "all else passes too" };
        facts.push(("signed".to_owned(), format!("{} definitions; {rest}", signed.definitions.len())));
    }
    for (what, rules, rest) in kinds(server) {
        facts.extend(rule_rows(what, rules, rest));
    }
    if let Fallback::Class(table) = server.rules.default {
        facts.extend(class_rows(table));
    }
    for (count, (pattern, class)) in server.classes.iter().enumerate() {
        let title = if count == 0 { "classes" } else { "" };
        facts.push((
            title.to_owned(),
            format!("{pattern} is {}: {}", class.word(), lower(words::class(*class))),
        ));
    }
    for (count, (pattern, effect)) in server.effects.iter().enumerate() {
        let title = if count == 0 { "effects" } else { "" };
        facts.push((
            title.to_owned(),
            format!("{pattern} is {}: {}", effect.word(), lower(words::effect(*effect))),
        ));
    }
    for (count, (pattern, argument, role)) in server.roles.iter().enumerate() {
        let title = if count == 0 { "arguments" } else { "" };
        let what = format!("{argument} of {pattern} is {}: {}", role.word(), lower(words::role(*role)));
        facts.push((title.to_owned(), what));
    }
    if server.undeclared == Undeclared::Allow {
        facts.push(("undeclared".to_owned(), "arguments that a tool does not declare pass too".to_owned()));
    }
    if let Some(speaks) = server.speaks {
        facts.push(("speaks".to_owned(), lower(words::speaks(speaks))));
    }
    facts.push(("may ask for".to_owned(), asks(server.may_ask)));
    let show = bounds::TIMEOUT.measure;
    if (server.timeout, server.deadline) != (bounds::TIMEOUT.default, bounds::DEADLINE.default) {
        let waits =
            format!("{} without progress, {} in all", show.show(server.timeout), show.show(server.deadline));
        facts.push(("waits".to_owned(), waits));
    }
    rows(out, 2, &facts);
}

/// How a server is started or reached.
fn reached(config: &Config, name: &ServerName) -> Vec<(String, String)> {
    let shown = config.shown.get(name).map(|shown| one_line(shown)).unwrap_or_default();
    let starred = |pairs: &[(String, super::Secret)], between: &str| {
        pairs.iter().map(|(name, secret)| format!("{name}{between}{secret:?}")).collect::<Vec<_>>().join(", ")
    };
    let mut facts = Vec::new();
    match config.launches.get(name) {
        Some(Launch::Command { env, cwd, .. }) => {
            facts.push(("starts".to_owned(), shown));
            if let Some(folder) = cwd {
                facts.push(("in".to_owned(), folder.to_string_lossy().into_owned()));
            }
            if !env.is_empty() {
                facts.push(("with".to_owned(), starred(env, "=")));
            }
        }
        Some(Launch::Http { headers, transport, .. }) => {
            let older = if *transport == Transport::Sse { " over http+sse" } else { "" };
            let plain = if shown.starts_with("http://") { " (not encrypted)" } else { "" };
            facts.push(("at".to_owned(), format!("{shown}{older}{plain}")));
            if !headers.is_empty() {
                facts.push(("with".to_owned(), starred(headers, ": ")));
            }
        }
        None => {}
    }
    facts
}

/// What is done with each class: each action with its classes.
fn class_rows(table: ClassTable) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for class in Class::ALL {
        let treatment = table.of(Some(class));
        let people = if treatment.approvers > 1 {
            format!(", {} different people must approve", treatment.approvers)
        } else {
            String::new()
        };
        let title = if rows.is_empty() { "by class" } else { "" };
        rows.push((title.to_owned(), format!("{:8}{}{people}", done(treatment.action), class.word())));
    }
    rows
}

/// The rules for one kind of subject: each action with its patterns, then what holds for the rest, if that is always the
/// same.
fn rule_rows(what: &str, rules: &RuleSet, rest: Option<Action>) -> Vec<(String, String)> {
    let mut parts: Vec<String> = Vec::new();
    for action in [Action::Allow, Action::Ask, Action::Deny, Action::Hide] {
        let same = |found: &[Rule]| plain(found) == Some(action);
        let patterns: Vec<&str> =
            rules.iter().filter(|(_, found)| same(found)).map(|(pattern, _)| pattern.as_str()).collect();
        if !patterns.is_empty() {
            parts.push(format!("{:8}{}", done(action), patterns.join(", ")));
        }
    }
    for (pattern, found) in rules.iter().filter(|(_, found)| plain(found).is_none()) {
        for rule in found {
            parts.push(format!("{:8}{pattern}", done(rule.action)));
            parts.extend(terms(rule).into_iter().map(|term| format!("{:10}{term}", "")));
        }
    }
    if parts.is_empty() {
        return vec![(what.to_owned(), format!("all {}", rest.map_or("by class", done)))];
    }
    if !rules.iter().any(|(pattern, _)| pattern.as_str() == "*") {
        parts.push(rest.map_or_else(
            || format!("{:8}by class", "others"),
            |action| format!("{:8}all others", done(action)),
        ));
    }
    let title = |count: usize| if count == 0 { what.to_owned() } else { String::new() };
    parts.into_iter().enumerate().map(|(count, part)| (title(count), part)).collect()
}

/// The action, where it is all there is.
fn plain(rules: &[Rule]) -> Option<Action> {
    match rules {
        [only] if only.is_plain() => Some(only.action),
        _ => None,
    }
}

/// What a rule asks beside its action, a line each.
fn terms(rule: &Rule) -> Vec<String> {
    let mut terms = Vec::new();
    if let Some(principals) = &rule.principals {
        let names: Vec<&str> = principals.iter().map(Principal::as_str).collect();
        terms.push(format!("for {}", and(&names)));
    }
    terms.extend(rule.during.map(|hours| format!("on {hours}")));
    terms.extend(rule.require.iter().map(|tests| format!("only if {}", tested(tests))));
    terms.extend(rule.deny_if.iter().map(|tests| format!("denied if {}", tested(tests))));
    terms.extend(rule.ask_if.iter().map(|tests| format!("asked if {}", tested(tests))));
    terms.extend(rule.limits.iter().map(ToString::to_string));
    terms.extend(rule.on_deny.iter().map(|said| format!("says \"{}\" where it denies", one_line(said))));
    if rule.approvers > 1 {
        terms.push(format!("{} different people must approve", rule.approvers));
    }
    terms
}

/// Which arguments are looked at, and how.
fn tested(conditions: &Conditions) -> String {
    let one = |(selector, test): &(Selector, Test)| {
        let words: Vec<&str> = test.iter().map(lockgate_policy::test::Operator::word).collect();
        format!("`{selector}` passes {}", words.join(", "))
    };
    conditions.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn rule_json(rule: &Rule) -> Value {
    if rule.is_plain() {
        return json!(rule.action.word());
    }
    json!({
        "action": rule.action.word(),
        "for": rule.principals.as_ref().map(|all| all.iter().map(Principal::as_str).collect::<Vec<_>>()),
        "during": rule.during.map(|hours| hours.to_string()),
        "require": rule.require.as_ref().map(tested),
        "deny_if": rule.deny_if.iter().map(tested).collect::<Vec<_>>(),
        "ask_if": rule.ask_if.iter().map(tested).collect::<Vec<_>>(),
        "limits": rule.limits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "approvers": rule.approvers,
        "on_deny": rule.on_deny.as_deref(),
    })
}

fn records(config: &Config) -> String {
    match &config.records {
        None => "No records are kept: `records` names no folder and no file.".to_owned(),
        Some(records) => {
            let size = bounds::MAX_BYTES.measure.show(records.max_bytes);
            let mut text = String::new();
            if let Some(folder) = &records.folder {
                text.push_str(&format!(
                    "Records of every decision go to the log in {}, which nobody can quietly change; while it cannot be written, calls are refused.",
                    folder.display()
                ));
            }
            if !records.witnesses.is_empty() {
                let names: Vec<&str> = records.witnesses.iter().map(|witness| witness.key.name()).collect();
                text.push_str(&format!(
                    " {} of {} witnesses must have signed its checkpoints: {}.",
                    records.quorum,
                    names.len(),
                    names.join(", ")
                ));
            }
            let for_good = Retention::default();
            for (what, keep, good) in [
                ("The arguments in it", records.retention.contents, for_good.contents),
                ("Its records", records.retention.records, for_good.records),
            ] {
                if keep != good {
                    text.push_str(&format!(" {what} are kept for {} days.", keep.as_secs() / 86_400));
                }
            }
            if let Some(file) = &records.publish_file {
                text.push_str(&format!(" Its checkpoints are published in {}.", file.display()));
            }
            if records.publish_webhook.is_some() {
                text.push_str(" Its checkpoints are sent to a webhook.");
            }
            if let Some(file) = &records.file {
                let start = if text.is_empty() { "Records" } else { " Records" };
                text.push_str(&format!(
                    "{start} of every decision go to {}: {} older files of {size} are kept.",
                    file.display(),
                    records.keep
                ));
            }
            if config.boundary.record_arguments {
                text.push_str(" They hold the arguments of calls.");
            }
            if config.boundary.receipts {
                text.push_str(" Every result has a signed receipt.");
            }
            text
        }
    }
}

/// Every number that can be set for the gateway as a whole.
fn measures(config: &Config) -> Vec<(String, Bounds, u64)> {
    let boundary = &config.boundary;
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let time = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let all = [
        (bounds::REQUEST_BYTES, count(boundary.limits.request_bytes)),
        (bounds::RESULT_BYTES, count(boundary.limits.result_bytes)),
        (bounds::ARGUMENT_DEPTH, count(boundary.limits.argument_depth)),
        (bounds::MESSAGE_DEPTH, count(boundary.limits.message_depth)),
        (bounds::PARAMETERS, count(boundary.limits.parameters)),
        (bounds::OPEN_REQUESTS, count(boundary.open_requests)),
        (bounds::LIST_ENTRIES, count(boundary.list_entries)),
        (bounds::SESSIONS, count(config.sessions)),
        (bounds::SESSION_IDLE, time(config.session_idle)),
        (bounds::CHILDREN, count(config.children)),
        (bounds::HOLD_TIMEOUT, boundary.hold_timeout),
        (bounds::THREADS, count(config.http.threads)),
        (bounds::BODY_TIMEOUT, time(config.http.body_timeout)),
        (bounds::CONNECTIONS, count(config.http.connections)),
        (bounds::POLL_AFTER, time(config.http.poll_after)),
    ];
    let name = |bounds: &Bounds| match bounds.section {
        "Configuration" => bounds.key.to_owned(),
        section => format!("{}.{}", section.to_lowercase(), bounds.key),
    };
    all.into_iter().map(|(bounds, value)| (name(&bounds), bounds, value)).collect()
}

fn server_json(config: &Config, name: &ServerName, server: &Server) -> Value {
    let (how, secrets) = match config.launches.get(name) {
        Some(Launch::Command { env, .. }) => ("starts", env.as_slice()),
        Some(Launch::Http { headers, .. }) => ("at", headers.as_slice()),
        None => ("unknown", [].as_slice()),
    };
    let rules = |rules: &RuleSet| -> serde_json::Map<String, Value> {
        rules
            .iter()
            .map(|(pattern, rules)| match rules.as_slice() {
                [only] => (pattern.to_string(), rule_json(only)),
                several => (pattern.to_string(), several.iter().map(rule_json).collect()),
            })
            .collect()
    };
    let effects: Vec<Value> = server
        .effects
        .iter()
        .map(|(pattern, effect)| json!({ "pattern": pattern.as_str(), "effect": effect.word() }))
        .collect();
    let classes: Vec<Value> = server
        .classes
        .iter()
        .map(|(pattern, class)| json!({ "pattern": pattern.as_str(), "class": class.word() }))
        .collect();
    let arguments: Vec<Value> = server
        .roles
        .iter()
        .map(|(pattern, argument, role)| json!({ "pattern": pattern.as_str(), "argument": argument, "role": role.word() }))
        .collect();
    json!({
        how: config.shown.get(name),
        "with": secrets.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        "tier": server.trust.tier.word(),
        "confidentiality": crossing::secrecy_json(&server.trust.secrecy),
        "clearance": crossing::secrecy_json(&server.trust.clearance),
        "default": server.rules.default.word(),
        "by_class": by_class(server.rules.default),
        "tools": rules(&server.rules.tools),
        "resources": rules(&server.rules.resources),
        "prompts": rules(&server.rules.prompts),
        "effects": effects,
        "arguments": arguments,
        "classes": classes,
        "speaks": server.speaks.and_then(|own| words::SPEAKS.iter().find(|(_, speaks)| *speaks == own)).map(|(word, _)| word),
        "signed": server.signed.as_ref().map(|signed| json!({ "required": signed.required, "definitions": signed.definitions.len() })),
        "may_ask": asked(server.may_ask),
        "timeout_ms": server.timeout,
        "deadline_ms": server.deadline,
    })
}

/// Each kind of subject with its rules, and what holds for the rest, if that is always the same.
fn kinds(server: &Server) -> [(&'static str, &RuleSet, Option<Action>); 3] {
    let rules = &server.rules;
    let (tools, others) = match rules.default {
        Fallback::Action(action) => (Some(action), action),
        Fallback::Class(table) => (None, table.of(Some(Class::ReadLow)).action),
    };
    [
        ("tools", &rules.tools, tools),
        ("resources", &rules.resources, Some(others)),
        ("prompts", &rules.prompts, Some(others)),
    ]
}

/// What is done with each class, for machines; nothing where the default does not go by it.
fn by_class(default: Fallback) -> Option<Value> {
    let Fallback::Class(table) = default else { return None };
    let one = |class: Class| {
        let treatment = table.of(Some(class));
        let said = json!({ "action": treatment.action.word(), "approvers": treatment.approvers });
        (class.word().to_owned(), said)
    };
    Some(Value::Object(Class::ALL.into_iter().map(one).collect()))
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Allow => "allowed",
        Action::Ask => "asked",
        Action::Deny => "denied",
        Action::Hide => "hidden",
    }
}

fn asked(may_ask: MayAsk) -> Vec<&'static str> {
    [(may_ask.sampling, "sampling"), (may_ask.elicitation, "elicitation"), (may_ask.roots, "roots")]
        .into_iter()
        .filter_map(|(may, word)| may.then_some(word))
        .collect()
}

fn asks(may_ask: MayAsk) -> String {
    let asked = asked(may_ask);
    if asked.is_empty() { "nothing".to_owned() } else { asked.join(", ") }
}

/// a, b and c
pub(super) fn and(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// A sentence as part of a longer one.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Text of the operator's without line ends and other controls.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Two columns, the first as wide as it must be. A text that is too long goes on in the next line, further in.
fn rows(out: &mut String, indent: usize, rows: &[(String, String)]) {
    let width = rows.iter().map(|(title, _)| title.chars().count()).max().unwrap_or(0);
    for (title, text) in rows {
        let room = WIDTH.saturating_sub(indent + width + 2);
        for (count, part) in wrapped(text, room).iter().enumerate() {
            let title = if count == 0 { title.as_str() } else { "" };
            line(out, indent, &format!("{title:width$}  {part}"));
        }
    }
}

/// Lines of at most so many characters, broken at spaces where there are any.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    if text.chars().count() <= room {
        return vec![text.to_owned()];
    }
    let inset = text.chars().take_while(|c| *c == ' ').count() + 2;
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    for word in text.split_inclusive(' ') {
        let long = current.chars().count() + word.trim_end().chars().count() > room;
        if long && !current.trim().is_empty() {
            lines.push(current.trim_end().to_owned());
            current = " ".repeat(inset);
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

fn line(out: &mut String, indent: usize, text: &str) {
    // Writing to a text cannot fail.
    let _written = writeln!(out, "{:indent$}{text}", "");
}

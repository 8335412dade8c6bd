//! Rules in their long form: for whom and when they hold, what they ask of arguments, how often and how much.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_model::Principal;
use lockgate_policy::{Action, BadHours, Hours, Rule, Subject};

use super::error::{At, Place, Report, perhaps, quoted};
use super::section::{self, Section};
use super::words::ACTIONS;
use super::yaml::{Kind, Node};
use super::{argument, limit};

/// Most characters of a text for the agent.
const LONGEST_SAYING: usize = 500;

/// Who there is: everybody that can be named in a rule.
pub(super) struct People {
    /// The names of principals.
    pub(super) principals: BTreeSet<String>,
    /// Roles, with who has them.
    pub(super) roles: BTreeMap<String, BTreeSet<String>>,
}

/// Reads what stands under one pattern: an action, a rule, or a list of rules. `None` where the report says why.
pub(super) fn rules(
    path: &str,
    node: &Node,
    people: &People,
    subject: Subject,
    report: &Report,
) -> Option<Vec<Rule>> {
    match &node.value {
        Kind::Map(_) => Some(vec![rule(path, node, people, subject, report)?]),
        Kind::Nothing | Kind::Null => none(path, node, report),
        Kind::List(items) if items.is_empty() => none(path, node, report),
        Kind::List(items) => {
            let read = |(number, item)| rule(&format!("{path}[{number}]"), item, people, subject, report);
            items.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect()
        }
        Kind::Broken | Kind::Text(..) => {
            let text = section::text(path, node, report)?;
            Some(vec![section::word(&quoted(path), &text, ACTIONS, report)?.into()])
        }
    }
}

fn none(path: &str, node: &Node, report: &Report) -> Option<Vec<Rule>> {
    report.error(node.place, format!("{} holds no rule", quoted(path)), "write an action, such as `deny`");
    None
}

fn rule(path: &str, node: &Node, people: &People, subject: Subject, report: &Report) -> Option<Rule> {
    if let Kind::Text(..) | Kind::List(_) | Kind::Nothing | Kind::Null = &node.value {
        let message = format!("{} must be a section, not {}", quoted(path), node.value.word());
        let hint = match &node.value {
            Kind::Text(text, _) if ACTIONS.iter().any(|(word, _)| word == text) => format!(
                "in a list write `{{ action: {text} }}`; an action that stands for all calls needs no list"
            ),
            Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) | Kind::List(_) | Kind::Map(_) => {
                "under a name stands an action, a rule such as `{ action: allow, for: [alice] }`, or a list of such rules"
                    .to_owned()
            }
        };
        report.error(node.place, message, hint);
        return None;
    }
    let before = report.count();
    let section = Section::open(path, node, report)?;
    let action = section.word("action", ACTIONS);
    let named = section.take("for");
    let principals = named.map(|node| who(&section.name("for"), node, people, report));
    let during = section.section("during").map(|section| hours(section, report));
    let require = section.take("require");
    let require = require.map(|node| argument::conditions(&section.name("require"), node, report));
    let deny_if = argument::alternatives(&section, "deny_if", report);
    let ask_if = argument::alternatives(&section, "ask_if", report);
    let limits = limit::limits(&section, report);
    let on_deny = section.text("on_deny");
    let asks = action.as_ref().is_some_and(|action| action.value == Action::Ask) || section.has("ask_if");
    let approvers = approvers(&section, asks, "write `action: ask` or `ask_if`", report);
    let refuses = action.as_ref().is_some_and(|action| action.value >= Action::Deny);
    let rule = Rule {
        action: action.map_or(Action::Allow, |action| action.value),
        principals: principals.flatten(),
        during: during.flatten(),
        require: require.flatten(),
        deny_if,
        ask_if,
        limits,
        approvers: if refuses { 1 } else { approvers },
        on_deny: on_deny.map(|text| Arc::from(text.value.as_str())),
    };
    idle(&section, &rule, subject, report);
    if section.is_empty() {
        report.error(
            node.place,
            format!("{} says nothing", quoted(path)),
            "write `action: deny`, or another key",
        );
    }
    section.close();
    (report.count() == before).then_some(rule)
}

/// Says which keys of a rule can have no effect.
fn idle(section: &Section<'_>, rule: &Rule, subject: Subject, report: &Report) {
    let say = |key: &str, why: &str, hint: &str| {
        if let Some(place) = section.place_of(key) {
            let message = format!("{} has no effect{why}", quoted(&section.name(key)));
            report.error(place, message, hint);
        }
    };
    if rule.action >= Action::Deny {
        let beside = format!(" beside `action: {}`", rule.action.word());
        for key in ["require", "deny_if", "ask_if", "limits"] {
            say(key, &beside, "remove it, or write `deny_if` with what is to be denied and no `action`");
        }
    } else if rule.action == Action::Ask {
        say("ask_if", " beside `action: ask`", "remove one of them");
    }
    if subject == Subject::Resource {
        for key in ["require", "deny_if", "ask_if"] {
            say(key, ": a resource is read without arguments", "tell resources apart by their addresses");
        }
    }
    if subject != Subject::Tool {
        say("limits", " here: only calls of tools are counted", "remove it");
    }
    match section.text("on_deny") {
        Some(said) if said.value.is_empty() => {
            report.error(said.place, "`on_deny` is empty", "write what to do instead, or remove the key");
        }
        Some(said) if said.value.chars().count() > LONGEST_SAYING => report.error(
            said.place,
            "`on_deny` is longer than 500 characters",
            "the agent reads it: keep it to what to do instead",
        ),
        _ if rule.action == Action::Hide => {
            say(
                "on_deny",
                " beside `action: hide`",
                "what is hidden answers as if it did not exist; write `deny`",
            );
        }
        _ if rule.action < Action::Deny
            && !["require", "deny_if", "limits"].iter().any(|key| section.has(key)) =>
        {
            say("on_deny", ": the rule denies nothing", "write `require`, `deny_if` or `action: deny`");
        }
        _ => {}
    }
}

/// How many must approve. `asks`: is there anything to approve? Else `hint` says what to write.
pub(super) fn approvers(section: &Section<'_>, asks: bool, hint: &str, report: &Report) -> u8 {
    let Some(text) = section.text("approvers") else { return 1 };
    let number = text.value.parse().ok().filter(|number| (1..=5).contains(number));
    if number.is_none() {
        let message = format!("`approvers` cannot be {}", quoted(&text.value));
        report.error(text.place, message, "write how many different people must approve: 1 to 5");
    } else if !asks {
        report.error(text.place, "`approvers` has no effect: nothing here asks", hint);
    }
    number.unwrap_or(1)
}

/// Names of principals, and `role:name` for all who have it.
fn who(path: &str, node: &Node, people: &People, report: &Report) -> Option<BTreeSet<Principal>> {
    let what = match &node.value {
        Kind::List(items) if items.is_empty() => "names nobody".to_owned(),
        Kind::List(items) => {
            let mut all = BTreeSet::new();
            for item in items {
                all.extend(one(path, item, people, report).into_iter().flatten().map(Principal::new));
            }
            return Some(all);
        }
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) | Kind::Map(_) => {
            format!("must be a list, not {}", node.value.word())
        }
    };
    let hint = "write `for: [name]`, or leave it out where the rule is for everybody";
    report.error(node.place, format!("{} {what}", quoted(path)), hint);
    None
}

/// The principals that one name stands for.
fn one<'p>(path: &str, node: &Node, people: &'p People, report: &Report) -> Option<Vec<&'p str>> {
    if let Kind::Map(members) = &node.value
        && let [(key, At { value: Kind::Text(role, _), .. })] = members.as_slice()
        && key.value == "role"
    {
        let hint = format!("write `role:{role}`, without a space");
        report.error(node.place, format!("{} must be a list of texts", quoted(path)), hint);
        return None;
    }
    let name = section::text(path, node, report)?;
    if let Some(role) = name.value.strip_prefix("role:") {
        let members = people.roles.get(role);
        if members.is_none() {
            let known: Vec<&str> = people.roles.keys().map(String::as_str).collect();
            let hint = format!("{}write it under `roles`", perhaps(role, &known));
            report.error(name.place, format!("no role {} is defined", quoted(role)), hint);
        }
        return members.map(|members| members.iter().map(String::as_str).collect());
    }
    let found = people.principals.get(&name.value);
    if found.is_none() {
        let message = format!("nobody is called {}", quoted(&name.value));
        report.error(name.place, message, nobody(&name.value, people));
    }
    found.map(|found| vec![found.as_str()])
}

/// What to write instead of a name that nobody has.
fn nobody(name: &str, people: &People) -> String {
    let known: Vec<&str> = people.principals.iter().map(String::as_str).collect();
    let meant = if people.roles.contains_key(name) {
        format!("did you mean `role:{name}`? ")
    } else {
        perhaps(name, &known)
    };
    format!(
        "{meant}write a name of `principals`, `role:` and a name of `roles`, or `local` for whoever needs no token"
    )
}

fn hours(section: Section<'_>, report: &Report) -> Option<Hours> {
    let before = report.count();
    let path = section.path().to_owned();
    let days = section.texts("days");
    let [from, to, offset] = ["from", "to", "utc_offset"].map(|key| section.text(key));
    let whole = section.place();
    section.close();
    let said = |place: Place, bad: &BadHours| {
        report.error(place, format!("{}: {bad}", quoted(&path)), bad.hint());
    };
    if let Some(days) = days.as_ref().filter(|days| days.value.is_empty()) {
        let hint = "name the days, or leave the key out for every day";
        report.error(days.place, format!("{} is an empty list", quoted(&format!("{path}.days"))), hint);
        return None;
    }
    let days = days.map(|days| days.value).unwrap_or_default();
    let [from_text, to_text, offset_text] =
        [&from, &to, &offset].map(|text| text.as_ref().map(|text| text.value.as_str()));
    // Each alone first, so that every mistake is named in its place.
    let alone = |text: &At<String>, read: Result<Hours, BadHours>| {
        if let Err(bad) = read
            && bad != BadHours::Empty
        {
            said(text.place, &bad);
        }
    };
    for day in &days {
        alone(day, Hours::parse(&[&day.value], None, None, None));
    }
    for time in [&from, &to].into_iter().flatten() {
        alone(time, Hours::parse(&[], Some(&time.value), None, None));
    }
    if let Some(offset) = &offset {
        alone(offset, Hours::parse(&[], None, None, Some(&offset.value)));
    }
    if report.count() > before {
        return None;
    }
    let days: Vec<&str> = days.iter().map(|day| day.value.as_str()).collect();
    match Hours::parse(&days, from_text, to_text, offset_text) {
        Ok(hours) if hours.are_all() => {
            let hint = "write `days`, or `from` and `to`, or leave it out";
            report.error(whole, format!("{} is always", quoted(&path)), hint);
            None
        }
        Ok(hours) => Some(hours),
        Err(bad) => {
            said(whole, &bad);
            None
        }
    }
}

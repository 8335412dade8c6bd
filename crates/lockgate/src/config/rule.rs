//! Rules in their long form: for whom and when they hold, what they ask of arguments, how often and how much.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_model::Principal;
use lockgate_policy::budget::{BadLimit, By, Limit, Window};
use lockgate_policy::test::{
    BadTest, Conditions, Decimal, Dialect, Hosts, Networks, Operator, PathTest, RepoTest, Selector, SqlTest,
    Test, UrlTest, Value, ValueType,
};
use lockgate_policy::{Action, Hours, Rule};

use super::error::{At, Place, Report, quoted};
use super::section::{self, Section};
use super::words::ACTIONS;
use super::yaml::{Kind, Node, Style};

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
pub(super) fn rules(path: &str, node: &Node, people: &People, report: &Report) -> Option<Vec<Rule>> {
    match &node.value {
        Kind::Map(_) => Some(vec![rule(path, node, people, report)?]),
        Kind::List(items) if items.is_empty() => {
            report.error(
                node.place,
                format!("{} holds no rule", quoted(path)),
                "write an action, such as `deny`",
            );
            None
        }
        Kind::List(items) => {
            let numbered = items.iter().enumerate();
            numbered.map(|(number, item)| rule(&format!("{path}[{number}]"), item, people, report)).collect()
        }
        Kind::Broken | Kind::Nothing | Kind::Text(..) => {
            let text = section::text(path, node, report)?;
            Some(vec![section::word(&quoted(path), &text, ACTIONS, report)?.into()])
        }
    }
}

fn rule(path: &str, node: &Node, people: &People, report: &Report) -> Option<Rule> {
    let section = Section::open(path, node, report)?;
    let action = section.word("action", ACTIONS);
    let named = section.take("for");
    let principals = named.map(|node| who(&section.name("for"), node, people, report));
    let during = section.section("during").map(|section| hours(section, report));
    let require = section.take("require").map(|node| conditions(&section.name("require"), node, report));
    let deny_if = alternatives(&section, "deny_if", report);
    let ask_if = alternatives(&section, "ask_if", report);
    let limits = limits(&section, report);
    let on_deny = section.text("on_deny");
    let asks = action.as_ref().is_some_and(|action| action.value == Action::Ask) || !ask_if.is_empty();
    if let Some(action) = action.as_ref().filter(|action| action.value >= Action::Deny) {
        for key in ["require", "deny_if", "ask_if", "limits", "approvers"] {
            if section.has(key) {
                let message = format!(
                    "{} has no effect beside `action: {}`",
                    quoted(&section.name(key)),
                    action.value.word()
                );
                report.error(
                    action.place,
                    message,
                    "remove it, or write `deny_if` with what is to be denied",
                );
            }
        }
    }
    if let Some(said) = on_deny.as_ref().filter(|said| said.value.chars().count() > LONGEST_SAYING) {
        report.error(
            said.place,
            "`on_deny` is longer than 500 characters",
            "the agent reads it: keep it to what to do instead",
        );
    }
    let approvers = approvers(&section, asks, "write `action: ask` or `ask_if`", report);
    let rule = Rule {
        action: action.map_or(Action::Allow, |action| action.value),
        principals: principals.flatten(),
        during: during.flatten(),
        require: require.flatten(),
        deny_if,
        ask_if,
        limits,
        approvers,
        on_deny: on_deny.map(|text| Arc::from(text.value.as_str())),
    };
    section.close();
    Some(rule)
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
    let mut all = BTreeSet::new();
    for name in texts(path, node, report)? {
        match name.value.strip_prefix("role:") {
            Some(role) => {
                if let Some(members) = people.roles.get(role) {
                    all.extend(members.iter().map(|name| Principal::new(name)));
                    continue;
                }
                let known: Vec<&str> = people.roles.keys().map(String::as_str).collect();
                let hint = format!("{}write it under `roles`", super::error::perhaps(role, &known));
                report.error(name.place, format!("no role {} is defined", quoted(role)), hint);
            }
            None if people.principals.contains(&name.value) => {
                all.insert(Principal::new(&name.value));
            }
            None => report.error(
                name.place,
                format!("nobody is called {}", quoted(&name.value)),
                nobody(&name.value, people),
            ),
        }
    }
    Some(all)
}

/// What to write instead of a name that nobody has.
pub(super) fn nobody(name: &str, people: &People) -> String {
    let known: Vec<&str> = people.principals.iter().map(String::as_str).collect();
    let meant = super::error::perhaps(name, &known);
    format!(
        "{meant}write a name of `principals`, `role:` and a name of `roles`, or `local` for whoever needs no token"
    )
}

fn hours(section: Section<'_>, report: &Report) -> Option<Hours> {
    let days = section.texts("days").map(|days| days.value).unwrap_or_default();
    let days: Vec<&str> = days.iter().map(|day| day.value.as_str()).collect();
    let [from, to, offset] = ["from", "to", "utc_offset"].map(|key| section.text(key).map(|text| text.value));
    let place = section.place();
    section.close();
    match Hours::parse(&days, from.as_deref(), to.as_deref(), offset.as_deref()) {
        Ok(hours) => Some(hours),
        Err(bad) => {
            report.error(place, bad.to_string(), bad.hint());
            None
        }
    }
}

/// A list of conditions, any of which is enough.
fn alternatives(section: &Section<'_>, key: &'static str, report: &Report) -> Vec<Conditions> {
    let Some(node) = section.take(key) else { return Vec::new() };
    let path = section.name(key);
    let Kind::List(items) = &node.value else {
        let message = format!("{} must be a list, not {}", quoted(&path), node.value.word());
        report.error(
            node.place,
            message,
            format!("write `{key}: [{{ argument: test }}]`: one match is enough"),
        );
        return Vec::new();
    };
    items
        .iter()
        .enumerate()
        .filter_map(|(number, item)| conditions(&format!("{path}[{number}]"), item, report))
        .collect()
}

fn conditions(path: &str, node: &Node, report: &Report) -> Option<Conditions> {
    let Kind::Map(members) = &node.value else {
        let message = format!("{} must be a section, not {}", quoted(path), node.value.word());
        report.error(node.place, message, "write `argument: test`, such as `branch: main`");
        return None;
    };
    let mut tests = Vec::new();
    for (name, node) in members {
        let selector = said(name.place, Selector::parse(&name.value), report);
        let test = test(&format!("{path}.{}", name.value), node, report);
        if let (Some(selector), Some(test)) = (selector, test) {
            tests.push((selector, test));
        }
    }
    if tests.len() < members.len() {
        return None;
    }
    said(node.place, Conditions::new(tests), report)
}

/// A value is what the argument must equal, a list what it must be one of, a section its operators.
fn test(path: &str, node: &Node, report: &Report) -> Option<Test> {
    let operators = match &node.value {
        Kind::Broken => return None,
        Kind::List(_) => vec![Operator::one_of(values(node)).map_err(|bad| (node.place, bad))],
        Kind::Nothing | Kind::Text(..) => vec![Ok(Operator::equals(value(node)))],
        Kind::Map(members) => {
            members.iter().filter_map(|(name, node)| operator(path, name, node, report)).collect()
        }
    };
    let mut good = Vec::new();
    let count = operators.len();
    for operator in operators {
        match operator {
            Ok(operator) => good.push(operator),
            Err((place, bad)) => report.error(place, format!("{}: {bad}", quoted(path)), bad.hint()),
        }
    }
    let written = match &node.value {
        Kind::Map(members) => members.len(),
        Kind::Broken | Kind::Nothing | Kind::Text(..) | Kind::List(_) => count,
    };
    if good.len() < written {
        return None;
    }
    said(node.place, Test::new(good), report)
}

/// The words of operators.
pub(super) const OPERATORS: &[(&str, &str)] = &[
    ("equals", "Is this value."),
    ("one_of", "Is one of these values."),
    ("not_equals", "Is another value of the same type."),
    ("none_of", "Is none of these values."),
    ("at_least", "Is a number that is not smaller."),
    ("at_most", "Is a number that is not greater."),
    ("above", "Is a greater number."),
    ("below", "Is a smaller number."),
    ("matches", "Is a text that this regular expression (RE2) matches from beginning to end."),
    ("contains_match", "Is a text in which this regular expression (RE2) matches somewhere."),
    ("contains", "Is a text with this text in it, or a list with this element."),
    ("present", "Is there (`true`), or is not (`false`)."),
    (
        "length",
        "Is a text, list or section of so many characters, elements or members: `at_least`, `at_most`.",
    ),
    ("type", "Is of this JSON type; `integer` is a number without a fraction."),
    ("cidr", "Is an IP address in one of these networks."),
    ("hostname", "Is one of these host names; `*.example.com` stands for every name below."),
    ("url", "Is a web address: `schemes`, `hosts`, `ports`."),
    (
        "path",
        "Is a path that stays `inside` one of these folders, however it is written. `aliases` says where links lead.",
    ),
    ("email", "Is one mail address at one of these `domains`."),
    ("repo", "Is a repository that `allow` matches, as `owner/name`, or as an address at `host`."),
    ("sql", "Is one SQL statement: `dialect`, `statements`, `tables`, `functions`."),
    ("shell", "Is one simple command, without anything a shell would expand, of one of these `programs`."),
];

type Read = Result<Operator, (Place, BadTest)>;

fn operator(path: &str, name: &At<String>, node: &Node, report: &Report) -> Option<Read> {
    let place = node.place;
    let path = format!("{path}.{}", name.value);
    let bad = |bad| (place, bad);
    Some(match name.value.as_str() {
        "equals" => Ok(Operator::equals(value(node))),
        "not_equals" => Ok(Operator::not_equals(value(node))),
        "contains" => Ok(Operator::contains(value(node))),
        "one_of" => list(&path, node, report).map(|node| Operator::one_of(values(node)).map_err(bad))?,
        "none_of" => list(&path, node, report).map(|node| Operator::none_of(values(node)).map_err(bad))?,
        "at_least" => number(&path, node, report)?.map(Operator::at_least).map_err(bad),
        "at_most" => number(&path, node, report)?.map(Operator::at_most).map_err(bad),
        "above" => number(&path, node, report)?.map(Operator::above).map_err(bad),
        "below" => number(&path, node, report)?.map(Operator::below).map_err(bad),
        "matches" => Operator::matches(&section::text(&path, node, report)?.value).map_err(bad),
        "contains_match" => Operator::contains_match(&section::text(&path, node, report)?.value).map_err(bad),
        "present" => {
            let text = section::text(&path, node, report)?;
            let present = section::word(&quoted(&path), &text, &[("true", true), ("false", false)], report)?;
            Ok(if present { Operator::present() } else { Operator::absent() })
        }
        "length" => {
            let section = Section::open(&path, node, report)?;
            let [least, most] =
                ["at_least", "at_most"].map(|key| section.text(key).map(|text| whole(&text, report)));
            section.close();
            Operator::length(least.flatten(), most.flatten()).map_err(bad)
        }
        "type" => {
            ValueType::parse(&section::text(&path, node, report)?.value).map(Operator::of_type).map_err(bad)
        }
        "cidr" => Networks::new(&plain_texts(&path, node, report)?).map(Operator::cidr).map_err(bad),
        "hostname" => Hosts::new(&plain_texts(&path, node, report)?).map(Operator::hostname).map_err(bad),
        "url" => {
            let section = Section::open(&path, node, report)?;
            let [schemes, hosts] = ["schemes", "hosts"].map(|key| plain(&section, key));
            let ports: Option<Vec<u16>> = section.texts("ports").map(|ports| {
                let port = |text: &At<String>| whole(text, report).and_then(|port| u16::try_from(port).ok());
                ports.value.iter().map(|text| port(text).unwrap_or(0)).collect()
            });
            section.close();
            UrlTest::new(schemes.as_deref(), hosts.as_deref(), ports.as_deref())
                .map(Operator::url)
                .map_err(bad)
        }
        "path" => {
            let section = Section::open(&path, node, report)?;
            let inside = plain(&section, "inside").unwrap_or_default();
            let aliases = section.named("aliases").unwrap_or_default().iter();
            let alias = |(link, node): &(At<String>, Node)| {
                Some((link.value.clone(), section::text(&link.value, node, report)?.value))
            };
            let aliases: Vec<(String, String)> = aliases.filter_map(alias).collect();
            section.close();
            PathTest::new(&inside, &aliases).map(Operator::path).map_err(bad)
        }
        "email" => {
            let section = Section::open(&path, node, report)?;
            let domains = plain(&section, "domains").unwrap_or_default();
            section.close();
            Operator::email(domains).map_err(bad)
        }
        "repo" => {
            let section = Section::open(&path, node, report)?;
            let allow = plain(&section, "allow").unwrap_or_default();
            let host = section.text("host").map(|host| host.value);
            section.close();
            RepoTest::new(&allow, host.as_deref()).map(Operator::repo).map_err(bad)
        }
        "sql" => {
            let section = Section::open(&path, node, report)?;
            let dialect = section.text("dialect").map_or(Ok(Dialect::Generic), |text| {
                Dialect::parse(&text.value).map_err(|bad| (text.place, bad))
            });
            let [statements, tables, functions] =
                ["statements", "tables", "functions"].map(|key| plain(&section, key));
            section.close();
            dialect.and_then(|dialect| {
                SqlTest::new(dialect, statements.as_deref(), tables.as_deref(), functions.as_deref())
                    .map(Operator::sql)
                    .map_err(bad)
            })
        }
        "shell" => {
            let section = Section::open(&path, node, report)?;
            let programs = plain(&section, "programs").unwrap_or_default();
            section.close();
            Operator::shell(programs).map_err(bad)
        }
        unknown => {
            let known: Vec<&str> = OPERATORS.iter().map(|(word, _)| *word).collect();
            let hint = format!("{}known tests: {}", super::error::perhaps(unknown, &known), known.join(", "));
            report.error(name.place, format!("unknown test {}", quoted(unknown)), hint);
            return None;
        }
    })
}

fn number(path: &str, node: &Node, report: &Report) -> Option<Result<Decimal, BadTest>> {
    Some(Decimal::parse(&section::text(path, node, report)?.value))
}

fn whole(text: &At<String>, report: &Report) -> Option<u64> {
    let number = text.value.parse().ok();
    if number.is_none() {
        report.error(
            text.place,
            format!("{} is not a whole number", quoted(&text.value)),
            "write digits alone",
        );
    }
    number
}

/// A value to compare with. What is written in quotes is a text; `5`, `true` and `null` without them are what they look
/// like.
fn value(node: &Node) -> Value {
    match &node.value {
        Kind::Broken | Kind::Nothing => Value::Null,
        Kind::Text(text, Style::Quoted) => Value::Text(text.clone()),
        Kind::Text(text, Style::Plain) => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Decimal::parse(text).map_or_else(|_| Value::Text(text.to_owned()), Value::Number),
        },
        Kind::List(_) => Value::Array(values(node)),
        Kind::Map(members) => {
            Value::Object(members.iter().map(|(key, node)| (key.value.clone(), value(node))).collect())
        }
    }
}

fn values(node: &Node) -> Vec<Value> {
    match &node.value {
        Kind::List(items) => items.iter().map(value).collect(),
        Kind::Broken | Kind::Nothing | Kind::Text(..) | Kind::Map(_) => Vec::new(),
    }
}

fn list<'n>(path: &str, node: &'n Node, report: &Report) -> Option<&'n Node> {
    if matches!(node.value, Kind::List(_)) {
        return Some(node);
    }
    report.error(
        node.place,
        format!("{} must be a list, not {}", quoted(path), node.value.word()),
        "write `[first, second]`",
    );
    None
}

fn texts(path: &str, node: &Node, report: &Report) -> Option<Vec<At<String>>> {
    let Kind::List(items) = &list(path, node, report)?.value else { return None };
    Some(items.iter().filter_map(|item| section::text(path, item, report)).collect())
}

fn plain_texts(path: &str, node: &Node, report: &Report) -> Option<Vec<String>> {
    Some(texts(path, node, report)?.into_iter().map(|text| text.value).collect())
}

fn plain(section: &Section<'_>, key: &'static str) -> Option<Vec<String>> {
    Some(section.texts(key)?.value.into_iter().map(|text| text.value).collect())
}

fn limits(section: &Section<'_>, report: &Report) -> Vec<Limit> {
    let Some(node) = section.take("limits") else { return Vec::new() };
    let path = section.name("limits");
    let Some(Kind::List(items)) = list(&path, node, report).map(|node| &node.value) else {
        return Vec::new();
    };
    items
        .iter()
        .enumerate()
        .filter_map(|(number, item)| limit(&format!("{path}[{number}]"), item, report))
        .collect()
}

fn limit(path: &str, node: &Node, report: &Report) -> Option<Limit> {
    if let Kind::Text(text, _) = &node.value {
        return match Limit::parse(text) {
            Ok(limit) => Some(limit),
            Err(bad) => {
                report.error(node.place, bad.to_string(), bad.hint());
                None
            }
        };
    }
    let section = Section::open(path, node, report)?;
    let place = section.place();
    let has = |key: &str| section.has(key);
    let keys = (has("calls"), has("sum"), has("concurrent"), has("per"), has("at_most"));
    let [calls, sum, concurrent, per, at_most, by] =
        ["calls", "sum", "concurrent", "per", "at_most", "by"].map(|key| section.text(key));
    section.close();
    let read = || -> Result<Limit, BadLimit> {
        let by = by.as_ref().map_or(Ok(By::default()), |by| By::parse(&by.value))?;
        let window = || Window::parse(per.as_ref().map_or("", |per| per.value.as_str()));
        let count = |text: &At<String>| text.value.parse().map_err(|_| BadLimit::Count(text.value.clone()));
        match (keys, &calls, &sum, &concurrent) {
            ((true, false, false, true, false), Some(calls), ..) => {
                Limit::calls(count(calls)?, window()?, by)
            }
            ((false, true, false, true, true), _, Some(argument), _) => {
                let most = at_most.as_ref().map_or("", |most| most.value.as_str());
                Limit::sum(&argument.value, most, window()?, by)
            }
            ((false, false, true, false, false), .., Some(concurrent)) => {
                Limit::concurrent(count(concurrent)?, by)
            }
            _ => Err(BadLimit::Form(path.to_owned())),
        }
    };
    if let Some(argument) = &sum {
        said(argument.place, Selector::parse(&argument.value), report)?;
    }
    match read() {
        Ok(limit) => Some(limit),
        Err(BadLimit::Form(_)) => {
            let hint = "write `5/hour`, `{ calls: 5, per: hour }`, `{ sum: argument, at_most: \"500.00\", per: day }` or \
                        `{ concurrent: 2 }`, each with `by` where needed";
            report.error(place, format!("{} is not one limit", quoted(path)), hint);
            None
        }
        Err(bad) => {
            report.error(place, bad.to_string(), bad.hint());
            None
        }
    }
}

fn said<T>(place: Place, read: Result<T, BadTest>, report: &Report) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(bad) => {
            report.error(place, bad.to_string(), bad.hint());
            None
        }
    }
}

//! A configuration in its one normal form: the same decisions, whatever it was written like. So that two can be compared
//! line by line.
//!
//! It changes the tree that was read, not what was made of it: everything that decides stays as the operator wrote it.

use std::cmp::Ordering;

use lockgate_policy::test::Decimal;

use super::error::{At, Place};
use super::server;
use super::yaml::{Kind, Node, Style};

/// Columns of a line, beyond which what stands in it gets lines of its own.
const WIDTH: usize = 100;
/// Sections down to this depth always have lines of their own: `servers`, a server, its tools.
const OPEN: usize = 3;

/// The text of a configuration that was read without errors. What is written in clear where a secret may stand is left
/// out: the name of a variable stands for it.
pub(super) fn normal(root: &Node) -> String {
    let members = each(root, |key, node| match key {
        "environment" | "environments" => None,
        "servers" => Some(map(each(node, |name, node| Some(server(name, node))))),
        "principals" => Some(map(each(node, |name, node| {
            Some(map(each(node, |key, node| {
                Some(if key == "tenant" { node.clone() } else { secret(node, &["principals", name, key]) })
            })))
        }))),
        "roles" => Some(map(each(node, |_, node| Some(set(node))))),
        "classes" => Some(map(each(node, |_, node| Some(rule(node, true))))),
        "flow" => Some(map(each(node, |key, node| {
            Some(match key {
                "identities" | "known_destinations" => set(node),
                "user_turns" => map(each(node, |_, node| Some(set(node)))),
                _ => guarded(node, &["flow", key]),
            })
        }))),
        _ => Some(guarded(node, &[key])),
    });
    let mut out = String::new();
    block(&mut out, &members, 0);
    out
}

type Members = Vec<(String, Node)>;

fn server(name: &str, node: &Node) -> Node {
    map(each(node, |key, node| {
        let secrets = || map(each(node, |of, node| Some(secret(node, &["servers", name, key, of]))));
        Some(match key {
            "tools" | "resources" | "prompts" => map(each(node, |_, node| Some(rules(node)))),
            // The first pattern that matches counts: their order has a meaning.
            "effects" | "classes" => node.clone(),
            "arguments" => meanings(node),
            "clearance" => clearance(node),
            "env" | "headers" => secrets(),
            "command" => command(name, node),
            "url" => url(name, node),
            "may_ask" | "compartments" => set(node),
            _ => sorted(node),
        })
    }))
}

/// The order of patterns has a meaning, that of arguments has none.
fn meanings(node: &Node) -> Node {
    let Kind::Map(members) = &node.value else { return node.clone() };
    map(members.iter().map(|(pattern, node)| (pattern.value.clone(), sorted(node))).collect())
}

fn clearance(node: &Node) -> Node {
    let members = each(node, |_, node| Some(set(node)));
    match members.as_slice() {
        [] => node.clone(),
        [(key, level)] if key == "level" => level.clone(),
        _ => map(members),
    }
}

fn rules(node: &Node) -> Node {
    let Kind::List(items) = &node.value else { return rule(node, true) };
    match items.as_slice() {
        [only] => rule(only, true),
        items => list(ordered(items.iter().map(|item| rule(item, false)).collect())),
    }
}

/// A rule, or what is done with a class. `short`: may it be an action alone?
fn rule(node: &Node, short: bool) -> Node {
    let Kind::Map(_) = &node.value else { return node.clone() };
    let mut members = each(node, |key, node| match key {
        "approvers" if is(node, "1") => None,
        "for" => Some(set(node)),
        "during" => Some(during(node)),
        "require" => Some(conditions(node)),
        "deny_if" | "ask_if" => Some(list(unique(items(node).iter().map(conditions).collect()))),
        "limits" => Some(list(ordered(items(node).iter().map(limit).collect()))),
        _ => Some(node.clone()),
    });
    let allows = |(key, node): &(String, Node)| key == "action" && is(node, "allow");
    if members.len() > 1 {
        members.retain(|member| !allows(member));
    } else if members.is_empty() {
        members.push(("action".to_owned(), text("allow")));
    }
    match members.as_slice() {
        [(key, action)] if key == "action" && short => action.clone(),
        _ => map(members),
    }
}

fn during(node: &Node) -> Node {
    map(each(node, |key, node| match key {
        "days" => {
            let known = lockgate_policy::DAYS;
            let days = known.iter().filter(|day| items(node).iter().any(|item| is(item, day)));
            let days: Vec<Node> = days.map(|day| text(day)).collect();
            (days.len() < known.len()).then(|| list(days))
        }
        "from" if is(node, "00:00") => None,
        "to" if is(node, "24:00") => None,
        "utc_offset" if ["Z", "+00:00", "-00:00"].iter().any(|zero| is(node, zero)) => None,
        _ => Some(node.clone()),
    }))
}

fn conditions(node: &Node) -> Node {
    map(each(node, |_, node| Some(test(node))))
}

fn test(node: &Node) -> Node {
    let operators = match &node.value {
        Kind::List(items) => return list(unique(items.iter().map(sorted).collect())),
        Kind::Map(_) => each(node, |word, node| Some(operator(word, node))),
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) => return node.clone(),
    };
    match operators.as_slice() {
        [(word, value)] if word == "equals" && !matches!(value.value, Kind::Map(_) | Kind::List(_)) => {
            value.clone()
        }
        [(word, values)] if word == "one_of" => values.clone(),
        _ => map(operators),
    }
}

fn operator(word: &str, node: &Node) -> Node {
    match word {
        "one_of" | "none_of" => list(unique(items(node).iter().map(sorted).collect())),
        "equals" | "not_equals" | "contains" => sorted(node),
        "at_least" | "at_most" | "above" | "below" => plain(node),
        "cidr" | "hostname" => set(node),
        "sql" | "url" | "path" | "email" | "repo" | "shell" | "length" => {
            map(each(node, |key, node| match key {
                "dialect" if is(node, "generic") => None,
                "aliases" => Some(sorted(node)),
                _ => Some(set(&plain(node))),
            }))
        }
        _ => node.clone(),
    }
}

fn limit(node: &Node) -> Node {
    let members = each(node, |key, node| match key {
        "by" if is(node, "everyone") => None,
        _ => Some(plain(node)),
    });
    match members.as_slice() {
        [] => node.clone(),
        [(calls, At { value: Kind::Text(count, _), .. }), (per, At { value: Kind::Text(window, _), .. })]
            if calls == "calls" && per == "per" =>
        {
            text(&format!("{count}/{window}"))
        }
        _ => map(members),
    }
}

/// Where else a secret may stand; `*` is any name.
const SECRETS: &[&[&str]] = &[
    &["admin", "tokens", "*"],
    &["approvals", "webhook", "secret"],
    &["approvals", "webhook", "url"],
    &["alerts", "channels", "*", "webhook", "secret"],
    &["alerts", "channels", "*", "webhook", "url"],
    &["alerts", "channels", "*", "slack"],
    &["alerts", "channels", "*", "email", "password"],
    &["flow", "hook", "key"],
    &["telemetry", "otlp", "headers", "*"],
    &["records", "publish", "webhook"],
];

/// A section, sorted, with its secrets left out.
fn guarded(node: &Node, path: &[&str]) -> Node {
    let at = |place: &[&str]| {
        place.len() == path.len() && place.iter().zip(path).all(|(known, key)| *known == "*" || known == key)
    };
    match &node.value {
        Kind::Map(_) => map(each(node, |key, node| Some(guarded(node, &[path, &[key]].concat())))),
        Kind::Text(..) if SECRETS.iter().any(|place| at(place)) => secret(node, path),
        Kind::Text(..) | Kind::List(_) | Kind::Broken | Kind::Nothing | Kind::Null => sorted(node),
    }
}

/// A text that refers to variables stays; one in clear is left out.
fn secret(node: &Node, path: &[&str]) -> Node {
    let Kind::Text(written, _) = &node.value else { return node.clone() };
    if written.contains("${") { node.clone() } else { text(&variable(path)) }
}

fn command(name: &str, node: &Node) -> Node {
    let Kind::List(words) = &node.value else { return node.clone() };
    let written = || words.iter().map(|word| if let Kind::Text(text, _) = &word.value { text } else { "" });
    let shown = server::shown_words(written());
    let word = |(count, (written, shown)): (usize, (&str, String))| {
        let number = count.to_string();
        let secret = written != shown && !written.contains("${");
        text(&if secret {
            shown.replace("***", &variable(&["servers", name, "command", &number]))
        } else {
            written.to_owned()
        })
    };
    list(written().zip(shown).enumerate().map(word).collect())
}

fn url(name: &str, node: &Node) -> Node {
    let Kind::Text(url, _) = &node.value else { return node.clone() };
    let secret = !url.contains("${") && server::without_secrets(url) != *url;
    if secret { text(&variable(&["servers", name, "url"])) } else { node.clone() }
}

/// The name of a variable for what stands there.
fn variable(path: &[&str]) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("${{{}}}", path.join("_").chars().map(letter).collect::<String>())
}

/// Every member, changed or left out, by name.
fn each(node: &Node, change: impl Fn(&str, &Node) -> Option<Node>) -> Members {
    let Kind::Map(members) = &node.value else { return Members::new() };
    let mut members: Members = members
        .iter()
        .filter_map(|(key, node)| Some((key.value.clone(), change(&key.value, node)?)))
        .collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members
}

/// With the members of all sections by name. Lists stay as they are.
fn sorted(node: &Node) -> Node {
    match &node.value {
        Kind::Map(_) => map(each(node, |_, node| Some(sorted(node)))),
        Kind::List(items) => list(items.iter().map(sorted).collect()),
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) => node.clone(),
    }
}

/// A list whose order has no meaning.
fn set(node: &Node) -> Node {
    let Kind::List(items) = &node.value else { return node.clone() };
    list(unique(items.iter().map(plain).collect()))
}

/// A text where quotes have no meaning, without them.
fn plain(node: &Node) -> Node {
    let Kind::Text(written, _) = &node.value else { return node.clone() };
    if is_word(written) { text(written) } else { node.clone() }
}

fn ordered(mut items: Vec<Node>) -> Vec<Node> {
    items.sort_by(by_text);
    items
}

fn unique(items: Vec<Node>) -> Vec<Node> {
    let mut items = ordered(items);
    items.dedup_by(|a, b| by_text(a, b).is_eq());
    items
}

fn by_text(a: &Node, b: &Node) -> Ordering {
    flow(a).cmp(&flow(b))
}

fn items(node: &Node) -> &[Node] {
    if let Kind::List(items) = &node.value { items } else { &[] }
}

fn is(node: &Node, word: &str) -> bool {
    matches!(&node.value, Kind::Text(text, _) if text == word)
}

fn text(text: &str) -> Node {
    At { value: Kind::Text(text.to_owned(), Style::Plain), place: Place::default() }
}

fn list(items: Vec<Node>) -> Node {
    At { value: Kind::List(items), place: Place::default() }
}

fn map(members: Members) -> Node {
    let key = |name| At { value: name, place: Place::default() };
    let members = members.into_iter().map(|(name, node)| (key(name), node)).collect();
    At { value: Kind::Map(members), place: Place::default() }
}

/// Writes the members of a section, a line each where it has the room.
fn block(out: &mut String, members: &[(String, Node)], depth: usize) {
    let inset = "  ".repeat(depth);
    for (key, node) in members {
        let head = format!("{inset}{}:", scalar(key, Style::Quoted));
        member(out, &head, node, depth);
    }
}

fn member(out: &mut String, head: &str, node: &Node, depth: usize) {
    let line = flow(node);
    let fits = head.chars().count() + 1 + line.chars().count() <= WIDTH;
    match &node.value {
        Kind::Map(below) if !below.is_empty() && (depth < OPEN || !fits) => {
            out.extend([head, "\n"]);
            let below: Members = below.iter().map(|(key, node)| (key.value.clone(), node.clone())).collect();
            block(out, &below, depth + 1);
        }
        Kind::List(items) if !items.is_empty() && !fits => {
            out.extend([head, "\n"]);
            for item in items {
                out.extend(["  ".repeat(depth + 1).as_str(), "- ", &flow(item), "\n"]);
            }
        }
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) | Kind::List(_) | Kind::Map(_) => {
            out.extend([head, " ", &line, "\n"]);
        }
    }
}

/// In one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Kind::Broken | Kind::Nothing => String::new(),
        Kind::Null => "null".to_owned(),
        Kind::Text(text, style) => scalar(text, *style),
        Kind::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Kind::Map(members) if members.is_empty() => "{}".to_owned(),
        Kind::Map(members) => {
            let one = |(key, node): &(At<String>, Node)| {
                format!("{}: {}", scalar(&key.value, Style::Quoted), flow(node))
            };
            format!("{{ {} }}", members.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}

/// In quotes where they are needed: a text in quotes that would be a number, a boolean or nothing without them keeps
/// them.
fn scalar(text: &str, style: Style) -> String {
    let other = matches!(text, "true" | "false" | "null" | "Null" | "NULL") || Decimal::parse(text).is_ok();
    if is_word(text) && (style == Style::Plain || !other) {
        return text.to_owned();
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Does it mean the same with and without quotes, wherever it stands and whoever reads it, but for numbers, booleans and
/// nothing?
fn is_word(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    let Some(first) = chars.next() else { return false };
    // `08:00` is 480 to some readers.
    let colons = first.is_ascii_alphabetic();
    let mut rest = std::iter::from_fn(|| Some((chars.next()?, chars.peek().copied())));
    (first.is_ascii_alphanumeric() || "/_".contains(first) || Decimal::parse(text).is_ok())
        && rest.all(|(c, next)| match c {
            ':' => colons && next.is_some_and(|next| next.is_ascii_alphanumeric()),
            c => c.is_ascii_alphanumeric() || "/_-.@+".contains(c),
        })
}

//! What in the file can have no effect on the tools that are there.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_core::Server;
use lockgate_policy::budget::Limit;
use lockgate_policy::test::Selector;
use lockgate_policy::{Pattern, Rule};
use serde_json::Value;

use super::{Answered, Tool};
use crate::config::{Launch, perhaps, quoted};

/// Keys of a schema under which arguments can be defined that are not looked for.
const ELSEWHERE: [&str; 10] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "patternProperties",
    "dependentSchemas",
];

/// Most names in a hint.
const NAMES: usize = 8;

/// One thing the operator can fix.
pub(super) struct Finding {
    /// Where it stands in the file; the server where that cannot be asked.
    pub(super) place: String,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Everything that is wrong with one server.
pub(super) fn find(answered: &Answered<'_>) -> Vec<Finding> {
    let (name, server) = (answered.name, answered.server);
    let tools = match &answered.tools {
        Ok(tools) => tools,
        Err(error) => {
            return vec![Finding {
                place: format!("servers.{name}"),
                message: format!(
                    "the server {} cannot be asked for its tools: {error}",
                    quoted(name.as_str())
                ),
                hint: match answered.launch {
                    Launch::Command { .. } => {
                        "does its command run by itself? What it complains of stands above"
                    }
                    Launch::Http { .. } => "does it run, and are its address and headers right?",
                }
                .to_owned(),
            }];
        }
    };
    let mut found = Vec::new();
    let said = server.effects.iter().map(|(pattern, _)| ("effects", pattern));
    let said = said.chain(server.classes.iter().map(|(pattern, _)| ("classes", pattern)));
    let said = said.chain(meant(server).into_keys().map(|pattern| ("arguments", pattern)));
    for (section, pattern) in server.rules.tools.iter().map(|(pattern, _)| ("tools", pattern)).chain(said) {
        if !tools.iter().any(|tool| pattern.matches(&tool.name)) {
            let place = format!("servers.{name}.{section}.{pattern}");
            let message = format!("{} matches no tool of the server", quoted(&place));
            found.push(Finding { place, message, hint: nearest(pattern, tools) });
        }
    }
    for (pattern, rules) in server.rules.tools.iter() {
        let tested = rules.iter().flat_map(arguments).collect();
        found.extend(untaken(tools, pattern, ("tests", &format!("servers.{name}.tools.{pattern}")), tested));
    }
    for (pattern, named) in meant(server) {
        let place = format!("servers.{name}.arguments.{pattern}");
        found.extend(untaken(tools, pattern, ("names", &place), named));
    }
    found
}

/// The arguments that the operator says the meaning of, by pattern.
fn meant(server: &Server) -> BTreeMap<&Pattern, BTreeSet<&str>> {
    let mut meant: BTreeMap<&Pattern, BTreeSet<&str>> = BTreeMap::new();
    for (pattern, argument, _) in &server.roles {
        meant.entry(pattern).or_default().insert(argument);
    }
    meant
}

/// Which of these arguments no tool takes that the pattern matches.
fn untaken(
    tools: &[Tool],
    pattern: &Pattern,
    (does, place): (&str, &str),
    arguments: BTreeSet<&str>,
) -> Vec<Finding> {
    let matching: Vec<&Tool> = tools.iter().filter(|tool| pattern.matches(&tool.name)).collect();
    let taken = |argument: &str| matching.iter().any(|tool| takes(&tool.schema, &steps(argument)));
    let known = names(&matching);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let what = if matching.len() == 1 { "which the tool does not take" } else { "which no tool takes" };
    let missing = arguments.into_iter().filter(|argument| !matching.is_empty() && !taken(argument));
    let finding = |argument: &str| Finding {
        place: place.to_owned(),
        message: format!("{} {does} the argument {}, {what}", quoted(place), quoted(argument)),
        hint: if known.is_empty() {
            "it takes no arguments".to_owned()
        } else {
            format!("{}there is {}", perhaps(argument.trim_start_matches('/'), &known), listed(&known))
        },
    };
    missing.map(finding).collect()
}

/// The arguments that a rule looks at, as written.
fn arguments(rule: &Rule) -> impl Iterator<Item = &str> {
    let conditions = rule.require.iter().chain(&rule.deny_if).chain(&rule.ask_if);
    let tested = conditions.flat_map(|conditions| conditions.iter().map(|(selector, _)| selector));
    tested.chain(rule.limits.iter().filter_map(Limit::argument)).map(Selector::as_str)
}

/// The steps of a selector: one name, or the members of a pointer.
fn steps(selector: &str) -> Vec<String> {
    match selector.strip_prefix('/') {
        None => vec![selector.to_owned()],
        Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
    }
}

/// Can the schema take such an argument? Only where its properties are listed, and all in one place, is it said not to.
fn takes(schema: &Value, steps: &[String]) -> bool {
    let (Some((step, rest)), Some(schema)) = (steps.split_first(), schema.as_object()) else { return true };
    let open = schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    if open || ELSEWHERE.iter().any(|key| schema.contains_key(*key)) {
        return true;
    }
    let element = schema.get("items").filter(|_| step == "*" || step.parse::<usize>().is_ok());
    if let Some(element) = element {
        return takes(element, rest);
    }
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) if step == "*" => properties.values().any(|property| takes(property, rest)),
        Some(properties) => properties.get(step).is_some_and(|property| takes(property, rest)),
        None => schema.get("additionalProperties").is_none(),
    }
}

/// The names of the arguments of these tools that can be seen in a message.
fn names(tools: &[&Tool]) -> Vec<String> {
    let properties = |tool: &&Tool| tool.schema.get("properties").and_then(Value::as_object).cloned();
    let all: BTreeSet<String> = tools
        .iter()
        .filter_map(properties)
        .flat_map(|properties| properties.into_iter().map(|(name, _)| name))
        .collect();
    all.into_iter().filter(|name| plain(name)).collect()
}

/// What was probably meant by a pattern that matches nothing.
fn nearest(pattern: &Pattern, tools: &[Tool]) -> String {
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).filter(|name| plain(name)).collect();
    if names.is_empty() {
        return "it offers no tools".to_owned();
    }
    if pattern.is_exact() {
        return format!("{}there is {}", perhaps(pattern.as_str(), &names), listed(&names));
    }
    let length = pattern.prefix().chars().count();
    let lengths = length.saturating_sub(1)..=length + 1;
    let cut = |length: usize| names.iter().map(move |name| name.chars().take(length.max(1)).collect());
    let beginnings: BTreeSet<String> = lengths.flat_map(cut).collect();
    let beginnings: Vec<&str> = beginnings.iter().map(String::as_str).collect();
    let meant = perhaps(pattern.prefix(), &beginnings).replace("`? ", "*`? ");
    format!("{meant}there is {}", listed(&names))
}

/// A name that shows as what it is: names of servers and arguments are text of a server.
fn plain(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b'`')
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMES) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_argument_is_missing_only_where_that_is_certain() {
        let schema = json!({ "type": "object", "properties": {
            "a": { "type": "string" },
            "o": { "type": "object", "properties": { "mode": {}, "a/b": {} } },
            "l": { "type": "array", "items": { "type": "object", "properties": { "x": {} } } },
            "free": { "type": "object" },
            "either": { "anyOf": [{ "properties": { "y": {} } }] },
            "closed": { "type": "object", "additionalProperties": false }
        } });
        for (argument, there) in [
            ("a", true),
            ("b", false),
            ("o", true),
            ("/o/mode", true),
            ("/o/a~1b", true),
            ("/o/made", false),
            ("/o/*", true),
            ("/l/*/x", true),
            ("/l/0/x", true),
            ("/l/*/y", false),
            ("/free/any", true),
            ("/either/z", true),
            ("/closed/z", false),
            ("o/mode", false),
        ] {
            assert_eq!(takes(&schema, &steps(argument)), there, "{argument}");
        }
        for open in [
            json!({}),
            json!(true),
            json!({ "type": "object", "additionalProperties": true, "properties": {} }),
        ] {
            assert!(takes(&open, &steps("b")), "{open}");
        }
    }
}

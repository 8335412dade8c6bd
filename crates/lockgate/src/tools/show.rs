//! Tools and findings, for people and for machines.

use std::fmt::Write;

use lockgate_flow::Role;
use lockgate_model::{Classified, Untrusted};
use serde_json::{Map, Value, json};

use super::find::Finding;
use super::{Answered, Argument, HINTS, Ruled, Tool};

/// Most characters of a tool's name that are shown.
const NAME: usize = 128;

/// Longest line, in characters; hints that do not fit stand on a line of their own.
const WIDTH: usize = 80;

/// For people.
pub(super) fn text(answered: &[Answered<'_>], findings: &[Finding]) -> String {
    let mut out = String::new();
    let (mut conditional, mut several) = (false, false);
    for answered in answered {
        section(&mut out, answered);
        conditional |= tools(answered).iter().any(|tool| tool.ruled.conditional);
        several |= tools(answered).iter().any(|tool| tool.ruled.approvers > 1);
        out.push('\n');
    }
    if several {
        line(&mut out, "(2) so many different people must approve where a call is held");
    }
    if conditional {
        line(&mut out, "* depends on who asks, when, how often, or with which arguments");
    }
    if (several || conditional) && !findings.is_empty() {
        out.push('\n');
    }
    for finding in findings {
        line(&mut out, &format!("error: {}\n  hint: {}", finding.message, finding.hint));
    }
    out
}

/// For machines.
pub(super) fn json(answered: &[Answered<'_>], findings: &[Finding]) -> Value {
    let servers: Map<String, Value> = answered
        .iter()
        .map(|answered| {
            let server = json!({
                "tier": answered.server.trust.tier.word(),
                "default": answered.server.rules.default.word(),
                "error": answered.tools.as_ref().err().map(ToString::to_string),
                "tools": tools(answered).iter().map(tool_json).collect::<Vec<_>>(),
            });
            (answered.name.to_string(), server)
        })
        .collect();
    let finding = |finding: &Finding| json!({ "place": finding.place, "message": finding.message, "hint": finding.hint });
    json!({ "servers": servers, "findings": findings.iter().map(finding).collect::<Vec<_>>() })
}

fn tool_json(tool: &Tool) -> Value {
    let (by, word) = tool.class.sign.parts();
    let hints: Map<String, Value> =
        tool.hints.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({
        "name": tool.name,
        "class": tool.class.class.word(),
        "because": { "by": by, "word": word },
        "effect": tool.effect.word(),
        "arguments": tool.arguments.iter().map(argument_json).collect::<Map<String, Value>>(),
        "hints": hints,
        "rules": {
            "action": tool.ruled.action.word(),
            "conditional": tool.ruled.conditional,
            "approvers": tool.ruled.approvers,
            "rule": tool.ruled.rule,
        },
    })
}

fn argument_json(argument: &Argument) -> (String, Value) {
    let because = argument.because.map(|(by, word)| json!({ "by": by, "word": word }));
    (argument.name.clone(), json!({ "role": argument.role.word(), "because": because }))
}

fn tools<'a>(answered: &'a Answered<'_>) -> &'a [Tool] {
    answered.tools.as_deref().unwrap_or_default()
}

fn section(out: &mut String, answered: &Answered<'_>) {
    let server = answered.server;
    let tools = tools(answered);
    let count = match (&answered.tools, tools.len()) {
        (Err(_), _) => "cannot be asked".to_owned(),
        (Ok(_), 1) => "1 tool".to_owned(),
        (Ok(_), count) => format!("{count} tools"),
    };
    line(
        out,
        &format!(
            "{}: {count}, tier {}, default {}",
            answered.name,
            server.trust.tier.word(),
            server.rules.default.word()
        ),
    );
    if tools.is_empty() {
        return;
    }
    let head = ["tool", "class", "effect", "rules", "why"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(tools.iter().map(row)).collect();
    let widths: Vec<usize> = (0..5)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0))
        .collect();
    let below = std::iter::once((String::new(), Vec::new()));
    let below = below.chain(tools.iter().map(|tool| (hints(tool), roles(tool))));
    for (row, (hints, roles)) in rows.iter().zip(below) {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let cells = cells.join("  ");
        if cells.len() + hints.len() + 4 <= WIDTH {
            line(out, &format!("  {cells}  {hints}"));
        } else {
            line(out, &format!("  {cells}"));
            line(out, &format!("      {hints}"));
        }
        for roles in roles {
            line(out, &format!("      {roles}"));
        }
    }
}

fn row(tool: &Tool) -> [String; 5] {
    [
        Untrusted::new(&tool.name).escaped(NAME),
        tool.class.class.word().to_owned(),
        tool.effect.word().to_owned(),
        ruled(&tool.ruled),
        why(tool.class),
    ]
}

fn ruled(ruled: &Ruled) -> String {
    let people = if ruled.approvers > 1 { format!(" ({})", ruled.approvers) } else { String::new() };
    format!("{}{people}{}", ruled.action.word(), if ruled.conditional { "*" } else { "" })
}

fn why(class: Classified) -> String {
    match class.sign.parts() {
        (by, Some(word)) => format!("{by}: {word}"),
        (by, None) => format!("{by}: no known word"),
    }
}

fn hints(tool: &Tool) -> String {
    let one = |(key, value): &(&'static str, bool)| {
        let word = HINTS.iter().find(|(known, _)| known == key).map_or(*key, |(_, word)| word);
        if *value { word.to_owned() } else { format!("not {word}") }
    };
    let said: Vec<String> = tool.hints.iter().map(one).collect();
    if said.is_empty() { String::new() } else { format!("says {}", said.join(", ")) }
}

/// What the arguments mean, those that decide most first; in as many lines as are needed.
fn roles(tool: &Tool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for role in Role::ALL.into_iter().rev() {
        let same = tool.arguments.iter().filter(|argument| argument.role == role);
        let names: Vec<String> = same.map(named).collect();
        if names.is_empty() {
            continue;
        }
        let part = format!("{}: {}", role.word(), names.join(", "));
        match lines.last_mut() {
            Some(last) if last.len() + part.len() + 8 <= WIDTH => last.extend(["; ", &part]),
            _ => lines.push(part),
        }
    }
    lines
}

/// The name, and the word in it that it was seen by where it is not all of it.
fn named(argument: &Argument) -> String {
    let name = Untrusted::new(&argument.name).escaped(NAME);
    match argument.because {
        Some(("operator", _)) => format!("{name} (operator)"),
        Some((_, word)) if word != name => format!("{name} ({word})"),
        _ => name,
    }
}

/// Adds a line, without spaces at its end; none that would be empty but for them.
fn line(out: &mut String, text: &str) {
    let text = text.trim_end_matches(' ');
    if !text.is_empty() {
        // Writing to a text cannot fail.
        let _written = writeln!(out, "{text}");
    }
}

//! The picture in a terminal.

use lockgate_model::ServerName;

use super::graph::{Arrow, Graph, Outcome};
use crate::rehearse::count;

/// What is said of a session in two lines: who, when, how many calls, and what was read.
pub(super) fn heading(graph: &Graph<'_>) -> [String; 2] {
    let first = graph.first;
    let client =
        first.client.as_ref().map_or_else(String::new, |client| format!(" through {}", super::plain(client)));
    let who = format!(
        "Session {} of {}{client}",
        super::plain(&first.session),
        super::plain(first.principal.as_str())
    );
    let ends: Vec<String> = [Outcome::Sent, Outcome::Observed, Outcome::Approved, Outcome::Stopped]
        .into_iter()
        .map(|outcome| (graph.count(outcome), outcome.word()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let calls = count(graph.calls.len(), "call");
    let ends = if ends.is_empty() { calls } else { format!("{calls}: {}", ends.join(", ")) };
    [who, format!("{ends}. {}.", span(graph))]
}

/// From the first record to the last, to the second.
fn span(graph: &Graph<'_>) -> String {
    let second = |time: &str| time.get(..19).unwrap_or(time).replacen('T', " ", 1);
    let (first, last) = (second(&graph.first.time), second(&graph.last.time));
    let (day, clock) = last.split_once(' ').unwrap_or(("", &last));
    let last = if first.starts_with(day) { clock } else { &last };
    format!("{first} to {last} UTC")
}

/// What the session has read, in one sentence.
pub(super) fn reading(graph: &Graph<'_>) -> String {
    let names: Vec<&str> = graph.read.iter().map(ServerName::as_str).collect();
    match graph.grade {
        _ if names.is_empty() => "It has read nothing.".to_owned(),
        Some(grade) => format!("It has read {} ({grade}).", names.join(", ")),
        None => format!("It has read {}.", names.join(", ")),
    }
}

pub(super) fn text(graph: &Graph<'_>, colour: bool) -> String {
    let mut out = format!("{}\n{}\n", heading(graph).join("\n"), reading(graph));
    if graph.arrows.is_empty() {
        out.push_str("\nNothing of one server went to another, and nothing was stopped.\n");
        return out;
    }
    out.push('\n');
    let wide = |names: &mut dyn Iterator<Item = usize>| names.max().unwrap_or_default();
    let from = wide(&mut graph.arrows.iter().map(|arrow| arrow.from.name().len()));
    let to = wide(&mut graph.arrows.iter().map(|arrow| arrow.to.as_str().len()));
    let number = wide(&mut graph.arrows.iter().map(|arrow| arrow.calls.len().to_string().len()));
    let mut before = None;
    for arrow in &graph.arrows {
        let name = if before == Some(&arrow.from) { "" } else { arrow.from.name() };
        before = Some(&arrow.from);
        let line = format!("── {:>number$} {}", arrow.calls.len(), head(arrow));
        out.push_str(&format!(
            "  {name:from$}  {}  {:to$}",
            paint(&line, arrow.outcome, colour),
            arrow.to.as_str()
        ));
        if arrow.outcome != Outcome::Sent {
            out.push_str(&paint(&format!("  {}", arrow.outcome.word()), arrow.outcome, colour));
        }
        if let Some((rule, reason)) = arrow.rule {
            out.push_str(&format!(": {} ({})", super::plain(rule), super::plain(reason)));
        }
        out = out.trim_end().to_owned();
        out.push('\n');
    }
    if let Some(stopped) = graph.arrows.iter().find(|arrow| arrow.outcome == Outcome::Stopped)
        && let Some(reference) = stopped.calls.first()
    {
        out.push_str(&format!("\nWhy: lockgate explain {} RECORDS\n", super::plain(reference)));
    }
    out
}

fn head(arrow: &Arrow<'_>) -> &'static str {
    match arrow.outcome {
        Outcome::Sent => "──────►",
        Outcome::Observed => "───·──►",
        Outcome::Approved => "───✓──►",
        Outcome::Stopped => "───✕   ",
    }
}

fn paint(text: &str, outcome: Outcome, colour: bool) -> String {
    let code = match outcome {
        _ if !colour => return text.to_owned(),
        Outcome::Sent => 32,
        Outcome::Observed => 36,
        Outcome::Approved => 33,
        Outcome::Stopped => 31,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

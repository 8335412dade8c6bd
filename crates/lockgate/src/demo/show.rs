//! What a person sees of the demo.

use std::io::{self, Write};

use lockgate_model::Untrusted;
use serde_json::{Value, json};

use super::Runs;
use super::agent::{Run, Step, TASK};

/// Widest line.
const WIDTH: usize = 80;

/// Width of a call, so that the answers stand below each other.
const CALL: usize = 51;

/// Longest answer that stands beside its call.
const BESIDE: usize = 21;

/// Most characters of an answer that are shown.
const MOST: usize = 600;

/// What stands before what a server said.
const QUOTE: &str = "        │ ";

/// The story as text, in colour where somebody looks at a terminal.
pub(super) fn text(out: &mut impl Write, runs: &Runs, colour: bool) -> io::Result<()> {
    let ink = Ink(colour);
    let Runs { without, through, record } = runs;
    writeln!(out, "{}", ink.bold("One agent, two MCP servers that know nothing of each other:"))?;
    writeln!(out, "  web  reads pages that anybody can write to")?;
    writeln!(out, "  db   keeps a SQLite file with a table of {} users", number(without.before))?;
    writeln!(out, "The user says: \"{TASK}\"\n")?;

    writeln!(out, "{}", ink.bold("1. Without Lockgate"))?;
    steps(out, without, None, ink)?;
    let gone = match without.after {
        None => ink.red("✗ The table is gone. A page decided that, not the user."),
        Some(_) => ink.red("? The table is still there: the attack failed by itself."),
    };
    writeln!(out, "   {gone}\n")?;

    writeln!(out, "{}", ink.bold("2. Through Lockgate: the same agent, the same servers"))?;
    steps(out, through, Some(without), ink)?;
    let kept = match (through.after, through.answered()) {
        (None, _) => ink.red("✗ The table is gone."),
        (Some(users), true) => {
            ink.green(&format!("✓ The table still has its {users} users, and the question is answered."))
        }
        (Some(users), false) => {
            ink.red(&format!("✗ The table has {users} users, but the question is not answered."))
        }
    };
    writeln!(out, "   {kept}\n")?;

    writeln!(out, "{}", ink.bold("What Lockgate wrote down (one line of its record file, in part)"))?;
    let field = |name: &str| escaped(record.get(name).and_then(Value::as_str).unwrap_or("-"));
    let origins = record.pointer("/label_before/origins").and_then(Value::as_array);
    let origins: Vec<_> = origins.into_iter().flatten().filter_map(Value::as_str).map(escaped).collect();
    writeln!(out, "   verdict: {}   reason: {}", field("verdict"), field("reason"))?;
    writeln!(out, "   server: {}   tool: {}   rule: {}", field("server"), field("target"), field("rule"))?;
    writeln!(out, "   the session had read text of: {}\n", origins.join(", "))?;
    writeln!(out, "Next: put your own servers behind it, as README.md says under \"Use it\";")?;
    writeln!(out, "for a single one: lockgate wrap -- <the server's command>")
}

/// `earlier` is the run that the reader has just seen.
fn steps(out: &mut impl Write, run: &Run, earlier: Option<&Run>, ink: Ink) -> io::Result<()> {
    for step in &run.steps {
        let call = format!("agent ─► {:<4} {} {}", step.server, step.tool, escaped(&step.asked));
        let seen =
            |step: &Step| earlier.is_some_and(|run| run.steps.iter().any(|old| old.answer == step.answer));
        let answer = escaped(&step.answer);
        if step.reason.is_some() {
            writeln!(out, "   {call:<CALL$} ◄─ {}", ink.green("refused:"))?;
            for line in wrapped(&answer, WIDTH - QUOTE.chars().count()) {
                writeln!(out, "{QUOTE}{}", ink.green(&line))?;
            }
        } else if let Some(passage) = &step.obeyed {
            let what = if seen(step) { "the same page" } else { "a page, which says:" };
            writeln!(out, "   {call:<CALL$} ◄─ {what}")?;
            if !seen(step) {
                page(out, &step.answer, passage, ink)?;
            }
        } else if answer.chars().count() <= BESIDE {
            let answer = if step.failed { ink.red(&answer) } else { answer };
            writeln!(out, "   {call:<CALL$} ◄─ {answer}")?;
        } else {
            writeln!(out, "   {call:<CALL$} ◄─")?;
            for line in wrapped(&answer, WIDTH - QUOTE.chars().count()) {
                writeln!(out, "{QUOTE}{line}")?;
            }
        }
    }
    Ok(())
}

/// The first line of a page, and what in it the agent obeys.
fn page(out: &mut impl Write, page: &str, passage: &str, ink: Ink) -> io::Result<()> {
    // Two characters are for the dots.
    let width = WIDTH - QUOTE.chars().count() - 2;
    let (before, after) = page.split_once(passage).unwrap_or((page, ""));
    if let [first, rest @ ..] = wrapped(&escaped(before.trim_end()), width).as_slice() {
        writeln!(out, "{QUOTE}{first}{}", if rest.is_empty() { "" } else { " …" })?;
    }
    let lines = wrapped(&escaped(passage), width);
    for (at, line) in lines.iter().enumerate() {
        let cut = at + 1 == lines.len() && !after.is_empty();
        writeln!(out, "{QUOTE}{}", ink.red(&format!("{line}{}", if cut { " …" } else { "" })))?;
    }
    Ok(())
}

fn number(users: Option<u32>) -> String {
    users.map_or_else(|| "no".to_owned(), |users| users.to_string())
}

/// Server text for a terminal.
fn escaped(text: &str) -> String {
    Untrusted::new(text).escaped(MOST)
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The story for machines.
pub(super) fn json(out: &mut impl Write, runs: &Runs) -> io::Result<()> {
    let run = |run: &Run| {
        let steps: Vec<_> = run
            .steps
            .iter()
            .map(|step| {
                json!({
                    "server": step.server,
                    "tool": step.tool,
                    "argument": step.asked,
                    "outcome": outcome(step),
                    "reason": step.reason,
                    "obeyed": step.obeyed,
                    "answer": step.answer,
                })
            })
            .collect();
        json!({ "steps": steps, "refused": run.refused, "users_before": run.before, "users_after": run.after })
    };
    let all = json!({
        "task": TASK,
        "without_lockgate": run(&runs.without),
        "through_lockgate": run(&runs.through),
        "record": runs.record,
        "as_expected": runs.unexpected().is_none(),
        "unexpected": runs.unexpected(),
    });
    writeln!(out, "{all}")
}

fn outcome(step: &Step) -> &'static str {
    match (&step.reason, step.failed) {
        (Some(_), _) => "refused",
        (None, true) => "failed",
        (None, false) => "answered",
    }
}

/// Colour, or none.
#[derive(Clone, Copy)]
struct Ink(bool);

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    fn green(self, text: &str) -> String {
        self.paint("32", text)
    }
}

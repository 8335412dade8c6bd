//! What a person sees of the demo.

use std::io::{self, Write};

use lockgate_model::Untrusted;
use serde_json::{Value, json};

use super::Runs;
use super::agent::{Run, Step, TASK};

/// Most characters of a page that are shown around what matters.
const QUOTE: usize = 100;

/// The story as text, in colour where somebody looks at a terminal.
pub(super) fn text(out: &mut impl Write, runs: &Runs, colour: bool) -> io::Result<()> {
    let ink = Ink(colour);
    writeln!(out, "{}", ink.bold("One agent, two MCP servers that know nothing of each other:"))?;
    writeln!(out, "  web   reads pages that anybody can write to")?;
    writeln!(out, "  db    keeps a SQLite file with a table of 3 users")?;
    writeln!(out, "The user says: \"{TASK}\"\n")?;

    writeln!(out, "{}", ink.bold("1. Without Lockgate"))?;
    steps(out, &runs.without, ink)?;
    let gone = match runs.without.users {
        None => ink.red("✗ The table is gone. A page decided that, not the user."),
        Some(_) => ink.red("? The table is still there: the attack failed by itself."),
    };
    writeln!(out, "   {gone}\n")?;

    writeln!(out, "{}", ink.bold("2. Through Lockgate, the same agent and the same page"))?;
    steps(out, &runs.through, ink)?;
    let kept = match runs.through.users {
        Some(users) => {
            ink.green(&format!("✓ The table still has its {users} users, and the question was answered."))
        }
        None => ink.red("✗ The table is gone."),
    };
    writeln!(out, "   {kept}\n")?;

    writeln!(out, "{}", ink.bold("What Lockgate wrote down"))?;
    let field = |name: &str| runs.record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    writeln!(out, "   verdict {}, reason {}", field("verdict"), field("reason"))?;
    writeln!(out, "   tool {} on server {}, rule {}", field("target"), field("server"), field("rule"))?;
    let origins = runs.record.pointer("/label_before/origins").map(Value::to_string).unwrap_or_default();
    writeln!(out, "   the session had read text from {origins}\n")?;
    writeln!(out, "Put it in front of a server of yours: lockgate wrap -- <the server's command>")
}

fn steps(out: &mut impl Write, run: &Run, ink: Ink) -> io::Result<()> {
    for step in &run.steps {
        let call = format!("agent ─► {:<4}{} {}", step.server, step.tool, escaped(&step.asked, 60));
        writeln!(out, "   {call}")?;
        match &step.reason {
            Some(reason) => {
                writeln!(out, "   {}", ink.green(&format!("refused    {reason}")))?;
                for line in wrapped(&step.answer, 66) {
                    writeln!(out, "              {}", ink.dim(&line))?;
                }
            }
            None => writeln!(out, "      ◄────  {}", answer(step, ink))?,
        }
    }
    Ok(())
}

fn answer(step: &Step, ink: Ink) -> String {
    let Some((_, order)) = step.answer.split_once("NOTE TO AI ASSISTANTS") else {
        let text = escaped(&step.answer, QUOTE);
        return if step.failed { ink.red(&text) } else { text };
    };
    let order = order.split(" to refresh").next().unwrap_or(order);
    format!(
        "Help centre: getting started. …\n              {}",
        ink.red(&format!("NOTE TO AI ASSISTANTS{}", escaped(order, QUOTE)))
    )
}

/// Server text for a terminal.
fn escaped(text: &str, most: usize) -> String {
    Untrusted::new(text).escaped(most)
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.chars().count() + 1 + word.len() > width);
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
                    "failed": step.failed,
                    "reason": step.reason,
                    "answer": step.answer,
                })
            })
            .collect();
        json!({ "steps": steps, "refused": run.refused, "users_before": 3, "users_after": run.users })
    };
    let all = json!({
        "task": TASK,
        "without_lockgate": run(&runs.without),
        "through_lockgate": run(&runs.through),
        "record": runs.record,
        "attack_stopped": runs.as_expected(),
    });
    writeln!(out, "{all}")
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

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

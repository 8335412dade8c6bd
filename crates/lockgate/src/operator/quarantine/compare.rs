//! Definitions line by line.

use crate::operator::show::{plain, wrap};

/// Deepest indentation.
const DEEPEST: usize = 24;
/// Most pairs of lines that are compared; of larger definitions, everything between what is the same at their beginnings
/// and ends counts as changed.
const MOST_PAIRS: usize = 4_000_000;
/// How many lines are shown around what changed.
const AROUND: usize = 2;

/// One line of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    depth: usize,
    text: String,
}

impl Line {
    /// As people may see it.
    pub(super) fn shown(&self) -> String {
        let depth = 2 * self.depth.min(DEEPEST);
        format!("{:depth$}{}", "", plain(&self.text, usize::MAX))
    }
}

/// Canonical JSON, one member or element a line. Only white space is added, so that nothing can look otherwise than it is.
pub(super) fn pretty(canonical: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut depth, mut text, mut quoted, mut escaped) = (0_usize, String::new(), false, false);
    let mut chars = canonical.chars().peekable();
    let mut end = |depth: usize, text: &mut String| {
        if !text.is_empty() {
            lines.push(Line { depth, text: std::mem::take(text) });
        }
    };
    while let Some(c) = chars.next() {
        if quoted {
            text.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(close);
                } else {
                    end(depth, &mut text);
                    depth += 1;
                }
            }
            '}' | ']' => {
                end(depth, &mut text);
                depth = depth.saturating_sub(1);
                text.push(c);
            }
            ',' => {
                text.push(c);
                end(depth, &mut text);
            }
            ':' => text.push_str(": "),
            _ => {
                quoted = c == '"';
                text.push(c);
            }
        }
    }
    end(depth, &mut text);
    lines
}

/// What is different, with a few lines around: `-` is gone, `+` is new.
pub(super) fn text(old: &str, new: &str, colour: bool) -> String {
    let (old, new) = (pretty(old), pretty(new));
    let steps = steps(&old, &new);
    let near = |at: usize| {
        let (from, to) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(steps.len()));
        steps.get(from..to).unwrap_or_default().iter().any(|(mark, _)| *mark != ' ')
    };
    let mut out = String::new();
    let mut skipped = false;
    for (at, (mark, line)) in steps.iter().enumerate() {
        if !near(at) {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            out.push_str("  ⋮\n");
        }
        let shown = wrap(&line.shown(), 4);
        let shown = shown.trim_end();
        out.push_str(&match mark {
            '-' if colour => format!("\u{1b}[31m- {shown}\u{1b}[0m\n"),
            '+' if colour => format!("\u{1b}[32m+ {shown}\u{1b}[0m\n"),
            _ => format!("{mark} {shown}\n"),
        });
    }
    if out.is_empty() { "No difference in what is kept.\n".to_owned() } else { out }
}

/// How one becomes the other.
fn steps<'a>(old: &'a [Line], new: &'a [Line]) -> Vec<(char, &'a Line)> {
    let same = |pair: &(&Line, &Line)| pair.0 == pair.1;
    let begin = old.iter().zip(new).take_while(same).count();
    let shorter = old.len().min(new.len()) - begin;
    let end = old.iter().rev().zip(new.iter().rev()).take(shorter).take_while(same).count();
    let between = |lines: &'a [Line]| lines.get(begin..lines.len() - end).unwrap_or_default();
    let mark = |mark: char, lines: &'a [Line]| lines.iter().map(move |line| (mark, line));
    let mut steps: Vec<_> = mark(' ', old.get(..begin).unwrap_or_default()).collect();
    steps.extend(middle(between(old), between(new)));
    steps.extend(mark(' ', old.get(old.len() - end..).unwrap_or_default()));
    steps
}

/// By the longest common subsequence.
fn middle<'a>(old: &'a [Line], new: &'a [Line]) -> Vec<(char, &'a Line)> {
    let width = new.len() + 1;
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return old.iter().map(|line| ('-', line)).chain(new.iter().map(|line| ('+', line))).collect();
    }
    let mut longest = vec![0_u32; width * (old.len() + 1)];
    let at = |longest: &[u32], i: usize, j: usize| longest.get(i * width + j).copied().unwrap_or(0);
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let best = if one == other {
                at(&longest, i + 1, j + 1) + 1
            } else {
                at(&longest, i + 1, j).max(at(&longest, i, j + 1))
            };
            if let Some(slot) = longest.get_mut(i * width + j) {
                *slot = best;
            }
        }
    }
    let (mut i, mut j, mut steps) = (0, 0, Vec::with_capacity(old.len() + new.len()));
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                steps.push((' ', one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other) if other.is_none() || at(&longest, i + 1, j) >= at(&longest, i, j + 1) => {
                steps.push(('-', one));
                i += 1;
            }
            (_, Some(other)) => {
                steps.push(('+', other));
                j += 1;
            }
            (_, None) => return steps,
        }
    }
}

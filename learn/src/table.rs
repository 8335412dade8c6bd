//! Tables: what a finder catches and what it cries wolf at, by source and kind of text. Never one pooled figure.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{Interval, Row};

/// One line: the rows of one source and kind that are all good, or all bad.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where the rows are from.
    pub source: String,
    /// `tool_description`, `tool_result`, `tool_args` or `prompt`.
    pub kind: &'static str,
    /// Whether they give orders.
    pub bad: bool,
    /// Those that may not pass.
    pub block: Interval,
    /// Those, and those that a person should look at.
    pub review: Interval,
}

/// Lines in order of kind and source: first what should be caught.
#[derive(Clone, Debug, Default)]
pub struct Table(pub Vec<Line>);

impl Table {
    /// Measures a finder: the closure gives 0 for a text that passes, 1 for one to look at, 2 for one that may not pass.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r Row>, mut finder: impl FnMut(&Row) -> u8) -> Self {
        let mut counts: BTreeMap<_, [usize; 3]> = BTreeMap::new();
        for row in rows {
            let [all, review, block] = counts.entry((!row.bad, row.genre, row.source.clone())).or_default();
            let tier = finder(row);
            *all += 1;
            *review += usize::from(tier > 0);
            *block += usize::from(tier > 1);
        }
        let lines = counts.into_iter().map(|((good, genre, source), [all, review, block])| Line {
            source,
            kind: genre.word(),
            bad: !good,
            block: Interval { hits: block, all },
            review: Interval { hits: review, all },
        });
        Self(lines.collect())
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (bad, title) in [(true, "caught"), (false, "false alarms")] {
            if !self.0.iter().any(|line| line.bad == bad) {
                continue;
            }
            text += &format!(
                "| {title}: source | kind | rows | block | review or block |\n| --- | --- | --- | --- | --- |\n"
            );
            for line in self.0.iter().filter(|line| line.bad == bad) {
                let Line { source, kind, block, review, .. } = line;
                text += &format!("| {source} | {kind} | {} | {block} | {review} |\n", block.all);
            }
            text += "\n";
        }
        text
    }

    /// As JSON: a list of lines, shares with their intervals.
    pub fn json(&self) -> serde_json::Value {
        let share = |of: Interval| json!({ "hits": of.hits, "share": of.share(), "low": of.bounds().0, "high": of.bounds().1 });
        let lines = self.0.iter().map(|line| {
            json!({ "source": line.source, "kind": line.kind, "malicious": line.bad, "rows": line.block.all,
                "block": share(line.block), "review": share(line.review) })
        });
        lines.collect()
    }
}

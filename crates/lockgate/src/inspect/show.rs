//! What was found in a plain text, for a person: each finding with the line it stands in.

use std::fmt::Write;
use std::ops::Range;

use lockgate_detect::{Level, MARK, Report};

/// Most findings that are shown.
const MOST: usize = 100;
/// Widest passage, in columns.
const WIDTH: usize = 96;
/// Bytes before the finding that are shown of a line that is too wide.
const BEFORE: usize = 24;

/// One finding of any sort.
struct Item<'r> {
    what: &'r str,
    /// What sort, or how bad.
    sort: &'static str,
    level: Level,
    span: &'r Range<usize>,
}

/// The report. Credentials are not in it: [`MARK`] stands for each.
pub(super) fn show(name: &str, text: &str, report: &Report<'_>, colour: bool) -> String {
    let level = report.level.word();
    let mut out = format!("{name}: {}, score {:.2}", paint(report.level, level, colour), report.score);
    let findings = report.findings.iter().map(|spot| Item {
        what: spot.rule,
        sort: spot.level.word(),
        level: spot.level,
        span: &spot.span,
    });
    let secrets = report.secrets.iter().map(|secret| Item {
        what: secret.kind,
        sort: "secret",
        level: Level::Review,
        span: &secret.span,
    });
    let personal = report.personal.iter().map(|datum| Item {
        what: datum.entity.word(),
        sort: "personal",
        level: Level::None,
        span: &datum.span,
    });
    let mut items: Vec<_> = findings.chain(secrets).chain(personal).collect();
    items.sort_by_key(|item| (item.span.start, item.span.end));
    let page = Page::new(text, report);
    for item in items.iter().take(MOST) {
        let sort = paint(item.level, item.sort, colour);
        out.push_str(&format!("\n\n  {sort}  {}", item.what));
        if !item.span.is_empty() {
            page.passage(&mut out, item, colour);
        }
    }
    if let Some(more) = items.len().checked_sub(MOST).filter(|more| *more > 0) {
        out.push_str(&format!("\n\n  and {more} more: `--json` has all of them"));
    }
    out
}

fn paint(level: Level, text: &str, colour: bool) -> String {
    let code = match level {
        Level::Block => "31",
        Level::Review => "33",
        Level::None => "2",
    };
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A text whose lines are counted, and what may not be shown of it.
struct Page<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    secrets: Vec<Range<usize>>,
}

/// What stands for a piece of the text.
struct Cell {
    span: Range<usize>,
    shown: String,
    width: usize,
}

impl<'t> Page<'t> {
    fn new(text: &'t str, report: &Report<'_>) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let secrets = report.secrets.iter().map(|secret| secret.span.clone()).collect();
        Self { text, lines: std::iter::once(0).chain(starts).collect(), secrets }
    }

    /// The line in which something stands, underlined; of several, the first.
    fn passage(&self, out: &mut String, item: &Item<'_>, colour: bool) {
        let span = item.span;
        let number = self.lines.partition_point(|start| *start <= span.start);
        let start = number.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or_default();
        let next = self.lines.get(number).map_or(self.text.len(), |next| next - 1);
        let column = self.text.get(start..span.start).map_or(0, |before| before.chars().count()) + 1;
        let cells = self.cells(start, span.start, next);
        let marked = |cell: &Cell| cell.span.start < span.end && span.start < cell.span.end;
        let (mut line, mut under, mut wide) = (String::new(), String::new(), 0);
        for cell in &cells {
            wide += cell.width;
            if wide > WIDTH {
                line.push('…');
                break;
            }
            line.push_str(&cell.shown);
            let mark = if marked(cell) { "^" } else { " " };
            under.push_str(&mark.repeat(cell.width));
        }
        let digits = number.to_string();
        let margin = " ".repeat(digits.len());
        let more = self.lines.partition_point(|start| *start < span.end);
        let until = if more > number { format!(", to line {more}") } else { String::new() };
        let under = paint(item.level, under.trim_end(), colour);
        let said = write!(
            out,
            ", at {number}:{column}{until}\n  {margin} |\n  {digits} | {}\n  {margin} | {under}",
            line.trim_end()
        );
        debug_assert!(said.is_ok(), "writing to a String does not fail");
    }

    /// What is shown of a line around a place in it: all of a short one. No more is read of the line than can be shown.
    fn cells(&self, start: usize, at: usize, end: usize) -> Vec<Cell> {
        if end - start <= 4 * WIDTH {
            let cells = self.read(start, end);
            if cells.iter().map(|cell| cell.width).sum::<usize>() <= WIDTH {
                return cells;
            }
        }
        let from = self.text.ceil_char_boundary(at.saturating_sub(BEFORE).max(start));
        let cut = (from > start).then(|| Cell { span: from..from, shown: "…".to_owned(), width: 1 });
        cut.into_iter().chain(self.read(from, end)).collect()
    }

    /// The pieces of a part of the text, until they are wider than a passage.
    fn read(&self, from: usize, end: usize) -> Vec<Cell> {
        let (mut cells, mut at, mut wide) = (Vec::new(), from, 0);
        while at < end && wide <= WIDTH {
            let next = self.secrets.partition_point(|secret| secret.end <= at);
            let secret = self.secrets.get(next).filter(|secret| secret.start <= at);
            let Some(letter) = self.text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            let (span, shown) = match secret {
                Some(secret) => (at..secret.end, MARK.to_owned()),
                None => (at..at + letter.len_utf8(), shown(letter)),
            };
            at = span.end;
            let width = shown.chars().map(columns).sum();
            wide += width;
            cells.push(Cell { span, shown, width });
        }
        cells
    }
}

/// A letter as it can be seen. What has no form of its own is shown by its number.
fn shown(letter: char) -> String {
    match letter {
        '\t' => "    ".to_owned(),
        '\r' => String::new(),
        // Letters that are not drawn.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => format!("<U+{:04X}>", u32::from(letter)),
        _ if letter == ' ' || letter.is_ascii_graphic() || letter.is_alphanumeric() || is_sign(letter) => {
            letter.to_string()
        }
        _ => format!("<U+{:04X}>", u32::from(letter)),
    }
}

/// Signs that are drawn: punctuation of Latin and Chinese, currencies, arrows, mathematics, boxes, emoji.
fn is_sign(letter: char) -> bool {
    matches!(letter,
        '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{20c0}' | '\u{2190}'..='\u{2bff}' | '\u{3001}'..='\u{3029}'
        | '\u{ff01}'..='\u{ff60}' | '\u{fffd}' | '\u{1f300}'..='\u{1faff}')
        && letter != '\u{2800}'
}

/// How many columns of a terminal a letter takes: two in the scripts of East Asia and for emoji.
fn columns(letter: char) -> usize {
    match letter {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use lockgate_detect::Spot;
    use lockgate_detect::secrets::{Secret, SecretClass, Sure};

    use super::*;

    fn shown_of(text: &str, found: &[(&'static str, Range<usize>)], secrets: &[Range<usize>]) -> String {
        let spot = |(rule, span): &(&'static str, Range<usize>)| Spot {
            threat: lockgate_detect::Threat::Injection,
            rule,
            span: span.clone(),
            level: Level::Block,
        };
        let secret = |span: &Range<usize>| Secret {
            kind: "key",
            class: SecretClass::Token,
            span: span.clone(),
            sure: Sure::Likely,
        };
        let report = Report {
            level: Level::Block,
            score: 0.5,
            findings: found.iter().map(spot).collect(),
            secrets: secrets.iter().map(secret).collect(),
            personal: Vec::new(),
        };
        show("a", text, &report, false)
    }

    #[test]
    fn the_passage_is_underlined() {
        assert_eq!(
            shown_of("one\ntwo three\r\nfour", &[("rule", 8..13), ("all", 0..0)], &[]),
            concat!(
                "a: block, score 0.50\n\n",
                "  block  all\n\n",
                "  block  rule, at 2:5\n",
                "    |\n  2 | two three\n    |     ^^^^^",
            )
        );
        let two_lines = shown_of("one\ntwo three\nfour", &[("rule", 8..16)], &[]);
        assert!(
            two_lines.contains("at 2:5, to line 3\n    |\n  2 | two three\n    |     ^^^^^"),
            "{two_lines}"
        );
        let wide = shown_of("一二 three", &[("rule", 7..12)], &[]);
        assert!(wide.ends_with("  1 | 一二 three\n    |      ^^^^^"), "{wide}");
        let hidden = shown_of("a\u{202e}b\u{e0041}", &[("rule", 1..4)], &[]);
        assert!(hidden.ends_with("  1 | a<U+202E>b<U+E0041>\n    |  ^^^^^^^^"), "{hidden}");
    }

    #[test]
    fn of_a_long_line_the_part_around_it_is_shown() {
        let text = format!("{}here{}", "x".repeat(5_000), "y".repeat(5_000));
        let shown = shown_of(&text, &[("rule", 5_000..5_004)], &[]);
        assert!(shown.contains(&format!("at 1:5001\n    |\n  1 | …{}hereyyy", "x".repeat(24))), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < WIDTH + 10), "{shown}");
        assert!(shown.ends_with(&format!("\n    | {}^^^^", " ".repeat(25))), "{shown}");
    }

    /// However a finding lies to a secret, no letter of the secret is shown.
    #[test]
    fn no_secret_is_shown() {
        let text = format!("{} SECRETSECRET {}", "a".repeat(30), "b".repeat(300));
        for text in [text.as_str(), " SECRETSECRET "] {
            let start = text.find('S').unwrap();
            for from in 0..text.len() {
                for to in [from + 1, start + 3, start + 40] {
                    let span = from..to.clamp(from, text.len());
                    let shown = shown_of(text, &[("rule", span)], std::slice::from_ref(&(start..start + 12)));
                    assert!(!shown.contains(['S', 'E', 'C', 'R', 'T']), "{shown}");
                }
            }
        }
    }
}

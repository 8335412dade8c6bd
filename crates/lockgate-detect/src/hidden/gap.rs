//! White space that pushes what follows out of sight.

use std::ops::Range;

use lockgate_model::letter::is_hidden;

use super::found::Found;
use super::{Hidden, HiddenKind};
use crate::Level;
use crate::blocks::{STEP, one_of, sixteens};

/// More lines in a row with nothing on them push what comes next out of sight.
const EMPTY_LINES: usize = 40;
/// More blanks in a row within a line do the same.
const BLANKS: usize = 200;
/// And so do fewer, of those that are not ASCII.
const WIDE_BLANKS: usize = 40;

/// Gaps of ASCII white space with something behind.
pub(super) fn find(text: &str, found: &mut Found<'_>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = next_blanks(bytes, at) {
        let run = bytes.get(start..).unwrap_or_default();
        let length = run.iter().position(|byte| !is_blank(*byte)).unwrap_or(run.len());
        at = start + length;
        let lines = run.iter().take(length).filter(|byte| **byte == b'\n').count();
        let blanks = run.iter().take(length).rev().take_while(|byte| **byte != b'\n').count();
        let pushed = lines > EMPTY_LINES || blanks > BLANKS;
        let last = at == bytes.len();
        if pushed && !last && !found.push(HiddenKind::Gap, start..at, Level::Review, None) {
            return;
        }
    }
}

/// Where the next run of white space begins that has a whole step of 16.
fn next_blanks(bytes: &[u8], at: usize) -> Option<usize> {
    let mut steps = sixteens(bytes.get(at..)?, INK);
    let inside = at + STEP * steps.position(|bytes| one_of(bytes, BLANK).all())?;
    let ink = bytes.get(at..inside)?.iter().rposition(|byte| !is_blank(*byte));
    Some(ink.map_or(at, |ink| at + ink + 1))
}

const BLANK: [u8; 4] = *b" \t\n\r";
/// What fills up the last step: no white space.
const INK: u8 = b'~';

fn is_blank(byte: u8) -> bool {
    BLANK.contains(&byte)
}

/// White space that is not ASCII, and characters that are drawn as nothing but take room.
pub(super) fn is_wide_blank(letter: char) -> bool {
    matches!(
        letter,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2800}' | '\u{3000}'
    )
}

/// The end of a run of blanks that begins with a wide one, and its span where it pushes something out of sight.
pub(super) fn wide(text: &str, at: usize) -> (usize, Option<Range<usize>>) {
    let rest = text.get(at..).unwrap_or_default();
    let blank = |letter: char| is_wide_blank(letter) || matches!(letter, ' ' | '\t' | '\n' | '\r');
    let behind = rest.trim_start_matches(blank);
    let end = text.len() - behind.len();
    let wide =
        rest.chars().take_while(|letter| blank(*letter)).filter(|letter| is_wide_blank(*letter)).count();
    (end, (wide > WIDE_BLANKS && !behind.is_empty()).then_some(at..end))
}

/// What stands in place of a gap that was taken out.
pub(super) fn closed(text: &str, hidden: &Hidden) -> &'static str {
    let broken = text.get(hidden.span.clone()).is_some_and(|gap| gap.contains('\n'));
    if broken { "\n" } else { " " }
}

/// A text without anything in it that could be found: used where taking out what was found always leaves more. Markup is made
/// text, white space is one character.
pub(super) fn flat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for letter in text.chars() {
        if is_hidden(letter) {
            continue;
        }
        let is_blank = letter.is_whitespace() || is_wide_blank(letter);
        match letter {
            _ if is_blank && blank => {}
            _ if is_blank => out.push(if letter == '\n' { '\n' } else { ' ' }),
            '<' => out.push('\u{2039}'),
            _ => out.push(letter),
        }
        blank = is_blank;
    }
    out
}

//! Characters that show nothing, one run of them after the other.

use std::ops::Range;

use lockgate_model::letter::{
    is_direction, is_flag, is_hidden, is_invisible, is_joining, is_picture, is_private, is_selector, is_tag,
    is_writing, runs_left,
};

use super::disguise::{self, Disguise};
use super::found::Found;
use super::skim::next_odd;
use super::{HiddenKind, decode, gap, terminal};
use crate::Level;

/// So many invisible characters in a row are no accident.
const RUN: usize = 4;
/// So many characters for private use in a row, of those that no font of icons has, carry something.
const PRIVATE_RUN: usize = 8;
/// A tag character alone is an accident; not so one after each letter that is seen.
const FEW_TAGS: usize = 3;

pub(super) fn find(text: &str, found: &mut Found<'_>) {
    let bytes = text.as_bytes();
    let mut line = Line::default();
    let mut disguise = Disguise::default();
    let mut run = Vec::new();
    let mut tags = 0;
    let mut at = 0;
    while at < bytes.len() {
        if let Some(plain) = plain_length(bytes, at) {
            at += plain;
            continue;
        }
        if bytes.get(at).is_some_and(u8::is_ascii) {
            at = next_odd(bytes, at);
        }
        if let Some(past) = disguise::past_foreign(bytes, at) {
            at = past;
            continue;
        }
        let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
        let mut end = at + letter.len_utf8();
        let mut more = true;
        if let Some(order) = terminal::read(text, at, letter) {
            end = order.end;
            if let Some(level) = order.level {
                more = found.push(HiddenKind::Terminal, at..end, level, order.decoded);
            }
        } else if is_odd(letter) {
            run.clear();
            run.push(letter);
            for next in text.get(end..).unwrap_or_default().chars().take_while(|next| is_odd(*next)) {
                if matches!(next, '\u{1b}' | '\u{9b}') {
                    break;
                }
                run.push(next);
                end += next.len_utf8();
            }
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(end..).and_then(|after| after.chars().next());
            let around = Around { before, after, leftward: line.runs_left(text, at, &run), tags };
            if let Some((kind, level, decoded)) = around.judge(&run) {
                tags += usize::from(kind == HiddenKind::Tags);
                more = found.push(kind, at..end, level, decoded);
            }
        } else if gap::is_wide_blank(letter) {
            let (past, span) = gap::wide(text, at);
            end = past;
            if let Some(span) = span {
                more = found.push(HiddenKind::Gap, span, Level::Review, None);
            }
        } else if let Some(word) = disguise.word(text, at, letter) {
            end = word.end;
            if let Some((level, decoded)) = word.disguised {
                more = found.push(HiddenKind::Disguise, word.start..end, level, Some(decoded));
            }
        }
        if !more {
            return;
        }
        at = end.max(at + 1);
    }
}

/// The length of a character of which its bytes tell that nothing here is about it. Texts that are not English are full of
/// them: accented letters, marks, Arabic and Hebrew, scripts of India, those of China, Japan and Korea, punctuation, pictures.
fn plain_length(bytes: &[u8], at: usize) -> Option<usize> {
    let next = |by: usize| bytes.get(at + by).copied().unwrap_or_default();
    match bytes.get(at)? {
        0xc3..=0xcc | 0xd7 | 0xd9..=0xdb => Some(2),
        0xc2 => (next(1) > 0xa0 && next(1) != 0xad).then_some(2),
        0xd8 => (next(1) != 0x9c).then_some(2),
        0xe0 | 0xe4..=0xe9 | 0xeb..=0xed => Some(3),
        0xe2 => (next(1) == 0x80 && (0x90..=0xa7).contains(&next(2))).then_some(3),
        0xe3 => ((next(1) != 0x80 || next(2) != 0x80) && next(1) != 0x85).then_some(3),
        0xef => (next(1) == 0xbc && next(2) < 0xa1).then_some(3),
        0xf0 => (next(1) == 0x9f && next(2) > 0x8b).then_some(4),
        _ => None,
    }
}

fn is_odd(letter: char) -> bool {
    is_hidden(letter) && !matches!(letter, '\r' | '\x0c')
}

/// Whether the line has letters that run from right to left. Asked once a line.
#[derive(Default)]
struct Line {
    span: Range<usize>,
    leftward: bool,
}

impl Line {
    fn runs_left(&mut self, text: &str, at: usize, run: &[char]) -> bool {
        if !run.iter().any(|letter| is_direction(*letter)) {
            return false;
        }
        if !self.span.contains(&at) {
            let bytes = text.as_bytes();
            let start =
                memchr::memrchr(b'\n', bytes.get(..at).unwrap_or_default()).map_or(0, |found| found + 1);
            let end = memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default());
            self.span = start..end.map_or(bytes.len(), |found| at + found + 1);
            self.leftward = text.get(self.span.clone()).unwrap_or_default().chars().any(runs_left);
        }
        self.leftward
    }
}

/// What stands around a run of odd characters.
struct Around {
    before: Option<char>,
    after: Option<char>,
    /// Is there something in the line that runs from right to left?
    leftward: bool,
    /// Runs of tag characters before this one.
    tags: usize,
}

type Judged = Option<(HiddenKind, Level, Option<String>)>;

impl Around {
    fn judge(&self, run: &[char]) -> Judged {
        let neighbours = (self.before.unwrap_or(' '), self.after.unwrap_or(' '));
        if self.is_ordinary(run, neighbours) {
            return None;
        }
        if run.iter().any(|letter| is_tag(*letter)) {
            let said = decode::tags(run).filter(|said| !said.trim().is_empty());
            let short = said.as_ref().is_none_or(|said| said.len() < 2);
            let level = if short && self.tags < FEW_TAGS { Level::Review } else { Level::Block };
            return Some((HiddenKind::Tags, level, said));
        }
        if run.iter().filter(|letter| is_selector(**letter)).count() > 1 {
            return Some((HiddenKind::Selectors, Level::Block, decode::selectors(run)));
        }
        if run.iter().any(|letter| is_direction(*letter)) {
            return self.direction(run);
        }
        if run.iter().all(|letter| is_invisible(*letter)) {
            return Some(self.invisible(run, neighbours));
        }
        if run.iter().any(|letter| letter.is_control()) {
            // Old printers made bold letters by printing them twice, and underlined ones with `_`.
            let printed = run.len() == 1
                && (neighbours.0 == neighbours.1 || neighbours.0 == '_' || neighbours.1 == '_');
            let level = if run.contains(&'\u{8}') && !printed { Level::Review } else { Level::None };
            return Some((HiddenKind::Control, level, None));
        }
        let private = run.iter().filter(|letter| is_private(**letter) && **letter >= '\u{f0000}').count();
        let level = if private >= PRIVATE_RUN { Level::Review } else { Level::None };
        Some((HiddenKind::Private, level, None))
    }

    /// Is it how people write? Then it is no finding at all.
    fn is_ordinary(&self, run: &[char], neighbours: (char, char)) -> bool {
        let (before, after) = neighbours;
        match run {
            // A soft hyphen, anywhere in a word.
            ['\u{ad}'] => before.is_alphanumeric(),
            // What says at the very beginning how a file is encoded.
            ['\u{feff}'] => self.before.is_none(),
            ['\u{fe0e}' | '\u{fe0f}', '\u{200d}'] => is_picture(before) && is_picture(after),
            // Joiners also stand at the end of a word, and scripts of Asia have selectors and fillers of their own.
            ['\u{200c}' | '\u{200d}'] if is_joining(before) => true,
            ['\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'] => is_joining(before),
            ['\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'] => is_korean(before) || is_korean(after),
            [single] if is_selector(*single) => {
                !before.is_ascii() && !is_hidden(before) || is_writing(*single, neighbours)
            }
            [single] => is_writing(*single, neighbours),
            tags => is_flag(before, tags),
        }
    }

    fn direction(&self, run: &[char]) -> Judged {
        let overrides = run.iter().any(|letter| matches!(letter, '\u{202d}' | '\u{202e}'));
        let turns = run.iter().any(|letter| matches!(letter, '\u{202b}' | '\u{2067}'));
        let level = match (self.leftward, overrides) {
            (true, true) => Level::Review,
            (true, false) => return None,
            (false, true) => Level::Block,
            (false, false) if turns || self.is_within_latin() => Level::Block,
            (false, false) => Level::None,
        };
        Some((HiddenKind::Direction, level, None))
    }

    fn invisible(&self, run: &[char], (before, after): (char, char)) -> (HiddenKind, Level, Option<String>) {
        let same = run.iter().all(|letter| Some(letter) == run.first());
        let soft = run.iter().all(|letter| *letter == '\u{ad}');
        // Documentation of programs allows names to be broken where small letters become capitals.
        let may_break = run.len() == 1 && before.is_lowercase() && after.is_uppercase();
        let digits = (run.len() >= RUN).then(|| decode::digits(run)).flatten();
        let level = if digits.is_some() || (run.len() >= 2 * RUN && !same) {
            Level::Block
        } else if self.is_within_latin() && !soft {
            if may_break { Level::Review } else { Level::Block }
        } else if run.len() >= RUN || self.is_odd_selector(run) {
            Level::Review
        } else {
            Level::None
        };
        (HiddenKind::ZeroWidth, level, digits)
    }

    /// Selectors for Chinese characters, behind something else.
    fn is_odd_selector(&self, run: &[char]) -> bool {
        run.iter().any(|letter| matches!(letter, '\u{e0100}'..='\u{e01ef}'))
            && self.before.is_none_or(|before| before.is_ascii())
    }

    fn is_within_latin(&self) -> bool {
        let latin =
            |letter: Option<char>| letter.is_some_and(|letter| letter < '\u{250}' && letter.is_alphabetic());
        latin(self.before) && latin(self.after)
    }
}

fn is_korean(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{ac00}'..='\u{d7ff}' | '\u{ffa0}'..='\u{ffdc}')
}

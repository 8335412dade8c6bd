//! Characters that hide something in a text.

use std::ops::Range;

use lockgate_model::letter::{
    is_direction, is_flag, is_invisible, is_selector, is_tag, runs_left, selected, tagged,
};

use super::code::Code;

/// More lines in a row with nothing on them push what comes next out of sight.
const EMPTY_LINES: usize = 30;
/// More spaces in a row do the same.
const SPACES: usize = 64;
/// So many invisible characters in a row are no accident.
const RUN: usize = 4;
/// Most of what was decoded that is kept. Bytes.
const DECODED: usize = 256;

/// What is hidden in the text, with what it says where that can be told.
pub(super) fn find(text: &str, raise: &mut dyn FnMut(Code, Range<usize>, Option<String>)) {
    gaps(text, raise);
    if text.bytes().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~')) {
        return;
    }
    let right_to_left = text.chars().any(runs_left);
    let mut letters = text.char_indices().peekable();
    let mut before = None;
    while let Some((at, letter)) = letters.next() {
        if !is_odd(letter) {
            before = Some(letter);
            continue;
        }
        let mut run = vec![letter];
        while let Some((_, next)) = letters.next_if(|(_, next)| is_odd(*next)) {
            run.push(next);
        }
        let end = letters.peek().map_or(text.len(), |(at, _)| *at);
        let around = Around { before, after: letters.peek().map(|(_, letter)| *letter), right_to_left };
        if let Some(code) = around.judge(&run) {
            raise(code, at..end, decode(&run));
        }
    }
}

fn gaps(text: &str, raise: &mut dyn FnMut(Code, Range<usize>, Option<String>)) {
    let (mut lines, mut spaces, mut from) = (0, 0, None);
    for (at, b) in text.bytes().enumerate() {
        match b {
            b'\n' => (lines, spaces) = (lines + 1, 0),
            b' ' | b'\t' => spaces += 1,
            b'\r' => {}
            _ => {
                if let Some(from) = from.filter(|_| lines > EMPTY_LINES || spaces > SPACES) {
                    raise(Code::PushedOutOfSight, from..at, None);
                }
                (lines, spaces, from) = (0, 0, Some(at + 1));
            }
        }
    }
}

/// What stands around a run of odd characters.
struct Around {
    before: Option<char>,
    after: Option<char>,
    right_to_left: bool,
}

impl Around {
    fn judge(&self, run: &[char]) -> Option<Code> {
        if run.iter().any(|letter| matches!(letter, '\u{1b}' | '\u{9b}' | '\u{202d}' | '\u{202e}')) {
            return Some(Code::HiddenText);
        }
        if run.iter().any(|letter| is_tag(*letter)) {
            let flag = self.before.is_some_and(|before| is_flag(before, run));
            return (!flag).then_some(Code::HiddenText);
        }
        let selectors = run.iter().filter(|letter| is_selector(**letter)).count();
        if selectors > 1 || (run.len() >= RUN && run.iter().all(|letter| is_invisible(*letter))) {
            return Some(Code::HiddenText);
        }
        if run.iter().any(|letter| letter.is_control()) {
            return Some(Code::OddCharacters);
        }
        let narrow = |letter: Option<char>| letter.is_none_or(|letter| letter.is_ascii());
        if run.iter().all(|letter| is_selector(*letter) || is_direction(*letter)) {
            let strange = run.iter().any(|letter| {
                (is_direction(*letter) && !self.right_to_left) || matches!(letter, '\u{e0100}'..='\u{e01ef}')
            });
            return (strange && narrow(self.before)).then_some(Code::OddCharacters);
        }
        let within = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
        let soft = run.iter().all(|letter| *letter == '\u{ad}');
        match (within(self.before) && within(self.after), narrow(self.before) && narrow(self.after)) {
            (true, _) if !soft => Some(Code::HiddenText),
            (_, true) if self.before.is_some() => Some(Code::OddCharacters),
            _ => None,
        }
    }
}

/// What the run says: tag characters as the letters they stand for, variation selectors as bytes.
fn decode(run: &[char]) -> Option<String> {
    let mut text: String = run.iter().filter_map(|letter| tagged(*letter)).take(DECODED).collect();
    if text.is_empty() {
        let bytes: Vec<u8> = run.iter().filter_map(|letter| selected(*letter)).take(DECODED).collect();
        if bytes.len() > 1 {
            text = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    (!text.is_empty()).then_some(text)
}

fn is_odd(letter: char) -> bool {
    is_invisible(letter) || (letter.is_control() && !matches!(letter, '\t' | '\n' | '\r'))
}

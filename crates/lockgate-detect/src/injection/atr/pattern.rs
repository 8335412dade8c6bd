//! A pattern of others: made harmless, and with the words that it cannot match without.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind, Look};

/// Longest pattern. Bytes.
const LONGEST: usize = 8192;
/// How large a pattern may be, counted in characters and ranges of them with every repetition written out.
const PARTS: usize = 8_000;
/// Most memory of the states that a pattern makes on the way. Bytes.
const STATES: usize = 64 * 1024;
/// Most words of a pattern, and fewest bytes of one.
const WORDS: usize = 128;
const SHORTEST: usize = 3;

/// Why a condition is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It compares otherwise than with a regular expression.
    #[error("its operator is not `regex`")]
    Operator,
    /// It is about something that is not looked at here.
    #[error("it is about a field that is not looked at")]
    Field,
    /// Its pattern cannot be read, or needs steps back (look-around, back references).
    #[error("its pattern cannot be read or needs look-around")]
    Pattern,
    /// Its pattern is too large.
    #[error("its pattern is too large")]
    Large,
    /// There is no word that must be there, so that it would have to be tried on every text.
    #[error("its pattern has no word that must be there")]
    Words,
}

/// A pattern that can be run.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    /// Built when it is first needed: most never are, and each takes tens of kilobytes. None where it cannot be.
    regex: OnceLock<Option<Regex>>,
    /// One of these is in all that it matches, in small letters.
    pub(super) words: Vec<String>,
    /// Does it begin where the text does, and end where the text does?
    pub(super) starts: bool,
    pub(super) ends: bool,
}

impl Pattern {
    pub(super) fn read(text: &str) -> Result<Self, Unfit> {
        if text.len() > LONGEST {
            return Err(Unfit::Large);
        }
        let plain = plain(text);
        let hir = regex_syntax::parse(&plain).map_err(|_| Unfit::Pattern)?;
        let words = needed(&hir).ok_or(Unfit::Words)?.0;
        let looks = hir.properties().look_set();
        if parts(&hir) > PARTS {
            return Err(Unfit::Large);
        }
        Ok(Self {
            text: plain,
            regex: OnceLock::new(),
            words,
            starts: looks.contains(Look::Start),
            ends: looks.contains(Look::End),
        })
    }

    /// Where it first matches.
    pub(super) fn find(&self, text: &str) -> Option<Range<usize>> {
        let build = || RegexBuilder::new(&self.text).dfa_size_limit(STATES).build().ok();
        Some(self.regex.get_or_init(build).as_ref()?.find(text)?.range())
    }
}

/// How large it is.
fn parts(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => 4 * class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Capture(capture) => parts(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min + 1);
            parts(&repetition.sub).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
        HirKind::Concat(all) | HirKind::Alternation(all) => {
            all.iter().map(parts).fold(0, usize::saturating_add)
        }
    }
}

/// The pattern with the classes of ASCII for `\w`, `\d`, `\s` and `\b`: those of Unicode are large, and keep the fast engine out.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    let mut class = false;
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            class = match letter {
                '[' => true,
                ']' => false,
                _ => class,
            };
            out.push(letter);
            continue;
        }
        let Some(escaped) = letters.next() else { break };
        match (escaped, class) {
            ('w', true) => out.push_str("0-9A-Za-z_"),
            ('d', true) => out.push_str("0-9"),
            ('s', true) => out.push_str(r"\t\n\x0B\x0C\r\x20"),
            ('w', false) => out.push_str("[0-9A-Za-z_]"),
            ('d', false) => out.push_str("[0-9]"),
            ('s', false) => out.push_str(r"[\t\n\x0B\x0C\r\x20]"),
            // A class in a class is one.
            ('W', _) => out.push_str("[^0-9A-Za-z_]"),
            ('D', _) => out.push_str("[^0-9]"),
            ('S', _) => out.push_str(r"[^\t\n\x0B\x0C\r\x20]"),
            ('b', false) => out.push_str(r"(?-u:\b)"),
            ('B', false) => out.push_str(r"(?-u:\B)"),
            // Some write what needs no escape with one.
            (other, _) if !other.is_ascii_alphanumeric() && !other.is_ascii() => out.push(other),
            (other, _)
                if matches!(
                    other,
                    '"' | '\'' | '`' | '/' | ',' | ':' | ';' | '=' | '@' | '!' | '%' | '<' | '>' | '_' | ' '
                ) =>
            {
                out.push(other);
            }
            (other, _) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}

/// Words of which one is in all that it matches, and how long the shortest is.
fn needed(hir: &Hir) -> Option<(Vec<String>, usize)> {
    if let Some(text) = exact(hir) {
        return one(text);
    }
    match hir.kind() {
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Alternation(ways) => {
            let (mut words, mut shortest) = (Vec::new(), usize::MAX);
            for way in ways {
                let (more, length) = needed(way)?;
                words.extend(more);
                shortest = shortest.min(length);
            }
            words.sort_unstable();
            words.dedup();
            (words.len() <= WORDS).then_some((words, shortest))
        }
        HirKind::Concat(parts) => {
            let mut best: Option<(Vec<String>, usize)> = None;
            let mut better = |found: Option<(Vec<String>, usize)>| {
                if let Some(found) = found
                    && best.as_ref().is_none_or(|best| worth(&found) > worth(best))
                {
                    best = Some(found);
                }
            };
            let mut run = String::new();
            for part in parts {
                if let Some(text) = exact(part) {
                    run.push_str(&text);
                } else {
                    better(one(std::mem::take(&mut run)));
                    better(needed(part));
                }
            }
            better(one(run));
            best
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => None,
    }
}

/// A few long words are better than many short ones.
fn worth((words, shortest): &(Vec<String>, usize)) -> usize {
    (shortest * 16).saturating_sub(words.len())
}

fn one(text: String) -> Option<(Vec<String>, usize)> {
    let length = text.len();
    (length >= SHORTEST).then(|| (vec![text], length))
}

/// The one text that it matches, in small letters. Nothing for what matches no characters.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(literal) => Some(std::str::from_utf8(&literal.0).ok()?.to_ascii_lowercase()),
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Class(Class::Unicode(class)) => {
            // A letter in both cases, and what Unicode folds to it.
            let ranges = class.ranges();
            if ranges.len() > 3 || ranges.iter().any(|range| range.start() != range.end()) {
                return None;
            }
            let mut ascii = ranges.iter().map(ClassUnicodeRange::start).filter(char::is_ascii);
            let letter = ascii.next()?.to_ascii_lowercase();
            let others = ranges.iter().map(ClassUnicodeRange::start).filter(|letter| !letter.is_ascii());
            let folds = others.into_iter().all(|other| matches!(other, '\u{212a}' | '\u{17f}'));
            (folds && letter.is_ascii_alphabetic() && ascii.all(|other| other.to_ascii_lowercase() == letter))
                .then(|| letter.to_string())
        }
        HirKind::Concat(parts) => parts.iter().map(exact).collect(),
        HirKind::Class(_) | HirKind::Repetition(_) | HirKind::Alternation(_) => None,
    }
}

//! A pattern of others: made harmless, and with the words that it cannot match without.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind, Look};

/// Longest pattern. Bytes.
const LONGEST: usize = 8192;
/// How large a pattern may be, counted in characters and ranges of them with every repetition written out.
const PARTS: usize = 8_000;
/// Most memory of the states that a pattern makes on the way, and so much more for each of its parts: with less, it would be run
/// by an engine that is many times slower. Bytes.
const STATES: usize = 64 * 1024;
const STATES_OF_PART: usize = 256;
/// Most words around which a pattern is tried, and fewest bytes of one.
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
    /// How large it is.
    parts: usize,
    /// Built when it is first needed: most never are, and each takes tens of kilobytes. None where it cannot be.
    regex: OnceLock<Option<Regex>>,
    /// What is in all that it matches.
    pub(super) needs: Need<String>,
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
        let needs = needed(&hir).ok_or(Unfit::Words)?;
        let looks = hir.properties().look_set();
        let parts = parts(&hir);
        if parts > PARTS {
            return Err(Unfit::Large);
        }
        Ok(Self {
            text: plain,
            parts,
            regex: OnceLock::new(),
            needs,
            starts: looks.contains(Look::Start),
            ends: looks.contains(Look::End),
        })
    }

    /// Where it first matches.
    pub(super) fn find(&self, text: &str) -> Option<Range<usize>> {
        let states = STATES + STATES_OF_PART * self.parts;
        let build = || RegexBuilder::new(&self.text).dfa_size_limit(states).build().ok();
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

/// Words that must be there, in small letters.
#[derive(Clone, Debug)]
pub(super) enum Need<Word> {
    /// This one.
    Word(Word),
    /// What each of these needs.
    All(Vec<Self>),
    /// What one of these needs.
    Any(Vec<Self>),
}

impl<Word> Need<Word> {
    /// The same of what stands for the words.
    pub(super) fn map<Other>(&self, of: &mut impl FnMut(&Word) -> Other) -> Need<Other> {
        match self {
            Self::Word(word) => Need::Word(of(word)),
            Self::All(all) => Need::All(all.iter().map(|need| need.map(of)).collect()),
            Self::Any(any) => Need::Any(any.iter().map(|need| need.map(of)).collect()),
        }
    }

    /// Is it there, where these words are?
    pub(super) fn is_met(&self, is_there: &impl Fn(&Word) -> bool) -> bool {
        match self {
            Self::Word(word) => is_there(word),
            Self::All(all) => all.iter().all(|need| need.is_met(is_there)),
            Self::Any(any) => any.iter().any(|need| need.is_met(is_there)),
        }
    }
}

impl Need<String> {
    fn word(word: String) -> Option<Self> {
        (word.len() >= SHORTEST).then_some(Self::Word(word))
    }

    /// All of these, those that are rarest first.
    fn all(mut all: Vec<Self>) -> Option<Self> {
        all.sort_by_key(|need| std::cmp::Reverse(need.worth()));
        if all.len() > 1 { Some(Self::All(all)) } else { all.pop() }
    }

    /// Words of which one is there wherever all of it is: those that tell most.
    fn rarest(&self) -> Vec<&str> {
        match self {
            Self::Word(word) => vec![word],
            Self::All(all) => all.first().map(Self::rarest).unwrap_or_default(),
            Self::Any(any) => {
                let mut words: Vec<&str> = any.iter().flat_map(Self::rarest).collect();
                words.sort_unstable();
                words.dedup();
                words
            }
        }
    }

    /// The ways to meet it: for each the words around which it is tried, and what must be there beside one of them.
    pub(super) fn ways(&self) -> Vec<(Vec<&str>, Vec<&Self>)> {
        match self {
            Self::Any(any) => any.iter().flat_map(Self::ways).collect(),
            Self::All(all) => {
                let beside = all.iter().skip(all.first().is_some_and(Self::is_one_word).into());
                vec![(self.rarest(), beside.collect())]
            }
            Self::Word(word) => vec![(vec![word], Vec::new())],
        }
    }

    /// Is any one word enough?
    fn is_one_word(&self) -> bool {
        match self {
            Self::Word(_) => true,
            Self::All(_) => false,
            Self::Any(any) => any.iter().all(Self::is_one_word),
        }
    }

    /// A few long words are better than many short ones.
    fn worth(&self) -> usize {
        let words = self.rarest();
        let shortest = words.iter().map(|word| word.len()).min().unwrap_or_default();
        (shortest * 16).saturating_sub(words.len())
    }
}

/// What must be there in all that it matches. Nothing where that may be nothing, or one of too many words.
fn needed(hir: &Hir) -> Option<Need<String>> {
    if let Some(text) = exact(hir) {
        return Need::word(text);
    }
    match hir.kind() {
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Alternation(ways) => {
            let any = Need::Any(ways.iter().map(needed).collect::<Option<_>>()?);
            (any.rarest().len() <= WORDS).then_some(any)
        }
        HirKind::Concat(parts) => {
            let (mut all, mut run) = (Vec::new(), String::new());
            for part in parts {
                if let Some(text) = exact(part) {
                    run.push_str(&text);
                } else {
                    all.extend(Need::word(std::mem::take(&mut run)));
                    all.extend(needed(part));
                }
            }
            all.extend(Need::word(run));
            Need::all(all)
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => None,
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARTS_OF_PATTERNS: &[&str] = &[
        "(?i)",
        "abc",
        "dEf",
        "(a|b)c",
        "ab+c",
        "(abc|def|cab){1,2}",
        "(abc|def)?",
        "(cab)*",
        "[a-c]ab",
        "(abca|(bcd|dab) cab)",
        " ",
        ".*",
        "|",
    ];

    proptest! {
        /// What a pattern needs is in all that it matches, and one of the words that it is tried around.
        #[test]
        fn what_it_needs_is_in_what_it_matches(
            parts in prop::collection::vec(prop::sample::select(PARTS_OF_PATTERNS), 1..5),
            text in "([aA]bc|[dD]ef|abbc|cab|ab|cd| |bcd cab|abca){0,12}",
        ) {
            let pattern = parts.concat();
            let Ok(pattern) = Pattern::read(&pattern) else { return Ok(()) };
            if pattern.find(&text).is_some() {
                let text = text.to_ascii_lowercase();
                prop_assert!(pattern.needs.is_met(&|word: &String| text.contains(word.as_str())));
                let is_met = |(around, beside): &(Vec<&str>, Vec<&Need<String>>)| {
                    around.iter().any(|word| text.contains(word))
                        && beside.iter().all(|need| need.is_met(&|word: &String| text.contains(word.as_str())))
                };
                prop_assert!(pattern.needs.ways().iter().any(is_met));
            }
        }
    }
}

//! What a text must have in it for a pattern to match: most texts have it not, and the pattern is not asked.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::bytes::Bytes;

/// One of these is in everything that a pattern matches.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// Single bytes.
    pub(super) bytes: Bytes,
    /// Longer words, in lower case. The text may have them in any case.
    pub(super) words: Vec<Vec<u8>>,
    /// How often an ordinary text has one of them, per byte: smaller is better.
    cost: f32,
}

/// More words than this are no help.
const MOST_WORDS: usize = 64;
/// Longer ones are cut.
const LONGEST: usize = 12;

impl Needs {
    /// One of these words.
    pub(super) fn words(words: &[&str]) -> Self {
        let words = words.iter().map(|word| word.to_ascii_lowercase().into_bytes()).collect();
        Self { words, ..Self::default() }
    }

    /// What a pattern needs; nothing where a text may match it that has nothing special. O(length of the pattern).
    pub(super) fn of(pattern: &Hir) -> Option<Self> {
        match pattern.kind() {
            HirKind::Literal(literal) => Self::word(&literal.0.to_ascii_lowercase()),
            HirKind::Class(class) => Self::class(class),
            HirKind::Repetition(repeated) if repeated.min > 0 => Self::of(&repeated.sub),
            HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
            HirKind::Capture(group) => Self::of(&group.sub),
            HirKind::Alternation(branches) => branches.iter().try_fold(Self::default(), |all, branch| {
                let mut all = all;
                let own = Self::of(branch)?;
                all.bytes = all.bytes.union(own.bytes);
                all.words.extend(own.words);
                all.cost += own.cost;
                (all.words.len() <= MOST_WORDS).then_some(all)
            }),
            HirKind::Concat(parts) => {
                let single = parts.iter().filter_map(Self::of);
                let runs = parts.split(|part| letter(part).is_none()).filter_map(|run| {
                    let word: Vec<u8> = run.iter().filter_map(letter).flatten().collect();
                    Self::word(&word)
                });
                single.chain(runs).min_by(|one, other| one.cost.total_cmp(&other.cost))
            }
        }
    }

    fn word(word: &[u8]) -> Option<Self> {
        let word = word.get(..word.len().min(LONGEST))?;
        let cost = word.iter().map(|&b| share(b)).product();
        match word {
            [] => None,
            [byte] => {
                let bytes = Bytes::that(|b| b.eq_ignore_ascii_case(byte));
                Some(Self { bytes, words: Vec::new(), cost })
            }
            _ => Some(Self { bytes: Bytes::default(), words: vec![word.to_vec()], cost }),
        }
    }

    fn class(class: &Class) -> Option<Self> {
        let Class::Bytes(class) = class else { return None };
        let ranges = || class.ranges().iter().map(|range| (range.start(), range.end()));
        let has = |b: u8| ranges().any(|(start, end)| (start..=end).contains(&b));
        let bytes = Bytes::that(has);
        let cost = (0..=u8::MAX).filter(|&b| has(b)).map(share).sum();
        (cost < 0.5).then_some(Self { bytes, words: Vec::new(), cost })
    }
}

/// The text that this part always is, but for upper and lower case.
fn letter(part: &Hir) -> Option<Vec<u8>> {
    match part.kind() {
        HirKind::Literal(literal) => Some(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Bytes(class)) => match class.ranges() {
            [one, other]
                if one.start() == one.end()
                    && other.start() == other.end()
                    && one.start().eq_ignore_ascii_case(&other.start()) =>
            {
                Some(vec![other.start().to_ascii_lowercase()])
            }
            _ => None,
        },
        HirKind::Capture(group) => letter(&group.sub),
        HirKind::Empty
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => None,
    }
}

/// How often a byte is in the values of arguments, roughly.
fn share(byte: u8) -> f32 {
    match byte.to_ascii_lowercase() {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0.07,
        b'l' | b'd' | b'c' | b'u' | b'm' | b'p' | b'h' | b'/' | b'.' | b'_' | b'-' => 0.03,
        b'f' | b'g' | b'b' | b'y' | b'w' | b'v' | b'0'..=b'9' | b' ' => 0.015,
        b'k' | b'x' | b'j' | b'q' | b'z' | b':' | b'@' => 0.005,
        _ => 0.001,
    }
}

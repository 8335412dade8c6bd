//! Thousands of words looked for in one pass.

use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use crate::blocks::eight;
use crate::heads::Heads;

/// An automaton, and a look ahead that passes over what no word begins with.
#[derive(Debug)]
pub(crate) struct Words {
    heads: Heads,
    beginnings: Beginnings,
    automaton: NFA,
    /// The state of the automaton where no word has begun.
    idle: StateID,
}

impl Words {
    /// Of any number of words, however many begin alike. Nothing where there are too many for one automaton.
    pub(crate) fn new(words: &[&str]) -> Option<Self> {
        let automaton = NFA::builder().match_kind(MatchKind::Standard).build(words).ok()?;
        let idle = automaton.start_state(Anchored::No).ok()?;
        Some(Self { heads: Heads::new(words)?, beginnings: Beginnings::new(words), automaton, idle })
    }

    /// Hands over each word of the text with its number: by where they end, until it gives false. Linear.
    pub(crate) fn each(&self, text: &str, mut seen: impl FnMut(usize, Range<usize>) -> bool) {
        let bytes = text.as_bytes();
        let (mut at, mut state) = (0, self.idle);
        loop {
            if state == self.idle {
                at = self.heads.next(bytes, at);
                if !self.beginnings.may_be_at(bytes, at) {
                    at += 1;
                    continue;
                }
            }
            let Some(byte) = bytes.get(at) else { return };
            state = self.automaton.next_state(Anchored::No, state, *byte);
            at += 1;
            if self.automaton.is_match(state) {
                for which in 0..self.automaton.match_len(state) {
                    let word = self.automaton.match_pattern(state, which);
                    if !seen(word.as_usize(), at - self.automaton.pattern_len(word)..at) {
                        return;
                    }
                }
            }
        }
    }
}

/// How words begin that are not of ASCII. There, three bytes are one letter or two, and nearly each letter begins some word.
#[derive(Debug)]
struct Beginnings(Box<[u64; 1 << 10]>);

/// Bytes of a beginning, and of that of a shorter word.
const LONG: u32 = 6;
const SHORT: u32 = 3;

impl Beginnings {
    fn new(words: &[&str]) -> Self {
        let mut all = Self(Box::new([0; 1 << 10]));
        let mut mark = |begins: &[u8], length| {
            let (place, bit) = place_of(eight(begins, 0), length);
            all.0.get_mut(place).into_iter().for_each(|bits| *bits |= bit);
        };
        for word in words {
            match word.as_bytes() {
                // What is behind it may be anything.
                [first, second] => {
                    (0..=u8::MAX).for_each(|any| mark(&[*first, *second, any], SHORT));
                }
                long @ [_, _, _, _, _, _, ..] => mark(long, LONG),
                short => mark(short, SHORT),
            }
        }
        all
    }

    /// May a word begin there? Always where one does.
    #[inline]
    fn may_be_at(&self, bytes: &[u8], at: usize) -> bool {
        let ahead = eight(bytes, at);
        let has = |length| {
            let (place, bit) = place_of(ahead, length);
            self.0.get(place).is_some_and(|bits| bits & bit != 0)
        };
        ahead & 0x80 == 0 || has(LONG) || has(SHORT)
    }
}

/// Where the bit of so many bytes is.
#[inline]
fn place_of(bytes: u64, length: u32) -> (usize, u64) {
    let hash = (bytes << (u64::BITS - 8 * length)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (usize::try_from(hash >> 54).unwrap_or_default(), 1 << (hash >> 48 & 63))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_word_is_found(
            words in prop::collection::vec("[aб語]{1,4}|[ .]{1,2}", 1..6),
            parts in prop::collection::vec("[abбв語記 .]{0,6}", 0..12),
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let text = parts.concat();
            let mut found = Vec::new();
            Words::new(&words).unwrap().each(&text, |which, span| {
                found.push((which, span));
                true
            });
            found.sort_by_key(|(which, span)| (*which, span.start));
            let places = words.iter().enumerate().flat_map(|(which, word)| {
                (0..text.len()).filter(|at| text.as_bytes()[*at..].starts_with(word.as_bytes())).map(move |at| (which, at..at + word.len()))
            });
            prop_assert_eq!(found, places.collect::<Vec<_>>());
        }
    }
}

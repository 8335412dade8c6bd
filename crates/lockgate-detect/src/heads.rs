//! Where in a text any of many words may begin: a look at three bytes, so that most of a text needs no automaton.

use std::num::NonZeroU64;

use crate::blocks::{low_half, sixteen};

/// For each pair of bytes the words that begin with it, and those whose second and third byte it is: four bits each, one
/// for each group of words.
#[derive(Debug)]
pub(crate) struct Heads(Box<[u8; 1 << 16]>);

const GROUPS: u32 = 4;
/// Places that are looked at together, a byte of a number for each.
const STEP: usize = 8;
/// The groups of words that begin, in each byte.
const BEGIN: u64 = u64::from_le_bytes([0x0f; STEP]);

impl Heads {
    /// Of words that are not empty. Always something.
    pub(crate) fn new(words: &[&str]) -> Option<Self> {
        let mut pairs: Box<[u8; 1 << 16]> = vec![0; 1 << 16].into_boxed_slice().try_into().ok()?;
        let mut mark = |pair: [u8; 2], groups: u8| {
            pairs
                .get_mut(usize::from(u16::from_le_bytes(pair)))
                .into_iter()
                .for_each(|marked| *marked |= groups);
        };
        for word in words {
            let bytes = word.as_bytes();
            let Some(last) = bytes.iter().take(3).next_back() else { continue };
            let group = 1 << (u32::from(*last) % GROUPS);
            // What is behind a word that is shorter may be anything.
            let at = |place: usize| bytes.get(place).map_or(0..=u8::MAX, |byte| *byte..=*byte);
            for second in at(1) {
                at(0).for_each(|first| mark([first, second], group));
                at(2).for_each(|third| mark([second, third], group << GROUPS));
            }
        }
        Some(Self(pairs))
    }

    /// The next place from there on where a word may begin. Never behind one where a word begins.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while at < bytes.len() {
            // Behind the end anything may stand: a word that begins before it is all there.
            let ahead = sixteen(bytes, at);
            let mut pairs = (0..=STEP).map(|at| u64::from(self.groups(low_half(ahead >> (8 * at)))));
            // Put together in a register: eight bytes written one by one cannot soon be read as one.
            let here =
                pairs.by_ref().take(STEP).zip(0..).fold(0, |all, (groups, at)| all | groups << (8 * at));
            let behind = here >> 8 | pairs.next().unwrap_or_default() << 56;
            // What the pair of each place and the pair behind it have in common.
            if let Some(known) = NonZeroU64::new(here & behind >> GROUPS & BEGIN) {
                return at + usize::try_from(known.trailing_zeros() / 8).unwrap_or_default();
            }
            at += STEP;
        }
        at.min(bytes.len().max(from))
    }

    /// Of the lowest two bytes.
    #[inline]
    fn groups(&self, pair: u64) -> u8 {
        let place = usize::try_from(pair % (1 << 16)).unwrap_or_default();
        self.0.get(place).copied().unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Heads;

    proptest! {
        #[test]
        fn no_word_is_passed_over(
            words in prop::collection::vec("[a-cXY|]{1,5}", 1..6),
            parts in prop::collection::vec("[a-cXYé ]{0,12}|[|]", 0..12),
            from in 0..20_usize,
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let heads = Heads::new(&words).unwrap();
            let text = parts.concat();
            let begins = |at: &usize| words.iter().any(|word| text.as_bytes()[*at..].starts_with(word.as_bytes()));
            let first = (from..text.len()).find(begins).unwrap_or(text.len());
            prop_assert!((from..=first.max(from)).contains(&heads.next(text.as_bytes(), from)));
        }
    }

    #[test]
    fn most_of_a_text_is_passed_over() {
        let heads = Heads::new(&["key", "Q~", "|"]).unwrap();
        let text = "It was the best of times, it was the worst of times, | and all that.";
        assert_eq!(heads.next(text.as_bytes(), 0), text.find('|').unwrap());
    }
}

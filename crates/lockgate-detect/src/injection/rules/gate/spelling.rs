//! A word letter by letter, or run by run, and the number it is looked up by.

use crate::runs::letters;

/// Letters that are kept; what is behind them is hashed one by one.
const KEPT: usize = 16;

/// A word as it is read so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spelling {
    /// The first letters, the first lowest.
    first: u128,
    /// Those behind.
    rest: u64,
    pub(super) length: usize,
}

impl Spelling {
    /// All of a word.
    pub(super) fn of(word: impl Iterator<Item = u8>) -> Self {
        let mut spelling = Self::default();
        word.for_each(|letter| spelling.push(letter));
        spelling
    }

    pub(super) fn letters(&mut self, letters: &[u8]) {
        for letter in letters {
            self.push(*letter);
        }
    }

    pub(super) fn push(&mut self, letter: u8) {
        if self.length < KEPT {
            self.first |= u128::from(letter) << (8 * self.length);
        } else {
            self.rest = self.rest.rotate_left(7) ^ u64::from(letter);
        }
        self.length += 1;
    }

    /// A run of letters and digits of ASCII; capitals become small.
    #[inline]
    pub(super) fn run(&mut self, bytes: &[u8], from: usize, length: usize) {
        if self.length + length <= KEPT && length > 0 {
            self.first |= letters(bytes, from, length) << (8 * self.length);
            self.length += length;
        } else {
            let run = bytes.get(from..from + length).unwrap_or_default();
            for letter in run {
                self.push(letter.to_ascii_lowercase());
            }
        }
    }

    /// The number; its upper bits are those that differ.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        let half = |of: u128| u64::try_from(of & u128::from(u64::MAX)).unwrap_or_default();
        let hash = half(self.first).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ half(self.first >> 64).wrapping_mul(0xbf58_476d_1ce4_e5b9)
            ^ self.rest.wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ hash >> 29
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Spelling;

    proptest! {
        #[test]
        fn runs_are_letters(parts in prop::collection::vec("[a-zA-Z0-9]{0,20}", 0..4)) {
            let mut spelling = Spelling::default();
            for part in &parts {
                spelling.run(part.as_bytes(), 0, part.len());
            }
            let one_by_one = Spelling::of(parts.concat().to_ascii_lowercase().bytes());
            prop_assert_eq!((spelling.hash(), spelling.length), (one_by_one.hash(), one_by_one.length));
        }
    }
}

//! A word as it is read, and the number it is looked up by.

use crate::blocks::{SMALL, kept, low_half, sixteen};

/// Letters that are taken in at once.
pub(super) const AT_ONCE: usize = 16;

/// A word as it is read so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spelling {
    /// The last letters, at most [`AT_ONCE`], the first of them lowest.
    letters: u128,
    /// All before them.
    before: u64,
    pub(super) length: usize,
}

impl Spelling {
    /// All of a word.
    pub(super) fn of(word: impl Iterator<Item = u8>) -> Self {
        let mut spelling = Self::default();
        word.for_each(|letter| spelling.push(letter));
        spelling
    }

    #[inline]
    pub(super) fn push(&mut self, letter: u8) {
        self.more();
        self.letters |= u128::from(letter) << (8 * (self.length % AT_ONCE));
        self.length += 1;
    }

    /// Takes in so many letters and digits of ASCII that stand there; capitals become small.
    #[inline]
    pub(super) fn run(&mut self, bytes: &[u8], from: usize, length: usize) {
        self.bytes(bytes, from, length, SMALL);
    }

    /// Takes in so many bytes that stand there, with these bits.
    pub(super) fn bytes(&mut self, bytes: &[u8], from: usize, length: usize, with: u128) {
        let mut at = 0;
        while at < length {
            let room = AT_ONCE - self.length % AT_ONCE;
            let part = room.min(length - at);
            self.more();
            self.letters |= at_once(bytes, from + at, part, with) << (8 * (AT_ONCE - room));
            self.length += part;
            at += part;
        }
    }

    /// Another letter comes: where there is no room for it, those that are there are put away.
    #[inline]
    fn more(&mut self) {
        if self.length.is_multiple_of(AT_ONCE) && self.length > 0 {
            (self.before, self.letters) = (self.hash(), 0);
        }
    }

    /// The number; its upper bits are those that differ.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        hash(self.letters, self.before)
    }
}

/// The number of a word of so many letters and digits of ASCII that stand there: at most [`AT_ONCE`].
#[inline]
pub(super) fn hash_at(bytes: &[u8], from: usize, length: usize) -> u64 {
    hash(at_once(bytes, from, length, SMALL), 0)
}

#[inline]
fn at_once(bytes: &[u8], from: usize, length: usize, with: u128) -> u128 {
    (sixteen(bytes, from) | with) & kept(length)
}

#[inline]
fn hash(letters: u128, before: u64) -> u64 {
    let (low, high) = (low_half(letters), low_half(letters >> 64));
    let hash = low.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (high ^ before).wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(32);
    (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However it is taken in, a word is the same word.
        #[test]
        fn parts_of_a_word_are_the_word(parts in prop::collection::vec("[a-zA-Z0-9]{1,20}", 0..5), space in "[ .]?") {
            let (text, mut spelling) = (parts.concat() + &space, Spelling::default());
            let mut from = 0;
            for part in &parts {
                spelling.run(text.as_bytes(), from, part.len());
                from += part.len();
            }
            let whole = Spelling::of(text.bytes().take(from).map(|letter| letter.to_ascii_lowercase()));
            prop_assert_eq!((spelling.length, spelling.hash()), (whole.length, whole.hash()));
            if (1..=AT_ONCE).contains(&from) {
                prop_assert_eq!(hash_at(text.as_bytes(), 0, from), whole.hash());
            }
        }
    }
}

//! A word as it is read, and the number it is looked up by.

use super::byte::{CLASSES, MARK};

/// A word as it is read so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spelling {
    hash: u64,
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
        self.hash = self.hash.rotate_left(7) ^ u64::from(letter);
        self.length += 1;
    }

    pub(super) fn letters(&mut self, letters: &[u8]) {
        for letter in letters {
            self.push(*letter);
        }
    }

    /// Takes in the letters and digits of ASCII that a text begins with; capitals become small. Gives how many there are, and
    /// whether there are digits among them.
    #[inline]
    pub(super) fn run(&mut self, bytes: &[u8]) -> (usize, bool) {
        let (mut length, mut digits) = (0, false);
        for byte in bytes {
            let class = CLASSES.get(usize::from(*byte)).copied().unwrap_or(MARK);
            if class < b'0' {
                break;
            }
            digits |= class <= b'9';
            self.hash = self.hash.rotate_left(7) ^ u64::from(class);
            length += 1;
        }
        self.length += length;
        (length, digits)
    }

    /// The number; its upper bits are those that differ.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        let hash = self.hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ (hash >> 29)
    }
}

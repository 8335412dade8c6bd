//! Some hundreds of words, found wherever they stand.

use std::ops::Range;

use crate::heads::Heads;
use crate::lexicon::Lexicon;

/// What finds them.
#[derive(Debug)]
pub(crate) struct Clues {
    heads: Heads,
    lexicon: Lexicon,
}

impl Clues {
    /// Of words of two bytes or more, as they are written. Nothing where one is shorter, or where there are too many.
    pub(crate) fn new(words: &[&str]) -> Option<Self> {
        Some(Self { heads: Heads::new(words)?, lexicon: Lexicon::exact(words)? })
    }

    /// Hands over each of them in the text with its number: by where they begin, until it gives false. Linear.
    pub(crate) fn each(&self, text: &str, mut seen: impl FnMut(usize, Range<usize>) -> bool) {
        let bytes = text.as_bytes();
        let mut at = self.heads.next(bytes, 0);
        while at < bytes.len() {
            if !self.lexicon.at(bytes, at, |word, length| seen(word, at..at + length)) {
                return;
            }
            at = self.heads.next(bytes, at + 1);
        }
    }

    /// Bytes that it takes.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        size_of_val(self) + self.lexicon.memory()
    }
}

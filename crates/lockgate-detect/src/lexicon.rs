//! Words, looked up where one may begin: by its first two bytes, and then by its first sixteen at once.

use crate::blocks::{SMALL, kept, sixteen};

/// Some hundreds of words, of which few begin with the same two bytes.
#[derive(Debug)]
pub(crate) struct Lexicon {
    /// By their first two bytes, the shortest first.
    words: Vec<Word>,
    /// For each two bytes the place, counted from one, of the first word that begins with them; nought where none does.
    heads: Box<[u16; 1 << 16]>,
    /// What makes capitals and small letters one, or nothing.
    fold: u128,
}

#[derive(Debug)]
struct Word {
    number: usize,
    letters: Box<[u8]>,
    /// The first of them, folded, and which bits of those of a text to compare: most texts differ there.
    first: u128,
    mask: u128,
    /// The next one begins with the same two bytes.
    more: bool,
}

impl Lexicon {
    /// Of words as they are written. Nothing where one has fewer than two bytes, or where there are too many.
    pub(crate) fn exact(words: &[&str]) -> Option<Self> {
        Self::new(words, 0)
    }

    /// The same, in capitals and small letters of ASCII.
    pub(crate) fn folded(words: &[&str]) -> Option<Self> {
        Self::new(words, SMALL)
    }

    fn new(words: &[&str], fold: u128) -> Option<Self> {
        let mut heads: Box<[u16; 1 << 16]> = vec![0; 1 << 16].into_boxed_slice().try_into().ok()?;
        let word = |(number, word): (usize, &&str)| {
            let letters: Box<[u8]> = word.as_bytes().into();
            let mask = kept(letters.len());
            Word { number, first: (sixteen(&letters, 0) | fold) & mask, mask, letters, more: false }
        };
        let mut words: Vec<Word> = words.iter().enumerate().map(word).collect();
        words.sort_by_key(|word| (head(word.first), word.letters.len()));
        let mut behind = None;
        for (at, word) in words.iter_mut().enumerate().rev() {
            let head = (word.letters.len() > 1).then(|| head(word.first))?;
            word.more = behind == Some(head);
            behind = Some(head);
            *heads.get_mut(head)? = u16::try_from(at + 1).ok()?;
        }
        Some(Self { words, heads, fold })
    }

    /// Hands over the number and the length of each word that begins right here, until it gives false; gives whether it never did.
    #[inline]
    pub(crate) fn at(&self, bytes: &[u8], at: usize, mut seen: impl FnMut(usize, usize) -> bool) -> bool {
        let letters = sixteen(bytes, at) | self.fold;
        let first = self.heads.get(head(letters)).copied().unwrap_or_default();
        let Some(first) = usize::from(first).checked_sub(1) else { return true };
        for word in self.words.get(first..).unwrap_or_default() {
            if (letters ^ word.first) & word.mask == 0
                && self.is(word, bytes.get(at..at + word.letters.len()))
                && !seen(word.number, word.letters.len())
            {
                return false;
            }
            if !word.more {
                break;
            }
        }
        true
    }

    fn is(&self, word: &Word, letters: Option<&[u8]>) -> bool {
        letters.is_some_and(|letters| match self.fold {
            0 => *letters == *word.letters,
            _ => letters.eq_ignore_ascii_case(&word.letters),
        })
    }

    /// Bytes that it takes.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let words = self.words.iter().map(|word| size_of::<Word>() + word.letters.len());
        words.sum::<usize>() + size_of_val(&*self.heads)
    }
}

/// The first two bytes.
#[inline]
fn head(letters: u128) -> usize {
    usize::try_from(letters & 0xffff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The slow way says the same.
        #[test]
        fn each_word_is_found_where_it_begins(
            words in prop::collection::btree_set("[abAB_{\\[é]{2,20}", 0..12),
            parts in prop::collection::vec("[abAB_{\\[é]{0,20}", 0..6),
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| word.len() > 1).collect();
            let text = words.iter().copied().chain(parts.iter().map(String::as_str)).collect::<String>();
            for fold in [0, SMALL] {
                let lexicon = Lexicon::new(&words, fold).unwrap();
                for at in 0..=text.len() {
                    let mut found = Vec::new();
                    lexicon.at(text.as_bytes(), at, |number, length| { found.push((number, length)); true });
                    found.sort_unstable();
                    let begins = |word: &&str| text.as_bytes().get(at..at + word.len()).is_some_and(|here| {
                        here == word.as_bytes() || fold != 0 && here.eq_ignore_ascii_case(word.as_bytes())
                    });
                    let slow = words.iter().enumerate().filter(|(_, word)| begins(word));
                    prop_assert_eq!(found, slow.map(|(number, word)| (number, word.len())).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_looked_up_is_no_lexicon() {
        assert!(Lexicon::exact(&["a"]).is_none());
        assert!(Lexicon::folded(&[""]).is_none());
    }
}

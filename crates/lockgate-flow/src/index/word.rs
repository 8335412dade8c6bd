//! The words of text in its normal form, by their letters.

use crate::text::{BLOCK, block, is_letter, mask};

/// Fewest letters of a word that is remembered, and most.
const LEAST: usize = 5;
const MOST: usize = 256;
/// Room behind the letters of a word that were put together, so that it is hashed as any other.
const ROOM: usize = 16;

/// The letters of a word.
#[derive(Clone, Copy)]
pub(crate) struct Word<'w> {
    /// The letters, and whatever stands behind them.
    pub(crate) from: &'w [u8],
    pub(crate) length: usize,
}

impl<'w> Word<'w> {
    pub(crate) fn letters(self) -> &'w [u8] {
        self.from.get(..self.length).unwrap_or_default()
    }
}

/// Hands over the letters of each word: each run of the characters that names, addresses and paths are made of, without
/// the scheme of an address.
pub(crate) fn words(text: &[u8], mut found: impl FnMut(Word<'_>)) {
    let mut letters = Vec::new();
    let mut hand_over = |start: usize, end: usize, plain: bool| {
        let word = Word { from: text.get(start..).unwrap_or_default(), length: end - start };
        let word = if plain {
            word
        } else {
            let word = word.letters();
            let schemes = [&b"https://"[..], b"http://"];
            let word = schemes.iter().find_map(|scheme| word.strip_prefix(*scheme)).unwrap_or(word);
            letters.resize(letters.len().max(word.len() + ROOM), 0);
            let mut length = 0;
            // Without a branch, since nobody can guess which byte is a mark.
            for byte in word {
                if let Some(place) = letters.get_mut(length) {
                    *place = *byte;
                }
                length += usize::from(is_letter(*byte));
            }
            Word { from: &letters, length }
        };
        if (LEAST..=MOST).contains(&word.length) {
            found(word);
        }
    };
    // Where the word begins that goes on from block to block.
    let mut open = None;
    for (begin, bytes) in (0..).step_by(BLOCK).zip(text.chunks(BLOCK)) {
        let block = block(bytes);
        let own = mask(block.map(is_letter));
        let inside = own | mask(block.map(joins));
        let mut rest = inside;
        if let Some(start) = open {
            let length = inside.trailing_ones();
            if length == u64::BITS {
                continue;
            }
            hand_over(start, begin + length as usize, false);
            rest &= u64::MAX << length;
        }
        // Where a run of at least five begins.
        let two = rest & inside >> 1;
        let mut starts = two & two >> 2 & inside >> 4 & !(rest << 1);
        let last = u64::BITS - rest.leading_ones();
        while starts != 0 {
            let start = starts.trailing_zeros();
            starts &= starts - 1;
            let length = (inside >> start).trailing_ones();
            if start < last {
                let plain = own >> start | u64::MAX << length == u64::MAX;
                hand_over(begin + start as usize, begin + (start + length) as usize, plain);
            }
        }
        open = (last < u64::BITS).then_some(begin + last as usize);
    }
    if let Some(start) = open {
        hand_over(start, text.len(), false);
    }
}

/// Marks within words.
const fn joins(byte: u8) -> bool {
    matches!(byte, b'-'..=b'/' | b':' | b'?'..=b'@' | b'#' | b'%' | b'&' | b'+' | b'=' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LEAST, MOST, Word, joins, words};
    use crate::index::table::Key;
    use crate::text::{bare, is_letter, letters};

    /// Each word by itself.
    fn slow(text: &str) -> Vec<String> {
        let is_word = |byte: u8| is_letter(byte) || b"@._-+/:%~#?&=".contains(&byte);
        let runs = text.as_bytes().split(|byte| !is_word(*byte)).map(|run| str::from_utf8(run).unwrap());
        runs.map(|run| letters(bare(run))).filter(|word| (LEAST..=MOST).contains(&word.len())).collect()
    }

    #[test]
    fn marks_within_words() {
        let all: Vec<u8> = (0..=255).filter(|byte| joins(*byte)).collect();
        let mut known = b"@._-+/:%~#?&=".to_vec();
        known.sort_unstable();
        assert_eq!(all, known);
    }

    proptest! {
        #[test]
        fn words_are_what_splitting_gives(
            parts in prop::collection::vec("[a-c1é]{0,70}|[ \n,;]|[@./:~-]|https?://|[a-c]{250,260}", 0..16)
        ) {
            let text = parts.concat();
            let (mut found, key) = (Vec::new(), Key::new([7; 16]));
            words(text.as_bytes(), |word| {
                let letters = word.letters();
                found.push(str::from_utf8(letters).unwrap().to_owned());
                assert_eq!(key.hash_word(word), key.hash_word(Word { from: letters, length: letters.len() }));
            });
            prop_assert_eq!(found, slow(&text));
        }
    }
}

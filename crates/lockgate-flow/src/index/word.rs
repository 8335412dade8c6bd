//! The words of text in its normal form, by their letters.

use crate::text::{BLOCK, block, is_letter, mask};

/// Fewest letters of a word that is remembered, and most.
const LEAST: usize = 5;
const MOST: usize = 256;

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

/// Hands over the letters of each word of a text: each run of the characters that names, addresses and paths are made of,
/// without the scheme of an address. Takes the letters of the text too, and whatever stands behind them: there the letters
/// of a word stand together.
pub(crate) fn words<'w>(text: &[u8], letters: &'w [u8], mut found: impl FnMut(Word<'w>)) {
    let mut hand_over = |start: usize, letter: usize, end: usize| {
        let scheme = match text.get(start..).unwrap_or_default() {
            [b'h', b't', b't', b'p', b's', b':', b'/', b'/', ..] => 5,
            [b'h', b't', b't', b'p', b':', b'/', b'/', ..] => 4,
            _ => 0,
        };
        let length = end - letter - scheme;
        if (LEAST..=MOST).contains(&length) {
            found(Word { from: letters.get(letter + scheme..).unwrap_or_default(), length });
        }
    };
    // Where the word begins that goes on from block to block, in the text and in its letters.
    let mut open = None;
    // The letters before the block.
    let mut seen = 0;
    for (begin, bytes) in (0..).step_by(BLOCK).zip(text.chunks(BLOCK)) {
        let block = block(bytes);
        let own = mask(block.map(is_letter));
        let inside = own | mask(block.map(joins_or_counts));
        // The letters before a place of the block, or its end.
        let before = |place: u32| seen + (own & !(u64::MAX << place)).count_ones() as usize;
        let until = |place: u32| seen + (own & u64::MAX >> (u64::BITS - place)).count_ones() as usize;
        let mut rest = inside;
        let first = inside.trailing_ones();
        if let Some((start, letter)) = open
            && first < u64::BITS
        {
            hand_over(start, letter, before(first));
            rest &= u64::MAX << first;
            open = None;
        }
        // Where a run of at least five begins.
        let two = rest & inside >> 1;
        let mut starts = two & two >> 2 & inside >> 4 & !(rest << 1);
        let last = u64::BITS - rest.leading_ones();
        while starts != 0 {
            let start = starts.trailing_zeros();
            starts &= starts - 1;
            if start < last {
                let end = start + (inside >> start).trailing_ones();
                hand_over(begin + start as usize, before(start), until(end));
            }
        }
        if open.is_none() && last < u64::BITS {
            open = Some((begin + last as usize, before(last)));
        }
        seen += own.count_ones() as usize;
    }
    if let Some((start, letter)) = open {
        hand_over(start, letter, seen);
    }
}

/// Marks within words, and digits, which stand between some of them.
const fn joins_or_counts(byte: u8) -> bool {
    matches!(byte, b'-'..=b':' | b'?'..=b'@' | b'#' | b'%' | b'&' | b'+' | b'=' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LEAST, MOST, Word, joins_or_counts, words};
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
        let all: Vec<u8> = (0..=255).filter(|byte| joins_or_counts(*byte)).collect();
        let mut known = b"@._-+/:%~#?&=0123456789".to_vec();
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
            words(text.as_bytes(), letters(&text).as_bytes(), |word| {
                let letters = word.letters();
                found.push(str::from_utf8(letters).unwrap().to_owned());
                assert_eq!(key.hash_word(word), key.hash_word(Word { from: letters, length: letters.len() }));
            });
            prop_assert_eq!(found, slow(&text));
        }
    }
}

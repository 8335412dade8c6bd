//! The words of text in its normal form, by their letters.

use crate::text::{BLOCK, block, is_letter, mask};

/// Fewest letters of a word that is remembered, and most.
const LEAST: usize = 5;
const MOST: usize = 256;

/// Hands over the letters of each word: each run of the characters that names, addresses and paths are made of, without
/// the scheme of an address. `letters` are those of the whole text.
pub(crate) fn words<'t>(text: &[u8], letters: &'t [u8], mut found: impl FnMut(&'t [u8])) {
    let mut hand_over = |start: Place, end: Place| {
        let mut first = start.letters;
        // Without a mark there is no scheme.
        if end.letters - first < end.text - start.text {
            let word = text.get(start.text..end.text).unwrap_or_default();
            first += [&b"https://"[..], b"http://"]
                .iter()
                .find(|scheme| word.starts_with(scheme))
                .map_or(0, |scheme| scheme.len() - b"://".len());
        }
        let letters = letters.get(first..end.letters).unwrap_or_default();
        if (LEAST..=MOST).contains(&letters.len()) {
            found(letters);
        }
    };
    let mut begin = Place::default();
    let mut open: Option<Place> = None;
    for bytes in text.chunks(BLOCK) {
        let block = block(bytes);
        let own = mask(block.map(is_letter));
        let inside = own | mask(block.map(joins));
        let place = |at: u32| Place {
            text: begin.text + at as usize,
            letters: begin.letters + (own & !(u64::MAX << at)).count_ones() as usize,
        };
        let behind = inside << 1 | u64::from(open.is_some());
        let (mut starts, mut ends) = (inside & !behind, !inside & behind);
        while ends != 0 {
            let end = ends.trailing_zeros();
            ends &= ends - 1;
            if let Some(start) = open.take() {
                hand_over(start, place(end));
                continue;
            }
            let start = starts.trailing_zeros();
            starts &= starts - 1;
            if (end - start) as usize >= LEAST {
                hand_over(place(start), place(end));
            }
        }
        if starts != 0 {
            open = Some(place(starts.trailing_zeros()));
        }
        begin.text += bytes.len();
        begin.letters += own.count_ones() as usize;
    }
    if let Some(start) = open {
        hand_over(start, begin);
    }
}

/// A place in a text and how many letters are before it.
#[derive(Clone, Copy, Default)]
struct Place {
    text: usize,
    letters: usize,
}

/// Marks within words.
const fn joins(byte: u8) -> bool {
    matches!(byte, b'-'..=b'/' | b':' | b'?'..=b'@' | b'#' | b'%' | b'&' | b'+' | b'=' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LEAST, MOST, joins, words};
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
            let letters = letters(&text);
            let mut found = Vec::new();
            words(text.as_bytes(), letters.as_bytes(), |word| found.push(str::from_utf8(word).unwrap().to_owned()));
            prop_assert_eq!(found, slow(&text));
        }
    }
}

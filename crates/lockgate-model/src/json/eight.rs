//! Bytes that end what is read of a string, looked for eight at a time: most strings are short.

use memchr::{memchr, memchr2};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
/// From so many bytes on a search has begun that costs more to begin.
const SHORT: usize = 32;

/// Marks the bytes that are that one. The lowest mark is exact: a borrow can only mark bytes above a true one.
#[inline]
fn are(word: u64, byte: u8) -> u64 {
    let zero = word ^ (ONES * u64::from(byte));
    zero.wrapping_sub(ONES) & !zero & HIGHS
}

#[inline]
fn lowest(marks: u64) -> usize {
    usize::try_from(marks.trailing_zeros() / 8).unwrap_or_default()
}

/// How many bytes from the start are neither a quote, a backslash nor a control character.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (word, at) in words.iter().zip((0..).step_by(8)) {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let stop = are(word, b'"') | are(word, b'\\') | control;
        if stop != 0 {
            return at + lowest(stop);
        }
    }
    let plain = rest.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= 0x20);
    bytes.len() - rest.len() + plain.count()
}

/// Where the first quote or backslash is.
pub(super) fn quote_or_escape(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.get(..SHORT).unwrap_or(bytes).as_chunks();
    for (word, at) in words.iter().zip((0..).step_by(8)) {
        let word = u64::from_le_bytes(*word);
        let stop = are(word, b'"') | are(word, b'\\');
        if stop != 0 {
            return Some(at + lowest(stop));
        }
    }
    let past = 8 * words.len();
    memchr2(b'"', b'\\', bytes.get(past..)?).map(|found| past + found)
}

/// Is a backslash in it?
pub(super) fn has_escape(bytes: &[u8]) -> bool {
    if bytes.len() >= SHORT {
        return memchr(b'\\', bytes).is_some();
    }
    let (words, rest) = bytes.as_chunks();
    words.iter().fold(0, |all, word| all | are(u64::from_le_bytes(*word), b'\\')) != 0
        || rest.contains(&b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn eight_are_as_each_of_them(bytes in prop::collection::vec(prop_oneof![9 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\')], 0..80)) {
            let plain = bytes.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= 0x20).count();
            prop_assert_eq!(plain_run(&bytes), plain);
            prop_assert_eq!(quote_or_escape(&bytes), bytes.iter().position(|b| matches!(b, b'"' | b'\\')));
            prop_assert_eq!(has_escape(&bytes), bytes.contains(&b'\\'));
        }
    }
}

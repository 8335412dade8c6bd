//! The text that a string stands for.

use std::borrow::Cow;

use memchr::memchr;

use super::eight::has_escape;

/// Bytes that are copied at once, before it is known whether all of them are plain.
const BLOCK: usize = 32;

/// The text between the quotes of a string. What was not checked may give nonsense.
#[inline]
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if has_escape(text.as_bytes()) { Cow::Owned(unescaped(text)) } else { Cow::Borrowed(text) }
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        let plain = copy_plain(rest.as_bytes(), &mut out);
        let mut chars = rest.get(plain + 1..).unwrap_or_default().chars();
        match chars.next() {
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('r') => out.push(b'\r'),
            Some('b') => out.push(8),
            Some('f') => out.push(12),
            Some('u') => push(&mut out, unit(&mut chars)),
            Some(other) => push(&mut out, other),
            None => return String::from_utf8(out).unwrap_or_default(),
        }
        rest = chars.as_str();
    }
}

/// The character behind `\u`.
fn unit(chars: &mut std::str::Chars<'_>) -> char {
    let mut unit = hex4(chars);
    if (0xD800..0xDC00).contains(&unit) {
        // The scanner has seen that a low surrogate follows.
        chars.by_ref().take(2).for_each(drop);
        // Text that was not checked may hold anything here: then the sum means nothing, and nobody uses it.
        let low = hex4(chars).wrapping_sub(0xDC00);
        unit = 0x10000_u32.wrapping_add((unit - 0xD800) << 10).wrapping_add(low);
    }
    char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> u32 {
    chars.by_ref().take(4).filter_map(|c| c.to_digit(16)).fold(0, |value, digit| value * 16 + digit)
}

fn push(out: &mut Vec<u8>, letter: char) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends what stands before the next backslash, and says how much that is.
fn copy_plain(bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (block, begin) in blocks.iter().zip((0..).step_by(BLOCK)) {
        out.extend_from_slice(block);
        if block.iter().fold(0, |any, byte| any | u8::from(*byte == b'\\')) != 0 {
            let plain = before_backslash(block);
            out.truncate(out.len() - BLOCK + plain);
            return begin + plain;
        }
    }
    let plain = memchr(b'\\', rest).unwrap_or(rest.len());
    out.extend_from_slice(rest.get(..plain).unwrap_or_default());
    bytes.len() - rest.len() + plain
}

/// How many bytes stand before the first backslash, without a branch that cannot be guessed.
fn before_backslash(block: &[u8; BLOCK]) -> usize {
    const ONES: u128 = u128::MAX / 0xff;
    let before = |half: &[u8; 16]| {
        let marked = u128::from_le_bytes(*half) ^ u128::from_le_bytes([b'\\'; 16]);
        // The lowest marked byte is exact: a borrow can only mark bytes above a true one.
        let zeros = marked.wrapping_sub(ONES) & !marked & (ONES << 7);
        (zeros.trailing_zeros() / 8) as usize
    };
    let [first, second] = [0, 1].map(|half| block.as_chunks().0.get(half).map_or(0, before));
    first + second * (first / 16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::decode;

    proptest! {
        #[test]
        fn texts_are_what_a_second_reader_reads(
            parts in prop::collection::vec(r#"[a-zé]{0,70}|\\["\\/bfnrt]|\\u00[0-9a-f]{2}|\\ud83d\\ude0[0-9]|\\u20AC"#, 0..12)
        ) {
            let raw = parts.concat();
            let theirs: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            prop_assert_eq!(decode(&raw), theirs);
        }

        #[test]
        fn what_was_not_checked_is_read_all_the_same(raw in r"[\\ude0-9é]{0,80}") {
            decode(&raw);
        }
    }
}

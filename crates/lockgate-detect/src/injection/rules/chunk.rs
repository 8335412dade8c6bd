//! The runs of characters between white space, with what there is in them: most are words, and are read at once.

/// Sorts of bytes, a bit each: white space, or a byte that wide white space begins with.
const BLANK: u8 = 1;
/// A capital of ASCII.
pub(super) const CAPITAL: u8 = 2;
/// What stands around words and names and is no part of them: one of [`AROUND`].
pub(super) const OUTER: u8 = 4;
/// Any other mark of ASCII.
pub(super) const MARK: u8 = 8;
/// A part of a character beyond ASCII.
pub(super) const WIDE: u8 = 16;

/// What stands around words and names and is no part of them.
pub(super) const AROUND: [char; 12] = ['<', '>', ',', ';', '(', ')', '"', '`', '[', ']', '{', '}'];

static SORTS: [u8; 256] = {
    let mut sorts = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "in a constant, and below 256"
        )]
        {
            sorts[at] = match at as u8 {
                b'\t'..=b'\r' | b' ' => BLANK,
                b'a'..=b'z' | b'0'..=b'9' => 0,
                b'A'..=b'Z' => CAPITAL,
                b'<' | b'>' | b',' | b';' | b'(' | b')' | b'"' | b'`' | b'[' | b']' | b'{' | b'}' => OUTER,
                0xc2 | 0xe1..=0xe3 => WIDE | BLANK,
                0x80.. => WIDE,
                _ => MARK,
            };
        }
        at += 1;
    }
    sorts
};

fn sort(byte: u8) -> u8 {
    SORTS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// A run of characters, or the ends of lines between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'t> {
    /// Where it begins.
    pub(super) at: usize,
    pub(super) text: &'t str,
    /// The sorts of all its bytes. Nought for ends of lines.
    pub(super) sorts: u8,
}

/// The runs of characters between white space, and between them, as one run, those ends of lines that there are. Linear.
pub(super) fn chunks(text: &str) -> impl Iterator<Item = Chunk<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + blanks(text, from);
        let space = text.get(from..start)?;
        if start < text.len()
            && let Some(first) = space.bytes().position(|byte| byte == b'\n')
        {
            let at = std::mem::replace(&mut from, start) + first;
            return Some(Chunk { at, text: text.get(at..start)?, sorts: 0 });
        }
        let (length, sorts) = ink(text, start);
        from = start + length;
        (length > 0).then_some(Chunk { at: start, text: text.get(start..from)?, sorts })
    })
}

/// How much white space begins there. Bytes.
fn blanks(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let plain = rest.iter().take_while(|byte| sort(**byte) == BLANK).count();
    match rest.get(plain) {
        Some(byte) if sort(*byte) & BLANK != 0 => {
            let rest = text.get(from..).unwrap_or_default();
            rest.len() - rest.trim_start().len()
        }
        _ => plain,
    }
}

/// How much that is not white space begins there, in bytes, and of what sorts it is.
fn ink(text: &str, from: usize) -> (usize, u8) {
    let (mut length, mut sorts) = (0, 0);
    for byte in text.as_bytes().get(from..).unwrap_or_default() {
        let here = sort(*byte);
        if here & BLANK != 0 {
            let letter = text.get(from + length..).and_then(|rest| rest.chars().next());
            if letter.is_some_and(char::is_whitespace) {
                break;
            }
        }
        sorts |= here & !BLANK;
        length += 1;
    }
    (length, sorts)
}

/// The word that the text is, where it is one of ASCII with at most what ends a sentence behind it.
pub(super) fn word(text: &str) -> Option<&str> {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (word, behind) = text.split_at_checked(length)?;
    let ends = behind.bytes().all(|byte| matches!(byte, b'.' | b'!' | b'?' | b':' | b'*'));
    (ends && !word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The slow way says the same.
        #[test]
        fn a_text_is_parted_at_white_space(parts in prop::collection::vec("[a-zA-Z.,é ]{0,3}|[ \t\n\u{b}\u{a0}\u{2003}\u{3000}\u{85}£日。]", 0..12)) {
            let text = parts.concat();
            let found: Vec<_> = chunks(&text).collect();
            let inked: Vec<_> = found.iter().filter(|chunk| !chunk.text.starts_with('\n')).map(|chunk| chunk.text).collect();
            prop_assert_eq!(inked, text.split_whitespace().collect::<Vec<_>>());
            let mut end = 0;
            for chunk in found {
                prop_assert_eq!(text.get(chunk.at..chunk.at + chunk.text.len()), Some(chunk.text));
                let before = text.get(end..chunk.at).unwrap();
                prop_assert!(before.trim().is_empty() && !before.contains('\n'));
                let lines = chunk.text.starts_with('\n');
                prop_assert_eq!(chunk.sorts & WIDE != 0, !lines && !chunk.text.is_ascii());
                prop_assert_eq!(chunk.sorts & OUTER != 0, chunk.text.contains(AROUND));
                end = chunk.at + chunk.text.len();
            }
        }
    }

    #[test]
    fn a_word_may_end_a_sentence() {
        for (text, expected) in [
            ("Word", Some("Word")),
            ("w0rd.", Some("w0rd")),
            ("a:", Some("a")),
            ("a.b", None),
            (".", None),
            ("é", None),
        ] {
            assert_eq!(word(text), expected, "{text}");
        }
    }
}

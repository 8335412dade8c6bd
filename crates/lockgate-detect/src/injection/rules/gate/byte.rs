//! What a byte is to the gate.

/// What a byte is that is no letter or digit. Letters and digits stand for themselves, in lower case.
pub(super) const SPACE: u8 = 0;
pub(super) const LINE: u8 = 1;
pub(super) const STOP: u8 = 2;
pub(super) const CLOSE: u8 = 3;
pub(super) const MARK: u8 = 4;
pub(super) const SKIP: u8 = 5;
pub(super) const WIDE: u8 = 6;
pub(super) const CODE: u8 = 7;
pub(super) const OPEN: u8 = 8;
pub(super) const AT: u8 = 9;
pub(super) const HASH: u8 = 10;

pub(super) const CLASSES: [u8; 256] = {
    let mut classes = [MARK; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it counts to 255")]
        let b = at as u8;
        #[expect(clippy::indexing_slicing, reason = "it counts to 255")]
        {
            classes[at] = match b {
                b'0'..=b'9' | b'a'..=b'z' => b,
                b'A'..=b'Z' => b.to_ascii_lowercase(),
                b' ' | b'\t' | b'\r' => SPACE,
                b'\n' => LINE,
                b'.' | b'!' | b'?' => STOP,
                b'"' | b')' | b']' | b'*' | b'`' => CLOSE,
                b'\'' => SKIP,
                b'%' | b'&' | b'\\' => CODE,
                b'<' | b'[' => OPEN,
                b'@' | b'+' => AT,
                b'#' => HASH,
                0x80..=0xff => WIDE,
                _ => MARK,
            };
        }
        at += 1;
    }
    classes
};

/// The letter that a digit or a mark is written for, as in `1gn0r3`.
pub(crate) fn unleet(letter: u8) -> u8 {
    match letter {
        b'0' => b'o',
        b'1' => b'i',
        b'3' => b'e',
        b'4' => b'a',
        b'5' => b's',
        b'7' => b't',
        other => other,
    }
}

/// Thirteen letters on.
pub(crate) fn rot13(letter: u8) -> u8 {
    match letter {
        b'a'..=b'm' | b'A'..=b'M' => letter + 13,
        b'n'..=b'z' | b'N'..=b'Z' => letter - 13,
        other => other,
    }
}

/// May a `@` or `+` that stands here be in an address of a person or a number to call?
pub(super) fn may_call(bytes: &[u8], at: usize) -> bool {
    let after = bytes.get(at + 1..).unwrap_or_default();
    if !after.first().is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    if bytes.get(at) == Some(&b'+') {
        // Eight digits are the fewest; what is not ASCII may be one, or nothing.
        let wrong = after.iter().take(8).find(|b| !b.is_ascii_digit());
        return wrong.map_or(after.len() >= 8, |b| !b.is_ascii());
    }
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    before.is_some_and(|b| !b.is_ascii_whitespace())
}

/// Does a letter stand here as a code: `%69`, `&#105;`, `\u0069`, `\x69`?
pub(super) fn is_code(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at..).unwrap_or_default() {
        [b'%', b'4'..=b'7', low, ..] => low.is_ascii_hexdigit(),
        [b'&', b'#', digit, ..] => digit.is_ascii_digit() || matches!(digit, b'x' | b'X'),
        [b'\\', b'u', b'0', b'0', b'4'..=b'7', ..] | [b'\\', b'x', b'4'..=b'7', ..] => true,
        _ => false,
    }
}

//! Characters written as escapes: percent, quoted-printable, entities of HTML, and those of programming languages.

use super::mask::{BLOCK, block, mask};

/// Longest part of a word before and behind the first escape that is read with it, in bytes.
const AROUND: usize = 1024;

/// Hands over each word that has escapes, with the characters that they stand for. Linear: a word is read once for each
/// of the two kinds of marks.
pub(crate) fn find(text: &str, mut found: impl FnMut(&str)) {
    let bytes = text.as_bytes();
    words(bytes, marks(bytes), &mut found);
    words(bytes, memchr::memchr_iter(b'=', bytes), &mut found);
}

/// Where the marks of most escapes stand. Of backslashes some texts are full, so that a search from each to the next is slow.
fn marks(bytes: &[u8]) -> impl Iterator<Item = usize> {
    (0..).step_by(BLOCK).zip(bytes.chunks(BLOCK)).flat_map(|(begin, bytes)| {
        let mut rest = mask(block(bytes).map(|byte| matches!(byte, b'%' | b'&' | b'\\')));
        std::iter::from_fn(move || {
            let place = (rest != 0).then(|| rest.trailing_zeros())?;
            rest &= rest - 1;
            Some(begin + place as usize)
        })
    })
}

fn words(bytes: &[u8], marks: impl Iterator<Item = usize>, found: &mut impl FnMut(&str)) {
    let mut done = 0;
    for mark in marks {
        let rest = bytes.get(mark..).unwrap_or_default();
        if mark < done || !may_begin(rest) || escape(rest).is_none() {
            continue;
        }
        let before = bytes.get(done.max(mark.saturating_sub(AROUND))..mark).unwrap_or_default();
        let begin = mark - before.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let after = bytes.get(mark..bytes.len().min(mark + AROUND)).unwrap_or_default();
        let end = mark + after.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        found(&String::from_utf8_lossy(&unescape(bytes.get(begin..end).unwrap_or_default())));
        done = end;
    }
}

fn unescape(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        match escape(rest) {
            Some((Meaning::Byte(byte), length)) => {
                out.push(byte);
                rest = rest.get(length..).unwrap_or_default();
            }
            Some((Meaning::Letter(letter), length)) => {
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// What an escape stands for.
enum Meaning {
    Byte(u8),
    Letter(char),
}

/// Whether an escape may begin with these bytes: most marks are none, and two bytes tell.
fn may_begin(bytes: &[u8]) -> bool {
    match bytes {
        [b'%' | b'=', digit, ..] => digit.is_ascii_hexdigit(),
        [b'&', first, ..] => *first == b'#' || first.is_ascii_alphabetic(),
        [b'\\', first, ..] => matches!(first, b'x' | b'u' | b'U' | b'0'..=b'3'),
        _ => false,
    }
}

/// The escape at the beginning of the bytes and its length.
fn escape(bytes: &[u8]) -> Option<(Meaning, usize)> {
    let (mark, rest) = bytes.split_first()?;
    match mark {
        b'%' | b'=' => byte(rest, 2, 16).map(|byte| (Meaning::Byte(byte), 3)),
        b'&' => entity(rest),
        b'\\' => match rest.first()? {
            b'x' => byte(rest.get(1..)?, 2, 16).map(|byte| (Meaning::Byte(byte), 4)),
            b'u' if rest.get(1) == Some(&b'{') => {
                let (letter, length) = letter(rest.get(2..)?, 16, b'}')?;
                Some((Meaning::Letter(letter), length + 3))
            }
            b'u' => Some((Meaning::Letter(char::from_u32(number(rest.get(1..5)?, 16)?)?), 6)),
            b'U' => Some((Meaning::Letter(char::from_u32(number(rest.get(1..9)?, 16)?)?), 10)),
            b'0'..=b'3' => byte(rest, 3, 8).map(|byte| (Meaning::Byte(byte), 4)),
            _ => None,
        },
        _ => None,
    }
}

fn entity(rest: &[u8]) -> Option<(Meaning, usize)> {
    const NAMED: [(&[u8], char); 24] = [
        (b"amp;", '&'),
        (b"lt;", '<'),
        (b"gt;", '>'),
        (b"quot;", '"'),
        (b"apos;", '\''),
        (b"nbsp;", ' '),
        (b"commat;", '@'),
        (b"period;", '.'),
        (b"colon;", ':'),
        (b"sol;", '/'),
        (b"num;", '#'),
        (b"lowbar;", '_'),
        (b"hyphen;", '-'),
        (b"dash;", '-'),
        (b"plus;", '+'),
        (b"comma;", ','),
        (b"semi;", ';'),
        (b"quest;", '?'),
        (b"equals;", '='),
        (b"percnt;", '%'),
        (b"Tab;", ' '),
        (b"NewLine;", ' '),
        (b"bsol;", '\\'),
        (b"excl;", '!'),
    ];
    match rest {
        [b'#', b'x' | b'X', digits @ ..] => {
            let (letter, length) = letter(digits, 16, b';')?;
            Some((Meaning::Letter(letter), length + 3))
        }
        [b'#', digits @ ..] => {
            let (letter, length) = letter(digits, 10, b';')?;
            Some((Meaning::Letter(letter), length + 2))
        }
        _ => {
            let (name, letter) =
                NAMED.iter().find(|(name, _)| name.first() == rest.first() && rest.starts_with(name))?;
            Some((Meaning::Letter(*letter), name.len() + 1))
        }
    }
}

/// A readable byte of so many digits.
fn byte(bytes: &[u8], length: usize, base: u32) -> Option<u8> {
    let byte = u8::try_from(number(bytes.get(..length)?, base)?).ok()?;
    (byte >= b' ' && byte != 0x7f).then_some(byte)
}

/// A letter of up to seven digits, and how many bytes these and the mark behind them take; the mark may be missing.
fn letter(bytes: &[u8], base: u32, end: u8) -> Option<(char, usize)> {
    let length = bytes.iter().take(7).take_while(|byte| char::from(**byte).is_digit(base)).count();
    let letter = char::from_u32(number(bytes.get(..length)?, base)?)?;
    Some((letter, length + usize::from(bytes.get(length) == Some(&end))))
}

fn number(digits: &[u8], base: u32) -> Option<u32> {
    let text = str::from_utf8(digits).ok()?;
    if text.starts_with('+') { None } else { u32::from_str_radix(text, base).ok() }
}

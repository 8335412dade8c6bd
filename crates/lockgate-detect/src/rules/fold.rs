//! The ways in which a text is read before a pattern is held against it. What each does is what the transformation of
//! `ModSecurity` of that name does (<https://github.com/owasp-modsecurity/ModSecurity/wiki/Reference-Manual-(v3.x)>), because the
//! patterns were written for it.

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    /// `utf8toUnicode`: what is not ASCII becomes `%uXXXX`.
    Wide,
    /// `urlDecodeUni`.
    Url,
    /// `lowercase`.
    Lower,
    /// `htmlEntityDecode`.
    Html,
    /// `jsDecode`.
    Js,
    /// `cssDecode`.
    Css,
    /// `removeNulls`.
    Nulls,
    /// `removeWhitespace`.
    Spaceless,
    /// `compressWhitespace`.
    Space,
    /// `replaceComments`.
    Comments,
    /// `removeCommentsChar`.
    CommentMarks,
    /// `cmdLine`.
    Command,
    /// `normalizePath`.
    Path,
    /// `normalizePathWin`.
    PathWindows,
    /// `base64Decode`.
    Base64,
    /// `escapeSeqDecode`.
    Escapes,
}

impl Fold {
    /// By its word in the rules.
    pub(crate) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "wide" => Self::Wide,
            "url" => Self::Url,
            "lower" => Self::Lower,
            "html" => Self::Html,
            "js" => Self::Js,
            "css" => Self::Css,
            "nulls" => Self::Nulls,
            "spaceless" => Self::Spaceless,
            "space" => Self::Space,
            "comments" => Self::Comments,
            "comment-marks" => Self::CommentMarks,
            "command" => Self::Command,
            "path" => Self::Path,
            "path-windows" => Self::PathWindows,
            "base64" => Self::Base64,
            "escapes" => Self::Escapes,
            _ => return None,
        })
    }

    /// Is there a byte in a text that this may change? Without one, nothing needs to be done.
    pub(crate) fn is_moved_by(self, byte: u8) -> bool {
        match self {
            Self::Wide => !byte.is_ascii(),
            Self::Url => matches!(byte, b'%' | b'+'),
            Self::Lower => byte.is_ascii_uppercase(),
            Self::Html => byte == b'&',
            Self::Js | Self::Css | Self::Escapes => byte == b'\\',
            Self::Nulls => byte == 0,
            Self::Spaceless => is_space(byte),
            Self::Space => is_space(byte) || byte == 0xa0,
            Self::Comments => byte == b'*',
            Self::CommentMarks => matches!(byte, b'*' | b'-' | b'#'),
            Self::Command => {
                byte.is_ascii_uppercase()
                    || is_space(byte)
                    || matches!(byte, b'\\' | b'"' | b'\'' | b'^' | b',' | b';')
            }
            Self::Path => byte == b'/',
            Self::PathWindows => matches!(byte, b'/' | b'\\'),
            Self::Base64 => true,
        }
    }

    /// O(length of the text).
    pub(crate) fn apply(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Wide => wide(text),
            Self::Url => url(text),
            Self::Lower => text.to_ascii_lowercase(),
            Self::Html => html(text),
            Self::Js => js(text),
            Self::Css => css(text),
            Self::Nulls => text.iter().copied().filter(|&b| b != 0).collect(),
            Self::Spaceless => text.iter().copied().filter(|&b| !is_space(b)).collect(),
            Self::Space => space(text),
            Self::Comments => comments(text),
            Self::CommentMarks => comment_marks(text),
            Self::Command => command(text),
            Self::Path => path(text),
            Self::PathWindows => {
                let turned: Vec<u8> = text.iter().map(|&b| if b == b'\\' { b'/' } else { b }).collect();
                path(&turned)
            }
            Self::Base64 => base64(text),
            Self::Escapes => escapes(text),
        }
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// The value of one hexadecimal digit.
fn hex(b: u8) -> Option<u32> {
    char::from(b).to_digit(16)
}

/// The first `most` bytes where all of them are hexadecimal.
fn hexes(text: &[u8], most: usize) -> Option<u32> {
    text.get(..most)?.iter().try_fold(0_u32, |value, &b| Some(value << 4 | hex(b)?))
}

/// The byte for a code point, as `ModSecurity` has it: full-width forms of ASCII become ASCII, of all others the last byte stays.
fn narrow(code: u32) -> u8 {
    let code = if (0xff01..=0xff5e).contains(&code) { code - 0xff00 + 0x20 } else { code };
    code.to_le_bytes().first().copied().unwrap_or_default()
}

fn wide(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_ascii() {
                out.extend(u8::try_from(c));
            } else {
                out.extend_from_slice(format!("%u{:04x}", u32::from(c)).as_bytes());
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
    out
}

fn url(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, used) = match (first, after) {
            (b'%', [b'u' | b'U', digits @ ..]) => match hexes(digits, 4) {
                Some(code) => (narrow(code), 5),
                None => (first, 0),
            },
            (b'%', digits) => match hexes(digits, 2) {
                Some(code) => (narrow(code), 2),
                None => (first, 0),
            },
            (b'+', _) => (b' ', 0),
            (other, _) => (other, 0),
        };
        out.push(byte);
        rest = after.get(used..).unwrap_or_default();
    }
    out
}

/// Names of characters, with what they stand for.
const ENTITIES: [(&[u8], u8); 5] =
    [(b"quot", b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xa0)];

fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let Some((byte, used)) = (first == b'&').then(|| entity(after)).flatten() else {
            out.push(first);
            continue;
        };
        out.push(byte);
        rest = after.get(used..).unwrap_or_default();
        rest = rest.strip_prefix(b";").unwrap_or(rest);
    }
    out
}

/// What stands behind a `&`, and how long it is without the `;`.
fn entity(text: &[u8]) -> Option<(u8, usize)> {
    let number = |digits: &[u8], radix: u32, before: usize| {
        let count = digits.iter().take_while(|&&b| char::from(b).is_digit(radix)).count();
        let value = digits.iter().take(count).fold(0_u32, |value, &b| {
            value.wrapping_mul(radix).wrapping_add(char::from(b).to_digit(radix).unwrap_or_default())
        });
        (count > 0).then(|| (narrow(value), before + count))
    };
    match text {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16, 2),
        [b'#', digits @ ..] => number(digits, 10, 1),
        _ => {
            let length = text.iter().take(8).take_while(|b| b.is_ascii_alphanumeric()).count();
            let name = text.get(..length)?;
            ENTITIES
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|&(_, byte)| (byte, length))
        }
    }
}

/// The letters that both JavaScript and C write behind a backslash.
fn control(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// Up to three octal digits, the value not above 255.
fn octal(text: &[u8]) -> Option<(u8, usize)> {
    let most = if text.first().is_some_and(|&b| b > b'3') { 2 } else { 3 };
    let count = text.iter().take(most).take_while(|b| matches!(b, b'0'..=b'7')).count();
    let value = text.get(..count)?.iter().fold(0_u32, |value, b| value << 3 | u32::from(b - b'0'));
    (count > 0).then(|| (narrow(value), count))
}

fn js(text: &[u8]) -> Vec<u8> {
    unescape(text, |after| match after {
        [b'u', digits @ ..] if hexes(digits, 4).is_some() => {
            hexes(digits, 4).map(|code| (Some(narrow(code)), 5))
        }
        [b'x', digits @ ..] if hexes(digits, 2).is_some() => {
            hexes(digits, 2).map(|code| (Some(narrow(code)), 3))
        }
        [b'0'..=b'7', ..] => octal(after).map(|(byte, used)| (Some(byte), used)),
        [letter, ..] => Some((Some(control(*letter).unwrap_or(*letter)), 1)),
        [] => None,
    })
}

fn escapes(text: &[u8]) -> Vec<u8> {
    unescape(text, |after| match after {
        [b'x' | b'X', digits @ ..] if hexes(digits, 2).is_some() => {
            hexes(digits, 2).map(|code| (Some(narrow(code)), 3))
        }
        [b'0'..=b'7', ..] => octal(after).map(|(byte, used)| (Some(byte), used)),
        [letter @ (b'\\' | b'?' | b'\'' | b'"'), ..] => Some((Some(*letter), 1)),
        [letter, ..] => control(*letter).map(|byte| (Some(byte), 1)),
        [] => None,
    })
}

fn css(text: &[u8]) -> Vec<u8> {
    unescape(text, |after| {
        let count = after.iter().take(6).take_while(|&&b| hex(b).is_some()).count();
        if count == 0 {
            return match after {
                [b'\n', ..] => Some((None, 1)),
                [other, ..] => Some((Some(*other), 1)),
                [] => Some((None, 0)),
            };
        }
        let code = hexes(after, count)?;
        let gap = usize::from(after.get(count).is_some_and(|&b| is_space(b)));
        Some((Some(narrow(code)), count + gap))
    })
}

/// Replaces what stands behind each backslash by what `read` makes of it, and how many bytes it took.
fn unescape(text: &[u8], read: impl Fn(&[u8]) -> Option<(Option<u8>, usize)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first == b'\\').then(|| read(after)).flatten() {
            Some((byte, used)) => {
                out.extend(byte);
                rest = after.get(used..).unwrap_or_default();
            }
            None => out.push(first),
        }
    }
    out
}

fn space(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for &b in text {
        let b = if is_space(b) || b == 0xa0 { b' ' } else { b };
        if b != b' ' || out.last() != Some(&b' ') {
            out.push(b);
        }
    }
    out
}

fn comments(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut inside = false;
    loop {
        match (inside, rest) {
            (false, [b'/', b'*', after @ ..]) => (inside, rest) = (true, after),
            (true, [b'*', b'/', after @ ..]) => {
                out.push(b' ');
                (inside, rest) = (false, after);
            }
            (_, [first, after @ ..]) => {
                if !inside {
                    out.push(*first);
                }
                rest = after;
            }
            (_, []) => break,
        }
    }
    if inside {
        out.push(b' ');
    }
    out
}

fn comment_marks(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [b'<', b'!', b'-', b'-', after @ ..]
            | [b'-', b'-', b'>', after @ ..]
            | [b'/', b'*', after @ ..]
            | [b'*', b'/', after @ ..]
            | [b'-', b'-', after @ ..]
            | [b'#', after @ ..] => after,
            [first, after @ ..] => {
                out.push(*first);
                after
            }
            [] => return out,
        };
    }
}

fn command(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for &b in text {
        match b {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if out.last() != Some(&b' ') {
                    out.push(b' ');
                }
            }
            b'/' | b'(' => {
                if out.last() == Some(&b' ') {
                    out.pop();
                }
                out.push(b);
            }
            other => out.push(other.to_ascii_lowercase()),
        }
    }
    out
}

/// Without empty parts, `.` and `..` as far as there is something to go up from.
fn path(text: &[u8]) -> Vec<u8> {
    let absolute = text.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut pieces = text.split(|&b| b == b'/').peekable();
    let mut folder = false;
    while let Some(part) = pieces.next() {
        let last = pieces.peek().is_none();
        folder = false;
        match part {
            b"" | b"." => folder = last && !parts.is_empty(),
            b".." => match parts.last() {
                Some(&before) if before != b".." => {
                    parts.pop();
                    folder = last && !parts.is_empty();
                }
                _ if absolute => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let mut out = if absolute { vec![b'/'] } else { Vec::new() };
    out.extend(parts.join(&b'/'));
    if folder {
        out.push(b'/');
    }
    out
}

/// As far as it can be decoded, which may be nowhere.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &b in text {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(narrow(bits >> count));
            bits &= (1 << count) - 1;
        }
    }
    out
}

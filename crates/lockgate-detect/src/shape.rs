//! What a token looks like: a small part of regular expressions that needs no steps back.

use std::ops::Range;

/// Characters in a row, each from a set and so many times. Read from letters, `\.`, `[a-z]`, `{4}`, `{2,6}`.
#[derive(Debug)]
pub(crate) struct Shape(Vec<Part>);

#[derive(Debug)]
struct Part {
    /// One bit for each ASCII character.
    set: u128,
    least: usize,
    most: usize,
}

impl Part {
    fn has(&self, byte: u8) -> bool {
        // To shift so wide a number is dear.
        let [low, high] = [self.set, self.set >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)));
        let half = if byte < 64 { low } else { high };
        byte < 128 && half.unwrap_or_default() >> (byte % 64) & 1 == 1
    }
}

/// Longest text that a shape may ask for. Bytes.
const LONGEST: usize = 8192;

impl Shape {
    /// Nothing where the pattern uses something else, or could be read in two ways: what may repeat must differ from what follows.
    pub(crate) fn read(pattern: &str) -> Option<Self> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = pattern.bytes().peekable();
        while let Some(byte) = rest.next() {
            match byte {
                b'{' => {
                    let count: Vec<u8> = rest.by_ref().take_while(|byte| *byte != b'}').collect();
                    let (least, most) = counts(std::str::from_utf8(&count).ok()?, ',')?;
                    *parts.last_mut()? = Part { set: parts.last()?.set, least, most };
                }
                b'[' => {
                    let set: Vec<u8> = rest.by_ref().take_while(|byte| *byte != b']').collect();
                    parts.push(Part { set: set_of(&set)?, least: 1, most: 1 });
                }
                b'\\' => parts.push(Part { set: bit(rest.next()?), least: 1, most: 1 }),
                b'.' | b'*' | b'+' | b'?' | b'(' | b')' | b'|' | b'^' | b'$' | b']' | b'}' => return None,
                byte => parts.push(Part { set: bit(byte), least: 1, most: 1 }),
            }
        }
        let shape = Self(parts);
        let most: usize = shape.0.iter().map(|part| part.most).sum();
        (!shape.0.is_empty() && most <= LONGEST && shape.is_plain()).then_some(shape)
    }

    /// Where the text of this shape ends that begins here. It takes as much as it can, and nothing that goes on with it follows.
    pub(crate) fn end(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let mut end = at;
        for part in &self.0 {
            let run = bytes.get(end..)?.iter().take(part.most).take_while(|byte| part.has(**byte));
            let count = run.count();
            if count < part.least {
                return None;
            }
            end += count;
        }
        let next = bytes.get(end).copied().unwrap_or(b' ');
        let last = self.0.last().map_or(0, |part| part.set);
        (last & bit(next) == 0 && !is_word(next)).then_some(end)
    }

    /// Whether all of the text has this shape.
    pub(crate) fn is_all_of(&self, text: &str) -> bool {
        self.end(text.as_bytes(), 0) == Some(text.len())
    }

    /// The least bytes of this shape.
    pub(crate) fn shortest(&self) -> usize {
        self.0.iter().map(|part| part.least).sum()
    }

    /// The letters it always begins with.
    pub(crate) fn head(&self) -> String {
        let letters =
            self.0.iter().take_while(|part| part.set.is_power_of_two() && part.least == 1 && part.most == 1);
        letters.filter_map(|part| char::from_u32(part.set.trailing_zeros())).collect()
    }

    /// How many letters and digits it may begin with, up to the first other mark: a bit for each number below 64.
    pub(crate) fn first_runs(&self) -> u64 {
        let plain = bits(b'0'..b'9' + 1) | bits(b'A'..b'Z' + 1) | bits(b'a'..b'z' + 1);
        let (mut runs, mut ended) = (1_u64, 0);
        for part in &self.0 {
            if part.set & !plain != 0 {
                ended |= runs;
                if part.least > 0 && part.set & plain == 0 {
                    return ended;
                }
            }
            if part.set & plain != 0 {
                let counts = part.least..=part.most.min(63);
                runs = counts.fold(0, |longer, count| {
                    longer | runs.checked_shl(u32::try_from(count).unwrap_or(64)).unwrap_or_default()
                });
            }
        }
        ended | runs
    }

    /// Whether that byte may follow the letters and digits it begins with, or nothing need follow them.
    pub(crate) fn may_go_on(&self, next: u8) -> bool {
        let plain = bits(b'0'..b'9' + 1) | bits(b'A'..b'Z' + 1) | bits(b'a'..b'z' + 1);
        for part in &self.0 {
            if part.set & !plain & bit(next) != 0 {
                return true;
            }
            if part.least > 0 && part.set & plain == 0 {
                return false;
            }
        }
        true
    }

    /// Whether it may begin with that byte.
    pub(crate) fn may_begin(&self, byte: u8) -> bool {
        self.0.first().is_some_and(|part| part.set & bit(byte) != 0)
    }

    /// Whether no part can take what a later one needs.
    fn is_plain(&self) -> bool {
        self.0.iter().enumerate().all(|(at, part)| {
            let next = self.0.iter().skip(at + 1);
            let needed = next.clone().position(|part| part.least > 0).map_or(usize::MAX, |at| at + 1);
            part.least == part.most || next.take(needed).all(|next| part.set & next.set == 0)
        })
    }
}

/// Whether no token goes on to the left of here. An escape before it (`\n`, `\u003d`, `%3D`) is not part of it.
pub(crate) fn begins(bytes: &[u8], at: usize) -> bool {
    let before =
        |count: usize| at.checked_sub(count).and_then(|from| bytes.get(from..at)).unwrap_or_default();
    match before(1) {
        [byte] if is_word(*byte) || *byte == b'+' => {}
        _ => return true,
    }
    matches!(before(2), [b'\\', b'n' | b'r' | b't' | b'b' | b'f'])
        || matches!(before(3), [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
        || matches!(before(6), [b'\\', b'u', hex @ ..] if hex.iter().all(u8::is_ascii_hexdigit))
}

/// Letters, digits and `_`.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `4` or `2,6`, with another mark between the two.
pub(crate) fn counts(text: &str, between: char) -> Option<(usize, usize)> {
    let (least, most) = text.split_once(between).unwrap_or((text, text));
    let (least, most) = (least.parse().ok()?, most.parse().ok()?);
    (least <= most).then_some((least, most))
}

fn bit(byte: u8) -> u128 {
    1_u128.checked_shl(u32::from(byte)).unwrap_or_default()
}

fn bits(range: Range<u8>) -> u128 {
    range.fold(0, |set, byte| set | bit(byte))
}

fn set_of(text: &[u8]) -> Option<u128> {
    let mut set = 0;
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return (set != 0).then_some(set),
            [b'\\' | b'^', ..] => return None,
            [from, b'-', to, rest @ ..] if from < to => {
                set |= bits(*from..*to) | bit(*to);
                rest
            }
            [byte, rest @ ..] => {
                set |= bit(*byte);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::RegexBuilder;

    use super::*;
    use crate::secrets::{NAMED, TOKENS};

    #[test]
    fn what_is_not_plain_is_not_read() {
        for pattern in [
            "",
            "a*",
            "(a)",
            "a|b",
            "[^a]",
            "a{",
            "{2}",
            "a{3,2}",
            "a{2,4}a",
            "[a-z]{2,4}b",
            "a{9000}",
            "a.b",
            "[]",
        ] {
            assert!(Shape::read(pattern).is_none(), "{pattern}");
        }
        for pattern in ["ab", r"a\.b", "[a-z]{2,4}1", "a{0,2}b", "[0-9A-Za-z_-]{3}", "a{2}a"] {
            assert!(Shape::read(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn a_shape_says_how_it_begins() {
        let heads = [("ghp_[a-z]{3}", "ghp_"), (r"SG\.[a-z]", "SG."), ("[a-z]b", ""), ("ab{2}", "a")];
        for (pattern, head) in heads {
            assert_eq!(Shape::read(pattern).unwrap().head(), head);
        }
    }

    #[test]
    fn a_token_begins_after_an_escape() {
        let cases = [
            ("", true),
            (" ", true),
            ("a", false),
            ("_", false),
            ("-", true),
            ("+", false),
            (r"\n", true),
            ("n", false),
        ];
        let more = [("%3D", true), ("3D", false), (r"\u003d", true), ("u003d", false), ("ä", true)];
        for (before, expected) in cases.into_iter().chain(more) {
            assert_eq!(begins(format!("{before}x").as_bytes(), before.len()), expected, "{before}");
        }
    }

    proptest! {
        /// Another engine says the same, of texts that are nearly of the shape.
        #[test]
        fn every_shape_is_its_regular_expression(seed in any::<u64>(), change in 0_u8..128, place in any::<prop::sample::Index>()) {
            let lines = TOKENS.lines().chain(NAMED.lines());
            let patterns: Vec<_> = lines.filter_map(|line| line.strip_prefix("  shape   ")).collect();
            let pattern = patterns[usize::try_from(seed % patterns.len() as u64).unwrap()];
            let shape = Shape::read(pattern).unwrap();
            let mut state = seed | 1;
            let mut text = Vec::new();
            for part in &shape.0 {
                let mut random = |below: usize| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    usize::try_from(state >> 33).unwrap() % below
                };
                let letters: Vec<u8> = (0..128).filter(|byte| part.set & bit(*byte) != 0).collect();
                let count = part.least + random((part.most - part.least).min(8) + 1);
                text.extend((0..count).map(|_| letters[random(letters.len())]));
            }
            let expression = RegexBuilder::new(&format!("^(?:{pattern})$")).unicode(false).size_limit(1 << 24).build().unwrap();
            prop_assert_eq!(shape.end(&text, 0), Some(text.len()));
            prop_assert!(expression.is_match(&text));
            let place = place.index(text.len());
            text[place] = change;
            prop_assert_eq!(shape.end(&text, 0) == Some(text.len()), expression.is_match(&text));
        }
    }
}

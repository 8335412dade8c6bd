//! A text as words: folded, cut to their stems and hashed, with what stands before each.

use std::sync::LazyLock;

use crate::runs::{Run, Runs, SMALL, kept, sixteen};

/// What stands between a word and the one before it; of several, the one that says most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Gap {
    /// Nothing or white space.
    #[default]
    Space,
    /// A hyphen or an underscore.
    Join,
    /// The bar of a table.
    Bar,
    /// A slash, or a dot within a name.
    Path,
    /// A comma.
    Comma,
    /// A round or curly bracket.
    Bracket,
    /// A quotation mark.
    Quote,
    /// A colon.
    Colon,
    /// The end of a sentence.
    Stop,
    /// The start of a line, or the end of a tag.
    Line,
    /// A mark of code.
    Code,
    /// A heading, a bullet or a rule.
    Heading,
    /// An at sign.
    At,
    /// A square bracket.
    Square,
    /// The start of a tag.
    Tag,
}

impl Gap {
    /// Whether a sentence may begin behind it.
    pub fn starts(self) -> bool {
        matches!(
            self,
            Self::Quote | Self::Colon | Self::Stop | Self::Line | Self::Heading | Self::Square | Self::Tag
        )
    }
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters, perhaps with a few digits.
    Letters,
    /// A number, or an identifier that nobody speaks. They say nothing by themselves, however many there are.
    Number,
    /// One character of a script that is written without spaces.
    Glyph,
}

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The hash of its stem.
    pub key: u32,
    /// What stands before it.
    pub gap: Gap,
    /// What it is.
    pub kind: Kind,
    /// Whether it is written in capitals, and has three letters or more.
    pub loud: bool,
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

/// Letters of a stem, in a script of few letters and in any other.
const LATIN: usize = 7;
const OTHER: usize = 5;
/// Letters of a word that are looked at.
const KEPT: usize = 12;
/// From this length on a word with digits in it is no word.
const LONG: usize = 9;

/// The keys of what is not a word.
const NUMBER: u32 = 0x6e75_6d00;
const CODE: u32 = 0x636f_6400;

/// What each byte that is no part of a word is: a gap by its number.
static KINDS: [u8; 256] = kinds(Gap::Stop);
/// The same right before a word: a dot within a name is not the end of a sentence.
static BEFORE_WORDS: [u8; 256] = kinds(Gap::Path);

const fn kinds(stop: Gap) -> [u8; 256] {
    let mut kinds = [0_u8; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "in a constant, and below 256"
        )]
        {
            kinds[byte] = match byte as u8 {
                b'-' | b'_' => Gap::Join as u8,
                b'|' => Gap::Bar as u8,
                b'/' | b'\\' => Gap::Path as u8,
                b',' | b';' => Gap::Comma as u8,
                b'(' | b')' | b'{' | b'}' => Gap::Bracket as u8,
                b'"' | b'\'' => Gap::Quote as u8,
                b':' => Gap::Colon as u8,
                b'.' | b'!' | b'?' => stop as u8,
                b'\n' | b'\r' | b'>' => Gap::Line as u8,
                b'`' | b'$' => Gap::Code as u8,
                b'#' | b'*' | b'=' => Gap::Heading as u8,
                b'@' => Gap::At as u8,
                b'[' | b']' => Gap::Square as u8,
                b'<' => Gap::Tag as u8,
                _ => Gap::Space as u8,
            };
        }
        byte += 1;
    }
    kinds
}

const GAPS: [Gap; 15] = [
    Gap::Space,
    Gap::Join,
    Gap::Bar,
    Gap::Path,
    Gap::Comma,
    Gap::Bracket,
    Gap::Quote,
    Gap::Colon,
    Gap::Stop,
    Gap::Line,
    Gap::Code,
    Gap::Heading,
    Gap::At,
    Gap::Square,
    Gap::Tag,
];

/// Hands over every word of a text in order. Linear.
pub fn read(text: &str, mut each: impl FnMut(Word)) {
    let bytes = text.as_bytes();
    let mut runs = Runs::new(text);
    let mut at = 0;
    let mut gap = Gap::Line as u8;
    loop {
        let start = runs.next(at);
        if start == bytes.len() {
            return;
        }
        if let Some([before @ .., last]) = bytes.get(at..start) {
            gap = gap.max(BEFORE_WORDS.get(usize::from(*last)).copied().unwrap_or_default());
            for byte in before {
                gap = gap.max(KINDS.get(usize::from(*byte)).copied().unwrap_or_default());
            }
        }
        let Run { length, digits } = runs.at(start);
        at = start + length;
        let wide = bytes.get(at).is_some_and(|byte| !byte.is_ascii());
        let before = GAPS.get(usize::from(gap)).copied().unwrap_or_default();
        let word = if wide {
            let word;
            (at, word) = read_wide(text, start, before);
            let Some(word) = word else {
                // What is not seen is nothing, and the gap goes on.
                if at == start
                    && let Some(other) = text.get(start..).and_then(|rest| rest.chars().next())
                {
                    gap = gap.max(wide_gap(other) as u8);
                    at += other.len_utf8();
                }
                continue;
            };
            word
        } else {
            let (letters, loud) = letters(bytes, start, length);
            let end = last_eight(bytes, at);
            let (kind, key) = match digits {
                0 => (Kind::Letters, stem(letters, end, length)),
                all if all == length => {
                    (Kind::Number, NUMBER + u32::try_from(length.min(12)).unwrap_or_default() / 3)
                }
                _ if length < LONG && digits < 3 => (Kind::Letters, stem(letters, end, length)),
                _ => (Kind::Number, CODE + u32::from(length > 19)),
            };
            Word { key, gap: before, kind, loud: loud && length > 2 && digits == 0, start, end: at }
        };
        each(word);
        gap = 0;
    }
}

/// The first letters of a word of ASCII, at most [`KEPT`], in lower case, the first lowest; and whether all of them were
/// capitals.
#[inline]
fn letters(bytes: &[u8], start: usize, length: usize) -> (u128, bool) {
    let kept = kept(length.min(KEPT));
    let letters = sixteen(bytes, start) & kept;
    (letters | SMALL & kept, letters & SMALL == 0)
}

/// The last eight letters before a place, the last one highest, in lower case; before a word of fewer there is more.
#[inline]
fn last_eight(bytes: &[u8], end: usize) -> u64 {
    let chunk = end.checked_sub(8).and_then(|from| bytes.get(from..)?.first_chunk::<8>());
    let last = match chunk {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => bytes.iter().take(end).fold(0, |all, byte| all >> 8 | u64::from(*byte) << 56),
    };
    last | lower(SMALL)
}

/// The hash of a word without what English puts behind it, and cut: of its letters, at most [`KEPT`], and its last eight. What may
/// stand there is told without a branch: which of them a word has, nobody can guess.
#[expect(clippy::needless_bitwise_bool, reason = "lazy ones are branches")]
#[inline]
fn stem(letters: u128, mut end: u64, length: usize) -> u32 {
    // A word that is too long to be seen whole has no end.
    if length >= KEPT {
        return mix(lower(letters) & lower(kept(LATIN)));
    }
    let mut left = length;
    let plural = (left > 3) & (end >> 48 != 0x7373) & (end >> 56 == 0x73);
    (left, end) = (left - usize::from(plural), end << (8 * u32::from(plural)));
    let going = (left > 5) & (end >> 40 == 0x67_6e69);
    let gone = (left > 4) & (end >> 48 == 0x6465);
    let cut = 3 * usize::from(going) + 2 * usize::from(gone);
    (left, end) = (left - cut, end << (8 * cut));
    left -= usize::from((left > 3) & (end >> 56 == 0x65));
    mix(lower(letters) & lower(kept(left.min(LATIN))))
}

/// The upper half of a number.
#[inline]
fn upper(of: u128) -> u64 {
    u64::try_from(of >> 64).unwrap_or_default()
}

/// The lower half of a number.
#[inline]
fn lower(of: u128) -> u64 {
    u64::try_from(of & u128::from(u64::MAX)).unwrap_or_default()
}

/// Spreads the bits of a number.
#[inline]
fn mix(of: u64) -> u32 {
    let high = of.wrapping_add(0x51_7c_c1_b7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from((high ^ high >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32).unwrap_or_default()
}

/// Two hashes in their order as one.
#[inline]
pub fn pair(first: u32, second: u32) -> u32 {
    mix(u64::from(first) << 32 | u64::from(second))
}

/// The word with letters beyond ASCII that begins at `start`, if there is one, and where it ends.
fn read_wide(text: &str, start: usize, gap: Gap) -> (usize, Option<Word>) {
    let mut folded = ['\0'; KEPT];
    let (mut kept, mut length, mut end) = (0, 0, start);
    let mut capitals = true;
    for (at, letter) in text.get(start..).unwrap_or_default().char_indices() {
        let behind = start + at + letter.len_utf8();
        let common = COMMON.contains(&letter);
        if !common && is_silent(letter) {
            end = behind;
            continue;
        }
        if !common && is_glyph(letter) {
            if length == 0 {
                let key = mix(u64::from(u32::from(letter)) << 8 | 0xff);
                return (behind, Some(Word { key, gap, kind: Kind::Glyph, loud: false, start, end: behind }));
            }
            break;
        }
        let Some(plain) = fold(letter) else { break };
        capitals &= letter.is_uppercase();
        if let Some(place) = folded.get_mut(kept) {
            *place = plain;
            kept += 1;
        }
        length += 1;
        end = behind;
    }
    let letters = folded.get(..kept).unwrap_or_default();
    if letters.is_empty() {
        return (end, None);
    }
    let key = if letters.iter().all(char::is_ascii) {
        let all = letters.iter().rev().fold(0, |all, letter| all << 8 | u128::from(u32::from(*letter)));
        stem(all, upper(all << (128 - 8 * letters.len())), length)
    } else {
        letters.iter().take(OTHER).fold(0, |all, letter| pair(all, u32::from(*letter)))
    };
    (end, Some(Word { key, gap, kind: Kind::Letters, loud: capitals && length > 2, start, end }))
}

/// Cyrillic to Arabic: nothing among them is a glyph or without a form.
const COMMON: std::ops::Range<char> = '\u{400}'..'\u{700}';

/// Characters within a word that are not seen.
fn is_silent(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{93c}' | '\u{94d}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}')
}

/// What a mark beyond ASCII stands for.
fn wide_gap(mark: char) -> Gap {
    match mark {
        '。' | '！' | '？' | '؟' | '।' | '։' | '…' => Gap::Stop,
        '：' => Gap::Colon,
        '，' | '、' | '؛' | '،' | '；' => Gap::Comma,
        '「' | '『' | '“' | '”' | '„' | '«' | '»' | '‘' | '’' => Gap::Quote,
        '【' | '［' => Gap::Square,
        '＜' | '《' | '〈' => Gap::Tag,
        '•' | '※' | '★' => Gap::Heading,
        '\u{2028}' | '\u{2029}' => Gap::Line,
        _ => Gap::Space,
    }
}

/// Scripts written without spaces: Thai to Khmer, kana, Han.
fn is_glyph(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The plain letters of U+00C0 to U+017F.
const PLAIN: &[u8; 192] =
    b"aaaaaaaceeeeiiiidnoooooxouuuuypsaaaaaaaceeeeiiiidnoooooxouuuuypyaaaaaaccccccccddddeeeeeeee\
    eegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// The letter without marks, width and style, in lower case. None if it is neither letter nor digit.
fn fold(letter: char) -> Option<char> {
    match letter {
        'a'..='z' | '0'..='9' => Some(letter),
        'A'..='Z' => Some(letter.to_ascii_lowercase()),
        '\u{430}'..='\u{45f}' | '\u{5d0}'..='\u{5ea}' | '\u{621}'..='\u{64a}' | '\u{ac00}'..='\u{d7a3}' => {
            Some(letter)
        }
        '\u{410}'..='\u{42f}' => char::from_u32(u32::from(letter) + 0x20),
        '\u{d7}' | '\u{f7}' => None,
        '\u{c0}'..='\u{17f}' => {
            let place = usize::try_from(u32::from(letter) - 0xc0).unwrap_or_default();
            PLAIN.get(place).map(|plain| char::from(*plain))
        }
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(u32::from(letter) - 0xfee0).map(|plain| plain.to_ascii_lowercase())
        }
        '\u{1d400}'..='\u{1d6a3}' => char::from_u32((u32::from(letter) - 0x1d400) % 26 + u32::from(b'a')),
        FIRST..=LAST => {
            let place = usize::try_from(u32::from(letter) - u32::from(FIRST)).unwrap_or_default();
            FOLDED.get(place).copied().flatten()
        }
        // Marks and pictures, of which texts are full, and which no table needs to be asked about.
        '\u{2000}'..='\u{206f}'
        | '\u{20a0}'..='\u{20ff}'
        | '\u{2190}'..='\u{245f}'
        | '\u{2500}'..='\u{2775}'
        | '\u{3000}'..='\u{3004}'
        | '\u{3008}'..='\u{3020}'
        | '\u{1f300}'..='\u{1faff}' => None,
        _ => small(letter),
    }
}

/// A letter or digit in lower case, however rare it is.
fn small(letter: char) -> Option<char> {
    let known = !letter.is_ascii() && letter.is_alphanumeric();
    known.then(|| letter.to_lowercase().next()).flatten()
}

/// What alphabets from Greek to Georgian fold to, and the scripts of India: made once, since to ask for one letter is dear.
static FOLDED: LazyLock<Vec<Option<char>>> = LazyLock::new(|| (FIRST..=LAST).map(small).collect());
const FIRST: char = '\u{180}';
const LAST: char = '\u{10ff}';

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<u32> {
        let mut keys = Vec::new();
        read(text, |word| keys.push(word.key));
        keys
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for same in [
            ["ignore", "Ignoring", "IGNORED", "ign\u{200b}ores"],
            ["instruction", "instructions", "Ｉｎｓｔｒｕｃｔｉｏｎ", "𝐢𝐧𝐬𝐭𝐫𝐮𝐜𝐭𝐢𝐨𝐧"],
            ["über", "uber", "Über", "u\u{308}ber"],
        ] {
            let [first, ..] = same;
            assert!(same.iter().all(|other| keys(other) == keys(first)), "{same:?}");
        }
        assert_ne!(keys("send"), keys("sent"));
    }

    #[test]
    fn what_folds_quickly_folds_alike() {
        let plain = |letter: &char| !matches!(letter, '\0'..'\u{180}' | '\u{410}'..='\u{42f}' | '\u{ff10}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d6a3}');
        for letter in ('\0'..=char::MAX).filter(plain) {
            assert_eq!(fold(letter), small(letter), "{:x}", u32::from(letter));
        }
    }

    #[test]
    fn words_stand_where_they_are() {
        let text = "Über alles, <b>忽略</b> 12 naïve\u{300}x — done.";
        let mut seen = Vec::new();
        read(text, |word| seen.push((text.get(word.start..word.end).unwrap(), word.gap)));
        let texts: Vec<_> = seen.iter().map(|(text, _)| *text).collect();
        assert_eq!(texts, ["Über", "alles", "b", "忽", "略", "b", "12", "naïve\u{300}x", "done"]);
        assert_eq!(seen.get(2).unwrap().1, Gap::Tag);
        assert_eq!(seen.get(3).unwrap().1, Gap::Line);
    }
}

//! A text as words: folded, cut to their stems and hashed, with what stands before each.

use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::LazyLock;

use super::stem;
use crate::blocks::{self, BLOCK, eight, letters, masks};
use crate::marks::is_mark;
use crate::runs::{Having, Runs};

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

/// Letters of a stem of another script than ours.
const OTHER: usize = 5;
/// Letters of a word that are looked at.
const KEPT: usize = 12;
/// What makes a small letter of a capital, in eight bytes.
const SMALL: u64 = u64::from_le_bytes([0x20; 8]);
/// The same in the first two.
const TWO_SMALL: u64 = 0x2020;
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

/// What the bytes of a block are, a bit each, the first lowest.
#[derive(Clone, Copy, Debug)]
struct Signs {
    /// Letters and digits of ASCII, and all beyond it: what words are of.
    ink: u64,
    /// Digits, and bytes beyond ASCII.
    odd: u64,
    /// Bytes beyond ASCII.
    wide: u64,
}

impl Signs {
    /// Of the block that begins there.
    #[inline]
    fn at(bytes: &[u8], from: usize) -> Self {
        let [ink, odd, wide] = masks(bytes, from, |bytes| {
            let odd = blocks::digits(bytes) | bytes;
            [letters(bytes) | odd, odd, bytes]
        });
        Self { ink, odd, wide }
    }
}

/// What takes in the words of a text.
pub trait Reader {
    /// The next one.
    fn word(&mut self, word: &Word);
}

impl<F: FnMut(&Word)> Reader for F {
    fn word(&mut self, word: &Word) {
        self(word);
    }
}

/// Hands over every word of a text in order. Linear.
pub fn read(text: &str, reader: &mut impl Reader) {
    let bytes = text.as_bytes();
    let (mut runs, mut with_odd, mut with_wide) = <(Runs, Having, Having)>::default();
    let (mut last, mut gap) = (0, Gap::Line as u8);
    // A run that ends with the text ends before what is behind it.
    for base in (0..=bytes.len()).step_by(BLOCK) {
        let Signs { ink, odd, wide } = Signs::at(bytes, base);
        let [_, mut ended] = runs.on(base, ink);
        let (odd, wide) = (with_odd.ended(ink, odd), with_wide.ended(ink, wide));
        if ended == 0 {
            continue;
        }
        let endings = stem::endings(bytes, base);
        while let Some(bits) = NonZeroU64::new(ended) {
            ended &= ended - 1;
            let place = bits.trailing_zeros();
            let inside = usize::try_from(place).unwrap_or_default();
            let (start, end) = (runs.begun(), base + inside);
            gap = gap.max(gap_of(bytes, last, start));
            last = end;
            let is_odd = odd >> place & 1 == 1;
            if is_odd && wide >> place & 1 == 1 {
                gap = tangled(text, start..end, gap, reader);
                continue;
            }
            let ending = endings.get(inside).copied().unwrap_or_default();
            reader.word(&plain(bytes, start..end, is_odd, ending, gap));
            gap = 0;
        }
    }
}

/// What stands between two words, if there is something.
#[inline]
fn gap_of(bytes: &[u8], last: usize, start: usize) -> u8 {
    let kind = |kinds: &[u8; 256], back: usize| {
        let byte = bytes.get(start.wrapping_sub(back)).copied().unwrap_or_default();
        kinds.get(usize::from(byte)).copied().unwrap_or_default()
    };
    // Mostly it is one byte or two, and nobody can guess which.
    let between = start - last;
    let gap = kind(&BEFORE_WORDS, 1).max(kind(&KINDS, 2) * u8::from(between > 1));
    (3..=between).fold(gap, |gap, back| gap.max(kind(&KINDS, back)))
}

/// Words of a run that has letters beyond ASCII in it. Gives what stands between the last of them and its end.
#[inline(never)]
fn tangled(text: &str, run: Range<usize>, mut gap: u8, reader: &mut impl Reader) -> u8 {
    let bytes = text.as_bytes();
    let Range { start: mut at, end } = run;
    while at < end {
        let start = at;
        let run = bytes.get(start..end).unwrap_or_default();
        let before = GAPS.get(usize::from(gap)).copied().unwrap_or_default();
        if run.is_ascii() {
            reader.word(&plain(bytes, start..end, true, stem::ending(bytes, end), gap));
            return 0;
        }
        let word;
        (at, word) = read_wide(text, start, before);
        match word {
            Some(word) => {
                reader.word(&word);
                gap = 0;
            }
            // What is not seen is nothing, and the gap goes on.
            None if at == start => {
                let Some(other) = text.get(start..).and_then(|rest| rest.chars().next()) else { break };
                gap = gap.max(wide_gap(other) as u8);
                at += other.len_utf8();
            }
            None => {}
        }
    }
    gap
}

/// A word of letters of ASCII, or perhaps of digits, with that at its end and that before it.
#[inline]
fn plain(bytes: &[u8], span: Range<usize>, may_have_digits: bool, ending: u8, gap: u8) -> Word {
    let Range { start, end } = span;
    let length = end - start;
    let word = bytes.get(start..end).unwrap_or_default();
    let letters = eight(bytes, start);
    let stem = || mix((letters | SMALL) & stem::kept(ending, length));
    let digits = if may_have_digits { digits(word) } else { 0 };
    let (kind, key) = match digits {
        0 => (Kind::Letters, stem()),
        all if all == length => {
            (Kind::Number, NUMBER + u32::try_from(length.min(12)).unwrap_or_default() / 3)
        }
        _ if length < LONG && digits < 3 => (Kind::Letters, stem()),
        _ => (Kind::Number, CODE + u32::from(length > 19)),
    };
    let gap = GAPS.get(usize::from(gap)).copied().unwrap_or_default();
    // Two capitals are rare enough to guess that there are none.
    let loud = letters & TWO_SMALL == 0 && digits == 0 && is_loud(word);
    Word { key, gap, kind, loud, start, end }
}

/// How many of them are digits.
#[inline(never)]
fn digits(word: &[u8]) -> usize {
    word.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// Three letters or more, of which the first ones that are looked at are capitals.
#[inline(never)]
fn is_loud(word: &[u8]) -> bool {
    word.len() > 2 && word.iter().take(KEPT).all(u8::is_ascii_uppercase)
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
    let (mut seen, mut length, mut end) = (0, 0, start);
    let mut capitals = true;
    let mut ahead = text.get(start..).unwrap_or_default().chars();
    while let Some(letter) = ahead.next() {
        let behind = text.len() - ahead.as_str().len();
        match Sign::of(letter) {
            Sign::Silent => {}
            Sign::Glyph if length == 0 => {
                let key = mix(u64::from(u32::from(letter)) << 8 | 0xff);
                return (behind, Some(Word { key, gap, kind: Kind::Glyph, loud: false, start, end: behind }));
            }
            Sign::Letter { plain, capital } => {
                capitals &= capital;
                if let Some(place) = folded.get_mut(seen) {
                    *place = plain;
                    seen += 1;
                }
                length += 1;
            }
            Sign::Glyph | Sign::Mark => break,
        }
        end = behind;
    }
    let letters = folded.get(..seen).unwrap_or_default();
    if letters.is_empty() {
        return (end, None);
    }
    let key = if letters.iter().all(char::is_ascii) {
        let all: [u8; KEPT] = folded.map(|letter| u8::try_from(letter).unwrap_or_default());
        mix(eight(&all, 0) & stem::kept(stem::ending(&all, seen), length))
    } else {
        letters.iter().take(OTHER).fold(0, |all, letter| pair(all, u32::from(*letter)))
    };
    (end, Some(Word { key, gap, kind: Kind::Letters, loud: capitals && length > 2, start, end }))
}

/// What a character is in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// It is not seen.
    Silent,
    /// A word by itself.
    Glyph,
    /// A letter or a digit: without marks, width and style, in lower case; and whether it is a capital.
    Letter { plain: char, capital: bool },
    /// No part of a word.
    Mark,
}

impl Sign {
    #[inline]
    fn of(letter: char) -> Self {
        match letter {
            '\u{4e00}'..='\u{9fff}' => return Self::Glyph,
            '\u{ac00}'..='\u{d7a3}' => return Self::Letter { plain: letter, capital: false },
            _ => {}
        }
        let known = usize::try_from(u32::from(letter)).ok().and_then(|at| SIGNS.get(at));
        known.copied().unwrap_or_else(|| Self::asked(letter))
    }

    fn asked(letter: char) -> Self {
        match letter {
            letter if is_silent(letter) => Self::Silent,
            letter if is_glyph(letter) => Self::Glyph,
            letter => fold(letter)
                .map_or(Self::Mark, |plain| Self::Letter { plain, capital: letter.is_uppercase() }),
        }
    }
}

/// Of alphabets up to the Georgian, and of the scripts of India: made once, since to ask for one letter is dear.
static SIGNS: LazyLock<Vec<Sign>> = LazyLock::new(|| ('\0'..'\u{1100}').map(Sign::asked).collect());

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
        '\u{d7}' | '\u{f7}' => None,
        '\u{c0}'..='\u{17f}' => {
            let place = usize::try_from(u32::from(letter) - 0xc0).unwrap_or_default();
            PLAIN.get(place).map(|plain| char::from(*plain))
        }
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(u32::from(letter) - 0xfee0).map(|plain| plain.to_ascii_lowercase())
        }
        '\u{1d400}'..='\u{1d6a3}' => char::from_u32((u32::from(letter) - 0x1d400) % 26 + u32::from(b'a')),
        mark if is_mark(mark) => None,
        _ => small(letter),
    }
}

/// A letter or digit in lower case, however rare it is.
fn small(letter: char) -> Option<char> {
    let known = !letter.is_ascii() && letter.is_alphanumeric();
    known.then(|| letter.to_lowercase().next()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Where the blocks of a text begin is nothing to its words.
        #[test]
        fn words_are_the_same_further_on(parts in prop::collection::vec("[a-zA-Z]{1,14}(ings|ed|es)?|[0-9]{1,70}|[a-z]{60,70}|[ .,:_<é字Я\u{200b}’-]{1,3}", 0..12), before in 0..70_usize) {
            let words = |text: &str, at: usize| {
                let mut words = Vec::new();
                read(text, &mut |word: &Word| words.push(Word { start: word.start - at, end: word.end - at, ..*word }));
                words
            };
            let text = parts.concat();
            prop_assert_eq!(words(&(" ".repeat(before) + &text), before), words(&text, 0));
        }
    }

    fn keys(text: &str) -> Vec<u32> {
        let mut keys = Vec::new();
        read(text, &mut |word: &Word| keys.push(word.key));
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
        let plain = |letter: &char| !matches!(letter, '\0'..'\u{180}' | '\u{ff10}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d6a3}');
        for letter in ('\0'..=char::MAX).filter(plain) {
            assert_eq!(fold(letter), small(letter), "{:x}", u32::from(letter));
        }
    }

    #[test]
    fn what_is_known_of_a_letter_is_what_is_asked() {
        for letter in '\0'..=char::MAX {
            assert_eq!(Sign::of(letter), Sign::asked(letter), "{:x}", u32::from(letter));
        }
    }

    #[test]
    fn words_stand_where_they_are() {
        let text = "Über alles, <b>忽略</b> 12 naïve\u{300}x — done.";
        let mut seen = Vec::new();
        read(text, &mut |word: &Word| seen.push((text.get(word.start..word.end).unwrap(), word.gap)));
        let texts: Vec<_> = seen.iter().map(|(text, _)| *text).collect();
        assert_eq!(texts, ["Über", "alles", "b", "忽", "略", "b", "12", "naïve\u{300}x", "done"]);
        assert_eq!(seen.get(2).unwrap().1, Gap::Tag);
        assert_eq!(seen.get(3).unwrap().1, Gap::Line);
    }
}

//! Words with letters of other alphabets that look like those of the word.

use std::collections::BTreeMap;

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::Level;

/// Longer words are not compared. Bytes to either side.
const WORD: usize = 64;
/// Shorter words are formulas, units and names of points.
const SHORTEST: usize = 3;

/// What letters look like, each asked once.
#[derive(Default)]
pub(super) struct Disguise(BTreeMap<char, Option<char>>);

/// A word that was looked at.
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    /// How bad it is, and how it is read, where it is in disguise.
    pub(super) disguised: Option<(Level, String)>,
}

/// The end of a run of letters of Greek, Cyrillic or Armenian with no letter of another alphabet beside it: words in those
/// languages, which are no disguise.
pub(super) fn past_foreign(bytes: &[u8], at: usize) -> Option<usize> {
    let foreign = |pair: &[u8; 2]| matches!(pair, [0xce..=0xd6, _]);
    let (pairs, _) = bytes.get(at..)?.as_chunks::<2>();
    let length = 2 * pairs.iter().take_while(|pair| foreign(pair)).count();
    let alone = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric());
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    (length > 0 && alone(before) && alone(bytes.get(at + length))).then_some(at + length)
}

impl Disguise {
    /// The word around a letter that may look like another; nothing for other letters.
    pub(super) fn word(&mut self, text: &str, at: usize, letter: char) -> Option<Word> {
        if !is_double(letter) && !is_dressed(letter) {
            return None;
        }
        let within = |letter: &char| letter.is_alphanumeric();
        let before = text.get(text.floor_char_boundary(at.saturating_sub(WORD))..at)?;
        let start = at - before.chars().rev().take_while(within).map(char::len_utf8).sum::<usize>();
        let rest = text.get(at..text.floor_char_boundary(at + WORD))?;
        let end = at + rest.chars().take_while(within).map(char::len_utf8).sum::<usize>();
        let word = text.get(start..end)?;
        Some(Word { start, end: end.max(at + letter.len_utf8()), disguised: self.read(word) })
    }

    fn read(&mut self, word: &str) -> Option<(Level, String)> {
        let (mut ascii, mut doubles, mut dressed, mut greek) = (0, 0, 0, 0);
        for letter in word.chars() {
            ascii += usize::from(letter.is_ascii_alphabetic());
            doubles += usize::from(is_double(letter));
            dressed += usize::from(is_dressed(letter));
            greek += usize::from(matches!(letter, '\u{370}'..='\u{3ff}'));
        }
        // One Greek letter at an end is how scientists name things.
        let name = greek == 1 && doubles == 1 && !has_greek_inside(word);
        let mixed = ascii >= 2 && doubles > 0 && !name;
        if ascii + doubles + dressed < SHORTEST || !mixed && dressed < SHORTEST {
            return None;
        }
        let read: String = word.chars().map(|letter| self.look(letter)).collect::<Option<_>>()?;
        // Letters in other clothes are read by everybody; who writes so wants to be seen.
        Some((if mixed { Level::Review } else { Level::None }, read))
    }

    /// The ASCII letter that is read.
    fn look(&mut self, letter: char) -> Option<char> {
        if letter.is_ascii() {
            return Some(letter);
        }
        *self.0.entry(letter).or_insert_with(|| {
            let mut parts = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(std::iter::once(letter));
            let base = parts.next()?;
            if base.is_ascii() {
                return Some(base);
            }
            let mut bytes = [0; 4];
            let mut seen = unicode_security::skeleton(base.encode_utf8(&mut bytes));
            let read = seen.next().filter(char::is_ascii_alphanumeric)?;
            seen.next().is_none().then_some(read)
        })
    }
}

/// Stands a Greek letter between two of ASCII, all three small or all three capitals?
fn has_greek_inside(word: &str) -> bool {
    let mut before = ' ';
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        let around = [before, letters.peek().copied().unwrap_or(' ')];
        let alike =
            |same: fn(char) -> bool| same(letter) && around.iter().all(|near| near.is_ascii() && same(*near));
        if matches!(letter, '\u{370}'..='\u{3ff}') && (alike(char::is_lowercase) || alike(char::is_uppercase))
        {
            return true;
        }
        before = letter;
    }
    false
}

/// A letter of an alphabet that has some like those of Latin: Greek, Cyrillic, Armenian, Georgian, Cherokee, Coptic, Lisu.
fn is_double(letter: char) -> bool {
    matches!(letter,
        '\u{370}'..='\u{58f}' | '\u{10a0}'..='\u{10ff}' | '\u{13a0}'..='\u{13ff}' | '\u{2c80}'..='\u{2cff}'
        | '\u{a4d0}'..='\u{a4ff}' | '\u{a640}'..='\u{a69f}')
}

/// A letter of Latin in other clothes: of mathematics, in a circle or square, or of full width.
fn is_dressed(letter: char) -> bool {
    matches!(letter,
        '\u{249c}'..='\u{24e9}' | '\u{ff21}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}' | '\u{1f110}'..='\u{1f189}')
}

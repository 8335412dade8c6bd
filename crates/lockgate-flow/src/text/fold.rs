//! Two normal forms. [`plain`] is for what may endorse: only case, width and white space are set aside. [`skeleton`] is
//! for what accuses: also what the eye does not see, or cannot tell apart.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use lockgate_model::letter::{is_invisible, is_mark};

use super::mask::{BLOCK, block, mask};

/// NFKC, lower case, white space collapsed to single spaces and trimmed. Two texts with one such form are the same to a
/// person and to whatever the text names, so that one may stand for the other. Linear; does not allocate where nothing
/// changes.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return collapse(text);
    }
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(text);
    let mut lower = String::with_capacity(composed.len());
    composed.chars().for_each(|letter| push_lower(&mut lower, letter));
    Cow::Owned(collapse(&lower).into_owned())
}

/// As [`plain`], and without marks and invisible characters, and with letters of other scripts replaced by the ASCII
/// letters that they look like. Linear; does not allocate where nothing changes.
pub(crate) fn skeleton(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return collapse(text);
    }
    let mut wide = String::with_capacity(text.len());
    fold_wide(text, &mut wide);
    Cow::Owned(collapse(&wide).into_owned())
}

/// Appends what of `text` is not ASCII as [`skeleton`] has it, and the rest as it is. What is done to one character does
/// not depend on the next, so that a text may be folded in pieces.
pub(crate) fn fold_wide(text: &str, out: &mut String) {
    let decomposer = DecomposingNormalizerBorrowed::new_nfkd();
    for (narrow, wide) in parts(text) {
        out.push_str(narrow);
        let mut letters = wide.chars();
        let mut rest = wide;
        while let Some(letter) = letters.next().filter(|letter| is_settled(*letter)) {
            out.push(look(letter));
            rest = letters.as_str();
        }
        for letter in decomposer.normalize_iter(rest.chars()) {
            if letter.is_whitespace() {
                out.push(' ');
            } else if letter.is_ascii() {
                out.push(letter);
            } else if !is_mark(letter) && !is_invisible(letter) {
                push_lower_skeleton(out, letter);
            }
        }
    }
}

/// Some of the characters that are seen, and that neither NFKD nor lower case changes: those that stand in most texts.
fn is_settled(letter: char) -> bool {
    matches!(letter,
        '·' | '×' | '–' | '—' | '‘' | '’' | '“' | '”' | '•' | '←'..='↙' | '─'..='◿' | '\u{4e00}'..='\u{9fff}')
}

/// The text in pairs of a part that is ASCII and one that has nothing of it.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (narrow, after) = rest.split_at_checked(ascii_prefix(rest.as_bytes()))?;
        let length = after.bytes().position(|byte| byte.is_ascii()).unwrap_or(after.len());
        let (wide, after) = after.split_at_checked(length)?;
        rest = after;
        (!narrow.is_empty() || !wide.is_empty()).then_some((narrow, wide))
    })
}

/// How many bytes at the beginning are ASCII.
fn ascii_prefix(bytes: &[u8]) -> usize {
    let blocks = bytes.chunks(BLOCK).take_while(|block| block.is_ascii()).count() * BLOCK;
    let rest = bytes.get(blocks..).unwrap_or_default();
    let first = mask(block(rest).map(|byte| !byte.is_ascii())).trailing_zeros() as usize;
    blocks.min(bytes.len()) + first.min(rest.len())
}

/// The text without its invisible characters; nothing where it has none.
pub(crate) fn visible(text: &str) -> Option<String> {
    hides(text).then(|| text.chars().filter(|letter| !is_invisible(*letter)).collect())
}

/// Whether some of the text cannot be seen.
fn hides(text: &str) -> bool {
    parts(text).any(|(_, wide)| wide.chars().any(is_invisible))
}

/// The value without its scheme and closing slashes, as people write addresses. Takes and gives a folded form.
pub(crate) fn bare(folded: &str) -> &str {
    let rest = folded.strip_prefix("https://").or_else(|| folded.strip_prefix("http://")).unwrap_or(folded);
    rest.trim_end_matches('/').trim()
}

fn collapse(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    let mut before = 'x';
    let settled = trimmed.chars().all(|letter| {
        let changes =
            letter.is_ascii_uppercase() || (letter.is_whitespace() && (letter != ' ' || before == ' '));
        before = letter;
        !changes
    });
    if settled {
        return Cow::Borrowed(trimmed);
    }
    let mut out = String::with_capacity(trimmed.len());
    for word in trimmed.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
    }
    Cow::Owned(out)
}

fn push_lower(out: &mut String, letter: char) {
    match letter {
        'ß' | 'ẞ' => out.push_str("ss"),
        'ς' => out.push('σ'),
        _ => out.extend(letter.to_lowercase()),
    }
}

fn push_lower_skeleton(out: &mut String, letter: char) {
    match letter {
        'ß' | 'ẞ' => out.push_str("ss"),
        _ => {
            for lower in letter.to_lowercase().filter(|lower| !is_mark(*lower)) {
                out.push(look(lower));
            }
        }
    }
}

/// The ASCII letter that a small letter of another script is taken for.
fn look(letter: char) -> char {
    match letter {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'ƅ' | 'ь' | 'Ꮟ' => 'b',
        'с' | 'ϲ' | 'ᴄ' | 'ⲥ' => 'c',
        'ԁ' | 'ɗ' | 'ժ' | 'đ' => 'd',
        'е' | 'є' | 'ε' | 'ҽ' | 'ɛ' => 'e',
        'ғ' | 'ƒ' | 'ſ' => 'f',
        'ɡ' | 'ց' | 'ɢ' => 'g',
        'һ' | 'հ' | 'н' | 'ʜ' | 'ħ' => 'h',
        'і' | 'ι' | 'ı' | 'ɩ' | 'ӏ' | 'ɪ' | 'ꙇ' | '׀' => 'i',
        'ј' | 'ϳ' | 'ʝ' => 'j',
        'к' | 'κ' | 'ĸ' | 'ᴋ' => 'k',
        'ʟ' | 'ⅼ' | 'ǀ' | 'ł' => 'l',
        'м' | 'ᴍ' | 'μ' => 'm',
        'п' | 'η' | 'ո' | 'ռ' | 'ɴ' => 'n',
        'о' | 'ο' | 'σ' | 'ს' | 'օ' | 'ᴏ' | 'ө' | 'ø' => 'o',
        'р' | 'ρ' | 'ᴘ' => 'p',
        'ԛ' | 'գ' | 'զ' => 'q',
        'г' | 'ʀ' | 'ᴦ' | 'я' => 'r',
        'ѕ' | 'ꜱ' | 'ƽ' => 's',
        'т' | 'τ' | 'ᴛ' | 'ŧ' => 't',
        'υ' | 'ս' | 'ᴜ' | 'ʋ' | 'ц' => 'u',
        'ν' | 'ѵ' | 'ᴠ' => 'v',
        'ԝ' | 'ω' | 'ѡ' | 'ա' | 'ᴡ' | 'ш' => 'w',
        'х' | 'χ' | '×' => 'x',
        'у' | 'γ' | 'ү' | 'ყ' | 'ʏ' => 'y',
        'ᴢ' | 'ʐ' | 'ζ' => 'z',
        '‐' | '‑' | '‒' | '–' | '—' | '−' | '⁃' | '﹘' => '-',
        '․' | '。' | '·' | '•' => '.',
        '∕' | '⁄' | '⧸' => '/',
        '∶' | '꞉' | 'ː' => ':',
        '’' | '‘' | 'ʼ' => '\'',
        '“' | '”' => '"',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::{DecomposingNormalizerBorrowed, fold_wide, is_invisible, is_mark, is_settled, look};

    #[test]
    fn what_is_settled_folds_as_all_else() {
        let decomposer = DecomposingNormalizerBorrowed::new_nfkd();
        for letter in ('\u{80}'..=char::MAX).filter(|letter| is_settled(*letter)) {
            let text = letter.to_string();
            assert_eq!(decomposer.normalize(&text), text);
            assert!(letter.to_lowercase().eq([letter]), "{text}");
            assert!(!letter.is_whitespace() && !is_mark(letter) && !is_invisible(letter), "{text}");
            let mut folded = String::new();
            fold_wide(&format!("a{letter}é\u{301}"), &mut folded);
            assert_eq!(folded, format!("a{}e", look(letter)));
        }
    }
}

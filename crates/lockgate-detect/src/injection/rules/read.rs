//! What a character looks like to a reader.

use std::sync::LazyLock;

use icu_normalizer::DecomposingNormalizerBorrowed;
use lockgate_model::letter::{is_invisible, is_mark, tagged};

/// Appends what is read where `letter` stands: ASCII letters, with their case, for what looks like them; a tag character as
/// the letter it stands for; nothing for marks and for what is not seen.
pub(crate) fn read(letter: char, out: &mut String) {
    if letter.is_ascii() {
        return out.push(letter);
    }
    if let Some(seen) = seen(letter) {
        return out.push_str(seen);
    }
    if let Some(tag) = tagged(letter) {
        return out.push(tag);
    }
    look_up(letter, out);
}

fn look_up(letter: char, out: &mut String) {
    if is_invisible(letter) || is_mark(letter) {
        return;
    }
    if is_block(letter) {
        return out.push(letter);
    }
    let decomposer = DecomposingNormalizerBorrowed::new_nfkd();
    for part in decomposer.normalize_iter(std::iter::once(letter)) {
        if part.is_ascii() {
            out.push(part);
        } else if !is_mark(part) {
            look(part, out);
        }
    }
}

/// What is read where one of the alphabets of Europe stands, made once: these are most of what is not ASCII.
static ALPHABETS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let letters = ('\u{80}'..='\u{52f}').chain('\u{1e00}'..='\u{1fff}');
    letters
        .map(|letter| {
            let mut out = String::new();
            look_up(letter, &mut out);
            out
        })
        .collect()
});

fn seen(letter: char) -> Option<&'static str> {
    let at = match u32::from(letter) {
        code @ 0x80..=0x52f => code - 0x80,
        code @ 0x1e00..=0x1fff => code - 0x1e00 + 0x4b0,
        _ => return None,
    };
    ALPHABETS.get(usize::try_from(at).ok()?).map(String::as_str)
}

/// The whole text as it is read. Case is kept.
pub fn reading(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|letter| read(letter, &mut out));
    out
}

/// A letter of another alphabet that is not ASCII's, and looks like one that is.
pub fn is_double(letter: char) -> bool {
    let alphabet = matches!(letter, '\u{370}'..='\u{52f}' | '\u{13a0}'..='\u{13ff}' | '\u{10d0}'..='\u{10ff}' | '\u{a4d0}'..='\u{a4ff}');
    alphabet && {
        let letters = |seen: &str| !seen.is_empty() && seen.bytes().all(|b| b.is_ascii_alphabetic());
        seen(letter).map_or_else(
            || {
                let mut seen = String::new();
                read(letter, &mut seen);
                letters(&seen)
            },
            letters,
        )
    }
}

/// Characters of scripts without letters like those of ASCII.
fn is_block(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}')
}

fn look(letter: char, out: &mut String) {
    let mut bytes = [0; 4];
    let seen: String = unicode_security::skeleton(letter.encode_utf8(&mut bytes)).collect();
    if !seen.bytes().all(|b| b.is_ascii_graphic()) || seen.is_empty() {
        out.push(letter);
    } else if seen == "l" && letter.is_uppercase() {
        // One that looks like `l` is a capital `I`.
        out.push('I');
    } else {
        out.push_str(&seen);
    }
}

/// The words of what was read, in lower case: parted at marks and where small letters become capitals.
pub fn words(seen: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = seen.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let next_is_small = letters.peek().is_some_and(|next| next.is_lowercase());
        let begins =
            letter.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next_is_small));
        if (begins || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_seen() {
        for (text, seen) in [
            ("read_file", "read_file"),
            ("r\u{435}ad_file", "read_file"),
            ("g\u{131}thub", "github"),
            ("\u{39d}\u{39f}\u{3a4}\u{395} TO AI", "NOTE TO AI"),
            ("\u{406}MPORTANT", "IMPORTANT"),
            ("al\u{200b}ways", "always"),
            ("D\u{332}o n\u{332}ot", "Do not"),
            ("\u{ff49}gnore", "ignore"),
            ("\u{e0072}\u{e0065}\u{e0061}\u{e0064}", "read"),
            ("文件", "文件"),
            ("café", "cafe"),
        ] {
            assert_eq!(reading(text), seen, "{text}");
        }
    }
}

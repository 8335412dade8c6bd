//! Which characters nobody sees, and when they are part of writing all the same.
//!
//! This is the one table of such ranges; every crate that asks what a reader sees asks here. The ranges are those of
//! `Default_Ignorable_Code_Point` (Unicode 17, `DerivedCoreProperties`), of the control characters, and of private use.

/// Does nobody see it, or does it move or paint over other characters? Line feed and tab are seen. Everything that
/// [`is_invisible`], control characters, the separators of lines and paragraphs, and private use.
pub fn is_hidden(letter: char) -> bool {
    is_control(letter)
        || is_invisible(letter)
        || is_private(letter)
        || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// Does it show nothing at all? Zero widths, joiners, soft hyphens, direction marks, fillers, variation selectors, tags.
pub fn is_invisible(letter: char) -> bool {
    // Nearly all letters of nearly all texts end here.
    letter >= '\u{ad}'
        && matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A control character that is not seen: all but line feed and tab.
pub fn is_control(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\t')
}

/// Has no meaning but what somebody agreed on: the areas for private use.
pub fn is_private(letter: char) -> bool {
    matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Marks that are laid over or under the letter before, in any script.
pub fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Says in which direction text runs: marks, embeddings, overrides, isolates (UAX #9).
pub fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A variation selector: says which of the forms of the character before is meant.
pub fn is_selector(letter: char) -> bool {
    selected(letter).is_some()
}

/// The byte that a variation selector stands for where text is hidden in them: the number of the selector, from 0.
pub fn selected(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    match letter {
        '\u{fe00}'..='\u{fe0f}' => u8::try_from(code - 0xfe00).ok(),
        '\u{e0100}'..='\u{e01ef}' => u8::try_from(code - 0xe0100 + 16).ok(),
        _ => None,
    }
}

/// A tag character: once a language tag, today part of some flags, and else an ASCII character that is not shown.
pub fn is_tag(letter: char) -> bool {
    matches!(letter, '\u{e0000}'..='\u{e007f}')
}

/// The ASCII character that a tag character stands for.
pub fn tagged(letter: char) -> Option<char> {
    matches!(letter, '\u{e0020}'..='\u{e007e}').then(|| char::from_u32(u32::from(letter) - 0xe0000)).flatten()
}

/// Are these tag characters the flag of a part of a country: a black flag before them, at most six letters and digits, and an
/// end (UTS #51, `emoji_tag_sequence`)?
pub fn is_flag(before: char, tags: &[char]) -> bool {
    let Some((last, letters)) = tags.split_last() else { return false };
    let small = |letter: &char| tagged(*letter).is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    before == '\u{1f3f4}'
        && *last == '\u{e007f}'
        && (3..=6).contains(&letters.len())
        && letters.iter().all(small)
}

/// A picture or sign that may stand before a selector or in a sequence of joined pictures.
pub fn is_picture(letter: char) -> bool {
    matches!(letter, '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && !is_hidden(letter)
}

/// A letter of a script that runs from right to left.
pub fn runs_left(letter: char) -> bool {
    matches!(letter,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
        && !is_hidden(letter)
}

/// A letter of a script in which joiners change what is written: Hebrew and Arabic to Mongolian, with those of India and of
/// South East Asia between.
pub fn is_joining(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{1fff}' | '\u{a840}'..='\u{abff}' | '\u{10a00}'..='\u{11fff}')
        && !is_hidden(letter)
}

/// Is a hidden character part of writing, between these two? Joiners between letters of scripts that need them and between
/// pictures, the selector behind a picture, and direction marks beside letters that run from right to left.
pub fn is_writing(letter: char, (before, after): (char, char)) -> bool {
    match letter {
        '\u{200c}' => is_joining(before) && is_joining(after),
        '\u{200d}' => is_joining(before) && is_joining(after) || is_picture(before) && is_picture(after),
        '\u{fe0e}' | '\u{fe0f}' => {
            is_picture(before) || matches!(before, '0'..='9' | '#' | '*') && after == '\u{20e3}'
        }
        '\u{200e}' | '\u{200f}' | '\u{61c}' => runs_left(before) || runs_left(after),
        _ => false,
    }
}

/// The hidden characters of a text, except those that are part of writing. Flags of parts of countries count as hidden here.
pub fn hidden_in(text: &str) -> impl Iterator<Item = char> {
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    std::iter::from_fn(move || {
        while let Some(letter) = letters.next() {
            let after = letters.peek().copied().unwrap_or(' ');
            let around = (before, after);
            if letter != '\u{fe0f}' {
                before = letter;
            }
            if is_hidden(letter) && !is_writing(letter, around) {
                return Some(letter);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_is_not_hiding() {
        for text in [
            "plain",
            "two\nlines\tand a tab",
            "family 👨\u{200d}👩\u{200d}👧",
            "heart ❤\u{fe0f}",
            "heart in ink ❤\u{fe0e}",
            "flag 🏳\u{fe0f}\u{200d}🌈",
            "1\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "שלום\u{200f}!",
            "naïve 日本語",
        ] {
            assert_eq!(hidden_in(text).next(), None, "{text:?}");
        }
        for (text, hidden) in [
            ("a\u{200b}b", '\u{200b}'),
            ("a\u{200d}b", '\u{200d}'),
            ("a\u{202e}b", '\u{202e}'),
            ("\u{e0041}", '\u{e0041}'),
            ("\u{1b}[8m", '\u{1b}'),
            ("a\u{fe0f}", '\u{fe0f}'),
            ("a\u{200f}b", '\u{200f}'),
            ("🏳\u{e0067}", '\u{e0067}'),
            ("\r", '\r'),
            ("\u{2028}", '\u{2028}'),
            ("\u{f8ff}", '\u{f8ff}'),
        ] {
            assert_eq!(hidden_in(text).next(), Some(hidden), "{text:?}");
        }
    }

    #[test]
    fn what_carries_text_is_read() {
        assert_eq!(tagged('\u{e0041}'), Some('A'));
        assert_eq!(tagged('\u{e0001}'), None);
        assert_eq!((selected('\u{fe00}'), selected('\u{fe0f}')), (Some(0), Some(15)));
        assert_eq!((selected('\u{e0100}'), selected('\u{e01ef}')), (Some(16), Some(255)));
        assert_eq!(selected('a'), None);
        let scotland = ['\u{e0067}', '\u{e0062}', '\u{e0073}', '\u{e0063}', '\u{e0074}', '\u{e007f}'];
        assert!(is_flag('\u{1f3f4}', &scotland));
        assert!(!is_flag('\u{1f3f3}', &scotland));
        assert!(!is_flag('\u{1f3f4}', &scotland[..5]));
    }

    #[test]
    fn no_letter_that_is_read_is_hidden() {
        for letter in "aZ0~ äßñ中文한글αβγабвالعربيةעבריתहिन्दी\n\t".chars()
        {
            assert!(!is_hidden(letter), "{letter:?}");
        }
    }
}

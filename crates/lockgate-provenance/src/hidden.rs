//! Characters that a person who reads a text does not see, or that move what is seen.

/// Does nobody see it, or does it move or paint over other characters? Line feed and tab are seen.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\t')
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// The hidden characters of a text, except where they are part of writing: joiners between letters of scripts that need
/// them and between pictures, the selector behind a picture, and direction marks beside letters that run from right to
/// left.
pub(crate) fn hidden_in(text: &str) -> impl Iterator<Item = char> {
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

fn is_writing(letter: char, (before, after): (char, char)) -> bool {
    let joins = |letter: char| matches!(letter, '\u{590}'..='\u{1fff}') && !is_hidden(letter);
    match letter {
        '\u{200c}' => joins(before) && joins(after),
        '\u{200d}' => joins(before) && joins(after) || is_picture(before) && is_picture(after),
        '\u{fe0f}' => is_picture(before) || before.is_ascii_digit() && after == '\u{20e3}',
        '\u{200e}' | '\u{200f}' | '\u{61c}' => runs_left(before) || runs_left(after),
        _ => false,
    }
}

fn is_picture(letter: char) -> bool {
    matches!(letter, '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && !is_hidden(letter)
}

fn runs_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
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
            "flag 🏳\u{fe0f}\u{200d}🌈",
            "1\u{fe0f}\u{20e3}",
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
        ] {
            assert_eq!(hidden_in(text).next(), Some(hidden), "{text:?}");
        }
    }
}

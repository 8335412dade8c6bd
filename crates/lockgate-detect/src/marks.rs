//! Letters and digits of any script, and what is none.

/// Whether it is a letter or a digit. Quick for the marks and pictures that texts are full of: to ask a table is dear.
pub(crate) fn is_letter(of: char) -> bool {
    match of {
        '\0'..='\x7f' => of.is_ascii_alphanumeric(),
        _ => !is_mark(of) && of.is_alphanumeric(),
    }
}

/// Whether it is one of many signs that are no letters: most of those there are in texts.
pub(crate) fn is_mark(of: char) -> bool {
    matches!(of, '\u{2000}'..='\u{206f}' | '\u{20a0}'..='\u{20ff}' | '\u{2190}'..='\u{245f}' | '\u{2500}'..='\u{2775}'
        | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '\u{1f300}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    #[test]
    fn quick_and_slow_say_the_same() {
        for of in '\0'..=char::MAX {
            assert_eq!(super::is_letter(of), of.is_alphanumeric(), "{:x}", u32::from(of));
        }
    }
}

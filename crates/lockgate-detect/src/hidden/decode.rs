//! What a run of hidden characters says.

use lockgate_model::letter::{selected, tagged};

use super::DECODED;

/// Tag characters as the letters that they stand for.
pub(super) fn tags(run: &[char]) -> Option<String> {
    let text: String = run.iter().filter_map(|letter| tagged(*letter)).take(DECODED).collect();
    (!text.is_empty()).then_some(text)
}

/// Variation selectors as bytes.
pub(super) fn selectors(run: &[char]) -> Option<String> {
    let bytes: Vec<u8> = run.iter().filter_map(|letter| selected(*letter)).take(DECODED).collect();
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Two characters without width as the digits of bytes, the way most programs for this write them: eight digits a byte, or
/// groups parted by a third. Nothing where that gives no text of ASCII.
pub(super) fn digits(run: &[char]) -> Option<String> {
    let one_of = |zero: char, one: char| {
        let mut bytes = Vec::new();
        let (mut byte, mut count) = (0_u8, 0);
        for letter in run.iter().take(DECODED * 9) {
            let digit = u8::from(*letter == one);
            if *letter == zero || *letter == one {
                byte = byte << 1 | digit;
                count += 1;
            }
            // A third character ends a byte; without one it has eight digits.
            if count == 8 || (count > 0 && *letter != zero && *letter != one) {
                bytes.push(byte);
                (byte, count) = (0, 0);
            }
        }
        if count >= 7 {
            bytes.push(byte);
        }
        let text = String::from_utf8(bytes).ok()?;
        let plain = |letter: char| letter == '\n' || letter == '\t' || (' '..='~').contains(&letter);
        (text.len() >= 2 && text.chars().all(plain)).then_some(text)
    };
    let pairs = [
        ('\u{200b}', '\u{200c}'),
        ('\u{200c}', '\u{200d}'),
        ('\u{200b}', '\u{200d}'),
        ('\u{200b}', '\u{2060}'),
    ];
    pairs.into_iter().find_map(|(a, b)| one_of(a, b).or_else(|| one_of(b, a)))
}

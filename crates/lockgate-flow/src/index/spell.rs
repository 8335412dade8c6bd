//! Other spellings of a value. It is cheaper to spell a value than to read all text in another way.

use super::source::Way;

/// The letters of a value, spelled in the ways in which a text may hide them, each with at least `least` letters. Takes
/// the value as it is used and its letters in normal form.
pub(crate) fn spellings(value: &str, letters: &str, least: usize) -> Vec<(Way, String)> {
    let mut all = vec![
        (Way::Reversed, letters.chars().rev().collect()),
        (Way::Rotated, letters.chars().map(rotate).collect()),
    ];
    all.extend(aloud(value).map(|spelt| (Way::Folded, spelt)));
    let (lower, upper) = (value.to_lowercase(), value.to_uppercase());
    let mut forms = vec![value, &lower, &upper];
    forms.dedup();
    for form in forms {
        let bytes = form.as_bytes();
        all.push((Way::Decoded, codes::<16>(bytes, "", 2)));
        all.push((Way::Decoded, codes::<16>(bytes, "0x", 2)));
        all.push((Way::Decoded, codes::<10>(bytes, "", 1)));
        all.push((Way::Decoded, codes::<2>(bytes, "", 8)));
        all.extend((0..3).map(|shift| (Way::Decoded, base64(bytes, shift))));
    }
    all.retain(|(_, spelt)| spelt.len() >= least && spelt != letters);
    all
}

/// As addresses are read out: `at` for the sign, and the points with or without their name.
fn aloud(value: &str) -> impl Iterator<Item = String> {
    const SIGNS: [(char, &str); 5] =
        [('@', "at"), ('.', "dot"), ('/', "slash"), ('-', "dash"), ('_', "underscore")];
    [1, 2, 3, 5].into_iter().map(move |known| {
        let mut spelt = String::new();
        for letter in value.to_lowercase().chars() {
            match SIGNS.iter().take(known).find(|(sign, _)| *sign == letter) {
                Some((_, name)) => spelt.push_str(name),
                None if letter.is_ascii_alphanumeric() || !letter.is_ascii() => spelt.push(letter),
                None => {}
            }
        }
        spelt
    })
}

fn rotate(letter: char) -> char {
    match letter {
        'a'..='m' => char::from_u32(u32::from(letter) + 13).unwrap_or(letter),
        'n'..='z' => char::from_u32(u32::from(letter) - 13).unwrap_or(letter),
        _ => letter,
    }
}

/// The bytes as numbers to this base, each of at least so many digits, with this before each.
fn codes<const BASE: u8>(bytes: &[u8], before: &str, least: usize) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut spelt = String::with_capacity(bytes.len() * (before.len() + least.max(3)));
    for byte in bytes {
        spelt.push_str(before);
        // From the last digit.
        let mut digits = ['0'; 8];
        let mut rest = *byte;
        let mut length = 0;
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS.get(usize::from(rest % BASE)).copied().unwrap_or('0');
            rest /= BASE;
            length += 1;
            if rest == 0 && length >= least {
                break;
            }
        }
        spelt.extend(digits.iter().skip(digits.len() - length));
    }
    spelt
}

/// The letters that base64 has for these bytes wherever it began, `shift` bytes before them, in lower case.
fn base64(bytes: &[u8], shift: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = bytes.get((3 - shift) % 3..).unwrap_or_default();
    let (groups, _) = whole.as_chunks::<3>();
    let mut spelt = String::with_capacity(groups.len() * 4);
    for [a, b, c] in groups {
        let group = u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c);
        for place in [18, 12, 6, 0] {
            let digit = DIGITS.get((group >> place & 63) as usize).copied().unwrap_or(b'A');
            if digit.is_ascii_alphanumeric() {
                spelt.push(char::from(digit.to_ascii_lowercase()));
            }
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use super::codes;

    #[test]
    fn bytes_as_numbers() {
        let all: Vec<u8> = (0..=255).collect();
        let spelt = |each: fn(u8) -> String| all.iter().map(|byte| each(*byte)).collect::<String>();
        assert_eq!(codes::<16>(&all, "", 2), spelt(|byte| format!("{byte:02x}")));
        assert_eq!(codes::<16>(&all, "0x", 2), spelt(|byte| format!("0x{byte:02x}")));
        assert_eq!(codes::<10>(&all, "", 1), spelt(|byte| byte.to_string()));
        assert_eq!(codes::<2>(&all, "", 8), spelt(|byte| format!("{byte:08b}")));
    }
}

//! The forms in which two names are compared.

use lockgate_detect::injection::rules::{is_double, reading, words};
use lockgate_model::letter::is_invisible;

/// Names longer than this are compared whole, and not with those that are a slip away. Bytes.
const NEAR_LONGEST: usize = 64;
/// Shorter names are a slip away from too many others. Characters.
const NEAR_SHORTEST: usize = 8;

/// A name in the forms that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The words, in lower case, as they are read: parted at marks and where small letters become capitals.
    pub(super) words: Vec<String>,
    /// Without case and marks. Two names with one such form are the same to whoever is careless about spelling.
    pub(super) folded: String,
    /// How it looks, without case and marks: one for a capital `I` that is one, and one where it is an `l`.
    pub(super) looks: Vec<String>,
    /// The words in order of the alphabet.
    pub(super) ordered: String,
}

impl Name {
    pub(super) fn of(text: &str) -> Self {
        let seen = reading(text);
        let words = words(&seen);
        let mut ordered = words.clone();
        ordered.sort_unstable();
        let mut looks = vec![look(&seen, 'i')];
        if seen.contains('I') {
            looks.push(look(&seen, 'l'));
        }
        Self { folded: folded(text), looks, ordered: ordered.join(" "), words }
    }

    /// Has it two words or more, so that nobody else hits on it by chance?
    pub(super) fn is_telling(&self) -> bool {
        self.words.len() >= 2
    }
}

/// Without case and without the marks between words. Letters of other scripts stay what they are.
pub(super) fn folded(text: &str) -> String {
    let kept = text.chars().filter(|letter| letter.is_ascii_alphanumeric() || !letter.is_ascii());
    kept.flat_map(char::to_lowercase).collect()
}

/// Has it letters that pretend to be others, or that nobody sees?
pub(super) fn is_disguised(text: &str) -> bool {
    let ascii = text.bytes().any(|b| b.is_ascii_alphabetic());
    text.chars().any(is_invisible) || (ascii && text.chars().any(is_double))
}

/// What is read, with what looks the same made the same.
fn look(seen: &str, capital: char) -> String {
    let mut out = String::with_capacity(seen.len());
    for letter in seen.chars() {
        match letter {
            '1' | '|' => out.push('l'),
            '0' => out.push('o'),
            'I' => out.push(capital),
            letter if letter.is_alphanumeric() => out.extend(letter.to_lowercase()),
            _ => {}
        }
    }
    out.replace("rn", "m").replace("vv", "w")
}

/// Hashes of the name and of all that is left of it where one letter is taken out. Two names that are one letter apart share
/// one. Nothing for names that are too short or too long.
pub(super) fn neighbours(folded: &str) -> Vec<u64> {
    let letters: Vec<char> = folded.chars().collect();
    if letters.len() < NEAR_SHORTEST || folded.len() > NEAR_LONGEST {
        return Vec::new();
    }
    let without = |skip: usize| {
        letters
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != skip)
            .fold(0xcbf2_9ce4_8422_2325, |state: u64, (_, letter)| {
                (state ^ u64::from(u32::from(*letter))).wrapping_mul(0x0100_0000_01b3)
            })
    };
    let mut hashes: Vec<u64> = (0..=letters.len()).map(without).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Is it one letter more, less, other, or two letters exchanged? A plural and another number are no slip.
pub(super) fn is_slip(one: &str, other: &str) -> bool {
    if one == other || one.len().abs_diff(other.len()) > 4 {
        return false;
    }
    let head: usize =
        one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (one_rest, other_rest) = (one.get(head..).unwrap_or_default(), other.get(head..).unwrap_or_default());
    let ends = one_rest.chars().rev().zip(other_rest.chars().rev());
    let tail: usize = ends.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let middle = |rest: &str| -> Vec<char> {
        rest.get(..rest.len() - tail).unwrap_or_default().chars().take(3).collect()
    };
    let slip = match (middle(one_rest).as_slice(), middle(other_rest).as_slice()) {
        ([], [extra]) | ([extra], []) => !extra.is_ascii_digit() && (tail > 0 || *extra != 's'),
        ([a], [b]) => !(a.is_ascii_digit() || b.is_ascii_digit()),
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    };
    slip && one.chars().count().min(other.chars().count()) >= NEAR_SHORTEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_names_into_words() {
        for (name, expected) in [
            ("read_file", vec!["read", "file"]),
            ("sendEmail", vec!["send", "email"]),
            ("getHTTPResponse", vec!["get", "http", "response"]),
            ("mail__send-email.v2", vec!["mail", "send", "email", "v2"]),
            ("", vec![]),
            ("__", vec![]),
        ] {
            assert_eq!(Name::of(name).words, expected, "{name}");
        }
    }

    #[test]
    fn knows_what_looks_the_same() {
        for (one, other, same) in [
            ("read_file", "r\u{435}ad_file", true),
            ("list_items", "1ist_items", true),
            ("list_items", "Iist_items", true),
            ("modern", "modem", true),
            ("read_file", "read\u{200b}_file", true),
            ("read_file", "read_files", false),
        ] {
            let (one, other) = (Name::of(one), Name::of(other));
            assert_eq!(one.looks.iter().any(|look| other.looks.contains(look)), same, "{one:?} {other:?}");
        }
    }

    #[test]
    fn knows_a_slip_of_a_finger() {
        for (one, other, slip) in [
            ("sendemail", "sendemial", true),
            ("sendemail", "sendemal", true),
            ("sendemail", "sendemaill", true),
            ("sendemail", "sendenail", true),
            ("sendemail", "sendemails", false),
            ("sha256sum", "sha512sum", false),
            ("versionv1", "versionv2", false),
            ("sendemail", "sendemail", false),
            ("add", "adds", false),
        ] {
            assert_eq!(is_slip(one, other), slip, "{one} {other}");
            assert_eq!(is_slip(other, one), slip, "{other} {one}");
            if slip {
                let (a, b) = (neighbours(one), neighbours(other));
                assert!(a.iter().any(|hash| b.contains(hash)), "{one} {other}");
            }
        }
    }
}

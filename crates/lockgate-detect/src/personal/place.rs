//! Postal addresses, by the shape that streets have in several countries.

use std::ops::Range;

use super::entity::Entity;
use super::found::Found;
use super::person::is_name;
use crate::Sure;
use crate::marks::is_letter;

/// Longest street, and longest rest of an address. Bytes.
const LONGEST: usize = 64;
/// Longest number of a house. Bytes.
pub(super) const NUMBER: usize = 5;

/// Behind the number and a name: the United States, the United Kingdom, Ireland, Canada, Australia.
const STREETS: [&str; 40] = [
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Boulevard",
    "Blvd",
    "Lane",
    "Ln",
    "Drive",
    "Dr",
    "Court",
    "Ct",
    "Place",
    "Pl",
    "Square",
    "Sq",
    "Terrace",
    "Ter",
    "Way",
    "Parkway",
    "Pkwy",
    "Highway",
    "Hwy",
    "Close",
    "Crescent",
    "Cres",
    "Circle",
    "Cir",
    "Gardens",
    "Grove",
    "Mews",
    "Row",
    "Alley",
    "Broadway",
    "Plaza",
    "Trail",
    "Turnpike",
    "Esplanade",
];
/// Behind the number, before the name: France, Belgium, Canada.
const RUES: [&str; 14] = [
    "rue",
    "avenue",
    "boulevard",
    "place",
    "chemin",
    "allée",
    "impasse",
    "quai",
    "cours",
    "square",
    "route",
    "bd",
    "av.",
    "passage",
];
/// Behind the number, and a part of it: France.
const OF_NUMBER: [&str; 2] = ["bis", "ter"];
/// Before the name and the number: Spain, Italy, Portugal, Brazil, Poland, Belgium.
const CALLES: [&str; 21] = [
    "Calle", "C/", "Avenida", "Avda.", "Av.", "Plaza", "Paseo", "Carrer", "Via", "Viale", "Piazza", "Corso",
    "Vicolo", "Rua", "Travessa", "Praça", "ul.", "Ul.", "Rue", "Avenue", "Box",
];
/// The end of a word before the number: Germany, Austria, Switzerland, the Netherlands, Sweden, Denmark, Norway, Finland.
const ENDS: [&str; 26] = [
    "straße", "strasse", "str.", "weg", "platz", "allee", "gasse", "ufer", "damm", "chaussee", "steig",
    "straat", "laan", "plein", "gracht", "kade", "dijk", "gatan", "vägen", "gade", "vej", "veien", "gata",
    "katu", "Straße", "Allee",
];
/// Small words inside of the name of a street.
const BETWEEN: [&str; 18] = [
    "de", "la", "du", "des", "le", "les", "del", "di", "da", "do", "dos", "das", "della", "dei", "delle",
    "y", "e", "den",
];

/// The street whose number this run is.
pub(super) fn street(text: &str, run: &Range<usize>, floor: usize) -> Option<Range<usize>> {
    if run.len() > NUMBER {
        return None;
    }
    let bytes = text.as_bytes();
    let right = match bytes.get(run.end..run.end + 5) {
        Some([b' ', next, rest @ ..]) => !next.is_ascii_digit() || rest.iter().any(u8::is_ascii_lowercase),
        Some([b',', b' ', next, ..]) => next.is_ascii_lowercase(),
        _ => false,
    };
    // No street ends with a digit before its number.
    let left = matches!(bytes.get(floor..run.start)?, [.., last, b' '] if !last.is_ascii_digit());
    if !(left || right) {
        return None;
    }
    let number = bytes.get(run.clone())?;
    let (last, first) = number.split_last()?;
    let digits = if last.is_ascii_alphabetic() { first } else { number };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    right.then(|| behind(text, run)).flatten().or_else(|| left.then(|| before(text, run, floor)).flatten())
}

/// Whether a field of that name holds a postal address.
pub(super) fn is_field(name: &str) -> bool {
    let plain: String = name
        .chars()
        .take(LONGEST)
        .filter(|letter| letter.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    let fields = [
        "street",
        "streetaddress",
        "addressline",
        "homeaddress",
        "postaladdress",
        "mailingaddress",
        "shippingaddress",
        "billingaddress",
        "anschrift",
        "strasse",
        "straße",
    ];
    fields.iter().any(|field| plain.ends_with(field))
}

/// The value of such a field, where it has letters and digits in it.
pub(super) fn value(text: &str, found: &mut Found<'_>) {
    let has = |is: fn(char) -> bool| text.contains(is);
    let like = text.len() <= LONGEST * 2
        && has(char::is_alphabetic)
        && text.contains(' ')
        && !text.contains("://")
        && !text.contains(['[', '*']);
    if like && has(|letter| letter.is_ascii_digit()) {
        found.push(Entity::Location, 0..text.len(), Sure::Likely);
    }
}

/// The street behind its number: `12 Baker Street`, `5, rue de la Paix`.
fn behind(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let behind = text.get(run.end..text.floor_char_boundary(run.end + LONGEST))?;
    let words = behind.strip_prefix(", ").or_else(|| behind.strip_prefix(' '))?;
    let start = run.end + behind.len() - words.len();
    // Most of what stands behind a number is no street.
    let length_of = match words.as_bytes().first()? {
        b'a'..=b'z' if begins_french(words) => french,
        b'A'..=b'Z' | b'0'..=b'9' | 0x80.. => english,
        _ => return None,
    };
    let length = length_of(until(words, |byte| matches!(byte, b'\n' | b'\r')))?;
    Some(run.start..tail(text, start + length))
}

/// What stands before the first of these ASCII marks.
fn until(text: &str, is_mark: impl Fn(u8) -> bool) -> &str {
    let end = text.bytes().position(is_mark).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Without the marks behind it.
fn bare(word: &str) -> &str {
    word.trim_end_matches([',', '.', ';', ')', '"', '\'', '\\'])
}

/// How long the street is that a text begins with. Bytes.
fn english(words: &str) -> Option<usize> {
    let mut end = 0;
    for (at, word) in words.split(' ').take(7).enumerate() {
        let bare = bare(word);
        if at > 0 && STREETS.contains(&bare) {
            return Some(end + bare.len());
        }
        let ordinal = bare.starts_with(|first: char| first.is_ascii_digit())
            && bare.ends_with(|last: char| last.is_ascii_lowercase());
        let side = matches!(bare, "N" | "S" | "E" | "W" | "NE" | "NW" | "SE" | "SW");
        let part = side || bare.len() == word.len() && (ordinal || is_name(bare));
        if !part {
            return None;
        }
        end += word.len() + 1;
    }
    None
}

/// Whether the first word is one of those before the name of a street, or of the number.
fn begins_french(words: &str) -> bool {
    let first = words.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
    RUES.iter().chain(&OF_NUMBER).any(|word| word.as_bytes() == first)
}

fn french(words: &str) -> Option<usize> {
    let kind = words.split(' ').take(2).find(|word| !OF_NUMBER.contains(word))?;
    if !RUES.contains(&kind) {
        return None;
    }
    let (mut end, mut length) = (0, None);
    for word in words.split(' ').take(8) {
        let bare = bare(word);
        let name = bare.split_once(['\'', '’']).map_or(bare, |(_, name)| name);
        if is_name(name) {
            length = Some(end + bare.len());
        } else if !RUES.contains(&word) && !BETWEEN.contains(&word) && !OF_NUMBER.contains(&word) {
            break;
        }
        if bare.len() < word.len() && !RUES.contains(&word) {
            break;
        }
        end += word.len() + 1;
    }
    length
}

fn before(text: &str, run: &Range<usize>, floor: usize) -> Option<Range<usize>> {
    let from = text.ceil_char_boundary(floor.max(run.start.saturating_sub(LONGEST)));
    // The word before begins with a capital, or is a short one for `number`.
    let word = text
        .as_bytes()
        .get(from..run.start.checked_sub(1)?)?
        .rsplit(|byte| {
            matches!(
                byte,
                b' ' | b'"' | b'\n' | b'\r' | b':' | b';' | b'(' | b',' | b']' | b'|' | b'=' | b'>' | b'\''
            )
        })
        .next()?;
    if !word.first().is_some_and(|first| first.is_ascii_uppercase() || *first == b'n' || *first >= 0x80) {
        return None;
    }
    // In capitals and digits alone it is no name.
    if !word.iter().any(|byte| matches!(byte, b'a'..=b'z' | b'.' | 0x80..)) {
        return None;
    }
    let line = text.get(from..run.start)?;
    let ends = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'"' | b':' | b';' | b'(');
    let line = line.get(line.as_bytes().iter().rposition(ends).map_or(0, |end| end + 1)..)?;
    let street = line.strip_suffix(' ')?;
    let street = [" n.", " nº", " n°", " nr", " nr.", " no."]
        .iter()
        .find_map(|mark| street.strip_suffix(mark))
        .unwrap_or(street);
    let street = street.strip_suffix(',').unwrap_or(street);
    let is_mark = |letter: char| !is_letter(letter) && !matches!(letter, '-' | '.' | '/' | '\'' | '’');
    let last = street.rsplit(is_mark).next()?;
    if !last.starts_with(|first: char| first.is_uppercase()) {
        return None;
    }
    let start = run.start - line.len();
    if let Some(end) = ENDS.iter().find(|end| last.ends_with(*end)) {
        let word = start + street.len() - last.len();
        if last.len() > end.len() + 2 {
            return Some(word..tail(text, run.end));
        }
        let name = street.strip_suffix(last)?.trim_end().rsplit(' ').next().filter(|name| is_name(name))?;
        return Some(word - name.len() - 1..tail(text, run.end));
    }
    let mut at = street.len();
    for (count, word) in street.rsplit(' ').take(6).enumerate() {
        at -= word.len();
        if CALLES.contains(&word) && count > 0 || matches!(word, "Box" | "Postfach") && count == 0 {
            return Some(start + at..tail(text, run.end));
        }
        if !is_name(word) && !BETWEEN.contains(&word) {
            return None;
        }
        at = at.saturating_sub(1);
    }
    None
}

/// Where the address ends whose street ends here: with the town and its code, where they follow.
fn tail(text: &str, end: usize) -> usize {
    let Some(rest) = text.get(end..text.floor_char_boundary(end + LONGEST)) else { return end };
    let rest = until(rest, |byte| matches!(byte, b'\n' | b'\r' | b'"' | b';' | b'\\'));
    let mut length = 0;
    let mut at = 0;
    for word in rest.split_inclusive([' ', ',']).take(9) {
        let bare = word.trim_matches([' ', ',', '.', ')']);
        let digits = bare.bytes().filter(u8::is_ascii_digit).count();
        let capitals = bare.bytes().filter(u8::is_ascii_uppercase).count();
        let code = digits > 0
            && digits + capitals + usize::from(bare.contains('-')) == bare.len()
            && bare.len() <= 10;
        let region = digits == 0 && capitals == bare.len() && bare.len() <= 3;
        let unit = matches!(bare, "Apt" | "Apartment" | "Suite" | "Unit" | "Ste" | "Floor" | "Flat");
        at += word.len();
        if code {
            length = at - (word.len() - word.trim_end_matches([' ', ',', '.', ')']).len());
        } else if !bare.is_empty() && !region && !unit && !is_name(bare) {
            break;
        } else if is_name(bare) && length > 0 {
            // The town behind its code.
            return end + at - (word.len() - word.trim_end_matches([' ', ',', '.', ')']).len());
        }
        if length > 0 && !word.ends_with(' ') {
            break;
        }
    }
    end + length
}

//! Europe, but for the British Isles.

use super::super::plain::Plain;
use super::{date, is_letter, luhn, mod_11_10};

/// Of the first ten digits exactly one is there twice or three times, and the last is a sum of all.
pub(super) fn steuer_id(number: &Plain) -> bool {
    let count = |digit| number.worths().take(10).filter(|other| *other == digit).count();
    let several: Vec<_> = (0..10).map(count).filter(|count| *count > 1).collect();
    number.digit(0) != 0 && matches!(several.as_slice(), [2 | 3]) && mod_11_10(number, 10)
}

/// The letter counts as two digits; of each product the digits are added (VKVV, §4).
pub(super) fn rente(number: &Plain) -> bool {
    let letter = u32::from(number.letter(8).saturating_sub(b'A')) + 1;
    let before = number.worths().take(8);
    let digits = before.chain([letter / 10, letter % 10]).chain(number.worths().skip(9).take(2));
    let products = digits.zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]).map(|(digit, weight)| digit * weight);
    let sum: u32 = products.map(|product| product / 10 + product % 10).sum();
    let (day, month) = (number.number(2, 2), number.number(4, 2));
    // More than a hundred births of one day and letter are told apart by a day that is no day.
    (1..=12).contains(&month) && (1..=91).contains(&day) && sum % 10 == number.digit(11)
}

/// ICAO 9303: weights 7, 3 and 1.
pub(super) fn ausweis(number: &Plain) -> bool {
    number.weighed(&[7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10 == number.digit(9) && number.number(0, 9) != 0
}

pub(super) fn svnr(number: &Plain) -> bool {
    number.digit(0) != 0
        && number.weighed(&[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == number.digit(3)
        && (1..=31).contains(&number.number(4, 2))
        && (1..=15).contains(&number.number(6, 2))
}

pub(super) fn ahv(number: &Plain) -> bool {
    let sum = number.weighed(&[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    number.number(0, 3) == 756 && (10 - sum % 10) % 10 == number.digit(12)
}

/// What is left of 97. Corsica has letters in its department.
pub(super) fn nir(number: &Plain) -> bool {
    let corsica = match number.letter(6) {
        b'A' => Some(19),
        b'B' => Some(18),
        _ => None,
    };
    let department = corsica.unwrap_or_else(|| number.number(5, 2));
    let body = number.number(0, 5) * 100_000_000 + department * 1_000_000 + number.number(7, 6);
    let month = number.number(3, 2);
    matches!(month, 1..=12 | 20 | 30..=42 | 50..=99)
        && matches!(number.digit(0), 1..=4 | 7 | 8)
        && 97 - body % 97 == number.number(13, 2)
}

/// What is left of 97; who was born from 2000 on has a 2 before.
pub(super) fn nrn(number: &Plain) -> bool {
    let (body, rest) = (number.number(0, 9), number.number(9, 2));
    let day = number.number(2, 2) % 20 <= 12 && number.number(4, 2) <= 31;
    day && body != 0 && (97 - body % 97 == rest || 97 - (2_000_000_000 + body) % 97 == rest)
}

/// The eleven test: the last digit counts against the others.
pub(super) fn bsn(number: &Plain) -> bool {
    let sum = number.weighed(&[9, 8, 7, 6, 5, 4, 3, 2]);
    sum % 11 == number.digit(8) && !number.is_one_digit()
}

const SPAIN: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";

pub(super) fn nif(number: &Plain) -> bool {
    is_letter(number, 8, SPAIN, number.number(0, 8) % 23)
}

pub(super) fn nie(number: &Plain) -> bool {
    let first = u64::from(number.letter(0).saturating_sub(b'X'));
    is_letter(number, 8, SPAIN, (first * 10_000_000 + number.number(1, 7)) % 23)
}

pub(super) fn pt_nif(number: &Plain) -> bool {
    let digit = match number.weighed(&[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    matches!(number.digit(0), 1..=3 | 5 | 6 | 8 | 9) && digit == number.digit(8)
}

/// What the letters and digits of the odd places are worth, from `0` to `9` and `A` to `Z` (decree of 23 December 1976).
const ODD: [u32; 36] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14,
    16, 10, 22, 25, 24, 23,
];

pub(super) fn codice(number: &Plain) -> bool {
    let worth = |(at, worth): (usize, u32)| match usize::try_from(worth) {
        Ok(place) if at % 2 == 0 => ODD.get(place).copied().unwrap_or_default(),
        _ => worth - if worth > 9 { 10 } else { 0 },
    };
    let sum: u32 = number.worths().take(15).enumerate().map(worth).sum();
    is_letter(number, 15, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", u64::from(sum % 26))
}

/// The month says the century: 1800 with 80 more, 2000 with 20 more, and so on.
pub(super) fn pesel(number: &Plain) -> bool {
    let sum = number.weighed(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    date::is_day(number.number(2, 2) % 20, number.number(4, 2)) && (10 - sum % 10) % 10 == number.digit(10)
}

/// Divisible by 11. Women have 50 more in the month, and either 20 more where a day is full.
pub(super) fn rodne(number: &Plain) -> bool {
    let right = number.number(0, 9) % 11 % 10 == number.number(9, 1);
    right && date::is_day(number.number(2, 2) % 50 % 20, number.number(4, 2))
}

pub(super) fn oib(number: &Plain) -> bool {
    mod_11_10(number, 10)
}

pub(super) fn cnp(number: &Plain) -> bool {
    let sum = number.weighed(&[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    number.digit(0) != 0
        && date::year_first(number, 1)
        && (if sum == 10 { 1 } else { sum }) == number.digit(12)
}

/// The letter is what is left of 31. The sign between may be a letter.
pub(super) fn hetu(number: &Plain) -> bool {
    let last = number.bytes().len().saturating_sub(1);
    let body = number.number(0, 6) * 1000 + number.number(last.saturating_sub(3), 3);
    date::day_first(number, 0) && is_letter(number, last, b"0123456789ABCDEFHJKLMNPRSTUVWXY", body % 31)
}

/// With the century before or without. Who has no number of their own has 60 more in the day.
pub(super) fn personnummer(number: &Plain) -> bool {
    let at = number.bytes().len().saturating_sub(10);
    let century = at == 0 || matches!(number.number(0, 2), 18..=20);
    let day = date::is_day(number.number(at + 2, 2), number.number(at + 4, 2) % 60);
    let digits = number.bytes().get(at..).and_then(|digits| std::str::from_utf8(digits).ok());
    century && day && digits.is_some_and(|digits| luhn(&Plain::new(digits)))
}

/// Divisible by 11, as all were until 2007.
pub(super) fn cpr(number: &Plain) -> bool {
    cpr_date(number) && number.weighed(&[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

pub(super) fn cpr_date(number: &Plain) -> bool {
    date::day_first(number, 0)
}

/// Both digits at the end. Who has no number of their own has 40 more in the day.
pub(super) fn fnr(number: &Plain) -> bool {
    let digit = |weights: &[u32]| (11 - number.weighed(weights) % 11) % 11;
    date::is_day(number.number(2, 2), number.number(0, 2) % 40)
        && digit(&[3, 7, 6, 1, 8, 9, 4, 5, 2]) == number.digit(9)
        && digit(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) == number.digit(10)
}

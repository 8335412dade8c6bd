//! Asia and Africa.

use super::super::plain::Plain;
use super::{date, is_letter, luhn};

pub(super) fn tr_id(number: &Plain) -> bool {
    let places = |first: usize, count: usize| number.worths().skip(first).step_by(2).take(count).sum::<u32>();
    let (odd, even) = (places(0, 5), places(1, 4));
    let tenth = (odd * 7 + 100 - even) % 10;
    number.digit(0) != 0 && tenth == number.digit(9) && (odd + even + tenth) % 10 == number.digit(10)
}

pub(super) fn za_id(number: &Plain) -> bool {
    date::year_first(number, 0) && number.digit(10) <= 1 && luhn(number)
}

/// Verhoeff's sum, and no number begins with 0 or 1 (UIDAI).
pub(super) fn aadhaar(number: &Plain) -> bool {
    let check = number.worths().rev().enumerate().fold(0, |check, (at, digit)| {
        let moved = (0..at % 8).fold(digit, |digit, _| {
            [1, 5, 7, 6, 2, 8, 3, 0, 9, 4].into_iter().nth(place(digit)).unwrap_or_default()
        });
        times(check, moved)
    });
    number.digit(0) > 1 && check == 0 && !number.is_one_digit()
}

fn place(digit: u32) -> usize {
    usize::try_from(digit).unwrap_or_default()
}

/// One after the other, in the group of the turns and flips of a pentagon.
fn times(first: u32, second: u32) -> u32 {
    match (first < 5, second < 5) {
        (true, true) => (first + second) % 5,
        (true, false) => (first + second - 5) % 5 + 5,
        (false, true) => (first - 5 + 5 - second) % 5 + 5,
        (false, false) => (first + 5 - second) % 5,
    }
}

/// GB 11643: the date of birth, and ISO 7064 MOD 11-2.
pub(super) fn cn_id(number: &Plain) -> bool {
    let sum = number.weighed(&[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    date::is_year(number.number(6, 4))
        && date::year_first(number, 8)
        && is_letter(number, 17, b"10X98765432", u64::from(sum % 11))
}

pub(super) fn my_number(number: &Plain) -> bool {
    let digit = match number.weighed(&[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    digit == number.digit(11) && !number.is_one_digit()
}

/// The date alone: since October 2020 the last digits are drawn.
pub(super) fn rrn(number: &Plain) -> bool {
    date::year_first(number, 0) && (1..=8).contains(&number.digit(6))
}

pub(super) fn nric(number: &Plain) -> bool {
    let sum = number.weighed(&[0, 2, 7, 6, 5, 4, 3, 2]);
    let (more, letters): (u32, &[u8]) = match number.letter(0) {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        _ => (3, b"XWUTRQPNJLK"),
    };
    is_letter(number, 8, letters, u64::from((sum + more) % 11))
}

pub(super) fn thai(number: &Plain) -> bool {
    let sum = number.weighed(&[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    number.digit(0) != 0 && (11 - sum % 11) % 10 == number.digit(12)
}

/// What the first letter is worth: the places where people lived, in the order in which they became provinces.
pub(super) fn taiwan(number: &Plain) -> bool {
    let order = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some(place) = order.iter().position(|letter| *letter == number.letter(0)) else { return false };
    let first = u32::try_from(place).unwrap_or_default() + 10;
    let sum = first / 10 + first % 10 * 9 + number.weighed(&[0, 8, 7, 6, 5, 4, 3, 2, 1, 1]);
    sum.is_multiple_of(10)
}

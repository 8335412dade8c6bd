//! The British Isles and Australia.

use super::super::plain::Plain;
use super::is_letter;

/// The data dictionary of the NHS: modulus 11.
pub(super) fn nhs(number: &Plain) -> bool {
    let digit = match 11 - number.weighed(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        11 => 0,
        digit => digit,
    };
    digit == number.digit(9) && !number.is_one_digit()
}

/// HMRC's NIM39110: which letters a number never begins with.
pub(super) fn nino(number: &Plain) -> bool {
    let (first, second) = (number.letter(0), number.letter(1));
    !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && !matches!(&[first, second], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ")
}

pub(super) fn pps(number: &Plain) -> bool {
    let second = match number.letter(8) {
        letter @ b'A'..=b'V' => u32::from(letter - b'A') + 1,
        _ => 0,
    };
    let sum = number.weighed(&[8, 7, 6, 5, 4, 3, 2]) + second * 9;
    is_letter(number, 7, b"WABCDEFGHIJKLMNOPQRSTUV", u64::from(sum % 23))
}

pub(super) fn tfn(number: &Plain) -> bool {
    number.weighed(&[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11) && !number.is_one_digit()
}

/// One less in the first place, then divisible by 89.
pub(super) fn abn(number: &Plain) -> bool {
    let sum = number.weighed(&[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    number.digit(0) != 0 && sum >= 10 && (sum - 10).is_multiple_of(89)
}

pub(super) fn medicare(number: &Plain) -> bool {
    (2..=6).contains(&number.digit(0)) && number.weighed(&[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == number.digit(8)
}

//! America, north and south.

use super::super::plain::Plain;
use super::{date, luhn};

/// <https://www.ssa.gov/employer/randomization.html>: areas and groups that are never given.
pub(super) fn us_ssn(number: &Plain) -> bool {
    let area = number.number(0, 3);
    let given = area != 0 && area != 666 && area < 900;
    given && number.number(3, 2) != 0 && number.number(5, 4) != 0 && !number.is_one_digit()
}

/// IRS publication 1915: the first digit, and which groups are given.
pub(super) fn us_itin(number: &Plain) -> bool {
    number.digit(0) == 9 && matches!(number.number(3, 2), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

pub(super) fn ca_sin(number: &Plain) -> bool {
    !matches!(number.digit(0), 0 | 8) && luhn(number) || number.number(0, 9) == 46_454_286
}

/// Odd places, and twice the even ones, of the six digits before the last.
pub(super) fn dea(number: &Plain) -> bool {
    number.weighed(&[0, 0, 1, 2, 1, 2, 1, 2]) % 10 == number.digit(8)
}

/// Both digits at the end: of the weighed sum of all before.
fn brazil(number: &Plain, first: &[u32], second: &[u32]) -> bool {
    let digit = |weights: &[u32]| match number.weighed(weights) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    !number.is_one_digit()
        && digit(first) == number.digit(first.len())
        && digit(second) == number.digit(second.len())
}

pub(super) fn cpf(number: &Plain) -> bool {
    brazil(number, &[10, 9, 8, 7, 6, 5, 4, 3, 2], &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}

pub(super) fn cnpj(number: &Plain) -> bool {
    let (first, second) = ([5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
    brazil(number, &first, &second)
}

/// The date of birth, and the digit of RENAPO. `Ñ` has a place of its own behind `N`.
pub(super) fn curp(number: &Plain) -> bool {
    let weights = (2..=18).rev();
    let worth = |letter: u32| if letter > 23 { letter + 1 } else { letter };
    let sum: u32 = number.worths().zip(weights).map(|(letter, weight)| worth(letter) * weight).sum();
    date::year_first(number, 4) && (10 - sum % 10) % 10 == number.digit(17)
}

//! Dates inside of numbers. Nobody asks what day it is today: what may be a date of some living person is one.

use super::super::plain::Plain;

/// Whether there is such a day in some year.
pub(super) fn is_day(month: u64, day: u64) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Two digits for the year, then month and day.
pub(super) fn year_first(number: &Plain, at: usize) -> bool {
    is_day(number.number(at + 2, 2), number.number(at + 4, 2))
}

/// Day and month, whatever the year is.
pub(super) fn day_first(number: &Plain, at: usize) -> bool {
    is_day(number.number(at + 2, 2), number.number(at, 2))
}

/// A year in which somebody who lives may have been born.
pub(super) fn is_year(year: u64) -> bool {
    (1900..2100).contains(&year)
}

/// A whole date, as somebody writes it: `1990-02-28`, `28.02.1990`, `02/28/1990`, `28 February 1990`.
pub(super) fn is_birthday(number: &Plain) -> bool {
    if number.bytes().iter().any(u8::is_ascii_alphabetic) {
        return has_month(number);
    }
    let day = |year, month, day| {
        is_year(number.number(year, 4)) && is_day(number.number(month, 2), number.number(day, 2))
    };
    match number.bytes().len() {
        8 => day(0, 4, 6) || day(4, 2, 0) || day(4, 0, 2),
        // Without leading zeros only the year can be told.
        6 | 7 => is_year(number.number(number.bytes().len() - 4, 4)),
        _ => false,
    }
}

/// The first three letters of the months: English, German, French, Spanish, Italian, Dutch, Portuguese.
const MONTHS: [&[u8]; 33] = [
    b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC", b"MAI",
    b"OKT", b"DEZ", b"FEV", b"AVR", b"JUI", b"AOU", b"ENE", b"ABR", b"AGO", b"DIC", b"GEN", b"MAG", b"GIU",
    b"LUG", b"SET", b"OTT", b"MAA", b"MEI", b"OUT", b"MRZ",
];

fn has_month(number: &Plain) -> bool {
    let bytes = number.bytes();
    let letters = bytes.iter().position(u8::is_ascii_alphabetic).unwrap_or_default();
    let year = number.number(bytes.len().saturating_sub(4), 4);
    let name = bytes.get(letters..letters + 3);
    is_year(year)
        && (1..=31).contains(&number.number(0, letters))
        && name.is_some_and(|name| MONTHS.contains(&name))
}

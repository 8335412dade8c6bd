//! Days as people name them: `May 26th`, `26 May 2024`, `2024-05-26`.

use std::collections::BTreeSet;

/// A day of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    year: u16,
    month: u8,
    of_month: u8,
}

impl Day {
    /// The day with which a value begins that is `2024-05-26`, with or without a time of day behind it.
    pub(crate) fn of_value(value: &str) -> Option<Self> {
        let day = Self::iso(value.get(..10)?)?;
        let rest = value.get(10..)?;
        let mut rest_bytes = rest.bytes();
        let timed = matches!(rest_bytes.next(), Some(b't' | b'T' | b' '))
            && matches!((rest_bytes.next(), rest_bytes.next(), rest_bytes.next()), (Some(a), Some(b), Some(b':'))
                if a.is_ascii_digit() && b.is_ascii_digit());
        (rest.is_empty() || timed).then_some(day)
    }

    fn iso(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
        (parts.next().is_none() && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self {
            year,
            month,
            of_month: day,
        })
    }
}

/// The days that a text names. One without a year is a day of each year that the text names, or of any where it names
/// none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dates {
    days: BTreeSet<Day>,
    yearless: BTreeSet<(u8, u8)>,
}

impl Dates {
    /// The days named in a folded text.
    pub(crate) fn of(folded: &str) -> Self {
        let words: Vec<&str> = folded
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let mut found = Self::default();
        for window in folded.as_bytes().windows(10) {
            if let Some(day) = str::from_utf8(window).ok().and_then(Day::iso) {
                found.days.insert(day);
            }
        }
        let years: BTreeSet<u16> = words
            .iter()
            .filter(|word| word.len() == 4 && word.starts_with("20"))
            .filter_map(|word| word.parse().ok())
            .collect();
        for (place, word) in words.iter().enumerate() {
            let Some(month) = month(word) else { continue };
            let after = words.iter().skip(place + 1);
            let before = words.iter().rev().skip(words.len() - place);
            for day in span(after).into_iter().chain(span(before)) {
                if years.is_empty() {
                    found.yearless.insert((month, day));
                }
                found.days.extend(years.iter().map(|year| Day { year: *year, month, of_month: day }));
            }
        }
        found
    }

    /// Whether the day is among them.
    pub(crate) fn name(&self, day: Day) -> bool {
        self.days.contains(&day) || self.yearless.contains(&(day.month, day.of_month))
    }
}

/// One day, or the first and last of several, that stand next to a month.
fn span<'text>(words: impl Iterator<Item = &'text &'text str>) -> Vec<u8> {
    let mut days = Vec::new();
    for word in words {
        match (day(word), *word) {
            (Some(day), _) => days.push(day),
            (None, "of" | "the" | "to" | "until" | "and" | "through") => {}
            (None, _) => break,
        }
        if days.len() == 2 {
            break;
        }
    }
    days
}

fn day(word: &str) -> Option<u8> {
    let digits = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let ending = word.get(digits.len()..)?;
    let known = matches!(ending, "" | "st" | "nd" | "rd" | "th");
    digits.parse().ok().filter(|day| known && (1..=31).contains(day))
}

fn month(word: &str) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let place = MONTHS.iter().position(|month| *month == word || month.get(..3) == Some(word))?;
    u8::try_from(place + 1).ok()
}

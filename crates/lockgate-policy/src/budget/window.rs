use std::fmt;

use lockgate_model::UnixMillis;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Shortest sliding window. Milliseconds.
const SHORTEST: u64 = SECOND;
/// Longest sliding window: 366 days. Milliseconds.
const LONGEST: u64 = 366 * DAY;
/// Into how many pieces a sliding window is cut.
const PIECES: u64 = 60;
/// The last millisecond of the year 9999. A clock beyond it stands still, so that no sum here overflows.
const END: u64 = 253_402_300_799_999;

/// Over which time a limit adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// The time just passed, at every moment. Made by [`Window::sliding`].
    Sliding(Length),
    /// Since the last boundary of the calendar, in UTC.
    Calendar(Calendar),
}

/// How long a sliding window is. Milliseconds, within the bounds of [`Window::sliding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(u64);

/// A period of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Calendar {
    /// From second 0.
    Minute,
    /// From minute 0.
    Hour,
    /// From midnight.
    Day,
    /// From midnight before Monday, as ISO 8601 has it.
    Week,
    /// From midnight before the first.
    Month,
}

/// Where a call at one moment is counted, and what is counted against it. All are milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Start of the piece of time that the call is counted in.
    pub at: u64,
    /// Pieces that start here or later count against the call, those of a clock that was ahead among them.
    pub since: u64,
    /// From this moment on the piece that starts at `at` counts no more.
    pub until: u64,
}

/// Why a text names no [`Window`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// No such word and no duration.
    #[error("unknown window `{text}`")]
    Unknown {
        /// As the operator wrote it.
        text: String,
        /// What may have been meant.
        meant: Option<&'static str>,
    },
    /// A sliding window shorter than a second or longer than 366 days.
    #[error("a sliding window lasts from 1 second to 366 days")]
    Length,
}

impl BadWindow {
    /// What the operator can write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { meant: Some(meant), .. } => format!("write `{meant}`"),
            Self::Unknown { meant: None, .. } | Self::Length => format!(
                "use second, minute, hour, day or week, a duration like 90s, 15m, 12h or 30d, or {}",
                "calendar_minute, calendar_hour, calendar_day, calendar_week or calendar_month"
            ),
        }
    }
}

impl Window {
    /// A sliding window of so many milliseconds: one second to 366 days.
    pub fn sliding(millis: u64) -> Result<Self, BadWindow> {
        if (SHORTEST..=LONGEST).contains(&millis) {
            Ok(Self::Sliding(Length(millis)))
        } else {
            Err(BadWindow::Length)
        }
    }

    /// Reads `hour` (sliding), `calendar_hour`, or a duration like `90s`, `15m`, `12h`, `30d` (sliding).
    pub fn parse(text: &str) -> Result<Self, BadWindow> {
        let window = match text {
            "second" => Self::Sliding(Length(SECOND)),
            "minute" => Self::Sliding(Length(MINUTE)),
            "hour" => Self::Sliding(Length(HOUR)),
            "day" => Self::Sliding(Length(DAY)),
            "week" => Self::Sliding(Length(7 * DAY)),
            "calendar_minute" => Self::Calendar(Calendar::Minute),
            "calendar_hour" => Self::Calendar(Calendar::Hour),
            "calendar_day" => Self::Calendar(Calendar::Day),
            "calendar_week" => Self::Calendar(Calendar::Week),
            "calendar_month" => Self::Calendar(Calendar::Month),
            _ => return duration(text),
        };
        Ok(window)
    }

    /// Where a call at this moment is counted.
    ///
    /// A sliding window of length L is cut into 60 pieces. A piece counts until all of it is older than L, so
    /// a call counts for L at least and for L + L/60 + 2 ms at most: never more than the limit in any time of
    /// length L, and now and then a call refused that a stopwatch would have let pass. At most 62 pieces
    /// count at once.
    ///
    /// A calendar window is one piece; at its boundary the count starts anew, so that around a boundary twice
    /// the limit may pass within one length.
    pub fn slot(self, now: UnixMillis) -> Slot {
        let now = now.0.min(END);
        match self {
            Self::Sliding(Length(length)) => {
                let piece = length.div_ceil(PIECES);
                let at = now - now % piece;
                // The last millisecond of a piece counts as long as it is not more than L before now; that
                // one millisecond more makes up for moments being cut to milliseconds.
                let since = (now + 1).saturating_sub(length + piece);
                Slot { at, since, until: at + length + piece }
            }
            Self::Calendar(period) => {
                let (at, until) = period.around(now);
                Slot { at, since: at, until }
            }
        }
    }

    /// Most pieces that can count at once.
    pub fn most_slots(self) -> usize {
        match self {
            Self::Sliding(_) => 62,
            Self::Calendar(_) => 1,
        }
    }
}

/// As [`Window::parse`] reads it.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = match self {
            Self::Sliding(Length(millis)) => *millis,
            Self::Calendar(Calendar::Minute) => return f.write_str("calendar_minute"),
            Self::Calendar(Calendar::Hour) => return f.write_str("calendar_hour"),
            Self::Calendar(Calendar::Day) => return f.write_str("calendar_day"),
            Self::Calendar(Calendar::Week) => return f.write_str("calendar_week"),
            Self::Calendar(Calendar::Month) => return f.write_str("calendar_month"),
        };
        match millis {
            SECOND => f.write_str("second"),
            MINUTE => f.write_str("minute"),
            HOUR => f.write_str("hour"),
            DAY => f.write_str("day"),
            _ if millis == 7 * DAY => f.write_str("week"),
            _ => match UNITS.iter().find(|(_, unit)| millis.is_multiple_of(*unit)) {
                Some((letter, unit)) => write!(f, "{}{letter}", millis / unit),
                None => write!(f, "{millis}ms"),
            },
        }
    }
}

impl Calendar {
    /// The first moment of the period that holds `now`, and the first one after it.
    fn around(self, now: u64) -> (u64, u64) {
        let days = now / DAY;
        let (start, end) = match self {
            Self::Minute => (now - now % MINUTE, now - now % MINUTE + MINUTE),
            Self::Hour => (now - now % HOUR, now - now % HOUR + HOUR),
            Self::Day => (days * DAY, (days + 1) * DAY),
            Self::Week => {
                // 1970-01-01 was a Thursday.
                let since_monday = (days + 3) % 7;
                (days.saturating_sub(since_monday) * DAY, (days + 7 - since_monday) * DAY)
            }
            Self::Month => {
                let (day, length) = day_of_month(days);
                ((days - (day - 1)) * DAY, (days - (day - 1) + length) * DAY)
            }
        };
        (start, end)
    }
}

/// Longest first, so that what was read is printed shortest.
const UNITS: [(&str, u64); 5] = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)];

fn duration(text: &str) -> Result<Window, BadWindow> {
    let unknown = || BadWindow::Unknown { text: text.to_owned(), meant: meant(text) };
    let letters = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.strip_suffix(letters).unwrap_or_default();
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == letters).ok_or_else(unknown)?;
    if digits.is_empty() || digits.starts_with('0') {
        return Err(unknown());
    }
    let count: u64 = digits.parse().map_err(|_| BadWindow::Length)?;
    Window::sliding(count.checked_mul(*unit).ok_or(BadWindow::Length)?)
}

/// The word that is often meant by another.
fn meant(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => "second",
        "m" | "min" | "mins" | "minute" | "minutes" | "minutely" => "minute",
        "h" | "hr" | "hrs" | "hour" | "hours" | "hourly" => "hour",
        "d" | "day" | "days" => "day",
        "daily" | "today" => "calendar_day",
        "w" | "week" | "weeks" => "week",
        "weekly" => "calendar_week",
        "month" | "months" | "monthly" | "mo" => "calendar_month",
        "year" | "years" | "yearly" | "y" => "365d",
        _ => return None,
    })
}

/// Which day of its month a day counted from 1970-01-01 is (from 1), and how many days that month has. The
/// Gregorian calendar, counted in 400-year cycles from a first of March, so that the leap day comes last.
fn day_of_month(days: u64) -> (u64, u64) {
    let shifted = days + 719_468;
    let of_cycle = shifted % 146_097;
    let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let day_of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let length = match month_from_march {
        // February ends the year that is counted here; the calendar's year is one later.
        11 => {
            let year = shifted / 146_097 * 400 + year_of_cycle + 1;
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            if leap { 29 } else { 28 }
        }
        1 | 3 | 6 | 8 => 30,
        _ => 31,
    };
    (day, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Days from 1970-01-01, by the textbook.
    fn days(year: u64, month: u64, day: u64) -> u64 {
        let leap = |y: u64| (y.is_multiple_of(4) && !y.is_multiple_of(100)) || y.is_multiple_of(400);
        let lengths = |y: u64| [31, if leap(y) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let years: u64 = (1970..year).map(|y| if leap(y) { 366 } else { 365 }).sum();
        let months: u64 = lengths(year).iter().take(usize::try_from(month - 1).unwrap()).sum();
        years + months + day - 1
    }

    fn millis(year: u64, month: u64, day: u64) -> u64 {
        days(year, month, day) * DAY
    }

    #[test]
    fn months_and_leap_years() {
        for (year, month, next) in [
            (1970, 1, (1970, 2)),
            (2024, 2, (2024, 3)),
            (2025, 2, (2025, 3)),
            (2025, 4, (2025, 5)),
            (2025, 12, (2026, 1)),
            (2000, 2, (2000, 3)),
            (2100, 2, (2100, 3)),
            (2100, 3, (2100, 4)),
        ] {
            let (start, end) = (millis(year, month, 1), millis(next.0, next.1, 1));
            for now in [start, start + 1, start + 15 * DAY, end - 1] {
                let slot = Window::Calendar(Calendar::Month).slot(UnixMillis(now));
                assert_eq!((slot.at, slot.since, slot.until), (start, start, end), "{year}-{month} {now}");
            }
        }
        assert_eq!((millis(2024, 3, 1) - millis(2024, 2, 1)) / DAY, 29);
    }

    #[test]
    fn every_month_to_2200() {
        for year in 1970..2200 {
            for month in 1..=12 {
                let next = if month == 12 { millis(year + 1, 1, 1) } else { millis(year, month + 1, 1) };
                let start = millis(year, month, 1);
                assert_eq!(Calendar::Month.around(start), (start, next));
                assert_eq!(Calendar::Month.around(next - 1), (start, next));
            }
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let monday = millis(2026, 11, 16);
        for day in 0..7 {
            assert_eq!(Calendar::Week.around(monday + day * DAY), (monday, monday + 7 * DAY));
        }
        assert_eq!(Calendar::Week.around(monday + 7 * DAY).0, monday + 7 * DAY);
        assert_eq!(Calendar::Week.around(0), (0, 4 * DAY));
    }

    #[test]
    fn shorter_periods() {
        let noon = millis(2026, 2, 28) + 12 * HOUR;
        assert_eq!(Calendar::Day.around(noon), (noon - 12 * HOUR, noon + 12 * HOUR));
        assert_eq!(Calendar::Hour.around(noon + 59 * MINUTE), (noon, noon + HOUR));
        assert_eq!(Calendar::Minute.around(noon + 59_999), (noon, noon + MINUTE));
        assert_eq!(Calendar::Minute.around(noon + 60_000).0, noon + MINUTE);
    }

    #[test]
    fn reads_windows() {
        for text in ["second", "minute", "hour", "day", "week", "90s", "15m", "12h", "30d", "calendar_month"]
        {
            assert_eq!(Window::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Window::parse("60m"), Window::parse("hour"));
        assert_eq!(Window::parse("7d").unwrap().to_string(), "week");
        assert_eq!(Window::parse("1500ms").unwrap().to_string(), "1500ms");
        for (text, hint) in [
            ("hours", "write `hour`"),
            ("Hour", "write `hour`"),
            ("min", "write `minute`"),
            ("month", "write `calendar_month`"),
            ("daily", "write `calendar_day`"),
        ] {
            assert_eq!(Window::parse(text).unwrap_err().hint(), hint);
        }
        for text in [
            "",
            "0s",
            "5",
            "05m",
            "-5m",
            "1.5h",
            "367d",
            "999ms",
            "99999999999999999999d",
            "fortnight",
            "5 m",
        ] {
            assert!(Window::parse(text).unwrap_err().hint().starts_with("use second"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_sliding_slot_counts_long_enough_and_little_longer(
            length in SHORTEST..LONGEST, then in 0..100 * LONGEST, later in 0..3 * LONGEST,
        ) {
            let window = Window::sliding(length).unwrap();
            let before = window.slot(UnixMillis(then));
            let now = window.slot(UnixMillis(then + later));
            let counts = before.at >= now.since;
            prop_assert!(before.at <= then && before.at >= before.since);
            if later <= length { prop_assert!(counts); }
            if later > length + length / 60 + 2 { prop_assert!(!counts); }
            prop_assert_eq!(counts, then + later < before.until);
        }
    }
}

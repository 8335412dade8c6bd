use std::fmt;

use lockgate_model::UnixMillis;

const MINUTES_OF_DAY: u32 = 24 * 60;

/// Hours of the week in which a rule holds. Written for one offset from UTC; daylight saving is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Bit 0 is Monday.
    days: u8,
    /// Minutes after local midnight: from this one on, before that one.
    from: u32,
    to: u32,
    /// Minutes that local time is ahead of UTC.
    offset: i32,
}

/// Why hours cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    /// Neither `mon` to `sun` nor a range of them.
    #[error("`{0}` is not a day")]
    Day(String),
    /// Not `HH:MM` from `00:00` to `24:00`.
    #[error("`{0}` is not a time of day")]
    Time(String),
    /// Not `Z` or `+HH:MM` up to 14 hours.
    #[error("`{0}` is not an offset from UTC")]
    Offset(String),
    /// It would never hold.
    #[error("the hours begin and end at the same time")]
    Empty,
}

impl BadHours {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Day(_) => "write mon, tue, wed, thu, fri, sat or sun",
            Self::Time(_) => "write a time like \"08:30\"; a day ends at \"24:00\"",
            Self::Offset(_) => "write \"Z\", \"+02:00\" or \"-05:00\"",
            Self::Empty => "leave `from` and `to` out for the whole day",
        }
    }
}

/// The days, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Hours {
    /// Reads hours as they are written. No days means every day; no time means from midnight to midnight. Hours that
    /// end before they begin go on into the next day.
    pub fn parse(
        days: &[&str],
        from: Option<&str>,
        to: Option<&str>,
        offset: Option<&str>,
    ) -> Result<Self, BadHours> {
        let mut bits = if days.is_empty() { 0x7f } else { 0 };
        for day in days {
            let place = DAYS.iter().position(|known| known == day);
            bits |= 1 << place.ok_or_else(|| BadHours::Day((*day).to_owned()))?;
        }
        let from = from.map_or(Ok(0), time)?;
        let to = to.map_or(Ok(MINUTES_OF_DAY), time)?;
        if from == to || from == MINUTES_OF_DAY {
            return Err(BadHours::Empty);
        }
        Ok(Self { days: bits, from, to, offset: offset.map_or(Ok(0), self::offset)? })
    }

    /// Do they leave no moment out?
    pub fn are_all(&self) -> bool {
        self.days == 0x7f && (self.from, self.to) == (0, MINUTES_OF_DAY)
    }

    /// Is this moment within the hours?
    pub fn include(&self, at: UnixMillis) -> bool {
        let minutes = i64::try_from(at.0 / 60_000).unwrap_or(i64::MAX / 2) + i64::from(self.offset);
        let day = minutes.div_euclid(i64::from(MINUTES_OF_DAY));
        let minute = minutes.rem_euclid(i64::from(MINUTES_OF_DAY));
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        // 1970-01-01 was a Thursday.
        let on = |day: i64| self.days & (1 << (day + 3).rem_euclid(7)) != 0;
        if from < to {
            on(day) && (from..to).contains(&minute)
        } else {
            (on(day) && minute >= from) || (on(day - 1) && minute < to)
        }
    }
}

/// For people: `mon, tue 08:00 to 18:00 (UTC+01:00)`.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<_> = DAYS
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.days & (1 << bit) != 0)
            .map(|(_, day)| *day)
            .collect();
        let days = if days.len() == 7 { "every day".to_owned() } else { days.join(", ") };
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let sign = if self.offset < 0 { '-' } else { '+' };
        f.write_str(&days)?;
        if (self.from, self.to) != (0, MINUTES_OF_DAY) {
            write!(f, " {} to {}", clock(self.from), clock(self.to))?;
        }
        match self.offset {
            0 => f.write_str(" (UTC)"),
            offset => write!(f, " (UTC{sign}{})", clock(offset.unsigned_abs())),
        }
    }
}

fn time(text: &str) -> Result<u32, BadHours> {
    let read = || {
        let (hours, minutes) = text.split_once(':')?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !(digits(hours) && digits(minutes)) {
            return None;
        }
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        (minutes < 60 && hours * 60 + minutes <= MINUTES_OF_DAY).then_some(hours * 60 + minutes)
    };
    read().ok_or_else(|| BadHours::Time(text.to_owned()))
}

fn offset(text: &str) -> Result<i32, BadHours> {
    let bad = || BadHours::Offset(text.to_owned());
    if text == "Z" {
        return Ok(0);
    }
    let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        (None, None) => return Err(bad()),
    };
    let minutes = time(rest).map_err(|_| bad())?;
    if minutes > 14 * 60 {
        return Err(bad());
    }
    i32::try_from(minutes).map(|minutes| sign * minutes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 was a Saturday.
    fn at(day: u64, hour: u64, minute: u64) -> UnixMillis {
        UnixMillis((20_778 + day - 21) * 86_400_000 + hour * 3_600_000 + minute * 60_000)
    }

    #[test]
    fn hours_hold_where_they_say() {
        let office = Hours::parse(&["mon", "fri"], Some("08:00"), Some("18:00"), Some("+01:00")).unwrap();
        for (when, holds) in [
            (at(20, 6, 59), false),
            (at(20, 7, 0), true),
            (at(20, 16, 59), true),
            (at(20, 17, 0), false),
            (at(21, 9, 0), false),
            (at(23, 9, 0), true),
        ] {
            assert_eq!(office.include(when), holds, "{when:?}");
        }
        let night = Hours::parse(&["fri"], Some("22:00"), Some("06:00"), None).unwrap();
        for (when, holds) in [
            (at(20, 21, 59), false),
            (at(20, 22, 0), true),
            (at(21, 5, 59), true),
            (at(21, 6, 0), false),
            (at(20, 3, 0), false),
        ] {
            assert_eq!(night.include(when), holds, "{when:?}");
        }
        assert!(Hours::parse(&[], None, None, None).unwrap().include(UnixMillis(u64::MAX)));
        assert_eq!(office.to_string(), "mon, fri 08:00 to 18:00 (UTC+01:00)");
    }

    #[test]
    fn bad_hours_are_named() {
        for (days, from, to, offset, error) in [
            (&["monday"][..], None, None, None, "`monday` is not a day"),
            (&[], Some("8:00"), None, None, "`8:00` is not a time of day"),
            (&[], Some("08:60"), None, None, "`08:60` is not a time of day"),
            (&[], None, Some("24:01"), None, "`24:01` is not a time of day"),
            (&[], Some("08:00"), Some("08:00"), None, "the hours begin and end at the same time"),
            (&[], None, None, Some("CET"), "`CET` is not an offset from UTC"),
            (&[], None, None, Some("+15:00"), "`+15:00` is not an offset from UTC"),
        ] {
            assert_eq!(Hours::parse(days, from, to, offset).unwrap_err().to_string(), error);
        }
    }
}

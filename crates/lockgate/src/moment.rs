//! Moments as people and records write them.

use lockgate_model::UnixMillis;

/// Reads RFC 3339, such as `2026-07-28T09:30:00Z` or `2026-07-28T09:30:00.250+02:00`. Fractions are cut to
/// milliseconds. `None` for anything else, and before 1970.
pub fn parse(text: &str) -> Option<UnixMillis> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').map_or((clock, "0"), |(clock, fraction)| (clock, fraction));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = fraction.chars().chain("000".chars()).take(3).collect::<String>().parse().ok()?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 60
    {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    u64::try_from(seconds * 1_000 + millis).ok().map(UnixMillis)
}

/// Seconds that local time is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, clock) = match zone.strip_prefix('+') {
        Some(clock) => (1, clock),
        None => (-1, zone.strip_prefix('-')?),
    };
    let [hours, minutes] = numbers(clock, ':', [2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

fn numbers<const N: usize>(text: &str, between: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut all = [0; N];
    for (slot, length) in all.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T00:00:00.000000Z", Some(951_782_400_000)),
            ("2026-07-28T09:30:00.25Z", Some(1_785_231_000_250)),
            ("2026-07-28T11:30:00+02:00", Some(1_785_231_000_000)),
            ("2026-07-28T04:00:00-05:30", Some(1_785_231_000_000)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400_000)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-07-28T24:00:00Z", None),
            ("2026-07-28T09:30:00", None),
            ("2026-07-28", None),
            ("1969-12-31T23:59:59Z", None),
            ("2026-07-28T09:30:00.Z", None),
        ] {
            assert_eq!(parse(text), millis.map(UnixMillis), "{text}");
        }
    }

    #[test]
    fn reads_what_records_hold() {
        let moment = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_785_231_000_123);
        assert_eq!(parse(&lockgate_store::rfc3339(moment)), Some(UnixMillis(1_785_231_000_123)));
    }
}

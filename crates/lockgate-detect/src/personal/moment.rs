//! Dates and times as machines write them (RFC 3339, section 5.6): most numbers of a log or a table, and nobody's.

/// The end of the date that begins here, or of the date with a time. A part of a longer number is none.
pub(super) fn end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let [_, _, _, _, b'-', _, _, b'-', ..] = rest else { return None };
    let year = number::<4>(rest, 0).filter(|year| (1900..2100).contains(year));
    let month = number::<2>(rest, 5).filter(|month| (1..=12).contains(month));
    let day = number::<2>(rest, 8).filter(|day| (1..=31).contains(day));
    year.and(month).and(day)?;
    let length = time(rest, 10).unwrap_or(10);
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'+');
    (!rest.get(length).is_some_and(goes_on)).then_some(at + length)
}

/// The end of the time behind a date that ends there.
fn time(bytes: &[u8], at: usize) -> Option<usize> {
    let (b'T' | b't' | b' ') = bytes.get(at)? else { return None };
    let clock = |at: usize| {
        (number::<2>(bytes, at)? < 24 && bytes.get(at + 2) == Some(&b':') && number::<2>(bytes, at + 3)? < 60)
            .then_some(at + 5)
    };
    let mut end = clock(at + 1)?;
    if bytes.get(end) == Some(&b':') && number::<2>(bytes, end + 1)? <= 60 {
        end += 3;
        if bytes.get(end) == Some(&b'.') {
            let digits =
                bytes.get(end + 1..)?.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
            end += if digits == 0 { 0 } else { digits + 1 };
        }
    }
    match bytes.get(end) {
        Some(b'Z' | b'z') => Some(end + 1),
        Some(b'+' | b'-') => clock(end + 1).or(Some(end)),
        _ => Some(end),
    }
}

/// So many digits that stand there.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..)?.first_chunk::<N>()?;
    digits.iter().try_fold(0, |all, digit| Some(all * 10 + char::from(*digit).to_digit(10)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_writes_is_a_moment() {
        for whole in [
            "2025-03-01",
            "1999-12-31",
            "2025-03-01T08:00",
            "2025-03-01T08:00:00Z",
            "2025-03-01 23:59:60.123456789",
            "2025-03-01t08:00:00.5+01:00",
            "2025-03-01T08:00:00-08:30",
        ] {
            for behind in ["", " ", "\"", ",", ". Then"] {
                assert_eq!(
                    end(format!("{whole}{behind}").as_bytes(), 0),
                    Some(whole.len()),
                    "{whole}{behind}"
                );
            }
        }
        for none in [
            "2025-13-01",
            "2025-00-10",
            "2025-03-32",
            "3025-03-01",
            "2025-03-01-77",
            "2025-03-011",
            "2025-03-01T25:00",
            "2025-3-1",
            "2025-03-0x",
            "20é5-03-01",
            "",
        ] {
            assert_eq!(end(none.as_bytes(), 0), None, "{none}");
        }
        assert_eq!(end(b"2025-03-01 555 0100", 0), Some(10), "a number behind it is another");
    }
}

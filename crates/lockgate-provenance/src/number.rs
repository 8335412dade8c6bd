//! Numbers as ECMAScript writes them: RFC 8785 section 3.2.2.3, ECMA-262 section 6.1.6.1.20.

use std::fmt::Write;

/// Appends a finite number: the fewest digits that read back as the same double.
pub(crate) fn write(number: f64, out: &mut String) {
    if number == 0.0 {
        // Also for -0.
        out.push('0');
        return;
    }
    let short = shortest(number.abs());
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let digits: String = digits.chars().filter(|digit| *digit != '.').collect();
    // The number is 0.DIGITS times ten to the power of `point`.
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if number < 0.0 {
        out.push('-');
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let (whole, part) =
        digits.split_at_checked(usize::try_from(point).unwrap_or_default()).unwrap_or_default();
    let (first, others) = digits.split_at_checked(1).unwrap_or_default();
    let written = match point {
        _ if (count..=21).contains(&point) => write!(out, "{digits}{}", zeros(point - count)),
        1..=21 => write!(out, "{whole}.{part}"),
        -5..=0 => write!(out, "0.{}{digits}", zeros(-point)),
        _ => {
            let dot = if others.is_empty() { "" } else { "." };
            write!(out, "{first}{dot}{others}e{:+}", point - 1)
        }
    };
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

/// `d.ddde-x` with the fewest digits; of two that are equally near, the even one.
fn shortest(number: f64) -> String {
    let short = format!("{number:e}");
    let digits = short.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    // With fewer digits only one number is near enough.
    if digits < 16 {
        return short;
    }
    // The standard library takes the larger of two that are equally near, and rounds to the even one where it is told how
    // many digits to write.
    let even = format!("{number:.*e}", digits - 1);
    if even.parse() == Ok(number) { even } else { short }
}

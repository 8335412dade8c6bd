use std::fmt;

/// What a counter counts: an exact decimal with 18 places, between ±1.7e20. Digits after the 18th are rounded up, so
/// that a count is never too low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i128);

const PLACES: i32 = 18;
const ONE: i128 = 1_000_000_000_000_000_000;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// More than can ever be counted: a limit that never refuses.
    pub const MAX: Self = Self(i128::MAX);

    /// So many of the smallest unit, 10^-18. `None` below zero.
    pub fn from_units(units: i128) -> Option<Self> {
        (units >= 0).then_some(Self(units))
    }

    /// In the smallest unit, 10^-18.
    pub fn units(self) -> i128 {
        self.0
    }

    /// A whole number.
    pub fn whole(count: i64) -> Self {
        Self(i128::from(count) * ONE)
    }

    /// Reads a number as JSON writes it. `None` where it is none or too large to count exactly.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (digits, negative) = match digits.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (digits, false),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && part.is_empty()
            || !(whole.bytes().chain(part.bytes())).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        // How many of the digits stand before the end of the 18th place.
        let kept = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(PLACES);
        let mut value: i128 = 0;
        let mut rest = false;
        let mut seen = 0;
        for digit in whole.bytes().chain(part.bytes()).map(|b| i128::from(b - b'0')) {
            if seen < kept {
                value = value.checked_mul(10)?.checked_add(digit)?;
            } else {
                rest |= digit != 0;
            }
            seen += 1;
        }
        // Zeros that the exponent adds; a zero stays one however many they are.
        while seen < kept && value != 0 {
            value = value.checked_mul(10)?;
            seen += 1;
        }
        value = if negative { -value } else { value.checked_add(i128::from(rest))? };
        Some(Self(value))
    }

    /// The decimal that a floating-point number is written as. `None` for what is not finite, or too large.
    pub fn from_float(value: f64) -> Option<Self> {
        if value.is_finite() { Self::parse(&value.to_string()) } else { None }
    }

    /// The nearest floating-point number.
    pub fn to_float(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The sum; `None` where it is too large.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, never below zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }

    /// The greatest amount that is smaller.
    pub(super) fn just_below(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// One less.
    pub(super) fn less_one(self) -> Self {
        Self(self.0.saturating_sub(ONE))
    }

    /// Without its fraction, towards zero.
    pub(super) fn truncated(self) -> Self {
        Self(self.0 / ONE * ONE)
    }

    /// How many times the other fits in, rounded down.
    pub(super) fn times(self, other: Self) -> i128 {
        self.0.checked_div(other.0).unwrap_or(0)
    }

    /// With nine places and at most 18 before them, rounded down: what native sums can be limited to.
    pub(super) fn to_nanos(self) -> Self {
        const NANO: i128 = ONE / 1_000_000_000;
        Self(self.0.div_euclid(NANO).saturating_mul(NANO).min(ONE * ONE - NANO))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, one) = (self.0.unsigned_abs(), ONE.unsigned_abs());
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", value / one)?;
        let part = format!("{:018}", value % one);
        let part = part.trim_end_matches('0');
        if part.is_empty() { Ok(()) } else { write!(f, ".{part}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_decimals_exactly_and_rounds_up() {
        for (text, wanted) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("0.99", "0.99"),
            ("1e2", "100"),
            ("12.5e-1", "1.25"),
            ("9007199254740993", "9007199254740993"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("1e-30", "0.000000000000000001"),
            ("-1e-30", "0"),
            ("0e999999", "0"),
            ("-250", "-250"),
        ] {
            assert_eq!(Amount::parse(text).unwrap().to_string(), wanted, "{text}");
        }
        for text in ["", ".", "-", "1e21", "1e999999999", "NaN", "inf", "1_0", "0x10", "1e"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(value in -1_000_000_000_000_000_000_000_i128..1_000_000_000_000_000_000_000) {
            prop_assert_eq!(Amount::parse(&Amount(value).to_string()), Some(Amount(value)));
        }
    }
}

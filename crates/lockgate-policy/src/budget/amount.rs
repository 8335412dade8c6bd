use std::fmt;

use lockgate_model::{Json, Kind};

/// Digits after the point.
const SCALE: u32 = 9;
/// Most digits before the point.
const WHOLE_DIGITS: u32 = 18;
/// Longest text that is read. Bytes.
const LONGEST: usize = 64;

/// A quantity that a limit adds up: zero or more, exact, with at most 18 digits before the point and 9 after
/// it. Never rounded: what does not fit is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u128);

/// Why a text is not an [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// There is no value at all: nothing to add up is not the same as zero.
    #[error("no amount")]
    Absent,
    /// Neither a JSON number nor a string that holds a plain decimal number. `NaN` and `Infinity` are such
    /// texts.
    #[error("not a decimal number")]
    NotANumber,
    /// It begins with a minus sign. A negative amount would give budget back, and `-0` is read in several
    /// ways.
    #[error("a negative number")]
    Negative,
    /// More than 64 characters, or an exponent outside -99 to 99.
    #[error("a number written with more than 64 characters or an exponent beyond 99")]
    TooLong,
    /// 10^18 or more.
    #[error("a number of more than 18 digits before the point")]
    TooLarge,
    /// It is not a multiple of 10^-9.
    #[error("a number of more than 9 digits after the point")]
    TooPrecise,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many wholes. All of `u32` fits.
    pub fn whole(count: u32) -> Self {
        Self(u128::from(count) * 10_u128.pow(SCALE))
    }

    /// Reads an argument of a call: a JSON number, or a string as [`Amount::from_decimal`] reads it. Money is
    /// often sent as a string, so that no reader rounds it.
    pub fn from_json(value: Json<'_>) -> Result<Self, BadAmount> {
        match value.kind() {
            Kind::Number => Self::from_number(value.written()),
            Kind::String => Self::from_decimal(&value.text().unwrap_or_default()),
            Kind::Object | Kind::Array | Kind::Bool | Kind::Null => Err(BadAmount::NotANumber),
        }
    }

    /// Reads a number written as JSON has it (RFC 8259, section 6): `5`, `5.00`, `1.5e2`.
    pub fn from_number(text: &str) -> Result<Self, BadAmount> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (text, None),
        };
        read(text, mantissa, exponent)
    }

    /// Reads digits with at most one point between them: `500.00`. No sign, exponent, space or separator of
    /// thousands, and no zeros in front, which some readers take for octal.
    pub fn from_decimal(text: &str) -> Result<Self, BadAmount> {
        read(text, text, None)
    }

    /// The sum of the values that a selector found. At least one, and each must be an amount.
    pub fn sum<'a>(values: impl IntoIterator<Item = Json<'a>>) -> Result<Self, BadAmount> {
        let mut sum: Option<Self> = None;
        for value in values {
            let amount = Self::from_json(value)?;
            sum = Some(sum.unwrap_or_default().plus(amount).ok_or(BadAmount::TooLarge)?);
        }
        sum.ok_or(BadAmount::Absent)
    }

    /// The amount in units of 10^-9, below 10^27 for what was read. Sums of them are exact.
    pub fn nanos(self) -> u128 {
        self.0
    }

    /// The amount of so many units of 10^-9.
    pub fn from_nanos(nanos: u128) -> Self {
        Self(nanos)
    }

    /// The sum; `None` where it does not fit, which counts as over every limit.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

/// As people write it: `500`, `0.25`. No zeros at the end.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u128.pow(SCALE);
        let (whole, part) = (self.0 / one, self.0 % one);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{part:09}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

fn read(text: &str, mantissa: &str, exponent: Option<&str>) -> Result<Amount, BadAmount> {
    if text.starts_with('-') {
        return Err(BadAmount::Negative);
    }
    if text.len() > LONGEST {
        return Err(BadAmount::TooLong);
    }
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) if is_digits(part) => (whole, part),
        Some(_) => return Err(BadAmount::NotANumber),
        None => (mantissa, ""),
    };
    if !is_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return Err(BadAmount::NotANumber);
    }
    let shift = exponent.map_or(Ok(0), read_exponent)?;

    // The value is `digits` × 10^`power`, without zeros at either end of `digits`.
    let all = format!("{whole}{part}");
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        return Ok(Amount::ZERO);
    }
    let zeros = all.len() - all.trim_end_matches('0').len();
    let power = shift + small(zeros) - small(part.len());
    if small(digits.len()) + power > WHOLE_DIGITS.cast_signed() {
        return Err(BadAmount::TooLarge);
    }
    let nanos_power = u32::try_from(power + SCALE.cast_signed()).map_err(|_| BadAmount::TooPrecise)?;
    // At most 27 digits in all: both bounds above hold.
    let digits: u128 = digits.parse().map_err(|_| BadAmount::TooLarge)?;
    let nanos = 10_u128.checked_pow(nanos_power).and_then(|unit| digits.checked_mul(unit));
    nanos.map(Amount).ok_or(BadAmount::TooLarge)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn read_exponent(text: &str) -> Result<i32, BadAmount> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_digits(digits) {
        return Err(BadAmount::NotANumber);
    }
    text.parse::<i32>().ok().filter(|value| (-99..=99).contains(value)).ok_or(BadAmount::TooLong)
}

/// A count of characters of a text of at most 64.
fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_exactly() {
        for (text, nanos) in [
            ("0", 0),
            ("0.000", 0),
            ("0e99", 0),
            ("1", 1_000_000_000),
            ("500.00", 500_000_000_000),
            ("1e2", 100_000_000_000),
            ("1.50E+1", 15_000_000_000),
            ("0.1", 100_000_000),
            ("0.000000001", 1),
            ("1e-9", 1),
            ("10e-10", 1),
            ("0.10000000000000", 100_000_000),
            ("9007199254740993", 9_007_199_254_740_993_000_000_000),
            ("999999999999999999.999999999", 999_999_999_999_999_999_999_999_999),
        ] {
            assert_eq!(Amount::from_number(text), Ok(Amount(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_hold_or_others_read_differently() {
        use BadAmount::{Negative, NotANumber, TooLarge, TooLong, TooPrecise};
        for (text, why) in [
            ("-1", Negative),
            ("-0", Negative),
            ("-NaN", Negative),
            ("NaN", NotANumber),
            ("Infinity", NotANumber),
            ("inf", NotANumber),
            ("", NotANumber),
            (".5", NotANumber),
            ("5.", NotANumber),
            ("+5", NotANumber),
            ("05", NotANumber),
            (" 5", NotANumber),
            ("5 ", NotANumber),
            ("1,000", NotANumber),
            ("1_000", NotANumber),
            ("0x10", NotANumber),
            ("1e", NotANumber),
            ("1e5.0", NotANumber),
            ("1ee5", NotANumber),
            ("1.2.3", NotANumber),
            ("٣", NotANumber),
            ("1e100", TooLong),
            ("1e-100", TooLong),
            ("1e99999999999", TooLong),
            ("1e18", TooLarge),
            ("1000000000000000000", TooLarge),
            ("1e-10", TooPrecise),
            ("0.0000000001", TooPrecise),
        ] {
            assert_eq!(Amount::from_number(text), Err(why), "{text}");
        }
        assert_eq!(Amount::from_number(&"1".repeat(65)), Err(TooLong));
        assert_eq!(Amount::from_decimal("1e2"), Err(NotANumber), "a string has no exponent");
    }

    #[test]
    fn reads_arguments() {
        let read = |text: &str| Amount::from_json(Json::check(text.as_bytes(), 4).unwrap());
        assert_eq!(read("12.5"), Ok(Amount(12_500_000_000)));
        assert_eq!(read(r#""12.50""#), Ok(Amount(12_500_000_000)));
        for other in ["true", "null", "[1]", r#"{"a":1}"#, r#""""#, r#""12 EUR""#, r#""1e2""#] {
            assert_eq!(read(other), Err(BadAmount::NotANumber), "{other}");
        }
        assert_eq!(read(r#""-5""#), Err(BadAmount::Negative));
        let list = |text: &'static str| Amount::sum(Json::check(text.as_bytes(), 4).unwrap().elements());
        assert_eq!(list("[1, 2.5]"), Ok(Amount(3_500_000_000)));
        assert_eq!(list("[]"), Err(BadAmount::Absent));
        assert_eq!(list("[1, null]"), Err(BadAmount::NotANumber));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos in 0..10_u128.pow(27)) {
            let amount = Amount(nanos);
            prop_assert_eq!(Amount::from_decimal(&amount.to_string()), Ok(amount));
            prop_assert_eq!(Amount::from_number(&amount.to_string()), Ok(amount));
        }

        #[test]
        fn agrees_with_whole_numbers(value in 0..1_000_000_u32, zeros in 0..5_usize) {
            let expected = Ok(Amount::whole(value));
            prop_assert_eq!(Amount::from_number(&format!("{value}.{}", "0".repeat(zeros + 1))), expected);
            prop_assume!(value > 0);
            prop_assert_eq!(Amount::from_number(&format!("{value}{}e-{zeros}", "0".repeat(zeros))), expected);
        }

        #[test]
        fn never_panics(text in "[-+.0-9eE]{0,70}") {
            let _read = Amount::from_number(&text);
        }
    }
}

use std::cmp::Ordering;
use std::fmt;

use super::BadTest;

/// Exponents beyond this are not compared: no quantity needs them, and readers differ in what they make of them.
const EXPONENT: i64 = 400;

/// Longest text of a number that is compared, in bytes.
const LONGEST: usize = 1024;

/// A number exactly as written: compared as a decimal, never through a binary fraction. `1e2`, `100` and `100.0` are
/// equal; 9007199254740993 and 9007199254740992 are not. Exponents from -400 to 400, at most 1,024 characters.
#[derive(Clone, Debug)]
pub struct Decimal {
    text: Box<str>,
    digits: Box<[u8]>,
    magnitude: i64,
    negative: bool,
}

impl Decimal {
    /// Reads a number in the grammar of JSON (RFC 8259, section 6).
    pub fn parse(text: &str) -> Result<Self, BadTest> {
        let number = Number::read(text.as_bytes()).ok_or(BadTest::NotANumber)?;
        Ok(Self {
            text: text.into(),
            digits: number.digits().collect(),
            magnitude: number.magnitude,
            negative: number.negative,
        })
    }

    /// As the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn number(&self) -> Number<'_> {
        Number { head: &self.digits, tail: &[], magnitude: self.magnitude, negative: self.negative }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().compare(&other.number())
    }
}

/// A number where it stands: `±0.head tail × 10^magnitude`, without zeros at either end; no digits at all for zero.
#[derive(Clone, Copy)]
pub(super) struct Number<'a> {
    head: &'a [u8],
    tail: &'a [u8],
    magnitude: i64,
    negative: bool,
}

impl<'a> Number<'a> {
    /// Nothing for what is no number, or one beyond the limits.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => (text.get(..at)?, read_exponent(text.get(at + 1..)?)?),
            None => (text, 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|&b| b == b'.') {
            Some(at) => (mantissa.get(..at)?, Some(mantissa.get(at + 1..)?)),
            None => (mantissa, None),
        };
        let plain = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let leading_zero = matches!(whole, [b'0', _, ..]);
        if !plain(whole) || leading_zero || !fraction.is_none_or(plain) {
            return None;
        }
        let fraction = fraction.unwrap_or_default();
        let magnitude = exponent + i64::try_from(whole.len()).ok()?;
        Some(Self { head: whole, tail: fraction, magnitude, negative }.trimmed())
    }

    pub(super) fn compare(&self, other: &Number<'_>) -> Ordering {
        match (self.sign(), other.sign()) {
            (0, 0) => Ordering::Equal,
            (-1, -1) => other.compare_size(self),
            (1, 1) => self.compare_size(other),
            (ours, theirs) => ours.cmp(&theirs),
        }
    }

    /// Is it whole? `1.0` and `1e2` are.
    pub(super) fn is_integer(&self) -> bool {
        i64::try_from(self.head.len() + self.tail.len()).is_ok_and(|digits| digits <= self.magnitude)
    }

    fn compare_size(&self, other: &Number<'_>) -> Ordering {
        // Without zeros at the end, a longer run of digits is the greater one where the shorter is its beginning.
        self.magnitude.cmp(&other.magnitude).then_with(|| self.digits().cmp(other.digits()))
    }

    fn sign(&self) -> i8 {
        match (self.head.is_empty() && self.tail.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.head.iter().chain(self.tail).copied()
    }

    fn trimmed(mut self) -> Self {
        while let [b'0', rest @ ..] = self.head {
            self.head = rest;
            self.magnitude -= 1;
        }
        if self.head.is_empty() {
            while let [b'0', rest @ ..] = self.tail {
                self.tail = rest;
                self.magnitude -= 1;
            }
        }
        while let [rest @ .., b'0'] = self.tail {
            self.tail = rest;
        }
        if self.tail.is_empty() {
            while let [rest @ .., b'0'] = self.head {
                self.head = rest;
            }
            if self.head.is_empty() {
                self.magnitude = 0;
            }
        }
        self
    }
}

fn read_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0_i64, |sum, d| (sum * 10 + i64::from(d - b'0')).min(EXPONENT + 1));
    (size <= EXPONENT).then_some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compare(a: &str, b: &str) -> Ordering {
        Number::read(a.as_bytes()).unwrap().compare(&Number::read(b.as_bytes()).unwrap())
    }

    #[test]
    fn compares_exactly() {
        for (smaller, greater) in [
            ("9007199254740992", "9007199254740993"),
            ("0.1", "0.10000000000000000000000000000000000001"),
            ("-1", "0"),
            ("-2", "-1"),
            ("-0.1", "1e-400"),
            ("99", "1e2"),
            ("9.99e1", "100"),
            ("0.09", "0.1"),
            ("12", "123"),
            ("1e399", "1e400"),
        ] {
            assert_eq!(compare(smaller, greater), Ordering::Less, "{smaller} {greater}");
            assert_eq!(compare(greater, smaller), Ordering::Greater, "{smaller} {greater}");
        }
        for (a, b) in [
            ("1e2", "100"),
            ("100.00", "1E+2"),
            ("0", "-0.000e5"),
            ("0.001", "1e-3"),
            ("120e-1", "12"),
            ("0.0120", "12e-3"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn refuses_what_is_no_number_or_beyond_the_limits() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "1e401",
            "1e-401",
            "1e99999999999999999999",
            "0x10",
            "1_0",
        ] {
            assert!(Number::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Number::read("1".repeat(LONGEST + 1).as_bytes()).is_none());
    }

    #[test]
    fn knows_whole_numbers() {
        for (text, whole) in [
            ("0", true),
            ("1.0", true),
            ("1e2", true),
            ("1.5", false),
            ("15e-1", false),
            ("150e-1", true),
            ("0.0", true),
        ] {
            assert_eq!(Number::read(text.as_bytes()).unwrap().is_integer(), whole, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_integers(a in -10_000_i64..10_000, b in -10_000_i64..10_000, shift in 0_i32..5) {
            let written = format!("{b}e-{shift}");
            let scaled = a * 10_i64.pow(shift.unsigned_abs());
            prop_assert_eq!(compare(&a.to_string(), &written), scaled.cmp(&b));
        }
    }
}

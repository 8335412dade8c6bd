use std::borrow::Cow;
use std::cmp::Ordering;

/// A JSON number, exactly: `0.digits × 10^exponent`, negative or not.
///
/// Borrowed from the text it was read from; nothing is rounded. `1e2`, `100` and `100.0` are equal; 9007199254740993 and
/// 9007199254740992 are not.
#[derive(Clone, Debug)]
pub(crate) struct Number<'a> {
    negative: bool,
    /// From the first to the last digit that is not zero; a point may stand among them. Empty for zero.
    digits: Cow<'a, [u8]>,
    exponent: i64,
}

/// How long and how large a number may be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Longest text. Bytes.
    pub(crate) bytes: usize,
    /// Largest exponent, with either sign. At most 2^40, so that sums of them do not overflow.
    pub(crate) exponent: i64,
}

impl<'a> Number<'a> {
    /// Reads a number in the grammar of JSON (RFC 8259, section 6); none for anything else, or beyond the bounds.
    pub(crate) fn read(text: &'a [u8], bounds: Bounds) -> Option<Self> {
        if text.len() > bounds.bytes {
            return None;
        }
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let (mantissa, power) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => (text.get(..at)?, exponent(text.get(at + 1..)?, bounds.exponent)?),
            None => (text, 0),
        };
        if !is_mantissa(mantissa) {
            return None;
        }
        let is_digit = |b: &u8| matches!(b, b'1'..=b'9');
        let (Some(first), Some(last)) =
            (mantissa.iter().position(is_digit), mantissa.iter().rposition(is_digit))
        else {
            return Some(Self { negative: false, digits: Cow::Borrowed(&[]), exponent: 0 });
        };
        let whole = mantissa.iter().position(|b| *b == b'.').unwrap_or(mantissa.len());
        let lead = if first < whole {
            i64::try_from(whole - first).ok()?
        } else {
            -i64::try_from(first - whole - 1).ok()?
        };
        Some(Self { negative, digits: Cow::Borrowed(mantissa.get(first..=last)?), exponent: lead + power })
    }

    /// The same number, kept for longer than its text.
    pub(crate) fn into_owned(self) -> Number<'static> {
        Number {
            negative: self.negative,
            digits: Cow::Owned(self.digits.into_owned()),
            exponent: self.exponent,
        }
    }

    /// Has it no fraction? `1.0` and `1e3` have none.
    pub(crate) fn is_integer(&self) -> bool {
        self.is_zero() || self.last_place() >= 0
    }

    /// As a count; the largest count where it is larger. None if it is negative or has a fraction.
    pub(crate) fn to_count(&self) -> Option<usize> {
        if self.negative || !self.is_integer() {
            return None;
        }
        let digits = self.figures().map(|digit| usize::from(digit - b'0'));
        let zeros = usize::try_from(if self.is_zero() { 0 } else { self.last_place() }).unwrap_or(usize::MAX);
        let padded = digits.chain(std::iter::repeat_n(0, zeros.min(20)));
        Some(padded.fold(0, |count: usize, digit| count.saturating_mul(10).saturating_add(digit)))
    }

    /// Is it greater than zero?
    pub(crate) fn is_positive(&self) -> bool {
        !self.negative && !self.is_zero()
    }

    /// Is it `divisor` times an integer? None where the divisor has more than 18 digits. O(digits).
    pub(crate) fn is_multiple_of(&self, divisor: &Number<'_>) -> Option<bool> {
        let modulus = divisor.coefficient()?;
        if self.is_zero() {
            return Some(true);
        }
        // a × 10^shift must be a multiple of the modulus; `a` itself does not end in zero, so it has no tens to give.
        let shift = self.last_place() - divisor.last_place();
        if shift < 0 {
            return Some(false);
        }
        let rest = self.figures().fold(0, |rest, digit| (rest * 10 + u128::from(digit - b'0')) % modulus);
        Some((rest * power_of_ten(shift, modulus)).is_multiple_of(modulus))
    }

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    fn figures(&self) -> impl Iterator<Item = u8> {
        self.digits.iter().copied().filter(|b| *b != b'.')
    }

    /// The power of ten of the last digit.
    fn last_place(&self) -> i64 {
        let count = self.digits.len() - usize::from(self.digits.contains(&b'.'));
        self.exponent.saturating_sub(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The digits as an integer, where they fit: a remainder times ten, or times another, then fits too.
    fn coefficient(&self) -> Option<u128> {
        if self.is_zero() || self.digits.len() > 19 {
            return None;
        }
        let value = self.figures().fold(0, |value, digit| value * 10 + u128::from(digit - b'0'));
        (value < 1_000_000_000_000_000_000).then_some(value)
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => {
                self.exponent.cmp(&other.exponent).then_with(|| self.figures().cmp(other.figures()))
            }
        }
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number<'_> {}

/// Digits without zeros in front, and perhaps a point and more digits.
fn is_mantissa(text: &[u8]) -> bool {
    let (whole, fraction) = match text.iter().position(|&b| b == b'.') {
        Some(at) => (text.get(..at), text.get(at + 1..)),
        None => (Some(text), None),
    };
    let plain = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    whole.is_some_and(|whole| plain(whole) && !matches!(whole, [b'0', _, ..])) && fraction.is_none_or(plain)
}

fn exponent(text: &[u8], most: i64) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0_i64, |sum, d| (sum * 10 + i64::from(d - b'0')).min(most + 1));
    (size <= most).then_some(if negative { -size } else { size })
}

/// `10^power mod modulus`, by squaring.
fn power_of_ten(mut power: i64, modulus: u128) -> u128 {
    let (mut result, mut square) = (1 % modulus, 10 % modulus);
    while power > 0 {
        if power & 1 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
        power >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { bytes: 100, exponent: 400 };

    fn number(text: &str) -> Number<'_> {
        Number::read(text.as_bytes(), BOUNDS).unwrap()
    }

    #[test]
    fn compares_exactly() {
        for (less, more) in [
            ("9007199254740992", "9007199254740993"),
            ("0.1", "0.10000000000000000000000000000000000001"),
            ("-2", "-1"),
            ("-1", "0"),
            ("-0.1", "1e-400"),
            ("0", "1e-300"),
            ("99", "1e2"),
            ("9.99e1", "100"),
            ("0.09", "0.1"),
            ("12", "123"),
            ("1e399", "1e400"),
            ("1.5", "1.50000001e0"),
            ("-1e400", "1e-400"),
        ] {
            assert!(number(less) < number(more) && number(more) > number(less), "{less} {more}");
        }
        for (one, other) in [
            ("1e2", "100"),
            ("100.00", "1E+2"),
            ("0", "-0.000e5"),
            ("0.001", "1e-3"),
            ("120e-1", "12"),
            ("0.0120", "12e-3"),
            ("1.0", "1"),
            ("-0", "0.000"),
            ("0.1e1", "1"),
            ("12.50", "1250E-2"),
            ("0e9", "0"),
        ] {
            assert_eq!(number(one), number(other), "{one} {other}");
        }
    }

    #[test]
    fn tells_integers_and_multiples() {
        for (text, is) in [
            ("0", true),
            ("1.0", true),
            ("1e3", true),
            ("1.5", false),
            ("150e-1", true),
            ("15e-1", false),
            ("0.0", true),
        ] {
            assert_eq!(number(text).is_integer(), is, "{text}");
        }
        for (value, of, is) in [
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("1e308", "0.123456789", false),
            ("12391239123", "1e-8", true),
            ("4.5", "1.5", true),
            ("35", "1.5", false),
            ("9007199254740993", "2", false),
            ("1e300", "7", false),
            ("0", "3", true),
            ("-9", "3", true),
        ] {
            assert_eq!(number(value).is_multiple_of(&number(of)), Some(is), "{value} {of}");
        }
        assert_eq!(number("1").is_multiple_of(&number("1234567890123456789")), None);
    }

    #[test]
    fn refuses_what_is_no_number_or_beyond_the_bounds() {
        let texts = [
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
            "0e401",
            "0x10",
            "1_0",
        ];
        for text in texts {
            assert_eq!(Number::read(text.as_bytes(), BOUNDS), None, "{text}");
        }
        assert!(Number::read("1".repeat(100).as_bytes(), BOUNDS).is_some());
        assert_eq!(Number::read("1".repeat(101).as_bytes(), BOUNDS), None);
    }

    proptest! {
        #[test]
        fn agrees_with_integers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000, zeros in 0..5_usize) {
            let (text, other) = (format!("{a}.{}", "0".repeat(zeros + 1)), format!("{b}000e-3"));
            prop_assert_eq!(number(&text).cmp(&number(&other)), a.cmp(&b));
            if b != 0 {
                prop_assert_eq!(number(&text).is_multiple_of(&number(&other)), Some(a % b == 0));
            }
        }

        #[test]
        fn agrees_with_fractions(a in -10_000_i64..10_000, b in -10_000_i64..10_000, shift in 0_i32..5) {
            let (text, other) = (a.to_string(), format!("{b}e-{shift}"));
            let scaled = a * 10_i64.pow(shift.unsigned_abs());
            prop_assert_eq!(number(&text).cmp(&number(&other)), scaled.cmp(&b));
        }
    }
}

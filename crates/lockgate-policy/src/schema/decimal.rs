use std::borrow::Cow;
use std::cmp::Ordering;

/// A JSON number, exactly: `0.digits × 10^exponent`, negative or not.
///
/// Borrowed from the text it was read from; nothing is rounded, whatever its length.
#[derive(Clone, Debug)]
pub(super) struct Decimal<'a> {
    negative: bool,
    /// From the first to the last digit that is not zero; a point may stand among them. Empty for zero.
    digits: Cow<'a, [u8]>,
    exponent: i64,
}

/// Exponents past this are not computed with: sums of them must not overflow.
const LARGEST_EXPONENT: i64 = 1 << 40;

impl<'a> Decimal<'a> {
    /// Reads the text of a JSON number; none where its exponent is absurd.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let (mantissa, power) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => (text.get(..at)?, exponent(text.get(at + 1..)?)?),
            None => (text, 0),
        };
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
        Some(Self {
            negative,
            digits: Cow::Borrowed(mantissa.get(first..=last)?),
            exponent: lead.checked_add(power).filter(|e| e.abs() <= LARGEST_EXPONENT)?,
        })
    }

    /// The same number, kept for longer than its text.
    pub(super) fn into_owned(self) -> Decimal<'static> {
        Decimal {
            negative: self.negative,
            digits: Cow::Owned(self.digits.into_owned()),
            exponent: self.exponent,
        }
    }

    /// Has it no fraction? `1.0` and `1e3` have none.
    pub(super) fn is_integer(&self) -> bool {
        self.is_zero() || self.last_place() >= 0
    }

    /// As a count; the largest count where it is larger. None if it is negative or has a fraction.
    pub(super) fn to_count(&self) -> Option<usize> {
        if self.negative || !self.is_integer() {
            return None;
        }
        let digits = self.figures().map(|digit| usize::from(digit - b'0'));
        let zeros = usize::try_from(if self.is_zero() { 0 } else { self.last_place() }).unwrap_or(usize::MAX);
        let padded = digits.chain(std::iter::repeat_n(0, zeros.min(20)));
        Some(padded.fold(0, |count: usize, digit| count.saturating_mul(10).saturating_add(digit)))
    }

    /// Is it greater than zero?
    pub(super) fn is_positive(&self) -> bool {
        !self.negative && !self.is_zero()
    }

    /// Is it `divisor` times an integer? None where the divisor has more than 18 digits. O(digits).
    pub(super) fn is_multiple_of(&self, divisor: &Decimal<'_>) -> Option<bool> {
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
        self.exponent - i64::try_from(count).unwrap_or(LARGEST_EXPONENT)
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

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

fn exponent(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text)
        .ok()?
        .parse::<i64>()
        .ok()
        .filter(|e| e.unsigned_abs() <= LARGEST_EXPONENT.unsigned_abs())
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

    fn number(text: &str) -> Decimal<'_> {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn compares_exactly() {
        for (less, more) in [
            ("9007199254740992", "9007199254740993"),
            ("0.1", "0.10000000000000000000000000000000001"),
            ("-2", "-1"),
            ("-1", "0"),
            ("0", "1e-300"),
            ("99", "1e2"),
            ("1.5", "1.50000001e0"),
            ("-1e400", "1e-400"),
        ] {
            assert!(number(less) < number(more), "{less} {more}");
        }
        for (one, other) in [
            ("1e2", "100"),
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
        for (text, is) in
            [("1.0", true), ("1e3", true), ("1.5", false), ("150e-1", true), ("15e-1", false), ("0.0", true)]
        {
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
    fn gives_up_on_absurd_exponents() {
        assert!(Decimal::parse(b"1e-99999999999999999999").is_none());
        assert!(Decimal::parse(b"1e-9999999999999999").is_none());
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
    }
}

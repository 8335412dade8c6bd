use std::cmp::Ordering;
use std::fmt;

use super::BadTest;
use crate::number::{Bounds, Number};

/// Beyond these, numbers are not compared: no quantity needs them, and readers differ in what they make of them.
const BOUNDS: Bounds = Bounds { bytes: 1_024, exponent: 400 };

/// A number exactly as written: compared as a decimal, never through a binary fraction. `1e2`, `100` and `100.0` are
/// equal; 9007199254740993 and 9007199254740992 are not. Exponents from -400 to 400, at most 1,024 characters.
#[derive(Clone, Debug)]
pub struct Decimal {
    text: Box<str>,
    number: Number<'static>,
}

impl Decimal {
    /// Reads a number in the grammar of JSON (RFC 8259, section 6).
    pub fn parse(text: &str) -> Result<Self, BadTest> {
        let number = read(text.as_bytes()).ok_or(BadTest::NotANumber)?;
        Ok(Self { text: text.into(), number: number.into_owned() })
    }

    /// As the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn number(&self) -> &Number<'static> {
        &self.number
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
        self.number.cmp(&other.number)
    }
}

/// Nothing for what is no number, or one beyond the limits of [`Decimal`].
pub(super) fn read(text: &[u8]) -> Option<Number<'_>> {
    Number::read(text, BOUNDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_limits() {
        let long = |length| "1".repeat(length);
        for (text, is) in
            [(long(1_024), true), (long(1_025), false), ("1e-400".into(), true), ("1e-401".into(), false)]
        {
            assert_eq!(Decimal::parse(&text).is_ok(), is, "{text}");
        }
    }
}

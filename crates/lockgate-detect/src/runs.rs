//! Runs of ASCII letters and digits, found a block of bytes at a time: where a word ends is a bit, not a guess at each byte.

use std::num::NonZeroU64;

use crate::blocks::{self, BLOCK, letters, masks};

/// Finds runs in a text, from its begin to its end.
#[derive(Debug)]
pub(crate) struct Runs<'t> {
    bytes: &'t [u8],
    /// Which block is looked at. None is at the begin.
    block: usize,
    /// What is in it, and in the one behind it.
    signs: [Signs; 2],
}

/// What the bytes of a block are; the first is the lowest bit.
#[derive(Clone, Copy, Debug, Default)]
struct Signs {
    /// Letters and digits.
    plain: u64,
    digits: u64,
    /// Bytes beyond ASCII.
    wide: u64,
}

/// A run of letters and digits that begins at some place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// How long it is. Bytes.
    pub(crate) length: usize,
    /// How many of them are digits.
    pub(crate) digits: usize,
}

impl<'t> Runs<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), block: usize::MAX, signs: [Signs::default(); 2] }
    }

    /// The run that begins there; it may be empty. Linear in it.
    #[inline]
    pub(crate) fn at(&mut self, from: usize) -> Run {
        let [plain, digits] = [self.ahead(from, |signs| signs.plain), self.ahead(from, |signs| signs.digits)];
        let length = plain.trailing_ones();
        // Nearly all are in the block that is looked at and the one behind it.
        if from / BLOCK != self.block || length == u64::BITS {
            return self.far(from);
        }
        let digits = digits & low(length);
        // Most have no digits.
        let digits = if digits == 0 { 0 } else { count(digits) };
        Run { length: usize::try_from(length).unwrap_or_default(), digits }
    }

    /// As many bits as a block has, from there on.
    #[inline]
    fn ahead(&self, from: usize, of: impl Fn(&Signs) -> u64) -> u64 {
        blocks::ahead(self.signs.each_ref().map(of), u32::try_from(from % BLOCK).unwrap_or_default())
    }

    /// The first letter, digit, or byte beyond ASCII that is there or behind; the end of the text where none is.
    #[inline]
    pub(crate) fn next(&mut self, from: usize) -> usize {
        let [signs, _] = &self.signs;
        let ink = (signs.plain | signs.wide) >> (from % BLOCK);
        match NonZeroU64::new(ink) {
            Some(ink) if from / BLOCK == self.block => {
                from + usize::try_from(ink.trailing_zeros()).unwrap_or_default()
            }
            _ => self.next_far(from),
        }
    }

    #[inline(never)]
    fn next_far(&mut self, from: usize) -> usize {
        let mut at = from;
        while at < self.bytes.len() {
            if at / BLOCK != self.block {
                self.turn_to(at / BLOCK);
            }
            let [signs, _] = &self.signs;
            if let Some(ink) = NonZeroU64::new((signs.plain | signs.wide) >> (at % BLOCK)) {
                return at + usize::try_from(ink.trailing_zeros()).unwrap_or_default();
            }
            at = (at / BLOCK + 1) * BLOCK;
        }
        self.bytes.len()
    }

    /// The same for any run.
    #[inline(never)]
    fn far(&mut self, from: usize) -> Run {
        let mut run = Run::default();
        loop {
            let at = from + run.length;
            if at / BLOCK != self.block {
                self.turn_to(at / BLOCK);
            }
            let length = self.ahead(at, |signs| signs.plain).trailing_ones();
            let digits = self.ahead(at, |signs| signs.digits) & low(length);
            run.digits += count(digits);
            run.length += usize::try_from(length).unwrap_or_default();
            if length < u64::BITS {
                return run;
            }
        }
    }

    fn turn_to(&mut self, block: usize) {
        let [_, next] = self.signs;
        let here = if self.block.checked_add(1) == Some(block) {
            next
        } else {
            Signs::at(self.bytes, block * BLOCK)
        };
        self.signs = [here, Signs::at(self.bytes, (block + 1) * BLOCK)];
        self.block = block;
    }
}

impl Signs {
    /// Of the block that begins there.
    #[inline]
    fn at(bytes: &[u8], from: usize) -> Self {
        let [plain, digits, wide] = masks(bytes, from, |bytes| {
            let digits = blocks::digits(bytes);
            [letters(bytes) | digits, digits, bytes]
        });
        Self { plain, digits, wide }
    }
}

/// How many bits there are: dear where a processor is not known to count them.
#[inline(never)]
fn count(bits: u64) -> usize {
    usize::try_from(bits.count_ones()).unwrap_or_default()
}

/// So many low bits.
pub(crate) fn low(bits: u32) -> u64 {
    1_u64.checked_shl(bits).map_or(u64::MAX, |bit| bit - 1)
}

/// What makes a small letter of a capital, in sixteen bytes.
pub(crate) const SMALL: u128 = u128::from_le_bytes([0x20; 16]);

/// So many low bytes: sixteen at most.
#[inline]
pub(crate) fn kept(length: usize) -> u128 {
    KEPT.get(length).copied().unwrap_or(u128::MAX)
}

static KEPT: [u128; 16] = {
    let mut kept = [0; 16];
    let mut length = 1;
    while length < 16 {
        #[expect(clippy::indexing_slicing, reason = "it counts to 15")]
        {
            kept[length] = u128::MAX >> (128 - 8 * length);
        }
        length += 1;
    }
    kept
};

/// The sixteen bytes from there on, the first lowest; zeros behind the end.
#[inline]
pub(crate) fn sixteen(bytes: &[u8], from: usize) -> u128 {
    let ahead = bytes.get(from..).unwrap_or_default();
    match ahead.first_chunk::<16>() {
        Some(chunk) => u128::from_le_bytes(*chunk),
        None => ahead.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The slow way says the same.
        #[test]
        fn runs_end_where_letters_end(parts in prop::collection::vec("[a-zA-Z0-9]{0,40}|[0-9]{0,70}|[ -~é\0]{0,3}", 0..8)) {
            let text = parts.concat();
            let mut runs = Runs::new(&text);
            for from in 0..=text.len() {
                let run: Vec<u8> = text.bytes().skip(from).take_while(u8::is_ascii_alphanumeric).collect();
                let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
                prop_assert_eq!(runs.at(from), Run { length: run.len(), digits });
                let ink = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
                let next = text.bytes().skip(from).position(ink).map_or(text.len(), |ahead| from + ahead);
                prop_assert_eq!(runs.next(from), next);
            }
        }
    }
}

//! What stands in a block of bytes, a bit each: nearly all of a text is words and what stands between them, and is passed over
//! without a look at each byte.

use wide::u8x16;

use crate::blocks::{digits, is, letters, masks, one_of};

/// What the bytes of a block are; the first byte is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs {
    /// Letters and digits of ASCII, what is beyond it, and apostrophes: what may be a part of a word.
    pub(super) token: u64,
    /// Those that are no letters or digits.
    pub(super) other: u64,
    /// The same, and digits.
    pub(super) odd: u64,
    /// White space of ASCII.
    pub(super) white: u64,
    /// Ends of lines.
    pub(super) line: u64,
    /// What may end a sentence.
    pub(super) stop: u64,
    /// What may hide a letter, or begin a mark or an address.
    pub(super) rare: u64,
}

const STOPS: [u8; 3] = *b".!?";
const RARE: [u8; 8] = *b"%&\\<[@+#";

impl Signs {
    /// Of the block that begins there; zeros fill up the last one.
    #[inline]
    pub(super) fn at(bytes: &[u8], from: usize) -> Self {
        let [token, other, odd, white, line, stop, rare] = masks(bytes, from, |bytes| {
            let other = bytes & u8x16::splat(0x80) | is(bytes, b'\'');
            let odd = digits(bytes) | other;
            let line = is(bytes, b'\n');
            let white = line | one_of(bytes, *b" \t\r");
            let token = letters(bytes) | odd;
            [token, other, odd, white, line, one_of(bytes, STOPS), one_of(bytes, RARE)]
        });
        Self { token, other, odd, white, line, stop, rare }
    }

    /// Letters and digits of ASCII.
    pub(super) fn plain(&self) -> u64 {
        self.token & !self.other
    }
}

/// Which of the starts have one of the marks before them, and neither between; `open` says whether there was such a mark before
/// the block, and comes to say so of the next one.
#[inline]
pub(super) fn behind(starts: u64, marks: u64, open: &mut bool) -> u64 {
    let between = !(marks | starts);
    let after = marks << 1 | u64::from(*open);
    // What comes to a bit that is neither is carried on to the first that is one.
    let (carried, over) = between.overflowing_add(after & between);
    *open = over || marks >> 63 == 1;
    starts & (after | carried & !between)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::byte::{AT, CLASSES, CODE, HASH, LINE, OPEN, SKIP, SPACE, STOP, WIDE};
    use super::*;
    use crate::blocks::BLOCK;

    proptest! {
        /// The slow way says the same.
        #[test]
        fn a_block_is_what_its_bytes_are(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let block = Signs::at(&bytes, 0);
            for place in 0..BLOCK {
                let byte = bytes.get(place).copied().unwrap_or(0);
                let class = CLASSES[usize::from(byte)];
                let has = |bits: u64| bits >> place & 1 == 1;
                prop_assert_eq!(has(block.token), class >= b'0' || matches!(class, SKIP | WIDE));
                prop_assert_eq!(has(block.other), matches!(class, SKIP | WIDE));
                prop_assert_eq!(has(block.odd), byte.is_ascii_digit() || matches!(class, SKIP | WIDE));
                prop_assert_eq!(has(block.white), matches!(class, SPACE | LINE));
                prop_assert_eq!(has(block.line), class == LINE);
                prop_assert_eq!(has(block.stop), class == STOP);
                prop_assert_eq!(has(block.rare), matches!(class, CODE | OPEN | AT | HASH));
            }
        }

        #[test]
        fn white_space_is_seen_from_what_is_behind_it(letters in "[a .]{0,200}") {
            let (mut open, mut slow) = (true, true);
            for part in letters.as_bytes().chunks(BLOCK) {
                let bits = |of: u8| part.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(*byte == of));
                let found = behind(bits(b'a'), bits(b' '), &mut open);
                for (place, byte) in part.iter().enumerate() {
                    prop_assert_eq!(found >> place & 1 == 1, *byte == b'a' && slow);
                    slow = match byte { b'a' => false, b' ' => true, _ => slow };
                }
            }
        }
    }
}

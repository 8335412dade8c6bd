//! A first look at the bytes, a few at a time: most texts have nothing that could hide anything.

use std::num::NonZeroU32;

use wide::u8x16;

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// What there may be in a text.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that there may be, whatever else is")]
pub(super) struct Skim {
    /// Characters that are not ASCII, or control characters.
    pub(super) odd: bool,
    /// A `<`.
    pub(super) markup: bool,
    /// A `[`.
    pub(super) bracket: bool,
    /// A block of nothing but white space. Every run of 31 or more has one.
    pub(super) gap: bool,
}

pub(super) fn skim(bytes: &[u8]) -> Skim {
    let nothing = u8x16::splat(0);
    let (mut odd, mut less, mut bracket, mut gap) = (nothing, nothing, nothing, false);
    for block in blocks(bytes) {
        odd |= is_odd(block);
        less |= block.simd_eq(u8x16::splat(b'<'));
        bracket |= block.simd_eq(u8x16::splat(b'['));
        // The block that is filled up is of ink.
        gap |= block.max(u8x16::splat(b' ')).simd_eq(u8x16::splat(b' ')).all();
    }
    Skim { odd: odd.any(), markup: less.any(), bracket: bracket.any(), gap }
}

/// Where the next byte is at or after `at` that is not ordinary: the length of the text where there is none.
pub(super) fn next_odd(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let found = (at..).step_by(BLOCK).zip(blocks(rest)).find_map(|(at, block)| {
        let odd = NonZeroU32::new(is_odd(block).to_bitmask())?;
        Some(at + usize::try_from(odd.trailing_zeros()).unwrap_or_default())
    });
    found.unwrap_or(bytes.len())
}

/// The bytes in blocks; what fills up the last one is ordinary.
fn blocks(bytes: &[u8]) -> impl Iterator<Item = u8x16> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let last = (!rest.is_empty()).then(|| {
        let mut last = [b'~'; BLOCK];
        last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
        last
    });
    blocks.iter().copied().chain(last).map(u8x16::new)
}

/// Neither printed ASCII nor a tab, a line or page feed or a carriage return.
#[inline]
fn is_odd(bytes: u8x16) -> u8x16 {
    let among = |first: u8, count: u8| (bytes - u8x16::splat(first)).simd_lt(u8x16::splat(count));
    let white = among(b'\t', 5) & !bytes.simd_eq(u8x16::splat(0x0b));
    !(among(b' ', b'~' - b' ' + 1) | white)
}

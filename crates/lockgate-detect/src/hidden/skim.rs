//! A first look at the bytes, a few at a time: most texts have nothing that could hide anything.

use wide::u8x16;

use crate::blocks::{among, first, is, sixteens};

/// What fills up the last bytes of a text: nothing that could hide anything.
const ORDINARY: u8 = b'~';

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
    /// Sixteen bytes of nothing but white space. Every run of 31 or more has them.
    pub(super) gap: bool,
}

pub(super) fn skim(bytes: &[u8]) -> Skim {
    let nothing = u8x16::splat(0);
    let (mut odd, mut less, mut bracket, mut gap) = (nothing, nothing, nothing, false);
    for bytes in sixteens(bytes, ORDINARY) {
        odd |= is_odd(bytes);
        less |= is(bytes, b'<');
        bracket |= is(bytes, b'[');
        gap |= is(bytes.max(u8x16::splat(b' ')), b' ').all();
    }
    Skim { odd: odd.any(), markup: less.any(), bracket: bracket.any(), gap }
}

/// Where the next byte is at or after `at` that is not ordinary: the length of the text where there is none.
pub(super) fn next_odd(bytes: &[u8], at: usize) -> usize {
    first(bytes, at, ORDINARY, is_odd).unwrap_or(bytes.len())
}

/// Neither printed ASCII nor a tab, a line or page feed or a carriage return.
#[inline]
fn is_odd(bytes: u8x16) -> u8x16 {
    let white = among(bytes, b'\t', 5) & !is(bytes, 0x0b);
    !(among(bytes, b' ', b'~' - b' ' + 1) | white)
}

//! The bytes of a text, many at a time.

use std::num::NonZeroU32;

use wide::u8x16;

/// Bytes in a block: as many as a number has bits.
pub(crate) const BLOCK: usize = 64;
/// Bytes that are looked at in one step.
pub(crate) const STEP: usize = 16;

/// What the bytes of the block are that begins there, a bit for each of them, the first lowest. Zeros fill up
/// the last block, and are nothing.
#[inline]
pub(crate) fn masks<const N: usize>(bytes: &[u8], from: usize, of: impl Fn(u8x16) -> [u8x16; N]) -> [u64; N] {
    let mut all = [0; N];
    let mut put = |step: usize, found: [u8x16; N]| {
        all.iter_mut()
            .zip(found)
            .for_each(|(all, found)| *all |= u64::from(found.to_bitmask()) << (STEP * step));
    };
    let rest = bytes.get(from..).unwrap_or_default();
    if let Some(block) = rest.first_chunk::<BLOCK>() {
        let (steps, _) = block.as_chunks::<STEP>();
        steps.iter().zip(0..).for_each(|(bytes, step)| put(step, of(u8x16::new(*bytes))));
    } else {
        // Most texts of an object end in their first block.
        (0..rest.len().div_ceil(STEP)).for_each(|step| put(step, of(padded(bytes, from + step * STEP, 0))));
    }
    all
}

/// The sixteen bytes from there on; behind the last, what is said there.
#[inline]
fn padded(bytes: &[u8], from: usize, filling: u8) -> u8x16 {
    let known = kept(bytes.len().saturating_sub(from));
    let filling = u128::from_le_bytes([filling; STEP]) & !known;
    u8x16::new((sixteen(bytes, from) | filling).to_le_bytes())
}

/// The bytes sixteen by sixteen; what is said there fills up the last ones.
#[inline]
pub(crate) fn sixteens(bytes: &[u8], filling: u8) -> impl Iterator<Item = u8x16> {
    let (whole, rest) = bytes.as_chunks::<STEP>();
    let last = (!rest.is_empty()).then_some(bytes.len() - rest.len());
    let last = last.into_iter().map(move |last| padded(bytes, last, filling));
    whole.iter().map(|bytes| u8x16::new(*bytes)).chain(last)
}

/// The first byte at that place or behind which is so; the filling is not.
#[inline]
pub(crate) fn first(bytes: &[u8], from: usize, filling: u8, is: impl Fn(u8x16) -> u8x16) -> Option<usize> {
    let mut steps = (from..).step_by(STEP).zip(sixteens(bytes.get(from..)?, filling));
    steps.find_map(|(at, bytes)| {
        let found = NonZeroU32::new(is(bytes).to_bitmask())?;
        Some(at + usize::try_from(found.trailing_zeros()).unwrap_or_default())
    })
}

/// Which bytes are one of so many from the first one on.
#[inline]
pub(crate) fn among(bytes: u8x16, first: u8, count: u8) -> u8x16 {
    (bytes - u8x16::splat(first)).simd_lt(u8x16::splat(count))
}

/// Which bytes are that one.
#[inline]
pub(crate) fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

/// Which bytes are any of these.
#[inline]
pub(crate) fn one_of<const N: usize>(bytes: u8x16, of: [u8; N]) -> u8x16 {
    of.into_iter().fold(u8x16::splat(0), |found, byte| found | is(bytes, byte))
}

/// Which bytes are digits of ASCII.
#[inline]
pub(crate) fn digits(bytes: u8x16) -> u8x16 {
    among(bytes, b'0', 10)
}

/// Which bytes are letters of ASCII: what is a small one, or becomes one.
#[inline]
pub(crate) fn letters(bytes: u8x16) -> u8x16 {
    among(bytes | u8x16::splat(0x20), b'a', 26)
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
    // Straight from memory or by shifts: what is put together in memory cannot soon be read as one.
    let ahead = bytes.get(from..).unwrap_or_default();
    if let Some(chunk) = ahead.first_chunk() {
        return u128::from_le_bytes(*chunk);
    }
    match bytes.last_chunk::<STEP>() {
        Some(last) => {
            let past = u32::try_from(8 * (STEP - ahead.len())).unwrap_or(u128::BITS);
            u128::from_le_bytes(*last).checked_shr(past).unwrap_or_default()
        }
        None => ahead.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte)),
    }
}

/// The same of eight.
#[inline]
pub(crate) fn eight(bytes: &[u8], from: usize) -> u64 {
    let ahead = bytes.get(from..).unwrap_or_default();
    ahead.first_chunk().map_or_else(|| low_half(sixteen(bytes, from)), |chunk| u64::from_le_bytes(*chunk))
}

/// The lower eight of sixteen bytes.
#[inline]
pub(crate) fn low_half(sixteen: u128) -> u64 {
    u64::try_from(sixteen & u128::from(u64::MAX)).unwrap_or_default()
}

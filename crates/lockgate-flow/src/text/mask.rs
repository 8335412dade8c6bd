//! Blocks of bytes as bits.

/// Bytes in a block.
pub(crate) const BLOCK: usize = 64;

/// The flags as bits, the first in the lowest.
pub(crate) fn mask(flags: [bool; BLOCK]) -> u64 {
    let flags = flags.map(u8::from);
    // The product has the lowest bits of eight bytes side by side at its top.
    let gathered = |flags: &[u8; 8]| u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    flags.as_chunks().0.iter().rev().fold(0, |mask, flags| mask << 8 | gathered(flags))
}

/// Up to a block of bytes as a whole one, filled up with zeros.
pub(crate) fn block(bytes: &[u8]) -> [u8; BLOCK] {
    bytes.first_chunk().copied().unwrap_or_else(|| {
        let mut block = [0; BLOCK];
        block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        block
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::mask;

    proptest! {
        #[test]
        fn a_mask_has_the_flags(bits in any::<u64>()) {
            prop_assert_eq!(mask(std::array::from_fn(|place| bits >> place & 1 == 1)), bits);
        }
    }
}

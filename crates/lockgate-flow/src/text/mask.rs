//! Blocks of bytes as bits.

use wide::i8x16;

/// Bytes in a block.
pub(crate) const BLOCK: usize = 64;

/// The flags as bits, the first in the lowest.
pub(crate) fn mask(flags: [bool; BLOCK]) -> u64 {
    let signs = flags.map(|flag| if flag { -1 } else { 0 });
    let (sixteens, _) = signs.as_chunks::<16>();
    let gathered = |signs: &[i8; 16]| u64::from(i8x16::new(*signs).to_bitmask());
    sixteens.iter().rev().fold(0, |mask, signs| mask << 16 | gathered(signs))
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

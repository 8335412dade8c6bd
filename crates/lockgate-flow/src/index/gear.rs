//! Fingerprints of stretches of 64 bytes, taken where the text itself says so, that find long copies again.

use super::table::Key;

/// Bytes under one fingerprint.
pub(crate) const WINDOW: usize = 64;
/// One stretch in `2 ^ RARE` is taken.
const RARE: u32 = 5;
/// Bytes that are gone over before it is seen which stretches are taken. As many as a mask has bits.
const BLOCK: usize = 64;

/// A secret number for each byte, so that nobody can write text that is never taken.
#[derive(Debug)]
pub(crate) struct Gear(Box<[u64; 256]>);

/// A fingerprint under way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Roll {
    hash: u64,
    seen: usize,
}

impl Gear {
    pub(crate) fn new(key: Key) -> Self {
        Self(Box::new(std::array::from_fn(|byte| key.hash(&byte.to_le_bytes()))))
    }

    /// Goes on over these bytes, and hands over each fingerprint that is taken and where its stretch ends.
    pub(crate) fn roll(&self, roll: &mut Roll, bytes: &[u8], mut taken: impl FnMut(u64, usize)) {
        let mut hash = roll.hash;
        let mut hashes = [0; BLOCK];
        for (number, block) in bytes.chunks(BLOCK).enumerate() {
            // Without a branch for each byte: nobody can tell beforehand which one it would take.
            let mut rare = 0_u64;
            for (byte, kept) in block.iter().zip(&mut hashes) {
                let number = self.0.get(usize::from(*byte)).copied().unwrap_or_default();
                hash = (hash << 1).wrapping_add(number);
                *kept = hash;
                rare = rare << 1 | u64::from(hash >> (u64::BITS - RARE) == 0);
            }
            rare <<= BLOCK - block.len();
            while rare != 0 {
                let place = rare.leading_zeros() as usize;
                rare &= u64::MAX.checked_shr(rare.leading_zeros() + 1).unwrap_or_default();
                let end = number * BLOCK + place + 1;
                if roll.seen + end >= WINDOW {
                    taken(hashes.get(place).copied().unwrap_or_default(), end);
                }
            }
        }
        *roll = Roll { hash, seen: roll.seen + bytes.len() };
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

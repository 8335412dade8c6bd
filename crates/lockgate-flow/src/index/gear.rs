//! Fingerprints of stretches of 64 bytes, taken where the text itself says so, that find long copies again.

use super::table::Key;

/// Bytes under one fingerprint.
pub(crate) const WINDOW: usize = 64;
/// One stretch in `2 ^ RARE` is taken.
const RARE: u32 = 5;
/// Stretches that are looked at together.
const BLOCK: usize = 256;

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

    /// Goes on over these bytes, and appends each fingerprint that is taken.
    pub(crate) fn take(&self, roll: &mut Roll, bytes: &[u8], taken: &mut Vec<u64>) {
        let Roll { mut hash, seen } = *roll;
        let early = (WINDOW - 1).saturating_sub(seen).min(bytes.len());
        let (opening, ends) = bytes.split_at_checked(early).unwrap_or((bytes, &[]));
        for byte in opening {
            hash = (hash << 1).wrapping_add(self.number(*byte));
        }
        for block in ends.chunks(BLOCK) {
            let (mut some, mut count) = ([0; BLOCK], 0);
            // Kept where the next overwrites it unless it is taken: to jump there would be guessed wrong each time.
            let mut look = |hash: u64| {
                if let Some(place) = some.get_mut(count % BLOCK) {
                    *place = hash;
                }
                count += usize::from(is_taken(hash));
            };
            let (fours, rest) = block.as_chunks();
            for four in fours {
                let hashes = self.four(hash, *four);
                hashes.into_iter().for_each(&mut look);
                [.., hash] = hashes;
            }
            for byte in rest {
                hash = (hash << 1).wrapping_add(self.number(*byte));
                look(hash);
            }
            taken.extend_from_slice(some.get(..count).unwrap_or_default());
        }
        *roll = Roll { hash, seen: seen + bytes.len() };
    }

    /// Goes on over these bytes, and hands over each fingerprint that is taken and where its stretch ends.
    pub(crate) fn roll(&self, roll: &mut Roll, bytes: &[u8], mut taken: impl FnMut(u64, usize)) {
        let Roll { mut hash, seen } = *roll;
        // Bytes that no stretch ends with, since it would begin before the text.
        let early = (WINDOW - 1).saturating_sub(seen).min(bytes.len());
        let (opening, ends) = bytes.split_at_checked(early).unwrap_or((bytes, &[]));
        for byte in opening {
            hash = (hash << 1).wrapping_add(self.number(*byte));
        }
        let mut look = |hash: u64, end: usize| {
            if is_taken(hash) {
                taken(hash, end);
            }
        };
        let (fours, rest) = ends.as_chunks();
        for (four, begin) in fours.iter().zip((early..).step_by(4)) {
            let hashes = self.four(hash, *four);
            for (hash, end) in hashes.into_iter().zip(begin + 1..) {
                look(hash, end);
            }
            [.., hash] = hashes;
        }
        for (byte, end) in rest.iter().zip(bytes.len() - rest.len() + 1..) {
            hash = (hash << 1).wrapping_add(self.number(*byte));
            look(hash, end);
        }
        *roll = Roll { hash, seen: seen + bytes.len() };
    }

    /// The hash after each of four bytes. What these add is known before what came before them is.
    fn four(&self, hash: u64, bytes: [u8; 4]) -> [u64; 4] {
        let [a, b, c, d] = bytes.map(|byte| self.number(byte));
        let two = (a << 1).wrapping_add(b);
        let three = (two << 1).wrapping_add(c);
        let four = (three << 1).wrapping_add(d);
        [
            (hash << 1).wrapping_add(a),
            (hash << 2).wrapping_add(two),
            (hash << 3).wrapping_add(three),
            (hash << 4).wrapping_add(four),
        ]
    }

    fn number(&self, byte: u8) -> u64 {
        self.0.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

const fn is_taken(hash: u64) -> bool {
    hash >> (u64::BITS - RARE) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Gear, Key, RARE, Roll, WINDOW};

    /// Each stretch by itself.
    fn slow(gear: &Gear, bytes: &[u8]) -> Vec<(u64, usize)> {
        let hash = |stretch: &[u8]| {
            stretch.iter().fold(0_u64, |hash, byte| (hash << 1).wrapping_add(gear.0[usize::from(*byte)]))
        };
        let all = bytes.windows(WINDOW).zip(WINDOW..).map(|(stretch, end)| (hash(stretch), end));
        all.filter(|(hash, _)| hash >> (u64::BITS - RARE) == 0).collect()
    }

    proptest! {
        #[test]
        fn fingerprints_are_those_of_each_stretch(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6)
        ) {
            let gear = Gear::new(Key::new([7; 16]));
            let (mut roll, mut begun, mut taken) = (Roll::default(), 0, Vec::new());
            for part in &parts {
                gear.roll(&mut roll, part, |hash, end| taken.push((hash, begun + end)));
                begun += part.len();
            }
            prop_assert_eq!(&taken, &slow(&gear, &parts.concat()));
            let (mut roll, mut alone) = (Roll::default(), Vec::new());
            for part in &parts {
                gear.take(&mut roll, part, &mut alone);
            }
            prop_assert_eq!(alone, taken.into_iter().map(|(hash, _)| hash).collect::<Vec<_>>());
        }
    }
}

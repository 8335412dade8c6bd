//! Fingerprints of stretches of 64 bytes, one right behind the other, that find long copies again wherever they stand.

use super::table::Key;

/// Bytes under one fingerprint.
pub(crate) const WINDOW: usize = 64;

/// A secret number for each byte, so that nobody can write two stretches with one fingerprint.
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

    /// Goes on over these bytes, and appends the fingerprint of each stretch that ends in them.
    pub(crate) fn take(&self, roll: &mut Roll, bytes: &[u8], taken: &mut Vec<u64>) {
        let begun = roll.seen % WINDOW;
        let missing = if begun == 0 { 0 } else { WINDOW - begun };
        let (opening, whole) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        let mut hash = self.over(roll.hash, opening);
        if begun + opening.len() == WINDOW {
            taken.push(hash);
        }
        let (stretches, rest) = whole.as_chunks::<WINDOW>();
        // What was before a stretch is shifted out when it ends, so that none waits for another.
        taken.extend(stretches.iter().map(|stretch| self.over(0, stretch)));
        hash = stretches.last().and(taken.last()).copied().unwrap_or(hash);
        *roll = Roll { hash: self.over(hash, rest), seen: roll.seen + bytes.len() };
    }

    /// Goes on over these bytes, and hands over the fingerprint of every stretch, wherever it begins, and where it ends.
    pub(crate) fn roll(&self, roll: &mut Roll, bytes: &[u8], mut each: impl FnMut(u64, usize)) {
        let Roll { mut hash, seen } = *roll;
        // Bytes that no stretch ends with, since it would begin before the text.
        let early = (WINDOW - 1).saturating_sub(seen).min(bytes.len());
        let (opening, ends) = bytes.split_at_checked(early).unwrap_or((bytes, &[]));
        hash = self.over(hash, opening);
        let (fours, rest) = ends.as_chunks();
        for (four, begin) in fours.iter().zip((early..).step_by(4)) {
            let hashes = self.four(hash, *four);
            for (hash, end) in hashes.into_iter().zip(begin + 1..) {
                each(hash, end);
            }
            [.., hash] = hashes;
        }
        for (byte, end) in rest.iter().zip(bytes.len() - rest.len() + 1..) {
            hash = (hash << 1).wrapping_add(self.number(*byte));
            each(hash, end);
        }
        *roll = Roll { hash, seen: seen + bytes.len() };
    }

    /// The hash after these bytes.
    fn over(&self, hash: u64, bytes: &[u8]) -> u64 {
        let (fours, rest) = bytes.as_chunks();
        let hash = fours.iter().fold(hash, |hash, four| {
            let [.., hash] = self.four(hash, *four);
            hash
        });
        rest.iter().fold(hash, |hash, byte| (hash << 1).wrapping_add(self.number(*byte)))
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

impl Roll {
    /// The fingerprint of the last stretch of a text that ends here, where no taken one ends here too.
    pub(crate) fn last(self) -> Option<u64> {
        (self.seen > WINDOW && !self.seen.is_multiple_of(WINDOW)).then_some(self.hash)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Gear, Key, Roll, WINDOW};

    /// Each stretch by itself.
    fn slow(gear: &Gear, bytes: &[u8]) -> Vec<(u64, usize)> {
        let hash = |stretch: &[u8]| {
            stretch.iter().fold(0_u64, |hash, byte| (hash << 1).wrapping_add(gear.0[usize::from(*byte)]))
        };
        bytes.windows(WINDOW).zip(WINDOW..).map(|(stretch, end)| (hash(stretch), end)).collect()
    }

    proptest! {
        #[test]
        fn fingerprints_are_those_of_each_stretch(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6)
        ) {
            let gear = Gear::new(Key::new([7; 16]));
            let (mut roll, mut begun, mut all) = (Roll::default(), 0, Vec::new());
            for part in &parts {
                gear.roll(&mut roll, part, |hash, end| all.push((hash, begun + end)));
                begun += part.len();
            }
            prop_assert_eq!(&all, &slow(&gear, &parts.concat()));
            let (mut roll, mut taken) = (Roll::default(), Vec::new());
            for part in &parts {
                gear.take(&mut roll, part, &mut taken);
            }
            taken.extend(roll.last());
            let wanted = all.iter().filter(|(_, end)| end % WINDOW == 0 || *end == begun);
            prop_assert_eq!(taken, wanted.map(|(hash, _)| *hash).collect::<Vec<_>>());
        }
    }
}

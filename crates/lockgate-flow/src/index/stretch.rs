//! Fingerprints of stretches of 64 bytes, one right behind the other, that find long copies again wherever they stand.

use super::table::Key;

/// Bytes under one fingerprint.
pub(crate) const WINDOW: usize = 64;
/// Bytes of a stretch that are hashed together.
const PIECE: usize = 16;
/// Stretches that are looked at together where they begin at every byte.
const CHUNK: usize = 1024;

/// A text under way: how much was seen of it, and the last of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roll {
    seen: usize,
    last: [u8; WINDOW],
}

impl Default for Roll {
    fn default() -> Self {
        Self { seen: 0, last: [0; WINDOW] }
    }
}

impl Roll {
    /// Goes on over these bytes, and appends the fingerprint of each stretch that ends in them.
    pub(crate) fn take(&mut self, key: Key, bytes: &[u8], taken: &mut Vec<u64>) {
        let missing = WINDOW - self.seen % WINDOW;
        let (opening, rest) = bytes.split_at_checked(missing % WINDOW).unwrap_or((bytes, &[]));
        self.see(opening);
        if !opening.is_empty() && self.seen.is_multiple_of(WINDOW) {
            taken.push(fingerprint(key, &self.last));
        }
        taken.extend(rest.as_chunks().0.iter().map(|stretch| fingerprint(key, stretch)));
        self.see(rest);
    }

    /// The fingerprint of the last stretch of a text that ends here, where no taken one ends here too.
    pub(crate) fn last(&self, key: Key) -> Option<u64> {
        (self.seen > WINDOW && !self.seen.is_multiple_of(WINDOW)).then(|| fingerprint(key, &self.last))
    }

    fn see(&mut self, bytes: &[u8]) {
        self.seen += bytes.len();
        if let Some(last) = bytes.last_chunk() {
            self.last = *last;
            return;
        }
        self.last.rotate_left(bytes.len());
        let end = self.last.iter_mut().rev().zip(bytes.iter().rev());
        end.for_each(|(place, byte)| *place = *byte);
    }
}

/// Hands over the fingerprint of every stretch, wherever it begins, and where it ends.
pub(crate) fn everywhere(key: Key, bytes: &[u8], mut each: impl FnMut(u64, usize)) {
    let mut pieces = Vec::with_capacity(CHUNK + WINDOW);
    let most = CHUNK + WINDOW - PIECE;
    for begin in (0..bytes.len()).step_by(CHUNK) {
        pieces.clear();
        let windows = bytes.get(begin..).unwrap_or_default().windows(PIECE).take(most);
        pieces.extend(windows.map(|piece| piece.first_chunk().map_or(0, |piece| key.piece(*piece))));
        let from = |place: usize| pieces.get(place..).unwrap_or_default().iter();
        let all = from(0).zip(from(PIECE)).zip(from(2 * PIECE)).zip(from(3 * PIECE));
        for ((((a, b), c), d), end) in all.zip(begin + WINDOW..) {
            each(joined([*a, *b, *c, *d]), end);
        }
    }
}

fn fingerprint(key: Key, stretch: &[u8; WINDOW]) -> u64 {
    let mut pieces = stretch.as_chunks().0.iter().map(|piece| key.piece(*piece));
    joined(std::array::from_fn(|_| pieces.next().unwrap_or_default()))
}

/// The fingerprint of pieces in their order.
fn joined([a, b, c, d]: [u64; WINDOW / PIECE]) -> u64 {
    a.wrapping_add(b.rotate_left(16)).wrapping_add(c.rotate_left(32)).wrapping_add(d.rotate_left(48))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Key, Roll, WINDOW, everywhere, fingerprint};

    proptest! {
        #[test]
        fn fingerprints_are_those_of_each_stretch(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1500), 0..6)
        ) {
            let key = Key::new([7; 16]);
            let text = parts.concat();
            let mut all = Vec::new();
            everywhere(key, &text, |hash, end| all.push((hash, end)));
            let slow = text.windows(WINDOW).zip(WINDOW..);
            let slow: Vec<(u64, usize)> =
                slow.map(|(stretch, end)| (fingerprint(key, stretch.first_chunk().unwrap()), end)).collect();
            prop_assert_eq!(&all, &slow);
            let (mut roll, mut taken) = (Roll::default(), Vec::new());
            for part in &parts {
                roll.take(key, part, &mut taken);
            }
            taken.extend(roll.last(key));
            let wanted = all.iter().filter(|(_, end)| end % WINDOW == 0 || *end == text.len());
            prop_assert_eq!(taken, wanted.map(|(hash, _)| *hash).collect::<Vec<_>>());
        }
    }

    #[test]
    fn stretches_differ_by_each_byte_and_by_the_order_of_their_pieces() {
        let (key, stretch) = (Key::new([7; 16]), std::array::from_fn(|place| u8::try_from(place).unwrap()));
        let mut all = vec![fingerprint(key, &stretch)];
        for place in 0..WINDOW {
            let mut other = stretch;
            other[place] ^= 1;
            all.push(fingerprint(key, &other));
        }
        let mut other = stretch;
        other.rotate_left(16);
        all.push(fingerprint(key, &other));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), WINDOW + 2);
    }
}

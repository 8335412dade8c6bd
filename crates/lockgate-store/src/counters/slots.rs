//! What one counter holds: amounts by the piece of time they were counted in.

/// Most pieces of one counter.
const MOST: usize = 256;
/// Bytes of one piece: its start and its sum, the highest byte first.
const PIECE: usize = 8 + 16;

/// Where a moment is counted. Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Start of the piece of time that a call at the moment is counted in.
    pub at: u64,
    /// Pieces that start here or later count against it.
    pub since: u64,
    /// When the piece that starts at `at` counts no more.
    pub until: u64,
}

/// Start and sum of each piece. Ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Slots(Vec<(u64, u128)>);

impl Slots {
    /// `None` where the bytes were not made by [`Slots::encode`].
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (pieces, rest) = bytes.as_chunks::<PIECE>();
        if !rest.is_empty() {
            return None;
        }
        let piece = |piece: &[u8; PIECE]| {
            let (at, sum) = piece.split_first_chunk::<8>()?;
            Some((u64::from_be_bytes(*at), u128::from_be_bytes(sum.try_into().ok()?)))
        };
        let slots: Vec<_> = pieces.iter().map(piece).collect::<Option<_>>()?;
        slots.is_sorted_by(|a, b| a.0 < b.0).then_some(Self(slots))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(at, sum)| at.to_be_bytes().into_iter().chain(sum.to_be_bytes())).collect()
    }

    /// The sum that counts; `None` where it is too large to be held.
    pub(super) fn used(&self, slot: Slot) -> Option<u128> {
        self.counting(slot).try_fold(0_u128, |sum, (_, more)| sum.checked_add(*more))
    }

    /// Counts an amount, and forgets what counts no more. Says in which piece it was counted and when that
    /// counts no more; `None` where there are too many pieces. For an amount that was seen to fit.
    pub(super) fn add(&mut self, slot: Slot, amount: u128) -> Option<(u64, u64)> {
        self.0.retain(|(at, _)| *at >= slot.since);
        let full = self.0.len() >= MOST;
        let at = match self.0.last_mut() {
            // Another process may have been a little later already: then its piece takes the call, and keeps
            // it longer.
            Some((at, sum)) if *at >= slot.at => {
                *sum = sum.checked_add(amount)?;
                *at
            }
            _ if full => return None,
            _ => {
                self.0.push((slot.at, amount));
                slot.at
            }
        };
        Some((at, ends(at, slot)))
    }

    /// Takes back what was counted in a piece. Says whether the piece was still there.
    pub(super) fn take_back(&mut self, at: u64, amount: u128) -> bool {
        let piece = self.0.iter_mut().find(|(start, _)| *start == at);
        piece.map(|(_, sum)| *sum = sum.saturating_sub(amount)).is_some()
    }

    /// When there is room for the amount, if nothing is added; `None` where there never is.
    pub(super) fn free_at(&self, slot: Slot, amount: u128, at_most: u128) -> Option<u64> {
        let room = at_most.checked_sub(amount)?;
        let mut left = self.counting(slot).map(|(_, sum)| *sum).fold(0, u128::saturating_add);
        for (at, sum) in self.counting(slot) {
            left = left.saturating_sub(*sum);
            if left <= room {
                return Some(ends(*at, slot));
            }
        }
        None
    }

    fn counting(&self, slot: Slot) -> impl Iterator<Item = &(u64, u128)> {
        self.0.iter().filter(move |(at, _)| *at >= slot.since)
    }
}

/// Pieces of one window count equally long.
fn ends(at: u64, slot: Slot) -> u64 {
    at.saturating_add(slot.until.saturating_sub(slot.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_bytes_that_were_not_written_here() {
        let slots = Slots(vec![(1, 5), (2, 6)]);
        let bytes = slots.encode();
        assert_eq!(Slots::decode(&bytes), Some(slots));
        assert_eq!(Slots::decode(&bytes[1..]), None);
        assert_eq!(Slots::decode(&[&bytes[24..], &bytes[..24]].concat()), None, "not ascending");
    }

    #[test]
    fn holds_a_bounded_number_of_pieces() {
        let mut slots = Slots::default();
        for at in 0..256 {
            assert!(slots.add(Slot { at, since: 0, until: 1_000 }, 1).is_some());
        }
        assert!(slots.add(Slot { at: 256, since: 0, until: 1_000 }, 1).is_none());
        assert!(slots.add(Slot { at: 256, since: 1, until: 1_000 }, 1).is_some());
    }

    proptest! {
        #[test]
        fn reads_what_it_wrote(pieces in proptest::collection::btree_map(any::<u64>(), 0..u128::MAX, 0..9)) {
            let slots = Slots(pieces.into_iter().collect());
            prop_assert_eq!(Slots::decode(&slots.encode()), Some(slots));
        }
    }
}

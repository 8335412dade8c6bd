//! A table of hashes with a number each. It is asked without a branch: which of many words are in it, nobody can guess.

/// How many places there are: a power of two. Half of them are more than are ever taken.
const PLACES: usize = 1 << 13;
/// How often one may have to make room before a place is free. A test of each table sees to it that all find one.
const MOVES: usize = 100;
/// How much of a hash is kept; its number takes the rest.
const KEPT: u64 = !0xffff;

/// Hashes, of which the upper 48 bits count, and the number of each, which is not 0. Each is at one of two places.
#[derive(Clone, Debug)]
pub(crate) struct Table(Box<[u64; PLACES]>);

impl Default for Table {
    #[expect(clippy::large_stack_arrays, reason = "64 KiB, there for a moment and a few times in a process")]
    fn default() -> Self {
        Self(Box::new([0; PLACES]))
    }
}

/// The two places of a hash.
#[inline]
fn places(hash: u64) -> [usize; 2] {
    [hash >> 51, hash >> 38].map(|bits| usize::try_from(bits).unwrap_or_default() % PLACES)
}

#[inline]
fn is_of(entry: u64, hash: u64) -> bool {
    (entry ^ hash) & KEPT == 0
}

impl Table {
    /// The number of a hash, or 0.
    #[inline]
    pub(crate) fn get(&self, hash: u64) -> u16 {
        let [first, second] = places(hash).map(|at| {
            let entry = self.0.get(at).copied().unwrap_or_default();
            let [low, high, ..] = entry.to_le_bytes();
            u16::from_le_bytes([low, high]) & u16::from(is_of(entry, hash)).wrapping_neg()
        });
        first | second
    }

    /// Gives a hash a number; one that it has is forgotten.
    pub(crate) fn put(&mut self, hash: u64, number: u16) {
        let mut entry = hash & KEPT | u64::from(number);
        let known = |at: &usize| self.0.get(*at).is_some_and(|entry| is_of(*entry, hash));
        if let Some(at) = places(hash).into_iter().find(known) {
            self.0.get_mut(at).into_iter().for_each(|place| *place = entry);
            return;
        }
        let mut last = PLACES;
        for _ in 0..MOVES {
            let [first, second] = places(entry);
            let free = [first, second].into_iter().find(|at| self.0.get(*at) == Some(&0));
            let at = free.unwrap_or(if first == last { second } else { first });
            entry = self.0.get_mut(at).map(|place| std::mem::replace(place, entry)).unwrap_or_default();
            if entry == 0 {
                return;
            }
            last = at;
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.iter().filter(|entry| **entry != 0).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hash_has_its_number() {
        let hash = |of: u16| u64::from(of).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut table = Table::default();
        (1..=3_000).for_each(|number| table.put(hash(number), number));
        (1..=3_000).step_by(7).for_each(|number| table.put(hash(number), number + 1));
        assert_eq!(table.len(), 3_000);
        for number in 1..=6_000 {
            let expected = if number > 3_000 { 0 } else { number + u16::from(number % 7 == 1) };
            assert_eq!(table.get(hash(number)), expected, "{number}");
        }
    }
}

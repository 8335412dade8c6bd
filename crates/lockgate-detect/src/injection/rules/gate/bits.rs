//! Which words of which phrases are there, as bits.

use super::KEYS;

/// How many groups the phrases are spread over. Two phrases of a group may open a passage in vain, no more.
const GROUPS: usize = LANES * 64;
/// The groups of a lane are the bits of a number.
const LANES: usize = 8;
/// Those of the last lane are for phrases that are longer than most.
pub(super) const LONG_GROUPS: std::ops::Range<usize> = GROUPS - 64..GROUPS;

/// A set of groups.
pub(super) type Groups = [u64; LANES];

/// For each of the words that are looked for: the groups of phrases of which it is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits([Groups; KEYS]);

/// Some groups that have a word: for which key, in which lane, and which bits of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) key: usize,
    pub(super) lane: usize,
    pub(super) bits: u64,
}

impl Part {
    pub(super) fn new(key: usize, group: usize) -> Self {
        Self { key, lane: group / 64, bits: 1 << (group % 64) }
    }

    /// The bit of the key, where it is one of that group.
    pub(super) fn key_of(&self, group: usize) -> u8 {
        u8::from(self.lane == group / 64 && self.bits >> (group % 64) & 1 == 1) << self.key
    }
}

impl Bits {
    /// These groups have one of their words here.
    #[inline]
    pub(super) fn add(&mut self, parts: &[Part]) {
        for part in parts {
            if let Some(own) = self.0.get_mut(part.key).and_then(|key| key.get_mut(part.lane)) {
                *own |= part.bits;
            }
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.0.iter_mut().flatten().zip(other.0.iter().flatten()).for_each(|(own, other)| *own |= other);
    }

    /// Are all words of one of these groups here?
    pub(super) fn opens(&self, wanted: &Groups) -> bool {
        let mut there = *wanted;
        for key in &self.0 {
            there.iter_mut().zip(key).for_each(|(there, key)| *there &= key);
        }
        there.iter().any(|group| *group != 0)
    }

    /// Those of the groups, but for the long phrases, of which all words are here or there.
    pub(super) fn with(&self, other: &Self, wanted: &Groups) -> Groups {
        let mut there = *wanted;
        let [.., long] = &mut there;
        *long = 0;
        for (key, other) in self.0.iter().zip(&other.0) {
            there.iter_mut().zip(key.iter().zip(other)).for_each(|(there, (key, other))| *there &= key | other);
        }
        there
    }

    /// The groups of the long phrases that have that key here.
    pub(super) fn long(&self, key: usize) -> u64 {
        self.0.get(key).map_or(0, |[.., long]| *long)
    }
}

/// The groups of a set, in order.
pub(super) fn each(groups: Groups) -> impl Iterator<Item = usize> {
    (0..).zip(groups).filter(|(_, lane)| *lane != 0).flat_map(|(lane, bits)| {
        (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| lane * 64 + bit)
    })
}

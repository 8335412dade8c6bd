//! Which words of which phrases are there, as bits.

use std::num::NonZeroU64;

use super::KEYS;

/// How many groups the phrases are spread over. Two phrases of a group may open a passage in vain, no more.
const GROUPS: usize = LANES * 64;
/// The groups of a lane are the bits of a number.
const LANES: usize = 8;
/// Those of the last lane are for phrases that are longer than most.
pub(super) const LONG_GROUPS: std::ops::Range<usize> = GROUPS - 64..GROUPS;
/// Groups of the other phrases that are one bit of a hint: neighbours.
const TOGETHER: usize = LANES - 1;
/// How many words of a phrase have bits: the rarest.
pub(super) const RARE: usize = 3;

/// A set of groups.
pub(super) type Groups = [u64; LANES];

/// For each of the rare words: the groups of phrases of which it is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits([u64; RARE * LANES]);

/// The same, with neighbours taken together but for those of the long phrases: most passages are passed over by these alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hint {
    short: [u64; KEYS],
    long: [u64; KEYS],
}

/// The groups that are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    groups: Groups,
    short: u64,
    long: u64,
}

/// Some groups that have a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Which of the words of a phrase it is, and in which lane: lanes of the rarest words come first.
    at: usize,
    bits: u64,
}

impl Part {
    pub(super) fn new(key: usize, group: usize) -> Self {
        Self { at: key * LANES + group / 64, bits: 1 << (group % 64) }
    }

    /// Is it of the same word and lane? Then it has these groups too.
    pub(super) fn takes(&mut self, other: Self) -> bool {
        let same = self.at == other.at;
        self.bits |= if same { other.bits } else { 0 };
        same
    }

    pub(super) fn is_rare(&self) -> bool {
        self.at < RARE * LANES
    }

    /// The bit of the key, where it is one of that group.
    pub(super) fn key_of(&self, group: usize) -> u8 {
        let bits = if self.at % LANES == group / 64 { self.bits } else { 0 };
        u8::from(bits >> (group % 64) & 1 == 1) << (self.at / LANES)
    }
}

impl Bits {
    /// These groups have one of their words here.
    #[inline]
    pub(super) fn add(&mut self, part: Part) {
        // The rest of a division is known to be inside.
        self.0.get_mut(part.at % (RARE * LANES)).into_iter().for_each(|own| *own |= part.bits);
    }

    /// Those of the groups, but for the long phrases, of which all rare words are here.
    pub(super) fn all(&self, wanted: &Wanted) -> Groups {
        let mut there = wanted.groups;
        let [.., long] = &mut there;
        *long = 0;
        for key in self.0.chunks_exact(LANES) {
            there.iter_mut().zip(key).for_each(|(there, here)| *there &= here);
        }
        there
    }
}

impl Hint {
    /// Of a word that is that key of phrases of a group.
    pub(super) fn of(key: usize, group: usize) -> Self {
        let mut hint = Self::default();
        let (bit, long) = place_of(group);
        let all = if long { &mut hint.long } else { &mut hint.short };
        all.get_mut(key).into_iter().for_each(|bits| *bits = bit);
        hint
    }

    /// Those of both.
    #[inline]
    pub(super) fn with(&self, other: &Self) -> Self {
        let mut both = *self;
        both.short.iter_mut().zip(&other.short).for_each(|(own, other)| *own |= other);
        both.long.iter_mut().zip(&other.long).for_each(|(own, other)| *own |= other);
        both
    }

    /// The short phrases that may be here, or in part there.
    #[inline]
    pub(super) fn short(&self, before: &Self, wanted: &Wanted) -> u64 {
        let both = self.short.iter().zip(&before.short).take(RARE);
        both.fold(wanted.short, |all, (here, before)| all & (here | before))
    }

    /// Is it of a word of one of these short phrases?
    #[inline]
    pub(super) fn is_of(&self, short: u64) -> bool {
        self.short.iter().fold(0, |all, key| all | key) & short != 0
    }

    /// Is it perhaps of a word of a phrase of that group?
    #[inline]
    pub(super) fn is_of_group(&self, group: usize) -> bool {
        let (bit, long) = place_of(group);
        let all = if long { &self.long } else { &self.short };
        all.iter().fold(0, |all, key| all | key) & bit != 0
    }

    /// The groups of the long phrases that may be in these.
    #[inline]
    pub(super) fn long<'h>(hints: impl Iterator<Item = &'h Self>, wanted: &Wanted) -> u64 {
        let mut all = [0_u64; RARE];
        for hint in hints {
            all.iter_mut().zip(&hint.long).for_each(|(all, here)| *all |= here);
        }
        all.iter().fold(wanted.long, |groups, here| groups & here)
    }
}

impl Wanted {
    /// The group too.
    pub(super) fn add(&mut self, group: usize) {
        self.groups.get_mut(group / 64).into_iter().for_each(|lane| *lane |= 1 << (group % 64));
        let (bit, long) = place_of(group);
        *if long { &mut self.long } else { &mut self.short } |= bit;
    }
}

/// The groups of a set, in order.
pub(super) fn each(groups: Groups) -> impl Iterator<Item = usize> {
    (0..).zip(groups).flat_map(|(lane, bits)| of_lane(lane, bits))
}

/// Those of the long phrases.
pub(super) fn each_long(bits: u64) -> impl Iterator<Item = usize> {
    of_lane(LANES - 1, bits)
}

fn of_lane(lane: usize, mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = NonZeroU64::new(bits)?.trailing_zeros();
        bits &= bits - 1;
        Some(lane * 64 + usize::try_from(bit).unwrap_or_default())
    })
}

/// The bit of a hint that a group is one of, and whether it is one of the long ones.
fn place_of(group: usize) -> (u64, bool) {
    let long = LONG_GROUPS.contains(&group);
    (1 << if long { group - LONG_GROUPS.start } else { group / TOGETHER }, long)
}

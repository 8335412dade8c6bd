//! Which words of which phrases are there, as bits.

use std::num::NonZeroU64;
use std::ops::Range;

use super::KEYS;

/// The groups that phrases are spread over: two phrases of a group may open a passage in vain, no more. The last ones are for
/// phrases that are longer than most, and are the bits of a number.
pub(super) const LONG_GROUPS: Range<usize> = LANES * 64..LANES * 64 + 64;
/// The others are the bits of so many.
const LANES: usize = 7;
/// Groups of theirs that are one bit of a coarse set: neighbours.
const TOGETHER: usize = 4;
/// How many words of a phrase have bits: the rarest.
pub(super) const RARE: usize = 3;

/// A set of groups.
pub(super) type Groups = [u64; LANES];

/// For each of the rare words: the groups of phrases of which it is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits([u64; RARE * LANES]);

/// A set of groups with neighbours taken together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coarse([u64; 2]);

/// Of which phrases words are there: most passages are passed over by this alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hint {
    short: [Coarse; RARE],
    long: [u64; KEYS],
}

/// The groups that are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    groups: Groups,
    short: Coarse,
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

    /// Those of the groups of which all rare words are here.
    pub(super) fn all(&self, wanted: &Wanted) -> Groups {
        let mut there = wanted.groups;
        for key in self.0.chunks_exact(LANES) {
            there.iter_mut().zip(key).for_each(|(there, here)| *there &= here);
        }
        there
    }
}

impl Coarse {
    /// Of none but this group, which is none of the long ones.
    pub(super) fn of(group: usize) -> Self {
        let mut one = Self::default();
        one.0.get_mut(group / TOGETHER / 64).into_iter().for_each(|own| *own = 1 << (group / TOGETHER % 64));
        one
    }

    /// Those of both.
    #[inline]
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own |= other);
        self
    }

    /// Those that are in both.
    #[inline]
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own &= other);
        self
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |all, own| all | own) == 0
    }
}

impl Hint {
    /// Of a word that is that key of phrases of a group.
    pub(super) fn of(key: usize, group: usize) -> Self {
        let mut hint = Self::default();
        match long(group) {
            Some(bit) => hint.long.get_mut(key).into_iter().for_each(|own| *own = bit),
            None => hint.short.get_mut(key).into_iter().for_each(|own| *own = Coarse::of(group)),
        }
        hint
    }

    /// Those of both.
    #[inline]
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.short.iter_mut().zip(&other.short).for_each(|(own, other)| *own = own.with(other));
        self.long.iter_mut().zip(&other.long).for_each(|(own, other)| *own |= other);
        self
    }

    /// The short phrases that may be here, or in part there.
    #[inline]
    pub(super) fn short(&self, before: &Self, wanted: &Wanted) -> Coarse {
        let both = self.short.iter().zip(&before.short);
        both.fold(wanted.short, |all, (here, before)| all.and(&here.with(before)))
    }

    /// The groups of the long phrases that may be in these.
    #[inline]
    pub(super) fn long<'h>(hints: impl Iterator<Item = &'h Self>, wanted: &Wanted) -> u64 {
        let mut all = [0_u64; KEYS];
        for hint in hints {
            all.iter_mut().zip(&hint.long).for_each(|(all, here)| *all |= here);
        }
        all.iter().fold(wanted.long, |groups, here| groups & here)
    }

    /// Which keys of a group of long phrases it is, a bit each.
    pub(super) fn keys_of_long(&self, bit: u64) -> u8 {
        self.long.iter().rev().fold(0, |keys, groups| keys << 1 | u8::from(groups & bit != 0))
    }
}

impl Wanted {
    /// The group too.
    pub(super) fn add(&mut self, group: usize) {
        if let Some(bit) = long(group) {
            self.long |= bit;
        } else {
            self.groups.get_mut(group / 64).into_iter().for_each(|lane| *lane |= 1 << (group % 64));
            self.short = self.short.with(&Coarse::of(group));
        }
    }
}

/// The bit of a group of long phrases.
pub(super) fn long(group: usize) -> Option<u64> {
    group.checked_sub(LONG_GROUPS.start).map(|long| 1 << (long % 64))
}

/// The groups of a set, in order.
pub(super) fn each(groups: Groups) -> impl Iterator<Item = usize> {
    (0..).zip(groups).flat_map(|(lane, bits)| of_lane(lane, bits))
}

/// Those of the long phrases.
pub(super) fn each_long(bits: u64) -> impl Iterator<Item = usize> {
    of_lane(LANES, bits)
}

fn of_lane(lane: usize, mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = NonZeroU64::new(bits)?.trailing_zeros();
        bits &= bits - 1;
        Some(lane * 64 + usize::try_from(bit).unwrap_or_default())
    })
}

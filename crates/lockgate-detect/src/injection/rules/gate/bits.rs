//! Which words of which phrases are there, as bits.

/// How many groups the phrases are spread over. Two phrases of a group may open a passage in vain, no more.
const GROUPS: usize = LANES * 64;
/// The groups of a lane are the bits of a number.
const LANES: usize = 8;
/// Those of the last lane are for phrases that are longer than most.
pub(super) const LONG_GROUPS: std::ops::Range<usize> = GROUPS - 64..GROUPS;
/// How many words of a phrase have bits: the rarest.
pub(super) const RARE: usize = 3;

/// A set of groups.
pub(super) type Groups = [u64; LANES];

/// For each of the rare words: the groups of phrases of which it is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits([u64; RARE * LANES]);

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

    /// Those of the groups, but for the long phrases, of which all rare words are here or there.
    pub(super) fn with(&self, other: &Self, wanted: &Groups) -> Groups {
        let mut there = *wanted;
        let [.., long] = &mut there;
        *long = 0;
        let keys = self.0.chunks_exact(LANES).zip(other.0.chunks_exact(LANES));
        for (here, other) in keys {
            there
                .iter_mut()
                .zip(here.iter().zip(other))
                .for_each(|(there, (here, other))| *there &= here | other);
        }
        there
    }

    /// The groups of the long phrases that have that word here.
    pub(super) fn long(&self, key: usize) -> u64 {
        self.0.get(key * LANES + LANES - 1).copied().unwrap_or_default()
    }
}

/// The groups of a set, in order.
pub(super) fn each(groups: Groups) -> impl Iterator<Item = usize> {
    (0..).zip(groups).filter(|(_, lane)| *lane != 0).flat_map(|(lane, bits)| {
        (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| lane * 64 + bit)
    })
}

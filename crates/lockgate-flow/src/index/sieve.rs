//! A first look at whether letters can be in a stream at all, so that most values that are not need no search.

/// Letters that are looked at together.
pub(crate) const GRAM: usize = 4;
/// Fewest bits of a sieve.
const LEAST: usize = 1 << 13;

/// Which groups of four letters begin at places of the stream that are multiples of four. A text of seven letters or more
/// has one such group wherever it stands, so that one that is missing proves the text absent. Never wrong about what is
/// there; about one in thirty values that are not there pass.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    bits: Vec<u64>,
    /// How much of the stream is in.
    done: usize,
    /// How much was dropped from the stream since the bits were set afresh.
    stale: usize,
}

impl Sieve {
    /// Takes in what the stream has more than before. So many letters fit into it before it must grow.
    pub(crate) fn extend(&mut self, stream: &[u8], room: usize) {
        if self.bits.len() * 64 < stream.len().max(1) || self.stale > stream.len() {
            self.bits = vec![0; room.next_power_of_two().max(LEAST) / 64];
            self.done = 0;
            self.stale = 0;
        }
        let (grams, _) = stream.get(self.done..).unwrap_or_default().as_chunks::<GRAM>();
        self.done += grams.len() * GRAM;
        let shift = self.shift();
        for gram in grams {
            let place = place(*gram, shift);
            if let Some(word) = self.bits.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
    }

    /// So many letters, a multiple of four, are gone from the beginning of the stream.
    pub(crate) fn drop_front(&mut self, letters: usize) {
        self.done = self.done.saturating_sub(letters);
        self.stale += letters;
    }

    /// Whether the stream may hold these letters.
    pub(crate) fn passes(&self, letters: &[u8]) -> bool {
        let shift = self.shift();
        let has = |gram: &[u8; GRAM]| {
            let place = place(*gram, shift);
            self.bits.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
        };
        letters.len() < 2 * GRAM - 1
            || (0..GRAM)
                .any(|first| letters.get(first..).unwrap_or_default().as_chunks::<GRAM>().0.iter().all(has))
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bits.capacity() * size_of::<u64>()
    }

    fn shift(&self) -> u32 {
        u32::BITS - (self.bits.len() * 64).max(2).ilog2()
    }
}

fn place(gram: [u8; GRAM], shift: u32) -> usize {
    (u32::from_le_bytes(gram).wrapping_mul(0x9e37_79b1) >> shift) as usize
}

//! A table with keyed hashes and a fixed most, so that nobody who writes the text chooses what collides or how it grows.

use super::word::Word;

/// The key of all hashes of one session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(u64, u64);

impl Key {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        let [one, two] = halves(u128::from_le_bytes(key));
        Self(one, two)
    }

    /// SipHash-1-3 of the bytes. Never 0, which marks an empty slot.
    pub(crate) fn hash(self, bytes: &[u8]) -> u64 {
        let mut state = [
            self.0 ^ 0x736f_6d65_7073_6575,
            self.1 ^ 0x646f_7261_6e64_6f6d,
            self.0 ^ 0x6c79_6765_6e65_7261,
            self.1 ^ 0x7465_6462_7974_6573,
        ];
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            absorb(&mut state, u64::from_le_bytes(*word));
        }
        let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        absorb(&mut state, last | (bytes.len() as u64) << 56);
        state[2] ^= 0xff;
        for _ in 0..3 {
            round(&mut state);
        }
        (state[0] ^ state[1] ^ state[2] ^ state[3]).max(1)
    }

    /// A hash of words, of which there are many and most are short: products folded into their halves. As secret as
    /// the key, which is in both factors of each, so that nobody can choose two words that collide. Never 0.
    pub(crate) fn hash_word(self, word: Word<'_>) -> u64 {
        // The length of a word is not guessed well, so that most are read as long as any.
        if let (0..16, Some(all)) = (word.length, word.from.first_chunk()) {
            let unread = u128::MAX << (word.length * 8);
            return self.last(word.length as u64, u128::from_le_bytes(*all) & !unread);
        }
        let letters = word.letters();
        let (pairs, rest) = letters.as_chunks::<16>();
        let state = pairs.iter().fold(letters.len() as u64, |state, pair| {
            let [one, two] = halves(u128::from_le_bytes(*pair));
            folded(self.0 ^ state ^ one, self.1 ^ two)
        });
        self.last(state, short(rest))
    }

    /// A hash of sixteen bytes, made as that of words. It may be 0.
    pub(crate) fn piece(self, bytes: [u8; 16]) -> u64 {
        let [one, two] = halves(u128::from_le_bytes(bytes));
        folded(self.0 ^ one, self.1 ^ two)
    }

    fn last(self, state: u64, rest: u128) -> u64 {
        let [one, two] = halves(rest);
        folded(self.0 ^ state ^ one, self.1 ^ two).max(1)
    }
}

/// Up to sixteen bytes as a number.
fn short(bytes: &[u8]) -> u128 {
    // The first and the last bytes; where they overlap they are the same.
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let [first, last] = [first, last].map(|word| u128::from(u64::from_le_bytes(*word)));
        first | last << (8 * (bytes.len() - 8))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|word| u64::from(u32::from_le_bytes(*word)));
        u128::from(first | last << (8 * (bytes.len() - 4)))
    } else {
        bytes.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn halves(whole: u128) -> [u64; 2] {
    [whole as u64, (whole >> 64) as u64]
}

fn folded(one: u64, two: u64) -> u64 {
    let [low, high] = halves(u128::from(one) * u128::from(two));
    low ^ high
}

fn absorb(state: &mut [u64; 4], word: u64) {
    state[3] ^= word;
    round(state);
    state[0] ^= word;
}

fn round(state: &mut [u64; 4]) {
    let [a, b, c, d] = *state;
    let (a, c) = (a.wrapping_add(b), c.wrapping_add(d));
    let (b, d) = (b.rotate_left(13) ^ a, d.rotate_left(16) ^ c);
    let a = a.rotate_left(32);
    let (c, a) = (c.wrapping_add(b), a.wrapping_add(d));
    let (b, d) = (b.rotate_left(17) ^ c, d.rotate_left(21) ^ a);
    *state = [a, b, c.rotate_left(32), d];
}

/// Hashes and what is known of each, with open addressing. Starts with nothing, grows fourfold, and is full for good at
/// 7 of 8 of its most slots.
#[derive(Debug)]
pub(crate) struct Table<Value> {
    hashes: Vec<u64>,
    values: Vec<Value>,
    held: usize,
    most: usize,
}

impl<Value: Copy + Default> Table<Value> {
    /// An empty table of at most so many slots, rounded down to a power of two.
    pub(crate) fn new(slots: usize) -> Self {
        let most = slots.checked_ilog2().map_or(0, |power| 1 << power);
        Self { hashes: Vec::new(), values: Vec::new(), held: 0, most }
    }

    /// What is known of the hash.
    pub(crate) fn get(&self, hash: u64) -> Option<Value> {
        let place = self.place(hash)?;
        (self.hashes.get(place) == Some(&hash)).then(|| self.values.get(place).copied())?
    }

    /// The place for what is known of the hash, and whether it is new there. Nothing where the table is full.
    pub(crate) fn entry(&mut self, hash: u64) -> Option<(&mut Value, bool)> {
        let mut place = self.place(hash);
        let known = place.is_some_and(|place| self.hashes.get(place) == Some(&hash));
        if !known {
            if self.held * 8 + 8 > self.hashes.len() * 7 {
                if !self.grow() {
                    return None;
                }
                place = self.place(hash);
            }
            *self.hashes.get_mut(place?)? = hash;
            self.held += 1;
        }
        Some((self.values.get_mut(place?)?, !known))
    }

    /// Takes out hashes that are known, and of which what is known is settled: most of them, cheaply.
    pub(crate) fn sift(&self, hashes: &mut Vec<u64>, settled: impl Fn(Value) -> bool) {
        let mask = self.hashes.len().wrapping_sub(1);
        let mut kept = 0;
        for at in 0..hashes.len() {
            let Some(hash) = hashes.get(at).copied() else { break };
            #[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits only")]
            let place = hash as usize & mask;
            let known = self.hashes.get(place) == Some(&hash)
                && self.values.get(place).is_some_and(|value| settled(*value));
            if let Some(place) = hashes.get_mut(kept) {
                *place = hash;
            }
            kept += usize::from(!known);
        }
        hashes.truncate(kept);
    }

    /// The slots that there are now.
    pub(crate) fn slots(&self) -> usize {
        self.hashes.len()
    }

    /// All hashes that are known.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.hashes.iter().copied().filter(|hash| *hash != 0)
    }

    /// Whether nothing new has room.
    pub(crate) fn is_full(&self) -> bool {
        (self.held + 1) * 8 > self.most * 7
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>() + self.values.capacity() * size_of::<Value>()
    }

    /// Where the hash is, or the empty slot where it belongs. A slot is always empty, since the load stays below 7/8.
    fn place(&self, hash: u64) -> Option<usize> {
        let mask = self.hashes.len().checked_sub(1)?;
        #[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits only")]
        let mut place = hash as usize & mask;
        loop {
            let there = *self.hashes.get(place)?;
            if there == hash || there == 0 {
                return Some(place);
            }
            place = (place + 1) & mask;
        }
    }

    fn grow(&mut self) -> bool {
        // The last steps are one, since each moves all.
        let slots = (self.hashes.len() * 4).max(16);
        let slots = if slots * 2 < self.most { slots } else { self.most };
        if slots == self.hashes.len() {
            return false;
        }
        let hashes = std::mem::replace(&mut self.hashes, vec![0; slots]);
        let values = std::mem::replace(&mut self.values, vec![Value::default(); slots]);
        for (hash, value) in hashes.into_iter().zip(values).filter(|(hash, _)| *hash != 0) {
            let place = self.place(hash).unwrap_or_default();
            if let (Some(there), Some(known)) = (self.hashes.get_mut(place), self.values.get_mut(place)) {
                (*there, *known) = (hash, value);
            }
        }
        true
    }
}

//! What remains of text that was dropped: its words, fingerprints of long stretches, and whose text it was.

use super::ring::{Kind, Segment};
use super::sets::Sets;
use super::source::{Origin, Origins, Source};
use super::stretch::{Roll, everywhere};
use super::table::{Key, Table};
use super::word::words;
use crate::text::letters;

/// Bits of hints for each slot of the table of fingerprints.
const HINTS: usize = 8;
/// Fingerprints that are put into the table together, at least, where the text goes on.
const TAKEN: usize = 64;

/// The tables. Words are added when text is dropped, fingerprints when it comes.
#[derive(Debug)]
pub(crate) struct Tail {
    key: Key,
    words: Table<Packed>,
    /// Whose text each was in, by the number of the set.
    fingerprints: Table<u8>,
    sets: Sets,
    /// A bit for each fingerprint of any origin, so that most that are not there need no look into the table.
    hints: Vec<u64>,
    /// Fingerprints that were taken and are not in the table yet.
    taken: Vec<u64>,
    /// Those some of whose text was dropped.
    pub(crate) saturated: Origins,
}

/// Kind, origin and event in four bytes: 1, 6 and 25 bits. The highest event stands for all from there on.
#[derive(Clone, Copy, Debug, Default)]
struct Packed(u32);

impl Tail {
    pub(crate) fn new(key: Key, words: usize, fingerprints: usize) -> Self {
        Self {
            key,
            words: Table::new(words),
            fingerprints: Table::new(fingerprints),
            sets: Sets::default(),
            hints: Vec::new(),
            taken: Vec::new(),
            saturated: Origins::NONE,
        }
    }

    /// Takes the fingerprints of text in its normal form, of which there may come more.
    pub(crate) fn mark(&mut self, origin: Origin, roll: &mut Roll, text: &[u8]) {
        if self.takes_none(origin) {
            return;
        }
        // One after the other, so that looking into the table does not hold up reading.
        roll.take(self.key, text, &mut self.taken);
        if self.taken.len() >= TAKEN {
            self.remember(origin);
        }
    }

    /// The text that was marked ends here.
    pub(crate) fn end(&mut self, origin: Origin, roll: &Roll) {
        if !self.takes_none(origin) {
            self.taken.extend(roll.last(self.key));
            self.remember(origin);
        }
        self.taken.clear();
    }

    fn takes_none(&self, origin: Origin) -> bool {
        self.fingerprints.is_full() && self.saturated.contains(origin)
    }

    /// Puts what was taken into the table.
    fn remember(&mut self, origin: Origin) {
        let mut taken = std::mem::take(&mut self.taken);
        for hash in &mut taken {
            *hash = spread(*hash);
        }
        let alone = self.sets.with(0, origin);
        self.fingerprints.sift(&mut taken, |whose| whose == alone || self.sets.set(whose).contains(origin));
        for hash in &taken {
            let Some((whose, new)) = self.fingerprints.entry(*hash) else {
                self.saturated.insert(origin);
                continue;
            };
            *whose = if new { alone } else { self.sets.with(*whose, origin) };
        }
        self.hint_at(&taken);
        taken.clear();
        self.taken = taken;
    }

    /// Sets the hints of fingerprints that are in the table.
    fn hint_at(&mut self, hashes: &[u64]) {
        let wanted = self.fingerprints.slots() * HINTS / 64;
        if self.hints.len() < wanted {
            self.hints = vec![0; wanted];
            for hash in self.fingerprints.hashes() {
                set(&mut self.hints, hash);
            }
        } else {
            for hash in hashes {
                set(&mut self.hints, *hash);
            }
        }
    }

    /// The text is dropped: remembers its words. Takes its letters too, and whatever stands behind them.
    pub(crate) fn forget(&mut self, segment: &Segment, text: &[u8], letters: &[u8]) {
        let Source { origin, event } = segment.source;
        self.saturated.insert(origin);
        if self.words.is_full() {
            return;
        }
        // One after the other, so that looking into the table does not hold up reading.
        let mut hashes = Vec::with_capacity(text.len() / 8);
        words(text, letters, |word| hashes.push(self.key.hash_word(word)));
        let packed = Packed::new(segment.kind, origin, event);
        let settles = segment.kind == Kind::Field;
        self.words.sift(&mut hashes, |known| settles | (known.kind() == Kind::Prose));
        for hash in hashes {
            let Some((known, new)) = self.words.entry(hash) else { return };
            if new || (known.kind() == Kind::Field && segment.kind == Kind::Prose) {
                *known = packed;
            }
        }
    }

    /// Where all words of a folded value were, if they are remembered.
    pub(crate) fn remembers(&self, value: &str) -> Option<(Kind, Source)> {
        let mut known = Vec::new();
        words(value.as_bytes(), letters(value).as_bytes(), |word| {
            known.push(self.words.get(self.key.hash_word(word)));
        });
        let known: Vec<Packed> = known.into_iter().collect::<Option<_>>()?;
        let told = known.iter().find(|known| known.kind() == Kind::Prose).or(known.last());
        told.map(|told| (told.kind(), told.source()))
    }

    /// Goes over a text in its normal form, and hands over where a stretch ends that was in a text, and whose.
    pub(crate) fn recognise(&self, text: &[u8], mut known: impl FnMut(usize, Origins)) {
        everywhere(self.key, text, |hash, end| {
            let hash = spread(hash);
            let (place, bit) = hint(&self.hints, hash);
            if self.hints.get(place).is_some_and(|word| word & bit != 0)
                && let Some(whose) = self.fingerprints.get(hash)
            {
                known(end, self.sets.set(whose));
            }
        });
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let hints = (self.hints.capacity() + self.taken.capacity()) * size_of::<u64>();
        self.words.bytes() + self.fingerprints.bytes() + self.sets.bytes() + hints
    }
}

impl Packed {
    const EVENTS: u32 = (1 << 25) - 1;

    fn new(kind: Kind, origin: Origin, event: u32) -> Self {
        let kind = u32::from(kind == Kind::Prose);
        Self(event.min(Self::EVENTS) | u32::from(origin.number()) << 25 | kind << 31)
    }

    fn kind(self) -> Kind {
        if self.0 >> 31 == 1 { Kind::Prose } else { Kind::Field }
    }

    fn source(self) -> Source {
        let number = u8::try_from(self.0 >> 25 & 0x3f).unwrap_or_default();
        Source { origin: Origin::new(number).unwrap_or_default(), event: self.0 & Self::EVENTS }
    }
}

/// The fingerprint with all that it depends on in each of its bits. Never 0, which marks an empty slot.
fn spread(hash: u64) -> u64 {
    let mixed = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed ^ mixed >> 32).max(1)
}

/// Where the bit of a fingerprint stands.
fn hint(hints: &[u64], hash: u64) -> (usize, u64) {
    let shift = u64::BITS - (hints.len() * 64).max(2).ilog2();
    #[expect(clippy::cast_possible_truncation, reason = "as many bits as there are places")]
    let bit = (hash >> shift) as usize;
    (bit / 64, 1 << (bit % 64))
}

fn set(hints: &mut [u64], hash: u64) {
    let (place, bit) = hint(hints, hash);
    if let Some(word) = hints.get_mut(place) {
        *word |= bit;
    }
}

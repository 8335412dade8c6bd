//! Where a session has seen a value before.

mod beside;
mod compact;
mod copied;
mod end;
mod find;
mod listed;
mod places;
mod ring;
mod scattered;
mod sets;
mod sieve;
mod source;
mod spell;
mod stretch;
mod table;
mod tail;
mod word;

use ring::{Kind, Ring};
pub use source::{Copied, Found, Origin, Origins, Sighting, Source, Way};
use table::{Key, Table};
use tail::Tail;

use crate::text::{bare, canonical, decode, plain, visible};

/// Most decoded bytes that one text adds.
const DECODED: usize = 64 * 1024;

/// How much an index holds at most: with the default at every bound less than 4 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Bytes of the newest text, in each of two streams. Default 800 KiB.
    pub ring: usize,
    /// Slots for values of records, of which 7 in 8 are used; 24 bytes each. Default 32 768.
    pub records: usize,
    /// Slots for words of text that was dropped, of which 7 in 8 are used; 12 bytes each. Default 65 536.
    pub tokens: usize,
    /// Slots for fingerprints of stretches of 64 bytes, of which 7 in 8 are used; 10 bytes each. Default 32 768.
    pub fingerprints: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { ring: 800 * 1024, records: 32 * 1024, tokens: 64 * 1024, fingerprints: 32 * 1024 }
    }
}

/// What a session has read, arranged so that a value is found fast however it was written.
///
/// Not found is a value that is described rather than written (number words, spelling alphabets, Morse, leetspeak, sums,
/// translations), encrypted, or in an encoding that [`Way::Decoded`] does not name; one whose pieces are parted at a sign
/// such as `@` or `/` over several results, or that is in three pieces or more far from each other; one of fewer than six
/// letters in any way but plainly or as decoded words; one of more than 256 bytes in pieces. Of dropped text only whole
/// words are found.
#[derive(Debug)]
pub struct Index {
    key: Key,
    text: Ring,
    decoded: Ring,
    records: Table<Listed>,
    tail: Tail,
}

/// Who listed a value, and who first.
#[derive(Clone, Copy, Debug, Default)]
struct Listed {
    origins: Origins,
    first: Source,
}

impl Index {
    /// An empty index. The key must be random and secret, or the text may be written so that searching it is slow.
    pub fn new(key: [u8; 16], capacity: Capacity) -> Self {
        let key = Key::new(key);
        Self {
            key,
            text: Ring::new(capacity.ring / 8 * 7),
            decoded: Ring::new(capacity.ring / 8),
            records: Table::new(capacity.records),
            tail: Tail::new(key, capacity.tokens, capacity.fingerprints),
        }
    }

    /// A short value that stood alone in a structured field.
    pub fn record(&mut self, source: Source, value: &str) {
        for form in [Some(value), visible(value).as_deref()].into_iter().flatten() {
            match self.records.entry(record_hash(self.key, form)) {
                Some((listed, new)) => {
                    listed.origins.insert(source.origin);
                    if new {
                        listed.first = source;
                    }
                }
                None => self.tail.saturated.insert(source.origin),
            }
        }
        self.read(source, Kind::Field, value);
    }

    /// Text of this origin was read that is not here.
    pub fn saturate(&mut self, origin: Origin) {
        self.tail.saturated.insert(origin);
    }

    /// Any other text.
    pub fn prose(&mut self, source: Source, text: &str) {
        self.read(source, Kind::Prose, text);
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.text.bytes()
            + self.decoded.bytes()
            + self.records.bytes()
            + self.tail.bytes()
    }

    fn read(&mut self, source: Source, kind: Kind, text: &str) {
        self.text.push(source, kind, text, &mut self.tail);
        let mut decoded = String::new();
        if !decode(text, DECODED, &mut decoded) {
            self.tail.saturated.insert(source.origin);
        }
        if !decoded.is_empty() {
            self.decoded.push(source, kind, &decoded, &mut self.tail);
        }
    }
}

/// The hash of the form in which records are compared.
fn record_hash(key: Key, value: &str) -> u64 {
    let folded = plain(value);
    canonical(&folded)
        .map_or_else(|| key.hash(bare(&folded).as_bytes()), |number| key.hash(number.as_bytes()))
}

#[cfg(test)]
mod tests;

//! What remains of text that was dropped: its words, fingerprints of long stretches, and whose text it was.

use super::gear::{Gear, Roll};
use super::ring::{Kind, Segment};
use super::source::{Origin, Origins, Source};
use super::table::{Key, Table};
use super::word::words;

/// The tables. Words are added when text is dropped, fingerprints when it comes.
#[derive(Debug)]
pub(crate) struct Tail {
    key: Key,
    gear: Option<Gear>,
    words: Table<Packed>,
    fingerprints: Table<()>,
    /// All that any text came from.
    seen: Origins,
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
            gear: None,
            words: Table::new(words),
            fingerprints: Table::new(fingerprints),
            seen: Origins::NONE,
            saturated: Origins::NONE,
        }
    }

    /// Takes the fingerprints of text in its normal form.
    pub(crate) fn mark(&mut self, origin: Origin, roll: &mut Roll, text: &[u8]) {
        self.seen.insert(origin);
        let Self { key, gear, fingerprints, saturated, .. } = self;
        if fingerprints.is_full() && saturated.contains(origin) {
            return;
        }
        // One after the other, so that looking into the table does not hold up reading.
        let mut taken = Vec::with_capacity(text.len() / 16);
        gear.get_or_insert_with(|| Gear::new(*key)).take(roll, text, &mut taken);
        for hash in &mut taken {
            *hash = of_origin(*hash, origin);
        }
        fingerprints.sift(&mut taken, |()| true);
        for hash in taken {
            if fingerprints.entry(hash).is_none() {
                saturated.insert(origin);
            }
        }
    }

    /// The text is dropped: remembers its words.
    pub(crate) fn forget(&mut self, segment: &Segment, text: &[u8]) {
        let Source { origin, event } = segment.source;
        self.saturated.insert(origin);
        if self.words.is_full() {
            return;
        }
        // One after the other, so that looking into the table does not hold up reading.
        let mut hashes = Vec::with_capacity(text.len() / 8);
        words(text, |word| hashes.push(self.key.hash_word(word)));
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
        words(value.as_bytes(), |word| {
            known.push(self.words.get(self.key.hash_word(word)));
        });
        let known: Vec<Packed> = known.into_iter().collect::<Option<_>>()?;
        let told = known.iter().find(|known| known.kind() == Kind::Prose).or(known.last());
        told.map(|told| (told.kind(), told.source()))
    }

    /// Goes over a text in its normal form, and hands over where a stretch ends that was in a text, and whose.
    pub(crate) fn recognise(&self, text: &[u8], mut known: impl FnMut(usize, Origins)) {
        let Some(gear) = &self.gear else { return };
        gear.roll(&mut Roll::default(), text, |hash, end| {
            let mut origins = Origins::NONE;
            for origin in self.seen.iter() {
                if self.fingerprints.get(of_origin(hash, origin)).is_some() {
                    origins.insert(origin);
                }
            }
            if !origins.is_empty() {
                known(end, origins);
            }
        });
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.gear.as_ref().map_or(0, Gear::bytes) + self.words.bytes() + self.fingerprints.bytes()
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

/// The fingerprint as one of this origin: an own entry for each, so that text of two is known as both's.
fn of_origin(hash: u64, origin: Origin) -> u64 {
    let mixed = (hash ^ u64::from(origin.number()).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed ^ mixed >> 32).max(1)
}

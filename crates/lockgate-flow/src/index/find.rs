//! Looking for a value, from the plainest way to the most hidden.

use super::ring::{Hits, Ring, Stream};
use super::scattered::{halved, in_order};
use super::source::{Found, Sighting, Way};
use super::spell::spellings;
use super::{Index, record_hash};
use crate::text::{bare, canonical, grouped, letters, plain, skeleton};

/// A value of fewer characters has no provenance: it is everywhere.
const SHORTEST: usize = 3;
/// A number of fewer digits has none either.
const DIGITS: usize = 4;
/// Fewest letters that are looked for without regard to what stands between them.
const LETTERS: usize = 6;

impl Index {
    /// Where the value was seen. Values of fewer than three characters and numbers of fewer than four digits, leading zeros
    /// aside, carry no provenance: nothing is found of them. Linear in the value and in the text held.
    pub fn find(&self, value: &str) -> Found {
        let folded = skeleton(value);
        let sought = bare(&folded);
        let mut found = Found { saturated: self.tail.saturated, ..Found::default() };
        let number = canonical(&folded);
        if sought.chars().count() < SHORTEST || !is_telling(sought, number.as_deref()) {
            return found;
        }
        if let Some(listed) = self.records.get(record_hash(self.key, &plain(value))) {
            found.records = listed.origins;
            found.first = Some(listed.first);
        }
        let spelt = letters(sought);
        found.add(Way::Verbatim, self.text.find(Stream::Words, sought.as_bytes()));
        for form in number.iter().chain(&number.as_deref().map(grouped).unwrap_or_default()) {
            if found.prose.is_none() {
                found.add(Way::Folded, self.text.find(Stream::Words, form.as_bytes()));
            }
        }
        self.find_letters(value, sought, &spelt, &mut found);
        found
    }

    /// The ways that look at letters alone, each only where no plainer one was found in prose.
    fn find_letters(&self, value: &str, sought: &str, spelt: &str, found: &mut Found) {
        let rings = [&self.text, &self.decoded];
        if spelt.len() >= LETTERS {
            for (way, ring) in [(Way::Folded, &self.text), (Way::Decoded, &self.decoded)] {
                found.try_letters(way, ring, spelt);
            }
            for (way, spelling) in spellings(bare(value.trim()), spelt, LETTERS) {
                for ring in rings {
                    found.try_letters(way, ring, &spelling);
                }
            }
        } else {
            found.add(Way::Decoded, self.decoded.find(Stream::Words, sought.as_bytes()));
        }
        for ring in rings {
            // The words of what stands whole in a record stand around it too.
            if found.prose.is_none() && found.fields.is_none() {
                found.add(Way::Scattered, in_order(ring, sought));
            }
            if found.prose.is_none() && found.fields.is_none() {
                found.add(Way::Scattered, halved(ring, sought));
            }
        }
        if found.prose.is_none()
            && let Some((kind, source)) = self.tail.remembers(sought)
        {
            let mut hits = Hits::default();
            hits.add(kind, source);
            found.add(Way::Remembered, hits);
        }
    }
}

impl Found {
    fn try_letters(&mut self, way: Way, ring: &Ring, letters: &str) {
        if self.prose.is_none() {
            self.add(way, ring.find(Stream::Letters, letters.as_bytes()));
        }
    }

    /// Keeps the plainest way in each kind of text; ways are tried from the plainest.
    fn add(&mut self, way: Way, hits: Hits) {
        for (hit, kept) in [(hits.prose, &mut self.prose), (hits.field, &mut self.fields)] {
            let Some(source) = hit else { continue };
            kept.get_or_insert(Sighting { source, way });
            if self.first.is_none_or(|first| source.event < first.event) {
                self.first = Some(source);
            }
        }
    }
}

/// Whether a value is no number, or one with enough digits to tell where it came from.
fn is_telling(value: &str, number: Option<&str>) -> bool {
    let count = |text: &str| {
        let digits = text.trim_start_matches(['-', '0', '.']);
        digits.bytes().filter(u8::is_ascii_digit).count()
    };
    match number {
        Some(number) => count(number) >= DIGITS,
        None => !value.bytes().all(|byte| byte.is_ascii_digit()) || count(value) >= DIGITS,
    }
}

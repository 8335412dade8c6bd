//! Looking for a value, from the plainest way to the most hidden.

use super::ring::{Hits, Stream};
use super::source::{Found, Sighting, Way};
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
    /// aside, carry no provenance: nothing is found of them.
    pub fn find(&self, value: &str) -> Found {
        let folded = skeleton(value);
        let sought = bare(&folded);
        let mut found = Found { saturated: self.saturated, ..Found::default() };
        let number = canonical(&folded);
        if sought.chars().count() < SHORTEST || number.as_ref().is_some_and(|number| !is_telling(number)) {
            return found;
        }
        if let Some(listed) = self.records.get(record_hash(self.key, &plain(value))) {
            found.records = listed.origins;
            found.first = Some(listed.first);
        }
        found.add(Way::Verbatim, self.text.find(Stream::Spaced, sought.as_bytes()));
        for form in number.iter().chain(&number.as_deref().map(grouped).unwrap_or_default()) {
            found.add(Way::Folded, self.text.find(Stream::Spaced, form.as_bytes()));
        }
        let spelt = letters(sought);
        if spelt.len() >= LETTERS {
            found.add(Way::Folded, self.text.find(Stream::Letters, spelt.as_bytes()));
            found.add(Way::Decoded, self.decoded.find(Stream::Letters, spelt.as_bytes()));
        }
        found
    }
}

impl Found {
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

/// Whether a canonical number has enough digits to tell where it came from.
fn is_telling(number: &str) -> bool {
    let digits = number.trim_start_matches(['-', '0', '.']);
    digits.bytes().filter(u8::is_ascii_digit).count() >= DIGITS
}

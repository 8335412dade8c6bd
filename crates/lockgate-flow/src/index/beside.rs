use super::Index;
use super::ring::Stream;
use crate::text::plain;

/// How far beside a value its neighbours are looked for, on each side. Bytes.
const REACH: usize = 160;
/// Most places of one value that are looked at.
const PLACES: usize = 8;

impl Index {
    /// What stands beside a value wherever it was read, near enough to belong to the same object: each stretch in normal
    /// form, in no order. O(what is remembered).
    pub fn beside(&self, value: &str) -> Vec<String> {
        let value = plain(value);
        let text = self.text.stream(Stream::Words);
        let places = self.text.places(Stream::Words, value.as_bytes());
        let whole = places.filter(|place| crate::words::bounded(text, *place, value.len()));
        whole
            .take(PLACES)
            .map(|place| {
                let end = (place + value.len() + REACH).min(text.len());
                let stretch = text.get(place.saturating_sub(REACH)..end).unwrap_or_default();
                String::from_utf8_lossy(stretch).into_owned()
            })
            .collect()
    }
}

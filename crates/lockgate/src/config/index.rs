//! Which of many patterns may match, without trying each.

use std::collections::{BTreeSet, HashMap};

use lockgate_policy::Pattern;

/// Patterns by one of their literal parts, the one that the fewest of them have: a pattern can only match a name that
/// holds all of its parts.
pub(super) struct Index {
    places: HashMap<String, Vec<usize>>,
    lengths: BTreeSet<usize>,
}

impl Index {
    /// Takes patterns, each with its place among all. O(length of all).
    pub(super) fn new<'p>(patterns: impl Iterator<Item = (usize, &'p Pattern)> + Clone) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for part in patterns.clone().flat_map(|(_, pattern)| pattern.as_str().split('*')) {
            *counts.entry(part).or_default() += 1;
        }
        let mut index = Self { places: HashMap::new(), lengths: BTreeSet::new() };
        for (place, pattern) in patterns {
            let parts = pattern.as_str().split('*').filter(|part| !part.is_empty());
            let rarest = parts.min_by_key(|part| (counts.get(part), std::cmp::Reverse(part.len())));
            let rarest = rarest.unwrap_or_default();
            index.lengths.insert(rarest.len());
            index.places.entry(rarest.to_owned()).or_default().push(place);
        }
        index
    }

    /// The places, in order, of all patterns that match a name, or every name that the given pattern matches; and maybe of
    /// a few more.
    pub(super) fn about(&self, text: &str) -> Vec<usize> {
        let mut found: BTreeSet<usize> = BTreeSet::new();
        for length in &self.lengths {
            for part in text.split('*') {
                let starts = if *length == 0 { 0..1 } else { 0..(part.len() + 1).saturating_sub(*length) };
                let held = starts.filter_map(|start| part.get(start..start + length));
                found.extend(held.filter_map(|held| self.places.get(held)).flatten());
            }
        }
        found.into_iter().collect()
    }
}

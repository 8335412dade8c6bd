use std::collections::{BTreeMap, BTreeSet};

use crate::Pattern;

/// Which of many patterns may match, without trying each. They are kept by one of their literal parts, the one that the
/// fewest of them have: a pattern can only match a name that holds all of its parts.
#[derive(Clone, Debug, Default)]
pub struct Index {
    places: BTreeMap<String, Vec<usize>>,
    lengths: BTreeSet<usize>,
}

impl Index {
    /// Takes patterns, each with its place among all. O(length of all).
    pub fn new<'p>(patterns: impl Iterator<Item = (usize, &'p Pattern)> + Clone) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for part in patterns.clone().flat_map(|(_, pattern)| pattern.as_str().split('*')) {
            *counts.entry(part).or_default() += 1;
        }
        let mut index = Self { places: BTreeMap::new(), lengths: BTreeSet::new() };
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
    pub fn about(&self, text: &str) -> Vec<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_pattern_that_matches_is_passed_over(
            texts in proptest::collection::vec("[abé*]{1,6}", 0..8), name in "[abé]{0,8}",
        ) {
            let patterns: Vec<Pattern> = texts.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
            let about = Index::new(patterns.iter().enumerate()).about(&name);
            prop_assert!(about.is_sorted());
            for (place, pattern) in patterns.iter().enumerate() {
                prop_assert!(about.contains(&place) || !pattern.matches(&name), "{} matches {}", pattern, name);
            }
        }
    }
}

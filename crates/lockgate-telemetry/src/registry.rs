//! Counts, by what they are told apart by.

use std::collections::BTreeMap;

use crate::table::BOUNDS;

/// Most series of one metric; what comes then is counted in one series more, which is told apart by nothing. The
/// default of OpenTelemetry's cardinality limit.
pub const MOST_SERIES: usize = 2_000;

/// One metric's counts.
#[derive(Debug)]
pub(crate) struct Family<K, V> {
    series: BTreeMap<K, V>,
    overflow: Option<V>,
}

impl<K: Ord, V: Default> Default for Family<K, V> {
    fn default() -> Self {
        Self { series: BTreeMap::new(), overflow: None }
    }
}

impl<K: Ord, V: Default> Family<K, V> {
    /// What is counted under a key.
    pub(crate) fn at(&mut self, key: K) -> &mut V {
        if self.series.len() < MOST_SERIES || self.series.contains_key(&key) {
            self.series.entry(key).or_default()
        } else {
            self.overflow.get_or_insert_default()
        }
    }

    /// Everything, in order of keys. No key stands for all that had no place.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Option<&K>, &V)> {
        let overflow = self.overflow.iter().map(|value| (None, value));
        self.series.iter().map(|(key, value)| (Some(key), value)).chain(overflow)
    }
}

/// How many took how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    /// Of each bucket alone; the last has no upper bound.
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
    /// All together. Microseconds.
    pub(crate) sum: u64,
}

impl Histogram {
    /// Counts one that took so many microseconds. A bound belongs to its bucket.
    pub(crate) fn record(&mut self, micros: u64) {
        let bucket = BOUNDS.iter().position(|(_, _, bound)| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(micros);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All together. Seconds.
    pub(crate) fn seconds(&self) -> f64 {
        std::time::Duration::from_micros(self.sum).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let mut histogram = Histogram::default();
        for micros in [0, 10_000, 10_001, 300_000_000, 300_000_001, u64::MAX] {
            histogram.record(micros);
        }
        let mut expected = [0; 15];
        (expected[0], expected[1], expected[13], expected[14]) = (2, 1, 1, 2);
        assert_eq!((histogram.buckets, histogram.count()), (expected, 6));
        assert_eq!(histogram.sum, u64::MAX);
    }

    #[test]
    fn what_has_no_place_is_counted_together() {
        let mut family: Family<usize, u64> = Family::default();
        for key in 0..MOST_SERIES + 10 {
            *family.at(key) += 1;
        }
        *family.at(0) += 1;
        assert_eq!(family.all().count(), MOST_SERIES + 1);
        assert_eq!(family.all().find(|(key, _)| key.is_none()), Some((None, &10)));
        assert_eq!(family.all().next(), Some((Some(&0), &2)));
    }
}

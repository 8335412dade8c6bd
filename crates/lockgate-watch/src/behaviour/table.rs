use std::collections::BTreeMap;

/// Values under keys, of which the least recently used gives way to a new one where there is no room.
#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    most: usize,
    values: BTreeMap<u64, (u64, V)>,
    /// When each was used last: a number that only grows.
    used: BTreeMap<u64, u64>,
    next: u64,
}

impl<V> Table<V> {
    /// With room for so many, at least one.
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), values: BTreeMap::new(), used: BTreeMap::new(), next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&self, key: u64) -> Option<&V> {
        self.values.get(&key).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.values.get_mut(&key).map(|(_, value)| value)
    }

    /// The value, made where there is none. It counts as used. O(log n).
    pub(super) fn at(&mut self, key: u64, make: impl FnOnce() -> V) -> &mut V {
        self.next += 1;
        if let Some((used, _)) = self.values.get(&key) {
            self.used.remove(used);
        } else if self.values.len() >= self.most
            && let Some((_, oldest)) = self.used.pop_first()
        {
            self.values.remove(&oldest);
        }
        self.used.insert(self.next, key);
        let (used, value) = self.values.entry(key).or_insert_with(|| (0, make()));
        *used = self.next;
        value
    }

    /// All of them, least recently used first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.used.values().filter_map(|key| Some((*key, self.get(*key)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_gives_way() {
        let mut table = Table::new(3);
        for key in [1, 2, 3, 1, 4] {
            table.at(key, || key * 10);
        }
        assert_eq!(table.iter().collect::<Vec<_>>(), [(3, &30), (1, &10), (4, &40)]);
        assert_eq!((table.get(2), table.len()), (None, 3));
        *table.get_mut(3).unwrap() += 1;
        assert_eq!(table.at(3, || 0), &31);
    }
}

//! Sets of origins by small numbers, so that a table of many fingerprints holds one byte for each.

use super::source::{Origin, Origins};

/// The number for all origins of any set, when there are too many sets to tell apart.
const MANY: u8 = u8::MAX;

/// The sets that there are. Number 0 is the set of none.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    sets: Vec<Origins>,
    any: Origins,
}

impl Sets {
    /// The set of this number.
    pub(crate) fn set(&self, number: u8) -> Origins {
        match number.checked_sub(1) {
            None => Origins::NONE,
            Some(_) if number == MANY => self.any,
            Some(place) => self.sets.get(usize::from(place)).copied().unwrap_or(self.any),
        }
    }

    /// The number of that set with this origin in it. O(sets), of which there are at most 254.
    pub(crate) fn with(&mut self, number: u8, origin: Origin) -> u8 {
        self.any.insert(origin);
        let mut set = self.set(number);
        if set.contains(origin) {
            return number;
        }
        set.insert(origin);
        let place = self.sets.iter().position(|known| *known == set).unwrap_or(self.sets.len());
        match u8::try_from(place + 1) {
            Ok(number) if number < MANY => {
                if place == self.sets.len() {
                    self.sets.push(set);
                }
                number
            }
            _ => MANY,
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.sets.capacity() * size_of::<Origins>()
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, Origin, Origins, Sets};

    #[test]
    fn a_set_has_what_was_put_in_and_more_only_where_there_are_too_many() {
        let mut sets = Sets::default();
        let origin = |number: usize| Origin::new(u8::try_from(number % 64).unwrap()).unwrap();
        let mut all = vec![(0, Origins::NONE)];
        for step in 0..2000_usize {
            let (number, mut set) = all[step * 7 % all.len()];
            set.insert(origin(step * 11 / 3));
            let number = sets.with(number, origin(step * 11 / 3));
            assert_eq!(sets.set(number).join(set), sets.set(number), "nothing is missing");
            assert!(number == MANY || sets.set(number) == set, "nothing is too much");
            all.push((number, set));
        }
        assert!(all.iter().any(|(number, _)| *number == MANY));
        assert_eq!(sets.with(1, all_of(&sets, 1)), 1);
    }

    fn all_of(sets: &Sets, number: u8) -> Origin {
        sets.set(number).iter().next().unwrap()
    }
}

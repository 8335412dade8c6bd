use super::save::{Reader, Writer};
use super::sign::Figures;

/// Occasions that are told apart while they go on side by side.
const AT_ONCE: usize = 8;
/// So many occasions are counted in full; then all before count half.
const MOST_OCCASIONS: u32 = 4_096;
const MILLION: u64 = 1_000_000;

/// What has been seen of many things, and how likely something new is.
///
/// How many of them were seen on one occasion only says how often something new turns up: of `n` occasions, the chance of
/// something new on the next is about the share of what was seen once (Good and Turing). So what always changes is never
/// unusual, and what never changes soon is. An *occasion* is a session, or an hour of a long one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Least recently seen first.
    items: Vec<Item>,
    occasions: u32,
    /// The occasions that go on.
    now: Vec<u64>,
    /// How many things were forgotten, for want of room.
    forgotten: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    key: u64,
    /// Was it seen on more occasions than one?
    often: bool,
    occasion: u64,
}

impl Known {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn occasions(&self) -> u32 {
        self.occasions
    }

    pub(super) fn has(&self, key: u64) -> bool {
        self.items.iter().any(|item| item.key == key)
    }

    /// Is that new, and is anything new unlikely enough? In millionths.
    pub(super) fn judge(&self, key: u64, unlikely: u32) -> Option<Figures> {
        if self.has(key) {
            return None;
        }
        let once = self.items.iter().filter(|item| !item.often).count();
        let news = u64::try_from(once).ok()? + u64::from(self.forgotten) + 1;
        let chance = news * MILLION / (u64::from(self.occasions) + 1);
        let sure = 100 - (chance * 100).div_ceil(MILLION).min(100);
        let figures =
            Figures { seen: 1, usual: 0, of: self.occasions, sure: u8::try_from(sure).unwrap_or_default() };
        (chance <= u64::from(unlikely)).then_some(figures)
    }

    /// Learns that it was seen. At most `most` things are remembered.
    pub(super) fn learn(&mut self, key: u64, occasion: u64, most: usize) {
        if !self.now.contains(&occasion) {
            self.now.truncate(AT_ONCE - 1);
            self.now.insert(0, occasion);
            self.occasions += 1;
            if self.occasions >= MOST_OCCASIONS {
                self.occasions /= 2;
                self.forgotten /= 2;
            }
        }
        let item = match self.items.iter().position(|item| item.key == key) {
            Some(place) => {
                let mut item = self.items.remove(place);
                item.often |= item.occasion != occasion;
                item.occasion = occasion;
                item
            }
            None => Item { key, often: false, occasion },
        };
        if self.items.len() >= most {
            self.items.remove(0);
            self.forgotten = self.forgotten.saturating_add(1);
        }
        self.items.push(item);
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.word(self.occasions);
        to.word(self.forgotten);
        to.short(u16::try_from(self.items.len()).unwrap_or(u16::MAX));
        for item in self.items.iter().take(usize::from(u16::MAX)) {
            to.long(item.key);
            to.byte(u8::from(item.often));
        }
    }

    /// What was read comes from other occasions than all to come.
    pub(super) fn read(from: &mut Reader<'_>, most: usize) -> Option<Self> {
        let (occasions, forgotten) = (from.word()?, from.word()?);
        let count = usize::from(from.short()?);
        if count > most || occasions > MOST_OCCASIONS {
            return None;
        }
        let mut items = Vec::new();
        for _ in 0..count {
            let (key, often) = (from.long()?, from.flag()?);
            items.push(Item { key, often, occasion: 0 });
        }
        Some(Self { items, occasions, now: Vec::new(), forgotten })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_IN_100: u32 = 10_000;

    #[test]
    fn something_new_is_unusual_where_nothing_new_turns_up() {
        let mut known = Known::default();
        for occasion in 1..100 {
            assert_eq!(known.judge(9, ONE_IN_100), None, "after {occasion}");
            (0..5).for_each(|key| known.learn(key, occasion, 64));
        }
        let figures = known.judge(9, ONE_IN_100).unwrap();
        assert_eq!(figures, Figures { seen: 1, usual: 0, of: 99, sure: 99 });
        assert_eq!(known.judge(3, ONE_IN_100), None);
        known.learn(9, 100, 64);
        assert_eq!(known.judge(10, ONE_IN_100), None, "something new has just turned up");
    }

    #[test]
    fn where_something_new_is_usual_it_is_not_unusual() {
        let mut known = Known::default();
        for occasion in 1..5_000 {
            assert_eq!(known.judge(occasion, ONE_IN_100), None);
            known.learn(occasion, occasion, 64);
        }
        assert_eq!(known.len(), 64);
    }

    #[test]
    fn occasions_side_by_side_count_once() {
        let mut known = Known::default();
        for _ in 0..50 {
            (1..8).for_each(|occasion| known.learn(1, occasion, 64));
        }
        assert_eq!(known.occasions(), 7);
    }
}

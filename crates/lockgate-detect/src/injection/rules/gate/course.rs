//! The order in which the words of a phrase come, and the room between them.

use super::KEYS;

/// The words of a phrase that are looked for.
#[derive(Debug)]
pub(super) struct Course {
    /// For each, in the order of the phrase: which of the keys it is, and how many words on from the one before it may stand.
    steps: Vec<(usize, u32)>,
}

/// How far a course has come.
#[derive(Default)]
pub(super) struct Reached([Option<u32>; KEYS]);

impl Course {
    /// Of how many words stand before each key at most.
    pub(super) fn of(before: impl Iterator<Item = usize>) -> Self {
        let mut keys: Vec<(usize, usize)> = before.zip(0..KEYS).collect();
        keys.sort_unstable();
        let mut last = 0;
        let steps = keys.into_iter().map(|(before, key)| {
            let room = before - std::mem::replace(&mut last, before);
            (key, u32::try_from(room).unwrap_or(u32::MAX))
        });
        Self { steps: steps.collect() }
    }

    /// Goes on with the next run of characters that has words of the phrase: these keys, a bit each. Is the last word reached?
    /// A run is one word at least, so that there are no more runs between two words than words.
    pub(super) fn pass(&self, run: u32, keys: u8, reached: &mut Reached) -> bool {
        let mut before = Some(run);
        for ((key, room), reached) in self.steps.iter().zip(&mut reached.0) {
            if keys >> key & 1 == 1 && before.is_some_and(|before| run - before <= *room) {
                *reached = Some(run);
            }
            before = *reached;
        }
        before == Some(run)
    }
}

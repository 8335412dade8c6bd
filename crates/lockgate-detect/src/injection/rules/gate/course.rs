//! The order in which the words of a phrase come, and the room between them.

use super::KEYS;

/// The words of a phrase that are looked for.
#[derive(Debug)]
pub(super) struct Course {
    /// For each, in the order of the phrase: which of the keys it is, and how many words on from the one before it may stand.
    steps: Vec<(usize, u32)>,
}

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

    /// Do its words come in their order in these runs of characters, of which each says which of the keys it is, a bit each?
    /// A run is one word at least, so that there are no more runs between two words than words.
    pub(super) fn is_run(&self, runs: &[(u32, u8)]) -> bool {
        let mut reached = [None; KEYS];
        runs.iter().any(|(run, keys)| {
            let mut before = Some(*run);
            for ((key, room), reached) in self.steps.iter().zip(&mut reached) {
                if keys >> key & 1 == 1 && before.is_some_and(|before| run - before <= *room) {
                    *reached = Some(*run);
                }
                before = *reached;
            }
            before == Some(*run)
        })
    }
}

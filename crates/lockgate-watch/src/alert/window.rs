use std::collections::VecDeque;

/// At most so many in so long, by when each was. Holds at most that many times.
#[derive(Clone, Debug, Default)]
pub(super) struct Window(VecDeque<u64>);

impl Window {
    /// One more at `now`. How many are there within the last `within` milliseconds, up to `most`?
    pub(super) fn add(&mut self, now: u64, within: u64, most: u32) -> u32 {
        self.forget(now, within);
        if self.0.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            self.0.pop_front();
        }
        // A clock that was set back makes nothing younger than it is.
        self.0.push_back(now.max(self.0.back().copied().unwrap_or(0)));
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Is there room for one more at `now`, where at most `most` may be within `within` milliseconds? Takes it if so.
    pub(super) fn takes(&mut self, now: u64, within: u64, most: u32) -> bool {
        let room = self.has_room(now, within, most);
        if room {
            self.add(now, within, most);
        }
        room
    }

    pub(super) fn has_room(&mut self, now: u64, within: u64, most: u32) -> bool {
        self.forget(now, within);
        self.0.len() < usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Is nothing in it that still counts?
    pub(super) fn is_empty(&mut self, now: u64, within: u64) -> bool {
        self.forget(now, within);
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn forget(&mut self, now: u64, within: u64) {
        while self.0.front().is_some_and(|first| first.saturating_add(within) <= now) {
            self.0.pop_front();
        }
    }
}

use super::save::{Reader, Writer};
use super::usual::Usual;

/// How much there was within a time: what there is in its present slot, and as much of the slot before as is still within.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    slot: u64,
    now: u64,
    before: u64,
}

impl Window {
    /// Adds to it and tells the sum. A slot is `span` milliseconds.
    pub(super) fn add(&mut self, amount: u64, now: u64, span: u64) -> u64 {
        let span = span.max(1);
        // A clock that was set back counts into the present slot.
        let slot = (now / span).max(self.slot);
        match slot - self.slot {
            0 => {}
            1 => (self.before, self.now) = (self.now, 0),
            _ => (self.before, self.now) = (0, 0),
        }
        self.slot = slot;
        self.now = self.now.saturating_add(amount);
        let within = u128::from(self.before) * u128::from(span - now % span) / u128::from(span);
        self.now.saturating_add(u64::try_from(within).unwrap_or(u64::MAX))
    }
}

/// How many calls there are in a minute, and usually are.
#[derive(Clone, Debug, Default)]
pub(super) struct Rate {
    pub(super) usual: Usual,
    window: Window,
}

impl Rate {
    /// Counts a call and tells how many there were in the last minute.
    pub(super) fn count(&mut self, now: u64) -> u64 {
        self.window.add(1, now, 60_000)
    }

    pub(super) fn write(&self, to: &mut Writer) {
        self.usual.write(to);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { usual: Usual::read(from)?, window: Window::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let mut window = Window::default();
        assert_eq!(window.add(10, 59_999, 60_000), 10);
        assert_eq!(window.add(1, 60_000, 60_000), 11);
        assert_eq!(window.add(1, 90_000, 60_000), 7);
        assert_eq!(window.add(1, 30_000, 60_000), 8, "a clock that was set back");
        assert_eq!(window.add(1, 600_000, 60_000), 1);
    }
}

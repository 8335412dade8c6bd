use std::collections::BTreeMap;
use std::fmt;

use super::Amount;

/// Which counter: whose rules it belongs to, and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The tool, or `*` for a counter of all tools together.
    pub scope: String,
    /// Its name, unique within the scope.
    pub counter: String,
}

/// As the original names it: `send_email.count`, `_global.count`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.scope == "*" { "_global" } else { self.scope.as_str() };
        write!(f, "{scope}.{}", self.counter)
    }
}

/// A span of the calendar, UTC, after which counting starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// From second 0.
    Minute,
    /// From minute 0.
    Hour,
    /// From midnight.
    Day,
}

impl Window {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "minute" => Some(Self::Minute),
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            _ => None,
        }
    }

    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// When the window around `now` began; both in milliseconds since the Unix epoch.
    pub fn start(self, now: u64) -> u64 {
        let length = match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        };
        now - now % length
    }
}

/// Where counts are kept. A count belongs to one window: what was counted in another one is gone.
pub trait Counters {
    /// What is counted in the window that began then; 0 for what was never counted, `None` where the store fails (the
    /// call is then denied).
    fn value(&self, key: &Key, window_start: u64) -> Option<Amount>;

    /// Adds the amount and says so, unless the sum would be above the limit or cannot be kept. Indivisible.
    fn reserve(&mut self, key: &Key, amount: Amount, limit: Amount, window_start: u64) -> bool;

    /// Takes back what was reserved, never below 0; nothing where the window is over.
    fn release(&mut self, key: &Key, amount: Amount, window_start: u64);
}

/// What a call has reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Where.
    pub key: Key,
    /// How much.
    pub amount: Amount,
    /// In which window: when it began, in milliseconds since the Unix epoch.
    pub window_start: u64,
}

/// Takes back what a call has reserved, because it failed.
pub fn release(reservations: &[Reservation], counters: &mut impl Counters) {
    for reservation in reservations {
        counters.release(&reservation.key, reservation.amount, reservation.window_start);
    }
}

/// Counters that live as long as this value. Holds one entry per counter of the policy.
#[derive(Clone, Debug, Default)]
pub struct MemoryCounters {
    counts: BTreeMap<Key, (u64, Amount)>,
}

impl Counters for MemoryCounters {
    fn value(&self, key: &Key, window_start: u64) -> Option<Amount> {
        // A clock that was set back must not give the budget of a window twice.
        let count = self.counts.get(key).filter(|(start, _)| *start >= window_start);
        Some(count.map_or(Amount::ZERO, |(_, value)| *value))
    }

    fn reserve(&mut self, key: &Key, amount: Amount, limit: Amount, window_start: u64) -> bool {
        let value = self.value(key, window_start).unwrap_or_default();
        let Some(sum) = value.plus(amount).filter(|sum| *sum <= limit) else { return false };
        let start = self.counts.get(key).map_or(window_start, |(start, _)| window_start.max(*start));
        self.counts.insert(key.clone(), (start, sum));
        true
    }

    fn release(&mut self, key: &Key, amount: Amount, window_start: u64) {
        if let Some((start, value)) = self.counts.get_mut(key)
            && *start == window_start
        {
            *value = value.minus(amount);
        }
    }
}

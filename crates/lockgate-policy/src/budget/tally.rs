use lockgate_model::UnixMillis;

use super::{Amount, Slot};

/// What one limit has counted for one subject, in memory. Holds at most [`super::Window::most_slots`]
/// numbers.
///
/// A clock that goes backwards gives nothing back: what was counted in pieces of time that now lie ahead
/// still counts, and so does what is added meanwhile, until the clock has come that far again.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Start of the piece and what was counted in it. Ascending.
    slots: Vec<(u64, Amount)>,
}

/// The limit is reached; nothing was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLimit {
    /// What counts now, without the call.
    pub used: Amount,
    /// When there will be room, if nothing is added before; `None` where the amount is larger than the limit.
    pub free_at: Option<UnixMillis>,
}

impl Tally {
    /// Counts an amount if the sum stays within the limit. `slot` comes from the window that the tally is
    /// always used with. Says which piece of time it was counted in, for [`Tally::give_back`].
    pub fn add(&mut self, slot: Slot, amount: Amount, at_most: Amount) -> Result<u64, AtLimit> {
        let used = self.used(slot);
        if used.and_then(|used| used.plus(amount)).is_none_or(|sum| sum > at_most) {
            let used = used.unwrap_or(Amount::from_nanos(u128::MAX));
            return Err(AtLimit { used, free_at: self.free_at(slot, amount, at_most) });
        }
        self.slots.retain(|(at, _)| *at >= slot.since);
        match self.slots.last_mut() {
            // The clock may have gone backwards: then the newest piece takes the call, and keeps it longer.
            Some((at, sum)) if *at >= slot.at => {
                *sum = sum.plus(amount).unwrap_or(Amount::from_nanos(u128::MAX));
                Ok(*at)
            }
            _ => {
                self.slots.push((slot.at, amount));
                Ok(slot.at)
            }
        }
    }

    /// Takes back what a call that was never sent has counted.
    pub fn give_back(&mut self, at: u64, amount: Amount) {
        for (start, sum) in &mut self.slots {
            if *start == at {
                *sum = Amount::from_nanos(sum.nanos().saturating_sub(amount.nanos()));
            }
        }
    }

    /// The sum that counts at a moment; `None` where it is too large to be held.
    pub fn used(&self, slot: Slot) -> Option<Amount> {
        let counting = self.slots.iter().filter(|(at, _)| *at >= slot.since);
        counting.map(|(_, sum)| *sum).try_fold(Amount::ZERO, Amount::plus)
    }

    fn free_at(&self, slot: Slot, amount: Amount, at_most: Amount) -> Option<UnixMillis> {
        let room = at_most.nanos().checked_sub(amount.nanos())?;
        let counting = || self.slots.iter().filter(|(at, _)| *at >= slot.since);
        let mut left = counting().map(|(_, sum)| sum.nanos()).fold(0, u128::saturating_add);
        for (at, sum) in counting() {
            left = left.saturating_sub(sum.nanos());
            if left <= room {
                return Some(UnixMillis(at.saturating_add(slot.until - slot.at)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Calendar, Window};
    use proptest::prelude::*;

    #[test]
    fn says_when_there_is_room_again() {
        let window = Window::parse("minute").unwrap();
        let (one, two) = (Amount::whole(1), Amount::whole(2));
        let mut tally = Tally::default();
        assert_eq!(tally.add(window.slot(UnixMillis(500)), one, two), Ok(0));
        assert_eq!(tally.add(window.slot(UnixMillis(30_000)), one, two), Ok(30_000));
        let refused = tally.add(window.slot(UnixMillis(31_000)), one, two).unwrap_err();
        assert_eq!(refused, AtLimit { used: two, free_at: Some(UnixMillis(61_000)) });
        assert!(tally.add(window.slot(UnixMillis(60_999)), one, two).is_err());
        assert!(tally.add(window.slot(UnixMillis(61_000)), one, two).is_ok());
        let never = tally.add(window.slot(UnixMillis(61_000)), Amount::whole(3), two).unwrap_err();
        assert_eq!(never.free_at, None);
    }

    #[test]
    fn a_clock_set_back_refills_nothing() {
        let one = Amount::whole(1);
        for window in [Window::parse("hour").unwrap(), Window::Calendar(Calendar::Month)] {
            let mut tally = Tally::default();
            let now = 1_800_000_000_000;
            tally.add(window.slot(UnixMillis(now)), one, one).unwrap();
            for earlier in [1, 1_000, 3_600_000, 86_400_000 * 40, now] {
                assert!(tally.add(window.slot(UnixMillis(now - earlier)), one, one).is_err());
            }
        }
    }

    #[test]
    fn what_was_not_sent_is_given_back() {
        let (slot, one) = (Window::parse("day").unwrap().slot(UnixMillis(5)), Amount::whole(1));
        let mut tally = Tally::default();
        let at = tally.add(slot, one, one).unwrap();
        assert!(tally.add(slot, one, one).is_err());
        tally.give_back(at, one);
        assert!(tally.add(slot, one, one).is_ok());
    }

    /// A window, and its length where it slides.
    fn window() -> impl Strategy<Value = (Window, Option<u64>)> {
        prop_oneof![
            (1_000..200_000_u64).prop_map(|millis| (Window::sliding(millis).unwrap(), Some(millis))),
            Just((Window::Calendar(Calendar::Minute), None)),
        ]
    }

    proptest! {
        /// Against a list of all calls ever made: never more than the limit, and hardly less.
        #[test]
        fn agrees_with_a_list_of_calls(
            (window, length) in window(),
            at_most in 1..20_u128,
            steps in proptest::collection::vec((-5_000..20_000_i64, 0..4_u128), 1..120),
        ) {
            let mut tally = Tally::default();
            let mut calls: Vec<(u64, u128)> = Vec::new();
            let mut clock = 1_800_000_000_000_u64;
            for (step, amount) in steps {
                clock = clock.saturating_add_signed(step);
                // A call is as late as the latest that was counted before it, whatever the clock says.
                let moment = calls.iter().map(|(at, _)| *at).fold(clock, u64::max);
                let slot = window.slot(UnixMillis(clock));
                let passed = tally.add(slot, Amount::from_nanos(amount), Amount::from_nanos(at_most)).is_ok();
                let counted = |since: u64| {
                    calls.iter().filter(|(at, _)| *at >= since).map(|(_, sum)| sum).sum::<u128>()
                };
                let (surely, perhaps) = match length {
                    Some(length) => (moment - length, clock - length - length / 60 - 2),
                    None => (window.slot(UnixMillis(moment)).at, slot.at),
                };
                if passed {
                    prop_assert!(counted(surely) + amount <= at_most);
                    calls.push((moment, amount));
                } else {
                    prop_assert!(counted(perhaps) + amount > at_most);
                }
                prop_assert!(tally.slots.len() <= window.most_slots());
            }
        }
    }
}

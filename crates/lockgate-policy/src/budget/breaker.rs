use std::collections::VecDeque;

use lockgate_model::Tick;

/// When a server is left alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// So many failures within the time open the breaker. Default 5; 1 to 1 000.
    pub failures: u16,
    /// The time. Milliseconds; default 30 000.
    pub within_millis: u64,
    /// How long no call is let through, and how long a probe may take. Milliseconds; default 30 000.
    pub open_millis: u64,
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self { failures: 5, within_millis: 30_000, open_millis: 30_000 }
    }
}

/// Leaves a server alone that fails again and again, and tries it with one call at a time. One for each
/// server.
///
/// What a failure is, the caller says: no answer, an answer that is not of the protocol; not a tool's own
/// error.
#[derive(Clone, Debug)]
pub struct Breaker {
    rules: BreakerRules,
    state: State,
    /// Counts changes of the state, so that an answer to a call from before one changes nothing.
    period: u64,
}

#[derive(Clone, Debug)]
enum State {
    /// Calls pass. When the last failures were, the oldest first; fewer than the rules allow.
    Closed(VecDeque<Tick>),
    /// No call passes before the moment; then one does.
    Open(Tick),
    /// A probe is under way, and is given up at the moment.
    Probing(Tick),
}

/// A call was let through; hand it back with how it ended. One that is dropped counts for nothing, and a
/// probe that is dropped is given up after `open_millis`.
#[must_use = "the breaker learns nothing from a call whose end it is not told"]
#[derive(Debug, PartialEq, Eq)]
pub struct Pass {
    period: u64,
}

/// The server is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// When the next probe may pass.
    pub until: Tick,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new(BreakerRules::default())
    }
}

impl Breaker {
    /// A server that has not failed.
    pub fn new(rules: BreakerRules) -> Self {
        let failures = rules.failures.clamp(1, 1_000);
        Self { rules: BreakerRules { failures, ..rules }, state: State::Closed(VecDeque::new()), period: 0 }
    }

    /// May a call pass now?
    pub fn pass(&mut self, now: Tick) -> Result<Pass, Broken> {
        match self.state {
            State::Closed(_) => {}
            State::Open(until) | State::Probing(until) if now < until => return Err(Broken { until }),
            State::Open(_) | State::Probing(_) => {
                self.enter(State::Probing(now.after_millis(self.rules.open_millis)));
            }
        }
        Ok(Pass { period: self.period })
    }

    /// The call was answered. A probe that was closes the breaker.
    pub fn succeeded(&mut self, pass: Pass) {
        if pass.period == self.period && matches!(self.state, State::Probing(_)) {
            self.enter(State::Closed(VecDeque::new()));
        }
    }

    /// The call failed. The last of too many opens the breaker; a probe opens it again.
    pub fn failed(&mut self, pass: Pass, now: Tick) {
        if pass.period != self.period {
            return;
        }
        let opens = match &mut self.state {
            State::Closed(failures) => {
                let within = self.rules.within_millis.saturating_mul(1_000);
                failures.retain(|failure| now.micros_since(*failure) <= within);
                failures.push_back(now);
                failures.len() >= usize::from(self.rules.failures)
            }
            State::Open(_) | State::Probing(_) => true,
        };
        if opens {
            self.enter(State::Open(now.after_millis(self.rules.open_millis)));
        }
    }

    /// Until when no call passes; `None` while calls do.
    pub fn open_until(&self, now: Tick) -> Option<Tick> {
        match self.state {
            State::Open(until) | State::Probing(until) if now < until => Some(until),
            State::Open(_) | State::Probing(_) | State::Closed(_) => None,
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.period += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: BreakerRules = BreakerRules { failures: 3, within_millis: 10, open_millis: 100 };

    fn at(millis: u64) -> Tick {
        Tick(millis * 1_000)
    }

    fn fail(breaker: &mut Breaker, millis: u64) {
        let pass = breaker.pass(at(millis)).unwrap();
        breaker.failed(pass, at(millis));
    }

    fn open() -> Breaker {
        let mut breaker = Breaker::new(RULES);
        for millis in 0..3 {
            fail(&mut breaker, millis);
        }
        breaker
    }

    #[test]
    fn opens_after_failures_close_together() {
        assert_eq!(open().pass(at(3)), Err(Broken { until: at(102) }));
        let mut breaker = Breaker::new(RULES);
        for times in 0..100 {
            fail(&mut breaker, times * 6);
        }
        assert!(breaker.pass(at(600)).is_ok(), "two in any ten milliseconds");
    }

    #[test]
    fn lets_one_probe_pass() {
        let mut breaker = open();
        let probe = breaker.pass(at(102)).unwrap();
        assert_eq!(breaker.pass(at(103)), Err(Broken { until: at(202) }));
        breaker.failed(probe, at(110));
        assert_eq!(breaker.pass(at(209)), Err(Broken { until: at(210) }));
        let probe = breaker.pass(at(210)).unwrap();
        breaker.succeeded(probe);
        assert_eq!(breaker.open_until(at(210)), None);
        fail(&mut breaker, 211);
        fail(&mut breaker, 211);
        assert!(breaker.pass(at(211)).is_ok(), "begins anew");
    }

    #[test]
    fn a_probe_that_is_lost_does_not_block_for_ever() {
        let mut breaker = open();
        let lost = breaker.pass(at(102)).unwrap();
        let probe = breaker.pass(at(202)).unwrap();
        breaker.succeeded(lost);
        assert!(breaker.pass(at(203)).is_err(), "the answer to a probe that was given up comes too late");
        breaker.succeeded(probe);
        assert!(breaker.pass(at(203)).is_ok());
    }

    #[test]
    fn calls_from_before_change_nothing() {
        let mut breaker = Breaker::new(RULES);
        let early: Vec<Pass> = (0..6).map(|_| breaker.pass(at(0)).unwrap()).collect();
        let mut early = early.into_iter();
        for _ in 0..3 {
            breaker.failed(early.next().unwrap(), at(1));
        }
        breaker.succeeded(early.next().unwrap());
        breaker.failed(early.next().unwrap(), at(90));
        assert_eq!(breaker.pass(at(50)), Err(Broken { until: at(101) }));
        let _probe = breaker.pass(at(101)).unwrap();
        breaker.succeeded(early.next().unwrap());
        assert!(breaker.pass(at(102)).is_err());
    }

    proptest! {
        /// Whatever comes in whatever order: the memory is bounded and an open breaker opens again for a
        /// probe.
        #[test]
        fn never_stuck_and_bounded(steps in proptest::collection::vec((0..4_u8, 0..40_u64), 0..200)) {
            let mut breaker = Breaker::new(RULES);
            let mut passes = Vec::new();
            let mut now = 0;
            for (step, wait) in steps {
                now += wait;
                match step {
                    0 | 1 => passes.extend(breaker.pass(at(now))),
                    2 => { passes.pop().into_iter().for_each(|pass| breaker.failed(pass, at(now))); }
                    _ => { passes.pop().into_iter().for_each(|pass| breaker.succeeded(pass)); }
                }
                if let State::Closed(failures) = &breaker.state {
                    prop_assert!(failures.len() < 3);
                }
            }
            prop_assert!(breaker.pass(at(now + 100)).is_ok());
        }
    }
}

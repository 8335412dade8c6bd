use std::collections::VecDeque;

use lockgate_model::Tick;

/// What makes two calls the same: a digest over server, tool and arguments. The shell makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallDigest(pub [u8; 32]);

/// When a session goes in circles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopRules {
    /// How often the same call, or the same sequence of calls, may be made in a row. Default 10; 0 counts as
    /// 1.
    pub at_most: u32,
    /// Longest sequence that is looked for: 1 finds the same call again and again, 2 also two calls in turn.
    /// Default 4; at most 16.
    pub longest: u8,
    /// A pause longer than this ends a row, so that an agent may look at something now and then.
    /// Milliseconds; default 60 000.
    pub pause_millis: u64,
}

impl Default for LoopRules {
    fn default() -> Self {
        Self { at_most: 10, longest: 4, pause_millis: 60_000 }
    }
}

/// A sequence of calls that was made too often in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// How many calls the sequence has: 1 for the same call again and again, 2 for two calls in turn.
    pub length: u8,
    /// How often it was made, the present time included.
    pub times: u32,
}

/// Finds circles in the calls of one session. Remembers as many calls as the longest sequence has, at most
/// 16.
#[derive(Clone, Debug)]
pub struct Loops {
    rules: LoopRules,
    /// The last calls, the newest first.
    recent: VecDeque<CallDigest>,
    /// For each length from 1: how many calls in a row were the same as the one that many before.
    same: Vec<u32>,
    last: Option<Tick>,
}

impl Loops {
    /// A session that has made no call.
    pub fn new(rules: LoopRules) -> Self {
        let longest = usize::from(rules.longest.clamp(1, 16));
        Self { rules, recent: VecDeque::with_capacity(longest), same: vec![0; longest], last: None }
    }

    /// Sees a call. `Some` where it is one too many of a sequence; the shortest such sequence is named. A
    /// call that is refused for it has been seen: going on in the same circle stays refused, anything else
    /// ends it.
    pub fn see(&mut self, call: CallDigest, now: Tick) -> Option<Loop> {
        let pause = self.rules.pause_millis.saturating_mul(1_000);
        if self.last.is_some_and(|last| now.micros_since(last) > pause) {
            self.recent.clear();
            self.same.fill(0);
        }
        self.last = Some(now);
        let mut found = None;
        for (index, same) in self.same.iter_mut().enumerate() {
            *same = if self.recent.get(index) == Some(&call) { same.saturating_add(1) } else { 0 };
            // A row of n calls like the one `length` before is a sequence of `length` calls made n / length +
            // 1 times.
            let length = u8::try_from(index + 1).unwrap_or(u8::MAX);
            let times = *same / u32::from(length) + 1;
            // Each of the last `length` calls must have been made too often, so that ABAB and then C is no
            // circle.
            if found.is_none() && *same > 0 && times > self.rules.at_most.max(1) {
                found = Some(Loop { length, times });
            }
        }
        if self.recent.len() == self.same.len() {
            self.recent.pop_back();
        }
        self.recent.push_front(call);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(at_most: u32, longest: u8, calls: &str) -> Vec<Option<Loop>> {
        let mut loops = Loops::new(LoopRules { at_most, longest, pause_millis: 1_000 });
        calls.bytes().map(|call| loops.see(CallDigest([call; 32]), Tick(0))).collect()
    }

    fn first(at_most: u32, longest: u8, calls: &str) -> Option<(usize, Loop)> {
        run(at_most, longest, calls).into_iter().enumerate().find_map(|(at, found)| Some((at + 1, found?)))
    }

    #[test]
    fn finds_circles() {
        for (calls, expected) in [
            ("AAA", None),
            ("AAAA", Some((4, Loop { length: 1, times: 4 }))),
            ("AAABAAAB", None),
            ("ABABAB", None),
            ("ABABABAB", Some((8, Loop { length: 2, times: 4 }))),
            ("CABABABAB", Some((9, Loop { length: 2, times: 4 }))),
            ("ABCABCABC", None),
            ("ABCABCABCABC", Some((12, Loop { length: 3, times: 4 }))),
            ("ABCDEABCDEABCDEABCDEABCDE", None),
            ("ABCDEFGHIJKLMNOP", None),
        ] {
            assert_eq!(first(3, 4, calls), expected, "{calls}");
        }
        assert_eq!(first(3, 1, "ABABABABABAB"), None, "only the same call");
    }

    #[test]
    fn a_circle_stays_refused_until_something_else() {
        let found: Vec<bool> = run(2, 2, "AAAABAAA").iter().map(Option::is_some).collect();
        assert_eq!(found, [false, false, true, true, false, false, false, true]);
    }

    #[test]
    fn a_pause_ends_a_row() {
        let mut loops = Loops::new(LoopRules { at_most: 2, longest: 2, pause_millis: 1_000 });
        let call = CallDigest([0; 32]);
        for minute in 0..100 {
            assert_eq!(loops.see(call, Tick(minute * 60_000_000)), None);
        }
        assert_eq!(loops.see(call, Tick(99 * 60_000_000 + 1_000_000)), None);
        assert!(loops.see(call, Tick(99 * 60_000_000 + 2_000_000)).is_some());
        assert!(loops.see(call, Tick(0)).is_some(), "a clock set back is no pause");
    }

    proptest! {
        /// Against looking at the whole history again after each call.
        #[test]
        fn agrees_with_the_whole_history(
            calls in "[AB]{0,40}|[ABC]{0,40}", at_most in 1..5_u32, longest in 1..5_u8,
        ) {
            let bytes = calls.as_bytes();
            for (at, found) in run(at_most, longest, &calls).into_iter().enumerate() {
                let seen = &bytes[..=at];
                let expected = (1..=usize::from(longest)).find(|&length| {
                    let row = length * (at_most as usize + 1);
                    let again = || (at + 1 - row + length..=at).all(|i| seen[i] == seen[i - length]);
                    seen.len() >= row && again()
                });
                prop_assert_eq!(found.map(|found| usize::from(found.length)), expected);
            }
        }
    }
}

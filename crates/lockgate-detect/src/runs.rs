//! Runs of bytes that are alike, such as words, block by block: each is told where it ends, when all of it is known.

/// The runs of a text, of which one may go on from block to block.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Where the block begins.
    base: usize,
    /// Where runs begin in the block that come after the one that begins at `start`.
    starts: u64,
    /// Where the run begins that is under way, or comes next in the block.
    start: usize,
    /// Does one go on into the next block?
    inside: bool,
}

impl Runs {
    /// Goes on with the block that begins there, of which these bytes are of runs. Gives the first bytes of those that begin in it,
    /// and the bytes right behind those that have ended, for each of which [`Runs::begun`] is asked, in order.
    #[inline]
    pub(crate) fn on(&mut self, base: usize, of_runs: u64) -> [u64; 2] {
        let behind = of_runs << 1 | u64::from(self.inside);
        let starts = of_runs & !behind;
        (self.base, self.starts) = (base, starts);
        if !self.inside {
            self.next();
        }
        self.inside = of_runs >> 63 == 1;
        [starts, behind & !of_runs]
    }

    /// Where that run begins which ends next.
    #[inline]
    pub(crate) fn begun(&mut self) -> usize {
        let start = self.start;
        self.next();
        start
    }

    #[inline]
    fn next(&mut self) {
        // Where there is none, it does not matter where that is.
        let place = (self.starts | 1 << 63).trailing_zeros();
        self.start = self.base + usize::try_from(place).unwrap_or_default();
        self.starts &= self.starts.wrapping_sub(1);
    }
}

/// Which runs have a byte in them of another sort.
#[derive(Debug, Default)]
pub(crate) struct Having {
    /// Does the run that goes on into the next block?
    carried: bool,
}

impl Having {
    /// The bytes right behind those runs; all bytes of the sort are of runs. What is added to a run carries to the byte behind it.
    #[inline]
    pub(crate) fn ended(&mut self, of_runs: u64, sort: u64) -> u64 {
        let (sum, over) = of_runs.overflowing_add(sort);
        let (sum, again) = sum.overflowing_add(u64::from(self.carried));
        self.carried = over | again;
        sum & !of_runs
    }

    /// The run that goes on has none.
    pub(crate) fn forget(&mut self) {
        self.carried = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blocks::BLOCK;

    proptest! {
        /// The slow way says the same.
        #[test]
        fn runs_end_where_they_end(letters in "[ab ]{0,20}(a{60,70}| {60,70}|b{130})?[aab ]{0,100}") {
            let text = letters.clone() + " ";
            let mut slow = Vec::new();
            let mut at = 0;
            for run in text.split(' ') {
                if !run.is_empty() {
                    slow.push((at..at + run.len(), run.contains('b')));
                }
                at += run.len() + 1;
            }
            let (mut runs, mut having, mut found) = (Runs::default(), Having::default(), Vec::new());
            for (base, block) in (0..).step_by(BLOCK).zip(text.as_bytes().chunks(BLOCK)) {
                let bits = |of: fn(u8) -> bool| block.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(of(*byte)));
                let of_runs = bits(|byte| byte != b' ');
                let [_, mut ended] = runs.on(base, of_runs);
                let has = having.ended(of_runs, bits(|byte| byte == b'b'));
                prop_assert_eq!(has & !ended, 0);
                while ended != 0 {
                    let place = ended.trailing_zeros();
                    ended &= ended - 1;
                    found.push((runs.begun()..base + usize::try_from(place).unwrap(), has >> place & 1 == 1));
                }
            }
            prop_assert_eq!(found, slow);
        }
    }
}

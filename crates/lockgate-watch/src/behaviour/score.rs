use super::save::{Reader, Writer};

/// A hundred points, in thousandths.
const FULL: u32 = 100_000;

/// Points from 0 to 100 that fade: half of them are gone after a half-life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Score {
    thousandths: u32,
    at: u64,
}

impl Score {
    /// The points at a moment. Within a half-life they fall in a straight line.
    pub(super) fn at(self, now: u64, half_life: u64) -> u8 {
        u8::try_from(self.faded(now, half_life).div_ceil(1_000).min(100)).unwrap_or(100)
    }

    /// Adds points; the nearer to a hundred, the less each adds.
    pub(super) fn raise(&mut self, thousandths: u32, now: u64, half_life: u64) {
        let faded = self.faded(now, half_life);
        let room = u64::from(FULL.saturating_sub(faded));
        let more = u64::from(thousandths.min(FULL)) * room / u64::from(FULL);
        self.thousandths = faded.saturating_add(u32::try_from(more).unwrap_or(FULL)).min(FULL);
        // A clock that was set back does not bring old points back.
        self.at = self.at.max(now);
    }

    fn faded(self, now: u64, half_life: u64) -> u32 {
        let half_life = half_life.max(1);
        let passed = now.saturating_sub(self.at);
        let halvings = u32::try_from(passed / half_life).unwrap_or(u32::MAX);
        let points = u64::from(self.thousandths.checked_shr(halvings).unwrap_or(0));
        let gone = u128::from(points) * u128::from(passed % half_life) / (2 * u128::from(half_life));
        u32::try_from(u128::from(points) - gone).unwrap_or(FULL)
    }

    pub(super) fn write(self, to: &mut Writer) {
        to.word(self.thousandths);
        to.long(self.at);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let score = Self { thousandths: from.word()?, at: from.long()? };
        (score.thousandths <= FULL).then_some(score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fades_more_slowly_is_never_lower() {
        // So the risk of a principal, which outlives a restart, stands for that of its sessions, which does not.
        let step = |seed: &mut u64| {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *seed >> 33
        };
        for mut seed in 0..500 {
            let (mut session, mut principal) = (Score::default(), Score::default());
            let (fast, slow) = (1 + step(&mut seed) % 1_000, 1_000 + step(&mut seed) % 1_000);
            let mut now = 1_000;
            for _ in 0..50 {
                now += step(&mut seed) % 300;
                let points = u32::try_from(step(&mut seed) % 36).unwrap() * 1_000;
                principal.raise(points, now, slow);
                if points % 2_000 == 0 {
                    session.raise(points, now, fast);
                }
                let later = now + step(&mut seed) % 3_000;
                assert!(
                    session.at(later, fast) <= principal.at(later, slow),
                    "{session:?} {principal:?} {later}"
                );
            }
        }
    }

    #[test]
    fn points_add_up_and_fade() {
        let mut score = Score::default();
        assert_eq!(score.at(5, 100), 0);
        score.raise(40_000, 1_000, 100);
        score.raise(50_000, 1_000, 100);
        assert_eq!(score.at(1_000, 100), 70);
        assert_eq!(score.at(1_050, 100), 53);
        assert_eq!(score.at(1_100, 100), 35);
        assert_eq!(score.at(1_000_000, 100), 0);
        assert_eq!(score.at(10, 100), 70, "a clock that was set back");
        (0..100).for_each(|_| score.raise(FULL, 2_000, 100));
        assert_eq!(score.at(2_000, 100), 100);
        assert_eq!(score.at(u64::MAX, 0), 0);
    }
}

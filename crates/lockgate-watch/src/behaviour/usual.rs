use super::save::{Reader, Writer};
use super::settings::Bound;
use super::sign::Figures;

/// Values below this have a step each; above, a step is half an octave.
const EXACT: u64 = 16;
/// The octave of `EXACT`.
const FIRST: u32 = EXACT.ilog2();
/// Steps, up to 2^32.
const STEPS: usize = 72;
/// So many values are remembered in full; then all count half, and what was seen once is forgotten.
const MOST_VALUES: u32 = 2_048;
/// How many of the values in a hundred are usual.
const USUAL: u64 = 99;

/// How large a quantity usually is: a histogram in which old values fade, exact below 16 and in steps of half an
/// octave above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usual {
    steps: [u16; STEPS],
    values: u32,
}

impl Default for Usual {
    fn default() -> Self {
        Self { steps: [0; STEPS], values: 0 }
    }
}

impl Usual {
    /// The end of the step below which 99 of 100 values lie; 0 where there are none.
    pub(super) fn top(&self) -> u64 {
        let wanted = (u64::from(self.values) * USUAL).div_ceil(100);
        let mut seen = 0;
        for (step, count) in self.steps.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted && seen > 0 {
                return end(step);
            }
        }
        0
    }

    /// Does it rest on so many values?
    pub(super) fn is_warm(&self, warm_up: u32) -> bool {
        self.values >= warm_up
    }

    /// From where on a value is unusual.
    fn from(&self, bound: &Bound) -> u64 {
        self.top().saturating_mul(bound.times).max(bound.at_least)
    }

    /// Is that unusual?
    pub(super) fn judge(&self, seen: u64, bound: &Bound, warm_up: u32) -> Option<Figures> {
        if seen < bound.limit && seen <= bound.at_least {
            return None;
        }
        let figures = |sure| Figures { seen, usual: self.top(), of: self.values, sure };
        if seen >= bound.limit {
            return Some(figures(100));
        }
        // The chance that the next of n values is beyond all of them is 1 in n + 2 (rule of succession).
        let sure = 99_u32.min(100 - 100_u32.div_ceil(self.values.saturating_add(2)));
        (self.is_warm(warm_up) && seen > self.from(bound)).then(|| figures(u8::try_from(sure).unwrap_or(99)))
    }

    /// Learns a value, and tells as what. One beyond what is usual is learned as the largest that is: what is usual moves
    /// slowly.
    pub(super) fn learn(&mut self, seen: u64, bound: &Bound) -> u64 {
        let value = if seen <= bound.at_least { seen } else { seen.min(self.from(bound)) };
        if self.values >= MOST_VALUES {
            self.steps.iter_mut().for_each(|count| *count /= 2);
            self.values = self.steps.iter().map(|count| u32::from(*count)).sum();
        }
        if let Some(count) = self.steps.get_mut(step(value)) {
            *count = count.saturating_add(1);
            self.values = self.values.saturating_add(1);
        }
        value
    }

    /// Forgets a value that was learned.
    pub(super) fn unlearn(&mut self, value: u64) {
        if let Some(count) = self.steps.get_mut(step(value)).filter(|count| **count > 0) {
            *count -= 1;
            self.values = self.values.saturating_sub(1);
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        let filled = self.steps.iter().zip(0_u8..).filter(|(count, _)| **count > 0);
        to.byte(u8::try_from(filled.clone().count()).unwrap_or(u8::MAX));
        for (count, step) in filled {
            to.byte(step);
            to.short(*count);
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mut usual = Self::default();
        for _ in 0..from.byte()? {
            let (step, count) = (from.byte()?, from.short()?);
            *usual.steps.get_mut(usize::from(step))? = count;
        }
        usual.values = usual.steps.iter().map(|count| u32::from(*count)).sum();
        Some(usual)
    }
}

/// The step of a value.
fn step(value: u64) -> usize {
    if value < EXACT {
        return usize::try_from(value).unwrap_or_default();
    }
    let octave = value.ilog2();
    // Is it beyond the middle of its octave, 2^(octave + 1/2)?
    let upper = (u128::from(value) * u128::from(value)) >> (2 * octave + 1) > 0;
    let steps = u64::from((octave - FIRST) * 2 + u32::from(upper));
    usize::try_from(EXACT + steps).map_or(STEPS - 1, |step| step.min(STEPS - 1))
}

/// The largest value of a step.
fn end(step: usize) -> u64 {
    let step = u64::try_from(step.min(STEPS - 1)).unwrap_or_default();
    if step < EXACT {
        return step;
    }
    // What is below 2^(halves / 2): of an odd power, the root rounded down; of an even one, one less than the root.
    let halves = step - EXACT + 1 + u64::from(2 * FIRST);
    let root = (1_u128 << halves).isqrt();
    u64::try_from(if halves.is_multiple_of(2) { root - 1 } else { root }).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound { at_least: 10, times: 2, limit: 1_000 };

    #[test]
    fn values_lie_within_their_step() {
        for value in (0..5_000).chain((1..32).map(|octave| 1 << octave)) {
            let step = step(value);
            assert!(value <= end(step), "{value} is beyond {}", end(step));
            assert!(step == 0 || value > end(step - 1), "{value} is within the step before");
        }
    }

    #[test]
    fn what_is_far_above_the_usual_is_unusual() {
        let mut usual = Usual::default();
        assert_eq!(usual.judge(999, &BOUND, 50), None, "nothing is known");
        assert_eq!(usual.judge(1_000, &BOUND, 50).map(|figures| figures.sure), Some(100));
        for number in 0..200 {
            usual.learn(number % 20, &BOUND);
        }
        assert_eq!(usual.top(), 22);
        assert_eq!(usual.judge(44, &BOUND, 50), None);
        let figures = usual.judge(45, &BOUND, 50).unwrap();
        assert_eq!(figures, Figures { seen: 45, usual: 22, of: 200, sure: 99 });
    }

    #[test]
    fn one_attack_changes_little() {
        let mut usual = Usual::default();
        for number in 0..504 {
            usual.learn(if number < 500 { 5 } else { 900 }, &BOUND);
        }
        assert!(usual.top() < 10);
    }

    #[test]
    fn old_values_fade() {
        let mut usual = Usual::default();
        for _ in 0..100 {
            usual.learn(300, &Bound { at_least: 300, ..BOUND });
        }
        for _ in 0..100_000 {
            usual.learn(1, &BOUND);
        }
        assert_eq!(usual.top(), 1);
        assert!(usual.values <= MOST_VALUES);
    }
}

//! A shallow net that looks at the worst windows: which concepts stand in them and around them.

use super::concepts::CONCEPTS;
use super::window::{Counts, Recent};

/// What goes in: the weight of the window, its length, and the concepts in it and around it.
pub const INPUTS: usize = 2 + 2 * CONCEPTS;
/// Units in between.
pub const HIDDEN: usize = 16;

/// What the net sees of a window.
pub type Inputs = [f32; INPUTS];

/// What the net sees of a window that weighs `weight`, in logits.
pub fn inputs(weight: f32, recent: &Recent) -> Inputs {
    let mut inputs = [0.0; INPUTS];
    let [inside, around] = recent.counts();
    let words = f32::from(u16::try_from(recent.words()).unwrap_or_default()) / 32.0;
    let scaled = |counts: Counts, most: u8| {
        // A concept that is met often says hardly more than one that is met a few times.
        counts.into_iter().map(move |count| f32::from(count.min(most)) / f32::from(most))
    };
    let values = [weight / 8.0, words].into_iter().chain(scaled(inside, 3)).chain(scaled(around, 6));
    inputs.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    // The first concept is none.
    for none in [2, 2 + CONCEPTS] {
        if let Some(place) = inputs.get_mut(none) {
            *place = 0.0;
        }
    }
    inputs
}

/// The weights of the net.
#[derive(Clone, Debug)]
pub struct Net {
    /// For each unit: its weights and its bias.
    pub hidden: Vec<([f32; INPUTS], f32)>,
    /// What each unit counts.
    pub output: [f32; HIDDEN],
    /// What all have in common.
    pub bias: f32,
}

impl Net {
    /// What each unit says: nothing below zero.
    pub fn units(&self, inputs: &Inputs) -> [f32; HIDDEN] {
        let mut units = [0.0; HIDDEN];
        for (unit, (weights, bias)) in units.iter_mut().zip(&self.hidden) {
            let sum: f32 = weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum();
            *unit = (sum + bias).max(0.0);
        }
        units
    }

    /// What is added to the logit of the window.
    pub fn says(&self, inputs: &Inputs) -> f32 {
        let units = self.units(inputs);
        self.bias + units.iter().zip(self.output).map(|(unit, weight)| unit * weight).sum::<f32>()
    }
}

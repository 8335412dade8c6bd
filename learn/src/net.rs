//! Learns the second look: a shallow net over what stands in the worst windows.

use lockgate_detect::injection::model::net::{HIDDEN, INPUTS, Inputs, Net};

use crate::Dice;

const EPOCHS: usize = 12;
const RATE: f32 = 0.02;
const FORGET: f32 = 1e-3;

/// The worst windows of one text: what each weighs, and what the net sees of it.
pub(crate) struct Seen {
    pub(crate) windows: Vec<(f32, Inputs)>,
    pub(crate) bad: bool,
    pub(crate) weight: f32,
}

/// A net that changes nothing.
pub(crate) fn silent() -> Net {
    Net { hidden: vec![([0.0; INPUTS], 0.0); HIDDEN], output: [0.0; HIDDEN], bias: 0.0 }
}

/// Learns from these texts, always in the same order.
pub(crate) fn fit(texts: &[Seen], seed: u64) -> Net {
    let mut dice = Dice::new(seed);
    let mut net = silent();
    for (weights, _) in &mut net.hidden {
        weights.iter_mut().for_each(|weight| *weight = dice.even() * 0.2);
    }
    net.output.iter_mut().for_each(|weight| *weight = dice.even() * 0.2);
    let mut order: Vec<usize> = (0..texts.len()).filter(|at| texts[*at].weight > 0.0).collect();
    for epoch in 0..EPOCHS {
        dice.shuffle(&mut order);
        let rate = RATE / (1.0 + epoch as f32 / 3.0);
        for at in &order {
            let text = &texts[*at];
            let worst = text.windows.iter().max_by(|one, other| {
                (one.0 + net.says(&one.1)).total_cmp(&(other.0 + net.says(&other.1)))
            });
            let Some((logit, inputs)) = worst else { continue };
            let off = 1.0 / (1.0 + (-(logit + net.says(inputs))).exp()) - f32::from(u8::from(text.bad));
            step(&mut net, inputs, off * text.weight * rate);
        }
    }
    net
}

fn step(net: &mut Net, inputs: &Inputs, slope: f32) {
    let units = net.units(inputs);
    net.bias -= slope;
    for ((unit, output), (weights, bias)) in units.iter().zip(&mut net.output).zip(&mut net.hidden) {
        let back = slope * *output;
        *output -= slope * unit + FORGET * RATE * *output;
        if *unit > 0.0 {
            *bias -= back;
            for (weight, input) in weights.iter_mut().zip(inputs) {
                *weight -= back * input + FORGET * RATE * *weight;
            }
        }
    }
}

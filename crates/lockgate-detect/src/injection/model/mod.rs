//! A trained classifier of text that gives orders to a model: hashed words in sliding windows, and a shallow net over the
//! concepts in the worst of them. `learn/` at the root makes the weights; `docs/detection-measured.md` says what they are worth.

pub mod concepts;
pub mod feature;
pub mod net;
pub mod weights;
pub mod window;
pub mod words;

use std::ops::Range;

use crate::Genre;
use concepts::Concepts;
use net::{Inputs, inputs};
use weights::{Broken, Weights};
use window::slide;

/// What is built in.
const BUILT_IN: &[u8] = include_bytes!("built_in.weights");

/// Windows that get a second look.
pub const SECOND: usize = 4;

/// From which score on a text is suspicious. Learned: see `docs/detection-measured.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// A person should look at it.
    pub review: f32,
    /// It must not pass.
    pub block: f32,
}

/// What the classifier says of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// How likely it gives orders to a model: 0 to 1, calibrated.
    pub score: f32,
    /// The passage that is worst. Empty if there is no word in the text.
    pub span: Range<usize>,
}

/// The classifier: one model for definitions, one for everything else.
#[derive(Debug)]
pub struct Model {
    concepts: Concepts,
    definition: Weights,
    result: Weights,
}

impl Model {
    /// With the weights that are built in. They are checked: none that are broken are used, and then nothing is suspicious.
    pub fn built_in() -> Result<Self, Broken> {
        Self::with(BUILT_IN)
    }

    /// With the weights of a file that `learn` wrote.
    pub fn with(file: &[u8]) -> Result<Self, Broken> {
        let concepts = Concepts::built_in();
        let [definition, result] = weights::read(file, concepts.stamp())?;
        Ok(Self { concepts, definition, result })
    }

    /// From which score on a text of that genre is suspicious.
    pub fn thresholds(&self, genre: Genre) -> Thresholds {
        self.weights(genre).thresholds
    }

    /// Judges one text. Linear, in fixed memory.
    pub fn score(&self, genre: Genre, text: &str) -> Scored {
        let weights = self.weights(genre);
        let mut worst = Worst::default();
        look(text, &self.concepts, weights, &mut worst);
        let none = Scored { score: 0.0, span: 0..0 };
        let judged = worst.windows.iter().filter(|window| !window.span.is_empty()).map(|window| Scored {
            score: weights.calibrated(window.logit + weights.net.says(&window.inputs)),
            span: window.span.clone(),
        });
        judged.fold(none, |worst, other| if other.score > worst.score { other } else { worst })
    }

    fn weights(&self, genre: Genre) -> &Weights {
        match genre {
            Genre::Definition => &self.definition,
            Genre::Result | Genre::Arguments | Genre::Prompt => &self.result,
        }
    }
}

/// A window that weighs much.
#[derive(Clone, Debug)]
pub struct Heavy {
    /// What it weighs, in logits.
    pub logit: f32,
    /// What the net sees of it.
    pub inputs: Inputs,
    /// Where it stands.
    pub span: Range<usize>,
}

/// The windows of a text that weigh most.
#[derive(Clone, Debug)]
pub struct Worst {
    /// In no order. Those not used are empty.
    pub windows: [Heavy; SECOND],
    /// The least that any of them weighs.
    least: f32,
}

impl Default for Worst {
    fn default() -> Self {
        let none = Heavy { logit: f32::NEG_INFINITY, inputs: [0.0; net::INPUTS], span: 0..0 };
        Self { windows: std::array::from_fn(|_| none.clone()), least: f32::NEG_INFINITY }
    }
}

/// Finds the windows of a text that weigh most.
pub fn look(text: &str, concepts: &Concepts, weights: &Weights, worst: &mut Worst) {
    slide(text, concepts, &mut |feature| weights.of(feature), &mut |recent| {
        let logit = steps(recent.weight()) * weights.step + weights.bias;
        if logit <= worst.least {
            return;
        }
        let lightest = worst.windows.iter_mut().min_by(|one, other| one.logit.total_cmp(&other.logit));
        if let Some(place) = lightest {
            *place = Heavy { logit, inputs: inputs(logit, recent), span: recent.span() };
        }
        worst.least = worst.windows.iter().fold(f32::INFINITY, |least, window| least.min(window.logit));
    });
}

/// A sum of weights as a number; more than 65,535 steps count as many.
fn steps(sum: i32) -> f32 {
    f32::from(i16::try_from(sum.clamp(-32_000, 32_000)).unwrap_or_default())
}

//! A trained classifier of text that gives orders to a model: hashed words and the order of concepts, weighed in
//! sliding windows. `learn/` at the root makes the weights; `docs/detection-measured.md` says what they are worth.

pub mod concepts;
pub mod feature;
mod stem;
pub mod weights;
pub mod window;
pub mod words;

use std::ops::Range;

use crate::{Genre, Level};
use concepts::Concepts;
use weights::{Broken, Weights};
use window::{Window, slide};

/// What is built in.
const BUILT_IN: &[u8] = include_bytes!("built_in.weights");

/// From which score on a text is suspicious. Learned: see `docs/detection-measured.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// It must not pass where rules alone would have a person look at it.
    pub agree: f32,
    /// A person should look at it.
    pub review: f32,
    /// It must not pass.
    pub block: f32,
}

impl Thresholds {
    /// How bad a score is, beside what rules say. Where rules would have a person look and the score is not low, it is stopped:
    /// they are wrong about different texts.
    pub fn level(self, score: f32, by_rules: Level) -> Level {
        if score >= self.block || score >= self.agree && by_rules == Level::Review {
            Level::Block
        } else if score >= self.review {
            Level::Review
        } else {
            Level::None
        }
    }
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
        let weights = self.weights(genre);
        match genre {
            Genre::Definition | Genre::Result => weights.thresholds,
            Genre::Arguments | Genre::Prompt => weights.spoken,
        }
    }

    /// Judges one text. Linear, in fixed memory.
    pub fn score(&self, genre: Genre, text: &str) -> Scored {
        let weights = self.weights(genre);
        match worst(text, &self.concepts, weights) {
            Some((logit, span)) => Scored { score: weights.calibrated(logit), span },
            None => Scored { score: 0.0, span: 0..0 },
        }
    }

    fn weights(&self, genre: Genre) -> &Weights {
        match genre {
            Genre::Definition => &self.definition,
            Genre::Result | Genre::Arguments | Genre::Prompt => &self.result,
        }
    }
}

/// The window of a text that weighs most, in logits, and where it stands. None if there is no word in the text.
pub fn worst(text: &str, concepts: &Concepts, weights: &Weights) -> Option<(f32, Range<usize>)> {
    let mut worst: Option<Window> = None;
    // A product and no branch: nobody can guess what is fresh.
    let table = &*weights.table;
    let weigh = |feature, fresh| weights::of(table, feature) * i32::from(fresh);
    slide(text, concepts, weights.least(), weigh, |window: Window| {
        if worst.as_ref().is_none_or(|worst| window.weight > worst.weight) {
            worst = Some(window);
        }
    });
    worst.map(|worst| (weights.logit(worst.weight), worst.span))
}

#[cfg(test)]
mod tests;

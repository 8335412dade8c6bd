//! Text that gives orders to the model that reads it.
//!
//! Rules (`rules/`) say what no honest text says; a trained classifier weighs the rest; `structure.rs` asks whether a text stands
//! where only data should. [`Injection`] is the one place where they come together.

pub mod atr;
pub mod rules;
mod speech;
mod structure;

pub mod model;

use lockgate_model::Json;

use crate::{Genre, Level, Spot};

use speech::{Speech, weigh};

/// What is said of a text.
#[derive(Clone, Debug, Default)]
pub struct Judgement<'d> {
    /// How bad it is, all in all.
    pub level: Level,
    /// How likely it gives orders to a model: 0 to 1, calibrated.
    pub score: f32,
    /// What stands against it, in order. Where the model alone objects, the passage that it objects to most.
    pub spots: Vec<Spot<'d>>,
}

/// The finder: rules and a trained classifier.
#[derive(Debug)]
pub struct Injection {
    speech: Speech,
}

impl Default for Injection {
    fn default() -> Self {
        Self::new()
    }
}

impl Injection {
    /// Made once and used for every text.
    pub fn new() -> Self {
        Self { speech: Speech::new() }
    }

    /// Judges one text. Linear.
    pub fn judge(&self, genre: Genre, text: &str) -> Judgement<'_> {
        let spots = weigh(genre, &self.speech.hear(genre, text));
        // The classifier comes in here: its score becomes `score`, and a spot of its own where it alone objects.
        Judgement::of(spots)
    }

    /// Judges a definition or a structured result as a whole: names of parameters, every text in it, and where each stands.
    /// Spots carry no span, since each is in a text of its own.
    pub fn judge_object(&self, genre: Genre, object: Json<'_>) -> Judgement<'_> {
        // The classifier comes in here too, with all texts of the object as one.
        Judgement::of(structure::judge(&self.speech, genre, object))
    }
}

impl<'d> Judgement<'d> {
    /// Of what rules found.
    fn of(spots: Vec<Spot<'d>>) -> Self {
        let level = spots.iter().map(|spot| spot.level).max().unwrap_or_default();
        Self { level, score: certainty(level), spots }
    }
}

/// What rules alone say of how likely it is.
fn certainty(level: Level) -> f32 {
    match level {
        Level::None => 0.0,
        Level::Review => 0.5,
        Level::Block => 0.95,
    }
}

//! Text that gives orders to the model that reads it.

pub mod model;

use lockgate_model::Json;

use crate::{Genre, Level, Spot};

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
#[derive(Debug, Default)]
pub struct Injection {}

impl Injection {
    /// Made once and used for every text.
    pub fn new() -> Self {
        Self {}
    }

    /// Judges one text. Linear.
    pub fn judge(&self, _genre: Genre, _text: &str) -> Judgement<'_> {
        Judgement::default()
    }

    /// Judges a definition or a structured result as a whole: names of parameters, every text in it, and where each stands.
    /// Spots carry no span, since each is in a text of its own.
    pub fn judge_object(&self, _genre: Genre, _object: Json<'_>) -> Judgement<'_> {
        Judgement::default()
    }
}

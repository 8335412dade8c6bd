//! Everything that can be found in one text, and in one object.

mod object;
mod place;

pub use object::{ObjectReport, Placed};

use lockgate_model::Json;

use self::object::Look;
use crate::injection::Injection;
use crate::personal::{Datum, Personal};
use crate::secrets::{Secret, Secrets};
use crate::{Genre, Level, Spot};

/// All finders. Made once and used for every text, by any number of threads.
#[derive(Debug)]
pub struct Inspector {
    secrets: Secrets,
    personal: Personal,
    injection: Injection,
    judges: Judges,
}

/// Who judges whether a text gives orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Judges {
    /// Rules and the trained model.
    #[default]
    Both,
    /// Rules alone.
    Rules,
    /// The trained model alone.
    Model,
}

/// What was found in one text.
#[derive(Clone, Debug, Default)]
pub struct Report<'d> {
    /// How bad it is, all in all. Secrets and personal data do not count: what becomes of them is for others to say.
    pub level: Level,
    /// How likely it gives orders to a model: 0 to 1.
    pub score: f32,
    /// What is hidden, and what gives orders, in order.
    pub findings: Vec<Spot<'d>>,
    /// Credentials, in order and not overlapping.
    pub secrets: Vec<Secret>,
    /// Personal data, in order and not overlapping.
    pub personal: Vec<Datum>,
}

impl Report<'_> {
    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.secrets.is_empty() && self.personal.is_empty()
    }
}

impl Default for Inspector {
    fn default() -> Self {
        Self::new()
    }
}

impl Inspector {
    /// All finders with what is built in.
    pub fn new() -> Self {
        Self {
            secrets: Secrets::new(),
            personal: Personal::new(),
            injection: Injection::new(),
            judges: Judges::default(),
        }
    }

    /// The same with other judges, to see what each is worth.
    #[must_use]
    pub fn judged_by(self, judges: Judges) -> Self {
        Self { judges, ..self }
    }

    /// Looks at one text, the value of what is called `name`. Linear in the text, whatever is in it.
    pub fn text(&self, genre: Genre, name: &str, text: &str) -> Report<'_> {
        let judged = self.injection.judge(genre, text);
        Report {
            level: judged.level,
            score: judged.score,
            findings: judged.spots,
            secrets: self.credentials(name, text),
            personal: self.personal.find(name, text),
        }
    }

    /// Looks at every name and every text of an object, and at the object as a whole. Linear in the object.
    pub fn object(&self, genre: Genre, object: Json<'_>) -> ObjectReport<'_> {
        let judged = self.injection.judge_object(genre, object);
        let report = ObjectReport {
            level: judged.level,
            score: judged.score,
            findings: judged.spots.into_iter().map(Placed::whole).collect(),
            ..ObjectReport::default()
        };
        Look::new(self, report).all(object)
    }

    /// What is in one text of an object whose orders are judged as a whole.
    fn parts(&self, name: &str, text: &str) -> Report<'_> {
        if text.is_empty() {
            return Report::default();
        }
        Report {
            secrets: self.credentials(name, text),
            personal: self.personal.find(name, text),
            ..Report::default()
        }
    }

    /// Those of the text, and the text itself where its name says that it is one.
    fn credentials(&self, name: &str, text: &str) -> Vec<Secret> {
        let mut secrets = self.secrets.find(text);
        if let Some(named) = self.secrets.named(name, text) {
            secrets
                .retain(|secret| secret.span.end <= named.span.start || named.span.end <= secret.span.start);
            secrets.push(named);
            secrets.sort_by_key(|secret| secret.span.start);
        }
        secrets
    }
}

//! Everything that can be found in one text, and in one object.

mod media;
mod object;
mod place;
mod veil;

pub use object::{ObjectReport, Placed};

use lockgate_model::Json;

use self::object::Look;
use crate::attack::{Attacks, Input};
use crate::code::language::{Language, language};
use crate::code::python::{self, Allowed};
use crate::injection::{Injection, Judges};
use crate::personal::{Datum, Personal};
use crate::secrets::{Secret, Secrets};
use crate::{Genre, Level, MARK, Mask, Spot};

/// All finders. Made once and used for every text, by any number of threads.
#[derive(Debug)]
pub struct Inspector {
    secrets: Secrets,
    personal: Personal,
    injection: Injection,
    attacks: Attacks,
    judges: Judges,
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

/// How often a text is looked at before all of it is taken out.
const ROUNDS: usize = 8;

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
            attacks: Attacks::new(),
            judges: Judges::default(),
        }
    }

    /// The same with other judges, to see what each is worth.
    #[must_use]
    pub fn judged_by(self, judges: Judges) -> Self {
        Self { injection: self.injection.judged_by(judges), judges, ..self }
    }

    /// Looks at one text, the value of what is called `name`. Linear in the text, whatever is in it.
    pub fn text(&self, genre: Genre, name: &str, text: &str) -> Report<'_> {
        let judged = self.injection.judge(genre, text);
        let mut report = self.parts(genre, name, text, || Input::infer(name, None));
        report.level = report.level.max(judged.level);
        report.score = report.score.max(judged.score);
        report.findings.extend(judged.spots);
        report.findings.sort_by_key(|spot| (spot.span.start, spot.span.end));
        report
    }

    /// Looks at every name and every text of an object, and at the object as a whole. Linear in the object.
    pub fn object(&self, genre: Genre, object: Json<'_>) -> ObjectReport<'_> {
        Look::new(self, genre, self.injection.judge_object(genre, object)).all(object)
    }

    /// What is in a text besides what it says to a model. `input` is what kind of value it is, where it is an argument.
    fn parts(&self, genre: Genre, name: &str, text: &str, input: impl FnOnce() -> Input) -> Report<'_> {
        if text.is_empty() {
            return Report::default();
        }
        let (secrets, personal) = self.data(name, text);
        let mut report = Report { secrets, personal, ..Report::default() };
        if self.judges != Judges::Model {
            veil::lift(self, genre, text, &mut report);
            if genre == Genre::Arguments {
                report.findings.extend(self.argument(input(), text));
            }
            report.level = report.findings.iter().map(|spot| spot.level).max().unwrap_or_default();
        }
        report
    }

    /// The text with every secret and everything personal in it changed, as the value of what is called `name`. To do it again
    /// changes nothing: where two secrets stood glued together, it looks at what is left until nothing is found. What is then
    /// still not done is taken out whole. Linear.
    pub fn masked(&self, mask: Mask, name: &str, text: &str) -> String {
        let mut masked = text.to_owned();
        for _ in 0..ROUNDS {
            let (secrets, personal) = self.data(name, &masked);
            if secrets.is_empty() && personal.is_empty() {
                return masked;
            }
            masked = mask.text(&masked, &secrets, &personal);
        }
        MARK.to_owned()
    }

    /// Secrets, and what is personal outside of them.
    fn data(&self, name: &str, text: &str) -> (Vec<Secret>, Vec<Datum>) {
        let secrets = self.credentials(name, text);
        let taken: Vec<_> = secrets.iter().map(|secret| secret.span.clone()).collect();
        let personal = self.personal.find_beside(name, text, &taken);
        (secrets, personal)
    }

    /// What stands against a value of this kind. A program may import what is harmless; which more is for a configuration to say.
    fn argument(&self, input: Input, text: &str) -> Vec<Spot<'_>> {
        match input {
            Input::Code => match language(text) {
                Some(Language::Python) => python::check(text, &Allowed::default()),
                Some(language) => self.attacks.scripts().find(language, text),
                None => Vec::new(),
            },
            Input::Path
            | Input::Address
            | Input::Host
            | Input::Identifier
            | Input::Command
            | Input::Sql
            | Input::Html
            | Input::Template
            | Input::Prose
            | Input::Query => self.attacks.find(input, text),
        }
    }

    /// Those of the text, and the text itself where its name says that it is one.
    pub fn credentials(&self, name: &str, text: &str) -> Vec<Secret> {
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

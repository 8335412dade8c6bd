//! Everything that can be found in one text, and in one object.

mod called;
mod media;
mod object;
mod place;
mod veil;

pub use object::{ObjectReport, Placed};

use lockgate_model::Json;

use self::called::Called;
use self::object::Look;
use crate::attack::{Attacks, Input};
use crate::code::language::{Language, language};
use crate::code::{Program, python};
use crate::injection::atr::Imported;
use crate::injection::{Injection, Judges};
use crate::personal::{Datum, Names, Personal};
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
    /// Rules of others, where there are any.
    imported: Option<Imported>,
    /// What is known of a program of which nobody says more.
    program: Program,
}

/// What was found in one text.
#[derive(Clone, Debug, Default)]
pub struct Report<'d> {
    /// How bad it is, all in all. Secrets and personal data do not count: what becomes of them is for others to say.
    pub level: Level,
    /// How likely it gives orders to a model: 0 to 1.
    pub score: f32,
    /// What is hidden, what gives orders, and in arguments what attacks, in order.
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

/// Shortest number that is looked at, in digits: a shorter one names nobody.
const TELLING_NUMBER: usize = 7;

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
            imported: None,
            program: Program::default(),
        }
    }

    /// The same with other judges, to see what each is worth.
    #[must_use]
    pub fn judged_by(self, judges: Judges) -> Self {
        Self { injection: self.injection.judged_by(judges), judges, ..self }
    }

    /// The same with rules of others besides.
    #[must_use]
    pub fn with_rules(self, imported: Imported) -> Self {
        Self { imported: Some(imported), ..self }
    }

    /// Looks at one text, the value of what is called `name`. Linear in the text, whatever is in it.
    pub fn text(&self, genre: Genre, name: &str, text: &str) -> Report<'_> {
        let called = Called::new(self, genre, name);
        self.judged(genre, text, self.parts(genre, called, name, text))
    }

    /// The same for an argument of which it is known what it takes, and where that is a program, what program. Linear.
    pub fn argument(&self, name: &str, input: Input, program: Option<&Program>, text: &str) -> Report<'_> {
        let mut report = self.plain(Genre::Arguments, Called::new(self, Genre::Result, name), name, text);
        self.attack(input, program.unwrap_or(&self.program), text, &mut report);
        self.judged(Genre::Arguments, text, report)
    }

    /// Looks at a number as it is written, the value of what is called `name`: for what is personal, and for what its name says is
    /// secret. One with fewer than seven digits names nobody.
    pub fn number(&self, name: &str, digits: &str) -> Report<'_> {
        if digits.len() < TELLING_NUMBER {
            return Report::default();
        }
        let called = Called::new(self, Genre::Result, name);
        let secrets: Vec<_> =
            called.secret.then(|| self.secrets.named(name, digits)).flatten().into_iter().collect();
        let taken: Vec<_> = secrets.iter().map(|secret| secret.span.clone()).collect();
        let personal = self.personal.find_in(called.field, digits, &taken, Names::default());
        Report { secrets, personal, ..Report::default() }
    }

    /// Adds what a text says to a model.
    fn judged<'d>(&'d self, genre: Genre, text: &str, mut report: Report<'d>) -> Report<'d> {
        let judged = self.injection.judge(genre, text);
        report.level = report.level.max(judged.level);
        report.score = report.score.max(judged.score);
        report.findings.extend(judged.spots);
        if let Some(imported) = self.others() {
            imported.add(genre, text, &mut report);
        }
        report.findings.sort_by_key(|spot| (spot.span.start, spot.span.end));
        report
    }

    /// Looks at every name and every text of an object, and at the object as a whole. Linear in the object.
    pub fn object(&self, genre: Genre, object: Json<'_>) -> ObjectReport<'_> {
        let mut judged = self.injection.judge_object(genre, object);
        if let Some(imported) = self.others() {
            judged.join(imported.judge_object(genre, object));
        }
        Look::new(self, genre, judged).all(object)
    }

    /// Rules of others, where rules judge at all.
    fn others(&self) -> Option<&Imported> {
        self.imported.as_ref().filter(|_| self.judges != Judges::Model)
    }

    /// What is in a text besides what it says to a model.
    fn parts(&self, genre: Genre, called: Called, name: &str, text: &str) -> Report<'_> {
        let mut report = self.plain(genre, called, name, text);
        if let Some(input) = called.input.filter(|_| !text.is_empty()) {
            self.attack(input, &self.program, text, &mut report);
        }
        report
    }

    /// What is in a text of any kind: secrets, personal data, and what is hidden.
    fn plain(&self, genre: Genre, called: Called, name: &str, text: &str) -> Report<'_> {
        if text.is_empty() {
            return Report::default();
        }
        let (secrets, personal) = self.data(called, name, text);
        let mut report = Report { secrets, personal, ..Report::default() };
        if self.judges != Judges::Model {
            veil::lift(self, genre, text, &mut report);
            report.level = report.findings.iter().map(|spot| spot.level).max().unwrap_or_default();
        }
        report
    }

    /// The text with every secret and everything personal in it changed, as the value of what is called `name`. To do it again
    /// changes nothing: where two secrets stood glued together, it looks at what is left until nothing is found. What is then
    /// still not done is taken out whole. Linear.
    pub fn masked(&self, mask: Mask, name: &str, text: &str) -> String {
        let mut masked = text.to_owned();
        let called = Called::new(self, Genre::Result, name);
        for _ in 0..ROUNDS {
            let (secrets, personal) = self.data(called, name, &masked);
            if secrets.is_empty() && personal.is_empty() {
                return masked;
            }
            masked = mask.text(&masked, &secrets, &personal);
        }
        MARK.to_owned()
    }

    /// Secrets, and what is personal outside of them.
    fn data(&self, called: Called, name: &str, text: &str) -> (Vec<Secret>, Vec<Datum>) {
        let mut names = Names::default();
        let found = self.secrets.find_beside(text, |word, at| names.meet(text, word, &at));
        let secrets = self.with_named(if called.secret { name } else { "" }, text, found);
        let taken: Vec<_> = secrets.iter().map(|secret| secret.span.clone()).collect();
        let personal = self.personal.find_in(called.field, text, &taken, names);
        (secrets, personal)
    }

    /// Adds what stands against a value of this kind.
    fn attack<'d>(&'d self, input: Input, program: &Program, text: &str, report: &mut Report<'d>) {
        if self.judges == Judges::Model {
            return;
        }
        let found = match input {
            Input::Code => match program.language.or_else(|| language(text)) {
                Some(Language::Python) => python::check(text, &program.imports),
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
        };
        report.level = found.iter().map(|spot| spot.level).fold(report.level, Level::max);
        report.findings.extend(found);
    }

    /// Who judges what texts say to a model.
    pub fn injection(&self) -> &Injection {
        &self.injection
    }

    /// Those of the text, and the text itself where its name says that it is one.
    pub fn credentials(&self, name: &str, text: &str) -> Vec<Secret> {
        self.with_named(name, text, self.secrets.find(text))
    }

    /// What was found in the text, and the text itself where its name says that it is one.
    fn with_named(&self, name: &str, text: &str, mut secrets: Vec<Secret>) -> Vec<Secret> {
        if let Some(named) = self.secrets.named(name, text) {
            secrets
                .retain(|secret| secret.span.end <= named.span.start || named.span.end <= secret.span.start);
            secrets.push(named);
            secrets.sort_by_key(|secret| secret.span.start);
        }
        secrets
    }
}

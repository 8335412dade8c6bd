//! One text is looked at: what is in it, and what is to be done with each.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use lockgate_detect::attack::Input;
use lockgate_detect::class::{Classes, DataClass};
use lockgate_detect::code::Program;
use lockgate_detect::media::metadata::Note;
use lockgate_detect::personal::Entity;
use lockgate_detect::secrets::SecretClass;
use lockgate_detect::{Genre, Inspector, Level, Report, Threat};
use lockgate_model::UnixMillis;

use super::{Detect, Handling, Handlings, Sort};
use crate::handles::{handles_in, within};

/// The finders; the same for everybody, and never changed.
pub(crate) static INSPECTOR: LazyLock<Inspector> = LazyLock::new(Inspector::new);

/// Tells the classes of data.
static CLASSES: LazyLock<Classes> = LazyLock::new(Classes::new);

/// One thing found in a text.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) sort: Sort,
    /// The rule that found it, the kind of the secret, or the sort of personal data.
    pub(crate) rule: &'static str,
    pub(crate) level: Level,
    pub(crate) span: Range<usize>,
    pub(crate) handling: Handling,
    /// Nothing may stand for it: nobody has read all of it.
    pub(crate) unread: bool,
    /// What sort of personal data it is.
    pub(crate) entity: Option<Entity>,
}

impl Hit {
    /// What a rule found.
    fn of(sort: Sort, rule: &'static str, level: Level, span: Range<usize>) -> Self {
        Self { sort, rule, level, span, handling: Handling::Off, unread: false, entity: None }
    }
}

/// Everything found in a text that somebody wants to know of, in no order.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) hits: Vec<Hit>,
    /// How likely it gives orders to a model: 0 to 1.
    pub(crate) score: f32,
    /// The classes of data in it that somebody wants to know of.
    pub(crate) classes: BTreeSet<DataClass>,
}

/// What is looked for, in one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'s> {
    pub(crate) detect: &'s Detect,
    pub(crate) handlings: &'s Handlings,
    pub(crate) genre: Genre,
    pub(crate) now: UnixMillis,
}

impl Look<'_> {
    /// Looks at a text, the value of what is called `name`.
    pub(crate) fn at(&self, name: &str, text: &str) -> Looked {
        self.weigh(INSPECTOR.text(self.genre, name, text), text)
    }

    /// The same for an argument of which it is known what it takes, and where that is a program, what program.
    pub(crate) fn argument(&self, name: &str, input: Input, program: Option<&Program>, text: &str) -> Looked {
        self.weigh(INSPECTOR.argument(name, input, program, text), text)
    }

    /// The same for a number as it is written.
    pub(crate) fn number(&self, name: &str, digits: &str) -> Looked {
        self.weigh(INSPECTOR.number(name, digits), digits)
    }

    /// Keeps of what was found what somebody wants to know of.
    fn weigh(&self, mut report: Report<'static>, text: &str) -> Looked {
        if let Some(rules) = &self.detect.rules.0 {
            rules.add(self.genre, text, &mut report);
        }
        if !report.findings.is_empty() || !report.secrets.is_empty() || !report.personal.is_empty() {
            // What stands for something is not that.
            let handles: Vec<_> = handles_in(text).collect();
            report.findings.retain(|spot| spot.span.is_empty() || !within(&handles, &spot.span));
            report.secrets.retain(|secret| !within(&handles, &secret.span));
            report.personal.retain(|datum| !within(&handles, &datum.span));
        }
        let mut looked =
            Looked { score: report.score, classes: self.classes(&report, text), ..Looked::default() };
        for spot in report.findings {
            // What is about all of a text has no place in it.
            let span = if spot.span.is_empty() { 0..text.len() } else { spot.span };
            self.add(Hit::of(sort(spot.threat), spot.rule, spot.level, span), &mut looked);
        }
        for secret in report.secrets {
            let unread = secret.class == SecretClass::Unread;
            let hit = Hit::of(Sort::Secret, secret.kind, Level::Block, secret.span);
            self.add(Hit { unread, ..hit }, &mut looked);
        }
        for datum in report.personal {
            let rule = datum.entity.word();
            if self.detect.entities.as_ref().is_none_or(|entities| entities.contains(rule)) {
                let hit = Hit::of(Sort::Personal, rule, Level::Block, datum.span);
                self.add(Hit { entity: Some(datum.entity), ..hit }, &mut looked);
            }
        }
        if let Some(indicators) = &self.detect.indicators.0 {
            for (rule, span) in indicators.find(text) {
                self.add(Hit::of(Sort::Indicator, rule, Level::Block, span), &mut looked);
            }
        }
        looked
    }

    /// The classes of data in a text of which this was found, without what will be replaced in it.
    fn classes(&self, report: &Report<'_>, text: &str) -> BTreeSet<DataClass> {
        let wanted = &self.handlings.classes;
        if wanted.is_off() {
            return BTreeSet::new();
        }
        let covers_all = self.handlings.personal.block.rewrites() && self.detect.entities.is_none();
        let replaced = |class: &DataClass| {
            *class == DataClass::Credential && self.handlings.secrets.block.rewrites()
                || *class == DataClass::Personal && covers_all
        };
        let mut classes = CLASSES.among(|class| wanted.of(class) != Handling::Off, report, text);
        classes.retain(|class| !replaced(class));
        classes
    }

    /// What stands against a picture or a sound for what is written beside it.
    pub(super) fn notes(&self, notes: &[Note]) -> Looked {
        let report = INSPECTOR.notes(self.genre, notes);
        let mut looked = Looked { score: report.score, ..Looked::default() };
        for spot in report.findings {
            // It is there for what it says.
            self.add(Hit::of(Sort::Injection, spot.rule, spot.level, 0..0), &mut looked);
        }
        looked
    }

    /// Adds a hit, where somebody wants to know of it.
    fn add(&self, hit: Hit, looked: &mut Looked) {
        let handling = self.handlings.of(hit.sort, hit.level);
        if handling != Handling::Off && !self.detect.suppresses(hit.rule, self.now) {
            looked.hits.push(Hit { handling, ..hit });
        }
    }
}

/// What sort of thing that is.
fn sort(threat: Threat) -> Sort {
    match threat {
        Threat::Hidden => Sort::Hidden,
        Threat::Injection => Sort::Injection,
        Threat::Attack => Sort::Attack,
        Threat::Code => Sort::Code,
    }
}

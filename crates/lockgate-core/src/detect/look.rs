//! One text is looked at: what is in it, and what is to be done with each.

use std::ops::Range;
use std::sync::LazyLock;

use lockgate_detect::media::metadata::Note;
use lockgate_detect::personal::Entity;
use lockgate_detect::secrets::SecretClass;
use lockgate_detect::{Genre, Inspector, Level, Spot};
use lockgate_model::UnixMillis;

use super::{Detect, Handling, Handlings, Sort};
use crate::handles::{handles_in, within};

/// The finders; the same for everybody, and never changed.
pub(super) static INSPECTOR: LazyLock<Inspector> = LazyLock::new(Inspector::new);

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
    pub(crate) fn of(sort: Sort, spot: Spot<'static>, text: &str) -> Self {
        // What is about all of a text has no place in it.
        let span = if spot.span.is_empty() { 0..text.len() } else { spot.span };
        let handling = Handling::Off;
        Self { sort, rule: spot.rule, level: spot.level, span, handling, unread: false, entity: None }
    }
}

/// Everything found in a text that somebody wants to know of, in no order.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) hits: Vec<Hit>,
    /// How likely it gives orders to a model: 0 to 1.
    pub(crate) score: f32,
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
        let report = INSPECTOR.text(self.genre, name, text);
        let mut looked = Looked { hits: Vec::new(), score: report.score };
        for spot in report.findings {
            self.add(Hit::of(sort(spot.rule), spot, text), &mut looked);
        }
        for secret in report.secrets {
            let unread = secret.class == SecretClass::Unread;
            let spot = Spot { rule: secret.kind, span: secret.span, level: Level::Block };
            self.add(Hit { unread, ..Hit::of(Sort::Secret, spot, text) }, &mut looked);
        }
        for datum in report.personal {
            let rule = datum.entity.word();
            if self.detect.entities.as_ref().is_none_or(|entities| entities.contains(rule)) {
                let spot = Spot { rule, span: datum.span, level: Level::Block };
                let entity = Some(datum.entity);
                self.add(Hit { entity, ..Hit::of(Sort::Personal, spot, text) }, &mut looked);
            }
        }
        if !looked.hits.is_empty() {
            // What stands for something is not that.
            let handles: Vec<_> = handles_in(text).collect();
            looked.hits.retain(|hit| !within(&handles, &hit.span));
        }
        looked
    }

    /// What stands against a picture or a sound for what is written beside it.
    pub(super) fn notes(&self, notes: &[Note]) -> Looked {
        let report = INSPECTOR.notes(self.genre, notes);
        let mut looked = Looked { hits: Vec::new(), score: report.score };
        for spot in report.findings {
            self.add(Hit::of(sort(spot.rule), spot, ""), &mut looked);
        }
        looked
    }

    /// Adds a hit, where somebody wants to know of it.
    pub(crate) fn add(&self, hit: Hit, looked: &mut Looked) {
        let handling = self.handlings.of(hit.sort, hit.level);
        if handling != Handling::Off && !self.detect.suppresses(hit.rule, self.now) {
            looked.hits.push(Hit { handling, ..hit });
        }
    }
}

/// What sort of thing a rule finds.
fn sort(rule: &str) -> Sort {
    if rule.starts_with("hidden_") { Sort::Hidden } else { Sort::Injection }
}

//! What was found in one message, added up.

use std::collections::BTreeSet;

use lockgate_audit::Detected;
use lockgate_detect::Level;
use lockgate_detect::class::DataClass;
use lockgate_model::{Fields, Finding, Phase, Reason, Verdict};

use super::{ByClass, Handling, Hit, Looked, Sort};

/// Which way a message goes, and what may be done with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// `results` or `arguments`, as in the configuration.
    pub(crate) word: &'static str,
    /// Everything is only written down.
    pub(crate) observes: bool,
    /// It can be neither shown with what was found, nor changed.
    pub(crate) sealed: bool,
}

/// What was found in a message.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Found {
    /// A credential.
    pub(crate) credential: bool,
    /// Personal data.
    pub(crate) personal: bool,
    /// Some of that is left in it.
    pub(crate) personal_left: bool,
    /// The classes of data that are left in it, where the operator wants to know of them.
    pub(crate) classes: BTreeSet<DataClass>,
    /// Text that gives orders to a model, or that is hidden from people.
    pub(crate) orders: bool,
    /// Something in the message was replaced, taken out or marked; ids and names by which it finds its way are no such thing.
    pub(crate) replaced: bool,
    /// The server said something of it that changes nothing: it is not known, or asks for more trust.
    pub(crate) marking_ignored: bool,
    /// Texts that something was taken out of for what it says, as they came, without what is secret: who gives one of their
    /// values is known, though the agent has not read it.
    pub(crate) unread: Vec<String>,
    /// What each rule found.
    pub(crate) detected: Vec<Detected>,
    /// How likely one of its texts gives orders to a model: 0 to 1.
    score: f32,
    /// The strictest of what stands against the message as a whole.
    pub(crate) against: Option<Finding>,
}

impl Found {
    /// The sorts of data in it.
    pub(crate) fn classes(&self) -> impl Iterator<Item = &'static str> {
        let credential = self.credential.then_some(DataClass::Credential);
        let mut all: BTreeSet<_> =
            credential.into_iter().chain(self.personal.then_some(DataClass::Personal)).collect();
        all.extend(&self.classes);
        all.into_iter().map(DataClass::word)
    }

    /// What a record says of it.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &'static str> {
        self.classes().chain(self.marking_ignored.then_some("label_ignored"))
    }

    /// The score as a record has it, in hundredths. None where nothing gave orders or was hidden.
    pub(crate) fn score(&self) -> Option<u8> {
        let hundredths = (self.score.clamp(0.0, 1.0) * 100.0).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 100")]
        let hundredths = hundredths as u8;
        (self.orders && hundredths > 0).then_some(hundredths)
    }

    /// Adds classes of data that are left in it. `place` is what a refusal says of where they are.
    pub(crate) fn classify(
        &mut self,
        classes: impl Iterator<Item = DataClass>,
        wanted: &ByClass,
        way: Way,
        place: impl Fn() -> Option<String>,
    ) {
        for class in classes {
            let handling = wanted.of(class);
            if handling == Handling::Off || !self.classes.insert(class) {
                continue;
            }
            let done = if way.observes { Handling::Flag } else { handling }.word();
            self.tally(Detected { rule: class.word(), class: "class", level: None, count: 1, done });
            let verdict = match handling {
                Handling::Ask => Verdict::Hold,
                Handling::Deny => Verdict::Deny,
                Handling::Off | Handling::Flag | Handling::Mask | Handling::Tokenise | Handling::Redact => {
                    continue;
                }
            };
            let rule = format!("detect.data_classes.{}.{}", way.word, class.word());
            self.object(Finding {
                verdict,
                detail: place(),
                ..Finding::deny(Phase::Detect, Reason::ClassifiedData, rule)
            });
        }
    }

    /// Adds what is in one of its texts. `place` is what a refusal says of where that text is.
    pub(crate) fn add(&mut self, looked: &Looked, way: Way, place: impl Fn() -> Option<String>) {
        self.score = self.score.max(looked.score);
        for hit in &looked.hits {
            match hit.sort {
                Sort::Secret => self.credential = true,
                Sort::Personal => {
                    self.personal = true;
                    self.personal_left |= way.observes || !hit.handling.rewrites();
                }
                Sort::Hidden | Sort::Injection => self.orders = true,
                Sort::Attack | Sort::Code | Sort::Indicator => {}
            }
            self.count(hit, way);
            if let Some(finding) = finding(hit, way, &place) {
                self.object(finding);
            }
        }
    }

    /// A result may have so many parts.
    pub(crate) fn parts(&mut self, fields: &Fields<'_>, most: usize) {
        let parts = ["content", "contents", "messages"].into_iter().filter_map(|name| fields.get(name));
        if parts.map(|parts| parts.elements().take(most.saturating_add(1)).count()).any(|parts| parts > most)
        {
            let finding = Finding::deny(Phase::Detect, Reason::OutputTooLarge, "detect.output.parts");
            let detail = Some(format!("more than {most} parts"));
            self.object(Finding { detail, ..finding });
        }
    }

    /// A file is not to pass.
    pub(crate) fn refuse_media(&mut self, rule: &'static str, key: &str, why: String, way: Way) {
        self.media(rule, if way.observes { Handling::Flag } else { Handling::Deny });
        let finding = Finding::deny(Phase::Detect, Reason::MediaRefused, format!("detect.output.{key}"));
        self.object(Finding { detail: Some(why), ..finding });
    }

    /// Something about a file that gives no orders.
    pub(crate) fn media(&mut self, rule: &'static str, done: Handling) {
        self.tally(Detected { rule, class: "media", level: None, count: 1, done: done.word() });
    }

    fn object(&mut self, finding: Finding) {
        self.against = Some(match self.against.take() {
            Some(earlier) => earlier.stricter(finding),
            None => finding,
        });
    }

    fn count(&mut self, hit: &Hit, way: Way) {
        let level = match hit.sort {
            Sort::Secret | Sort::Personal | Sort::Indicator => None,
            Sort::Hidden | Sort::Injection | Sort::Attack | Sort::Code => Some(hit.level.word()),
        };
        let done = if way.observes { Handling::Flag } else { hit.handling }.word();
        let new = Detected { rule: hit.rule, class: hit.sort.word(), level, count: 1, done };
        self.tally(new);
    }

    fn tally(&mut self, new: Detected) {
        let same = |known: &&mut Detected| Detected { count: 1, ..**known } == new;
        match self.detected.iter_mut().find(same) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => self.detected.push(new),
        }
    }
}

/// What stands against a message for one hit: nothing where it passes, or passes without what was found.
fn finding(hit: &Hit, way: Way, place: &impl Fn() -> Option<String>) -> Option<Finding> {
    let reason = hit.sort.reason();
    let (verdict, reason) = match hit.handling {
        Handling::Ask => (Verdict::Hold, reason),
        Handling::Mask | Handling::Tokenise | Handling::Redact if !way.sealed => return None,
        Handling::Mask | Handling::Tokenise | Handling::Redact if hit.sort == Sort::Secret => {
            return Some(Finding::deny(Phase::Detect, Reason::SecretInSealedFile, "flow.secrets"));
        }
        Handling::Deny | Handling::Mask | Handling::Tokenise | Handling::Redact => (Verdict::Deny, reason),
        Handling::Off | Handling::Flag => return None,
    };
    let level = if hit.level == Level::Review { ".review" } else { "" };
    let rule = format!("detect.{}.{}{level}", way.word, hit.sort.word());
    let by = format!("found by `{}`", hit.rule);
    let detail = place().map_or_else(|| by.clone(), |place| format!("{place}, {by}"));
    Some(Finding { verdict, detail: Some(detail), ..Finding::deny(Phase::Detect, reason, rule) })
}

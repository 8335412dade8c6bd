//! Everything that can be found in an object: each name and each text in it, and where that stands.

use lockgate_model::{Json, Kind, Visit};

use super::place::Place;
use super::{Inspector, Report};
use crate::personal::Datum;
use crate::secrets::Secret;
use crate::{Level, MARK, Spot, redact};

/// What was found in an object, in order of where it stands; what is said of the object as a whole comes first.
#[derive(Clone, Debug, Default)]
pub struct ObjectReport<'d> {
    /// How bad it is, all in all. Secrets and personal data do not count: what becomes of them is for others to say.
    pub level: Level,
    /// How likely it gives orders to a model: 0 to 1.
    pub score: f32,
    /// What is hidden, and what gives orders.
    pub findings: Vec<Placed<Spot<'d>>>,
    /// Credentials.
    pub secrets: Vec<Placed<Secret>>,
    /// Personal data.
    pub personal: Vec<Placed<Datum>>,
}

/// A finding in an object, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<Finding> {
    /// The text that the span is in, as a JSON pointer (RFC 6901); empty for the whole object. Of a pointer that would be
    /// longer than 512 bytes, how it begins, and `…`.
    pub at: String,
    /// The text is not the value there, but its name.
    pub in_name: bool,
    /// What was found. Its span is in the text as it means, without quotes and escapes.
    pub found: Finding,
}

impl<Finding> Placed<Finding> {
    /// Something that is said of all of the object.
    pub(super) fn whole(found: Finding) -> Self {
        Self { at: String::new(), in_name: false, found }
    }
}

/// Shortest number that is looked at, in digits: a shorter one names nobody.
const TELLING_NUMBER: usize = 7;

/// An object that is being looked through.
pub(super) struct Look<'d, 'j> {
    inspector: &'d Inspector,
    report: ObjectReport<'d>,
    place: Place<'j>,
}

impl<'d, 'j> Look<'d, 'j> {
    /// Goes on with what is known of the object already.
    pub(super) fn new(inspector: &'d Inspector, report: ObjectReport<'d>) -> Self {
        Self { inspector, report, place: Place::default() }
    }

    /// Looks at everything in it, once.
    pub(super) fn all(mut self, object: Json<'j>) -> ObjectReport<'d> {
        object.walk(&mut |seen| {
            match seen {
                Visit::Enter(inside) => self.place.enter(inside),
                Visit::Leave => self.place.leave(),
                Visit::Name(key) => {
                    let name = key.text();
                    let found = self.inspector.parts("", &name);
                    // No pointer repeats a credential.
                    let spans = found.secrets.iter().map(|secret| secret.span.clone());
                    let shown =
                        if found.secrets.is_empty() { name } else { redact(&name, spans, MARK).into() };
                    self.place.name(shown);
                    self.add(found, true);
                }
                Visit::Value(value) => {
                    self.value(value);
                    self.place.passed();
                }
            }
            true
        });
        self.report
    }

    fn value(&mut self, value: Json<'j>) {
        match value.kind() {
            Kind::String => {
                let text = value.text().unwrap_or_default();
                let found = self.inspector.parts(self.place.called(), &text);
                self.add(found, false);
                self.label(value);
            }
            Kind::Number if value.raw().len() >= TELLING_NUMBER => {
                let digits = std::str::from_utf8(value.raw()).unwrap_or_default();
                let personal = self.inspector.personal.find(self.place.called(), digits);
                self.add(Report { personal, ..Report::default() }, false);
            }
            Kind::Number | Kind::Bool | Kind::Null | Kind::Object | Kind::Array => {}
        }
    }

    /// A value whose name stands beside it.
    fn label(&mut self, value: Json<'j>) {
        let Some((called, value)) = self.place.labelled(value) else { return };
        let text = value.text().unwrap_or_default();
        let Some(secret) = self.inspector.secrets.named(&called, &text) else { return };
        let at = self.place.pointer_to_value();
        let known = |known: &Placed<Secret>| {
            known.at == at
                && known.found.span.start < secret.span.end
                && secret.span.start < known.found.span.end
        };
        // Its own were found just before.
        if !self.report.secrets.iter().rev().take(8).any(known) {
            self.report.secrets.push(Placed { at, in_name: false, found: secret });
        }
    }

    /// Keeps what was found here.
    fn add(&mut self, found: Report<'d>, in_name: bool) {
        self.report.level = self.report.level.max(found.level);
        self.report.score = self.report.score.max(found.score);
        if found.is_empty() {
            return;
        }
        let at = self.place.pointer();
        self.report.findings.extend(found.findings.into_iter().map(|found| Placed {
            at: at.clone(),
            in_name,
            found,
        }));
        self.report.secrets.extend(found.secrets.into_iter().map(|found| Placed {
            at: at.clone(),
            in_name,
            found,
        }));
        self.report.personal.extend(found.personal.into_iter().map(|found| Placed {
            at: at.clone(),
            in_name,
            found,
        }));
    }
}

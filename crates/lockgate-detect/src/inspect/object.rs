//! Everything that can be found in an object: each name and each text in it, and where that stands.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::iter::{Peekable, Zip};
use std::vec::IntoIter;

use lockgate_model::{Json, Kind, Visit};

use super::called::Called;
use super::place::Place;
use super::{Inspector, Report, TELLING_NUMBER, media};
use crate::injection::Judgement;
use crate::personal::{Datum, Names};
use crate::secrets::{SHORTEST_TOKEN, Secret};
use crate::{Genre, Level, MARK, Spot, redact};

/// What was found in an object, in order of where it stands.
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

/// Most names of members of which it is remembered what they say.
const REMEMBERED: usize = 256;

/// An object that is being looked through.
pub(super) struct Look<'d, 'j> {
    inspector: &'d Inspector,
    genre: Genre,
    report: ObjectReport<'d>,
    place: Place<'j>,
    /// What stands against texts that are still to come.
    spots: Peekable<Zip<IntoIter<usize>, IntoIter<Spot<'d>>>>,
    /// The number of the name or text that is looked at.
    number: usize,
    /// What names of members say.
    known: BTreeMap<String, Called>,
}

impl<'d, 'j> Look<'d, 'j> {
    /// Goes on with what is known of the object as a whole.
    pub(super) fn new(inspector: &'d Inspector, genre: Genre, judged: Judgement<'d>) -> Self {
        let report = ObjectReport { level: judged.level, score: judged.score, ..ObjectReport::default() };
        let spots = judged.texts.into_iter().zip(judged.spots).peekable();
        Self { inspector, genre, report, place: Place::default(), spots, number: 0, known: BTreeMap::new() }
    }

    /// Looks at everything in it, once.
    pub(super) fn all(mut self, object: Json<'j>) -> ObjectReport<'d> {
        object.walk(&mut |seen| {
            match seen {
                Visit::Enter(inside) => self.place.enter(inside),
                Visit::Leave => self.place.leave(),
                Visit::Name(key) => self.name(key.text()),
                Visit::Value(value) => {
                    self.value(value);
                    self.place.passed();
                }
            }
            true
        });
        self.report
    }

    fn name(&mut self, name: Cow<'j, str>) {
        if is_plain(&name) {
            self.place.name(name);
            return self.add_nothing(true);
        }
        let found = self.inspector.parts(self.genre, Called::nothing(self.genre), "", &name);
        // No pointer repeats a credential.
        let spans = found.secrets.iter().map(|secret| secret.span.clone());
        let shown = if found.secrets.is_empty() { name } else { redact(&name, spans, MARK).into() };
        self.place.name(shown);
        self.add(found, true);
    }

    fn value(&mut self, value: Json<'j>) {
        match value.kind() {
            Kind::String => {
                let text = value.text().unwrap_or_default();
                let Self { inspector, genre, place, known, .. } = self;
                let name = place.called();
                let says = called(inspector, *genre, known, name);
                if says.is_nothing() && text.len() < SHORTEST_TOKEN && is_plain(&text) {
                    self.add_nothing(false);
                    return self.label(value);
                }
                let file =
                    matches!(name, "data" | "blob").then(|| media::read(inspector, *genre, &text)).flatten();
                let found = file.unwrap_or_else(|| inspector.parts(*genre, says, name, &text));
                self.add(found, false);
                self.label(value);
            }
            Kind::Number if value.raw().len() >= TELLING_NUMBER => {
                let digits = value.written();
                let Self { inspector, genre, place, known, .. } = self;
                let field = called(inspector, *genre, known, place.called()).field;
                let personal = inspector.personal.find_in(field, digits, &[], Names::default());
                self.keep(Report { personal, ..Report::default() }, false);
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

    /// Keeps what was found in the name or text here, with what stands against it as a part of the object.
    fn add(&mut self, mut found: Report<'d>, in_name: bool) {
        let number = self.number;
        self.number += 1;
        while let Some((_, spot)) = self.spots.next_if(|(text, _)| *text <= number) {
            found.findings.push(spot);
        }
        self.keep(found, in_name);
    }

    /// The same where nothing was found in it, as in most.
    fn add_nothing(&mut self, in_name: bool) {
        if self.spots.peek().is_some_and(|(text, _)| *text <= self.number) {
            self.add(Report::default(), in_name);
        } else {
            self.number += 1;
        }
    }

    fn keep(&mut self, found: Report<'d>, in_name: bool) {
        self.report.level = self.report.level.max(found.level);
        self.report.score = self.report.score.max(found.score);
        if found.is_empty() {
            return;
        }
        let at = self.place.pointer();
        let Report { findings, secrets, personal, .. } = found;
        self.report.findings.extend(findings.into_iter().map(|found| Placed {
            at: at.clone(),
            in_name,
            found,
        }));
        self.report.secrets.extend(secrets.into_iter().map(|found| Placed {
            at: at.clone(),
            in_name,
            found,
        }));
        self.report.personal.extend(personal.into_iter().map(|found| Placed {
            at: at.clone(),
            in_name,
            found,
        }));
    }
}

/// What the name of a member says.
fn called(inspector: &Inspector, genre: Genre, known: &mut BTreeMap<String, Called>, name: &str) -> Called {
    // Elements of a list without a name. Nothing is not looked up: to compare it is dear.
    if name.is_empty() {
        return Called::nothing(genre);
    }
    if let Some(called) = known.get(name) {
        return *called;
    }
    let called = Called::new(inspector, genre, name);
    if known.len() < REMEMBERED {
        known.insert(name.to_owned(), called);
    }
    called
}

/// A name as most are, or a word: there is nothing in it to look at but a token.
fn is_plain(text: &str) -> bool {
    text.len() < 16 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
}

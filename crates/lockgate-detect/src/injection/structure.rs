//! Does a text stand where only data should?
//!
//! A definition has places for prose, and places that a model reads and no person does: defaults, enumerations, patterns, names.
//! A result has fields that are records. An order in one of these is graver than in prose.

use std::borrow::Cow;
use std::ops::Range;

use lockgate_model::Kind;

use super::rules::{Force, Names};
use super::seen::Seen;
use super::speech::{Ear, Hit, Speech, weighed};
use crate::{Genre, Level, Spot};

/// Most texts of an object that are judged before no other object or array in it is entered. There is no end to what a result
/// may have.
const TEXTS: usize = 65_536;
/// So many words in an enumeration, a pattern or a name are prose.
const PROSE: usize = 10;
/// Most findings of one rule and force that are kept of an object.
const KEPT: usize = 4;

/// Members of a schema whose values are data.
const DATA: &[&str] =
    &["default", "enum", "const", "pattern", "title", "$comment", "examples", "example", "format", "type"];
/// Those in which no prose has a place.
const BARE: &[&str] = &["enum", "const", "pattern", "format"];
/// Members of records that are one value.
const RECORD: &[&str] = &[
    "id", "name", "title", "status", "type", "code", "city", "country", "currency", "date", "time", "email",
    "phone", "author", "user", "username", "label", "labels", "tag", "tags", "category", "key", "url", "uri",
    "path", "filename", "state", "version", "unit",
];

/// The judge of one object. Linear.
pub(super) struct Structure<'s, 'j> {
    speech: &'s Speech,
    genre: Genre,
    names: Names,
    ear: Ear,
    /// For each open object or array: is it an array, and the name of the member that it has come to.
    open: Vec<(bool, Cow<'j, str>)>,
    /// What was found: all texts of a definition are near each other, so that spans are empty when it is weighed.
    hits: Vec<Hit>,
    /// In which text each is, and where.
    places: Vec<(usize, Range<usize>)>,
    texts: usize,
    /// The number of the name or text that is looked at.
    number: usize,
    /// How deep it is in an object or an array that is not judged any more.
    passed: usize,
}

/// What a text is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// To be read.
    Prose,
    /// As data.
    Data,
    /// As data that is no prose.
    Bare,
}

impl<'s, 'j> Structure<'s, 'j> {
    pub(super) fn new(speech: &'s Speech, genre: Genre) -> Self {
        let (names, ear, open, hits, places) = Default::default();
        Self { speech, genre, names, ear, open, hits, places, texts: 0, number: 0, passed: 0 }
    }

    /// Takes in what comes next in the object.
    pub(super) fn see(&mut self, seen: &Seen<'j, '_>) {
        match seen {
            Seen::Enter(_) if self.passed > 0 || self.texts >= TEXTS => self.passed += 1,
            Seen::Enter(kind) => self.open.push((*kind == Kind::Array, Cow::Borrowed(""))),
            Seen::Leave if self.passed > 0 => self.passed -= 1,
            Seen::Leave => drop(self.open.pop()),
            Seen::Name(_) | Seen::Text(_) if self.passed > 0 => self.number += 1,
            Seen::Name(name) => {
                self.key(name.clone());
                self.number += 1;
            }
            Seen::Text(text) => {
                self.text(text);
                self.number += 1;
            }
            Seen::Other => {}
        }
    }

    /// What stands against the object, each with the number of the text that it is in.
    pub(super) fn finish(self) -> Vec<(usize, Spot<'static>)> {
        finish(self.genre, &self.hits, &self.places)
    }

    fn key(&mut self, name: Cow<'j, str>) {
        let parameter = matches!(self.open.as_slice(), [.., (_, outer), (false, _)] if outer == "properties");
        if self.genre == Genre::Definition && parameter {
            let Self { names, hits, places, genre, number, .. } = self;
            names.judge(&name, &mut |rule| {
                hits.push(Hit { rule, span: 0..0, force: rule.force(*genre) });
                places.push((*number, 0..name.len()));
            });
        }
        if name.contains(char::is_whitespace) || name.len() > 64 {
            let heard = self.hear(&name);
            self.weigh(&name, heard, if parameter { Place::Bare } else { Place::Data });
        }
        if let Some((_, own)) = self.open.last_mut() {
            *own = name;
        }
    }

    fn text(&mut self, text: &str) {
        let heard = self.hear(text);
        // In a definition alone may a text stand where none has a place.
        if !heard.is_empty() || self.genre == Genre::Definition {
            self.weigh(text, heard, self.place());
        }
    }

    /// What is said, wherever it stands. What is too short to say anything is no prose either.
    fn hear(&mut self, text: &str) -> Vec<Hit> {
        self.texts += 1;
        self.speech.hear(&mut self.ear, self.genre, text)
    }

    fn weigh(&mut self, text: &str, heard: Vec<Hit>, place: Place) {
        let genre = self.genre;
        let raise = |force: Force| match force {
            Force::Sign => Force::Review,
            Force::Review if genre == Genre::Definition => Force::Block,
            Force::Note | Force::Review | Force::Block => force,
        };
        for hit in heard {
            let force = if place == Place::Prose { hit.force } else { raise(hit.force) };
            self.keep(Hit { force, ..hit });
        }
        let words = || text.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)).count();
        if place == Place::Bare
            && words() >= PROSE
            && let Some(rule) = super::rules::named("prose_as_data")
        {
            self.keep(Hit { rule, span: 0..text.len(), force: rule.force(self.genre) });
        }
    }

    /// What the text is that comes next, by the members that it is in.
    fn place(&self) -> Place {
        let mut members = self.open.iter().rev().filter(|(array, _)| !array).map(|(_, name)| name.as_ref());
        let (member, outer) = (members.next().unwrap_or_default(), members.next().unwrap_or_default());
        match self.genre {
            // A parameter may be called `default`; its schema is no text.
            Genre::Definition if outer == "properties" && member != "default" => Place::Prose,
            Genre::Definition if BARE.contains(&member) => Place::Bare,
            Genre::Definition if DATA.contains(&member) => Place::Data,
            Genre::Result if RECORD.contains(&member) => Place::Data,
            Genre::Definition | Genre::Result | Genre::Arguments | Genre::Prompt => Place::Prose,
        }
    }

    /// A few of each sort, so that many of one do not hide another.
    fn keep(&mut self, hit: Hit) {
        if self.hits.iter().filter(|known| known.is(hit.rule, hit.force)).count() < KEPT {
            self.places.push((self.number, hit.span.clone()));
            self.hits.push(Hit { span: 0..0, ..hit });
        }
    }
}

/// Every finding once, the worst of each rule, with the number of the text that it is in.
fn finish(genre: Genre, hits: &[Hit], places: &[(usize, Range<usize>)]) -> Vec<(usize, Spot<'static>)> {
    let mut spots: Vec<(usize, Spot<'static>)> = Vec::new();
    for (at, mut spot) in weighed(genre, hits) {
        let (text, span) = places.get(at).cloned().unwrap_or_default();
        spot.span = span;
        match spots.iter_mut().find(|(_, known)| known.rule == spot.rule) {
            Some(known) if spot.level > known.1.level => *known = (text, spot),
            Some(_) => {}
            None => spots.push((text, spot)),
        }
    }
    spots.retain(|(_, spot)| spot.level > Level::None);
    spots
}

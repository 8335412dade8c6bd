//! Personal data in a text: who somebody is, and how they are reached.
//!
//! A number is found by its form (`numbers.rules`) and the sum in it (`sum/`). One whose form says little needs a word beside
//! it, or a field that is called so. Addresses for e-mail, telephones, networks and payments have readers of their own; names
//! of people and postal addresses are found as far as rules reach: behind a title, in a field, by the shape of a street.
//!
//! Not personal, and not found: loopback, link-local, documentation (RFC 5737, RFC 3849) and multicast addresses. Private ones
//! (RFC 1918, RFC 4193) name a machine in somebody's house; they count where a word says that they are those of a client.

mod context;
mod crypto;
mod entity;
mod found;
mod mail;
mod moment;
mod network;
mod number;
mod person;
mod phone;
mod place;
mod plain;
mod rules;
mod sum;
mod vocabulary;

use std::ops::Range;

pub use self::entity::Entity;

use self::context::Context;
use self::entity::Entities;
use self::found::Found;
use self::person::People;
pub(crate) use self::person::{Names, SHORTEST as SHORTEST_NAMED, before_names};
use self::rules::Rules;
use self::vocabulary::Vocabulary;
use crate::Sure;

/// What every mask has in it: see [`crate::Mask`].
pub(crate) const MASKED: &str = "***";

/// One piece of personal data, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum {
    /// What it is.
    pub entity: Entity,
    /// The bytes of the text that are it; it begins and ends between characters, and is never empty.
    pub span: Range<usize>,
    /// How sure that is.
    pub sure: Sure,
}

/// The finder. Made once and used for every text; a few milliseconds to make, and less than two megabytes.
#[derive(Debug)]
pub struct Personal(Option<Compiled>);

#[derive(Debug)]
struct Compiled {
    rules: Rules,
    vocabulary: Vocabulary,
    people: People,
}

/// What the name of a field says of its value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Field {
    /// What a number in it is.
    numbers: Entities,
    /// It holds the name of somebody.
    person: bool,
    /// It holds a postal address.
    place: bool,
}

impl Field {
    /// Words alone may be personal in it.
    pub(crate) fn is_of_words(self) -> bool {
        self.person || self.place
    }
}

impl Personal {
    /// Made once and used for every text.
    pub fn new() -> Self {
        Self(Compiled::new())
    }

    /// What is in a text that is called `name`, in order and not overlapping. Linear.
    pub fn find(&self, name: &str, text: &str) -> Vec<Datum> {
        self.find_beside(name, text, &[])
    }

    /// The same, but for what is in these spans: secrets that were found there. They are in order and not overlapping.
    pub fn find_beside(&self, name: &str, text: &str, taken: &[Range<usize>]) -> Vec<Datum> {
        let names = self.0.as_ref().map(|compiled| compiled.people.read(text)).unwrap_or_default();
        self.find_in(self.field(name), text, taken, names)
    }

    /// The same of a value of which is known what its name says, and what names are in it.
    pub(crate) fn find_in(
        &self,
        field: Field,
        text: &str,
        taken: &[Range<usize>],
        names: Names,
    ) -> Vec<Datum> {
        self.0.as_ref().map(|compiled| compiled.find(field, text, taken, names)).unwrap_or_default()
    }

    /// What a name says.
    pub(crate) fn field(&self, name: &str) -> Field {
        if name.is_empty() {
            return Field::default();
        }
        let numbers = self.0.as_ref().map(|compiled| compiled.vocabulary.field(name)).unwrap_or_default();
        Field { numbers, person: person::is_field(name), place: place::is_field(name) }
    }
}

impl Default for Personal {
    fn default() -> Self {
        Self::new()
    }
}

impl Compiled {
    fn new() -> Option<Self> {
        let rules = Rules::new()?;
        let words = rules.words().chain(phone::words()).chain(network::words());
        let vocabulary = Vocabulary::new(words)?;
        Some(Self { rules, vocabulary, people: People::new()? })
    }

    fn find(&self, field: Field, text: &str, taken: &[Range<usize>], names: Names) -> Vec<Datum> {
        let context = Context::new(&self.vocabulary, field.numbers, text);
        let mut found = Found::new(taken);
        number::read(&self.rules, context, text, &mut found);
        if field.person {
            person::value(text, &mut found);
        }
        names.put(&mut found);
        if field.place {
            place::value(text, &mut found);
        }
        found.finish(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_is_small() {
        let compiled = Compiled::new().unwrap();
        let memory = compiled.vocabulary.memory() + compiled.people.memory();
        assert!(memory < 1 << 20, "{memory}");
    }
}

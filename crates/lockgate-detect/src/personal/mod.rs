//! Personal data in a text: who somebody is, and how they are reached.

use std::ops::Range;

/// A sort of personal data. Named as Presidio names its entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Entity {
    /// An address for e-mail.
    EmailAddress,
}

impl Entity {
    /// Its name, as `EMAIL_ADDRESS`.
    pub fn word(self) -> &'static str {
        match self {
            Self::EmailAddress => "EMAIL_ADDRESS",
        }
    }
}

/// One piece of personal data, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum {
    /// What it is.
    pub entity: Entity,
    /// The bytes of the text that are it; it begins and ends between characters, and is never empty.
    pub span: Range<usize>,
}

/// The finder.
#[derive(Debug, Default)]
pub struct Personal {}

impl Personal {
    /// Made once and used for every text.
    pub fn new() -> Self {
        Self {}
    }

    /// What is in a text that is called `name`, in order and not overlapping. Linear.
    pub fn find(&self, _name: &str, _text: &str) -> Vec<Datum> {
        Vec::new()
    }
}

//! What is different between two definitions, and what that means.

mod code;
mod compare;
mod list;
mod meaning;
mod show;
mod sign;
mod words;

use lockgate_model::Json;

pub use code::{Code, Risk};
pub use words::Word;

use crate::definition::{Kind, read};

/// What is different between two definitions. Empty exactly where their digests are the same. What it holds is text of the
/// server; only its `Display` is fit for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    changes: Vec<Change>,
    more: usize,
    risk: Risk,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it is, as a JSON pointer (RFC 6901): in the new definition, or in the old one where it is gone. Past 1,024
    /// characters it is cut and ends with `…`.
    pub pointer: String,
    /// What happened.
    pub what: What,
    /// What it means: one code first that says what sort of change it is, then what the new text looks like.
    pub codes: Vec<Code>,
    /// What was there, in canonical form. Past 4,096 characters it is cut and ends with `…`.
    pub old: Option<String>,
    /// What is there now, likewise.
    pub new: Option<String>,
    /// Where a text became another text: both of them, word by word.
    pub words: Vec<Word>,
}

/// What happened at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Nothing was there.
    Added,
    /// Nothing is there any more.
    Removed,
    /// Something else is there.
    Changed,
}

impl What {
    /// The word used for people and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl Change {
    /// The highest risk of its codes.
    pub fn risk(&self) -> Risk {
        self.codes.iter().map(|code| code.risk()).max().unwrap_or(Risk::None)
    }
}

impl Diff {
    /// Most changes that are listed; more are only counted.
    pub const MOST: usize = 200;

    /// Compares what is pinned of two definitions of a kind. Linear in what the server gave, but for sorting.
    pub fn of(kind: Kind, old: Json<'_>, new: Json<'_>) -> Self {
        compare::compare(kind, &read(kind, old), &read(kind, new))
    }

    /// Are the two the same?
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The differences, in the order of their places.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// How many differences are not listed.
    pub fn more(&self) -> usize {
        self.more
    }

    /// The highest risk of all differences, also of those that are not listed.
    pub fn risk(&self) -> Risk {
        self.risk
    }
}

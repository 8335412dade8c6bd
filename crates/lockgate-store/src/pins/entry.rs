//! What is known of definitions, as callers see it.

use lockgate_model::DefinitionKind as Kind;

use crate::state::voice;

/// A definition, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Whose pins; `""` is everybody's.
    pub tenant: String,
    /// The server, by its name in the configuration. Where several configurations share the folder, a space and the one it
    /// is of come after it.
    pub server: String,
    /// What is defined.
    pub kind: Kind,
    /// The name of the tool or prompt, the address of the resource, the text of the template; `""` for instructions
    /// and identity.
    pub name: String,
}

impl Key {
    /// Most bytes of a name.
    pub const LONGEST: usize = 4_096;

    /// The server's name, and the configuration it is of, where that is known.
    pub fn place(&self) -> (&str, Option<&str>) {
        let place = self.server.split_once(' ');
        place.map_or((&self.server, None), |(name, configuration)| (name, Some(configuration)))
    }

    /// Can the name be kept? One that is missing, too long or holds control characters cannot be approved.
    pub(super) fn is_fit(&self) -> bool {
        match self.kind {
            Kind::Instructions | Kind::Identity => self.name.is_empty(),
            Kind::Tool | Kind::Prompt | Kind::Resource | Kind::Template => {
                (1..=Self::LONGEST).contains(&self.name.len()) && !self.name.chars().any(char::is_control)
            }
        }
    }
}

/// A definition that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it defines.
    pub kind: Kind,
    /// Its name, as [`Key::name`].
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The digest that it has without its name, by which it is known again under another one.
    pub nameless: Option<String>,
    /// The definition as canonical JSON. Kept up to 256 KiB, or else not at all.
    pub definition: String,
    /// May it come in force without a person?
    pub trust: Trust,
    /// What it is against what is pinned.
    pub cause: Cause,
    /// Why it is held: codes in our words. The first 32 are kept.
    pub why: Vec<String>,
    /// How many different people must say yes. 0 means 1.
    pub approvers: u8,
}

/// What may come in force without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Nothing: people are asked.
    Never,
    /// A definition where none is in force, and none waits for people or was refused by them.
    First,
    /// Also another one in place of that in force, unless this very one waits or was refused.
    Change,
}

/// What a definition is against what is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing of the server is pinned.
    First,
    /// The server is known, this is new.
    Added,
    /// Another one is in force under this name.
    Changed,
    /// The server is known, this is new, and but for the name it is one that is in force.
    Renamed {
        /// The name of that one.
        from: String,
    },
}

impl Cause {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Renamed { .. } => "renamed",
        }
    }
}

/// How a definition that was seen stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighted {
    /// It was in force.
    Approved,
    /// It is in force from now on, because it was trusted.
    Trusted,
    /// It waits for people.
    Waiting {
        /// The id that people answer with.
        id: String,
        /// It does since now.
        new: bool,
    },
    /// A person refused it.
    Refused,
    /// Its name is missing, too long or holds control characters. It cannot be approved.
    Unfit,
    /// The server has as many digests as are kept. It is not in force, and does not wait.
    NoRoom,
}

/// How an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is in force.
    Approved,
    /// It waits for people.
    Waiting,
    /// A person refused it.
    Refused,
}

impl State {
    pub(super) const ALL: [Self; 3] = [Self::Approved, Self::Waiting, Self::Refused];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }
}

/// Why an entry is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It was trusted when it was seen.
    FirstUse,
    /// People approved it.
    Person,
    /// A lock file has it.
    Lock,
}

impl Basis {
    pub(super) const ALL: [Self; 3] = [Self::FirstUse, Self::Person, Self::Lock];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::FirstUse => "first_use",
            Self::Person => "person",
            Self::Lock => "lock",
        }
    }
}

/// One digest of a definition, and all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `def_` and 8 letters and digits that nobody can choose.
    pub id: String,
    /// What it defines.
    pub key: Key,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The definition as canonical JSON. `None` in lists, and where it is too large or the server has too many.
    pub definition: Option<String>,
    /// Bytes of the definition that are kept; 0 where it is not.
    pub bytes: u64,
    /// How it stands.
    pub state: State,
    /// Why it is in force; `None` where it is not.
    pub basis: Option<Basis>,
    /// Who answered last, or brought the lock file; `None` where nobody did.
    pub by: Option<String>,
    /// Since when it stands so. Milliseconds since 1970.
    pub since: u64,
    /// What it was against what was pinned when it was seen first.
    pub cause: Cause,
    /// Why it was held, as codes.
    pub why: Vec<String>,
    /// How many different people must say yes.
    pub need: u8,
    /// When it was seen first. Milliseconds since 1970.
    pub first: u64,
    /// When it was seen last: to the minute, and to the day where it is in force. Milliseconds since 1970.
    pub last: u64,
    /// In how many minutes it was seen, or days where it is in force.
    pub count: u32,
    /// Who said yes, oldest first. A refusal takes all of them back.
    pub votes: Vec<Vote>,
}

/// A yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who said it.
    pub by: String,
    /// Why.
    pub why: Option<String>,
    /// When. Milliseconds since 1970.
    pub at: u64,
}

impl Vote {
    /// Is it this person's? Somebody who is known by two names that a system user and a principal commonly share counts
    /// once.
    pub fn is_of(&self, approver: &str) -> bool {
        voice(&self.by) == voice(approver)
    }
}

/// Which entries to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Those that wait for people.
    #[default]
    Waiting,
    /// Those that people refused.
    Refused,
    /// All, those in force as well.
    All,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is in force now.
    Approved,
    /// More people must say yes.
    Voted {
        /// How many have.
        have: u8,
        /// How many must.
        need: u8,
    },
    /// It is refused now.
    Refused,
    /// It was so before.
    AsBefore,
    /// No entry has this id, or it was forgotten meanwhile.
    Unknown,
}

/// A digest that is approved or refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pinned {
    /// The server.
    pub server: String,
    /// What it defines.
    pub kind: Kind,
    /// Its name, as [`Key::name`].
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The digest without the name, where it is known.
    pub nameless: Option<String>,
}

impl Pinned {
    /// Which definition it is of.
    pub(super) fn of(&self) -> (&str, Kind, &str) {
        (&self.server, self.kind, &self.name)
    }
}

/// All that is approved or refused for a tenant, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// As [`super::Pins::version`] had it.
    pub version: u64,
    /// In force: one for each definition.
    pub approved: Vec<Pinned>,
    /// Refused by people.
    pub refused: Vec<Pinned>,
}

/// A definition as a lock file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// What it defines.
    pub key: Key,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The digest that it has without its name.
    pub nameless: Option<String>,
    /// The definition as canonical JSON.
    pub definition: String,
}

/// What became of a lock file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many definitions are in force that were not before.
    pub changed: usize,
    /// How many are not, because a person refused them.
    pub refused: usize,
}

/// What happened to a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was trusted in place of another.
    Trusted,
    /// Somebody said yes, and more must.
    Voted,
    /// It came in force because people said so.
    Approved,
    /// A person refused it.
    Refused,
    /// It came in force with a lock file, in place of another.
    Locked,
    /// Its server was forgotten. The digest is empty.
    Forgotten,
}

impl What {
    const ALL: [Self; 6] =
        [Self::Trusted, Self::Voted, Self::Approved, Self::Refused, Self::Locked, Self::Forgotten];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Voted => "voted",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Locked => "locked",
            Self::Forgotten => "forgotten",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.word() == word)
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it happened to.
    pub key: Key,
    /// The digest.
    pub digest: String,
    /// What happened.
    pub what: What,
    /// The digest that was in force before, where this one took its place.
    pub replaced: Option<String>,
    /// Who did it; `None` where nobody did.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// When. Milliseconds since 1970.
    pub at: u64,
}

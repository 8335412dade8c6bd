//! `lockgate.lock`: what is approved of each server and where its program comes from, as a text that is read in a review
//! and kept in a repository.

mod bad;
mod read;
mod write;

use std::collections::BTreeMap;

use lockgate_model::{Json, ServerName, Visit};

pub use bad::{BadLock, Fault};

use crate::definition::{Kind, Name, nameless, pinned};
use crate::digest::Digest;
use crate::pins::Pins;

/// The lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What it says of each server.
    pub servers: BTreeMap<ServerName, Locked>,
}

/// What it says of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locked {
    /// Where its program comes from: `kind`, `name`, `version`, digests. Empty where nothing is pinned.
    pub origin: BTreeMap<String, String>,
    /// Who answers for it: `maintainer`, `repository`, `security`. Empty where nobody is known.
    pub owner: BTreeMap<String, String>,
    definitions: BTreeMap<Name, Definition>,
}

/// An approved definition: what is pinned of it, and the digest of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    digest: Digest,
    nameless: Option<Digest>,
    text: String,
}

/// Why a definition cannot be in a lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It does not say its name.
    #[error("the definition has no name")]
    Nameless,
    /// It is nested deeper than 120.
    #[error("the definition is nested too deep")]
    TooDeep,
    /// There is one of that name already.
    #[error("two definitions have the same name")]
    Twice,
}

impl Lock {
    /// The name of the file.
    pub const FILE: &'static str = "lockgate.lock";
    /// The version of its form.
    pub const VERSION: u64 = 1;
    /// Largest file that is read: 64 MiB.
    pub const LARGEST: usize = 64 << 20;

    /// Reads a lock file. Anything that is not understood is an error, as is a digest that is not that of its definition.
    pub fn read(bytes: &[u8]) -> Result<Self, BadLock> {
        read::read(bytes)
    }

    /// The file's text. Sorted, one thing a line, and with escapes for what a reader would not see. Reads back as the same.
    pub fn text(&self) -> String {
        write::write(self)
    }

    /// Adds what it approves to what people have said.
    pub fn approve(&self, pins: &mut Pins) {
        for (server, locked) in &self.servers {
            pins.lock(server);
            for (name, definition) in &locked.definitions {
                pins.approve(server, name.clone(), definition.digest, definition.nameless);
            }
        }
    }
}

impl Locked {
    /// One of which no definition is approved yet.
    pub fn new(origin: BTreeMap<String, String>, owner: BTreeMap<String, String>) -> Self {
        Self { origin, owner, definitions: BTreeMap::new() }
    }

    /// Adds a definition.
    pub fn add(&mut self, kind: Kind, definition: Json<'_>) -> Result<(), Unfit> {
        let name = Name::of(kind, definition).ok_or(Unfit::Nameless)?;
        if depth(definition) > Definition::DEEPEST {
            return Err(Unfit::TooDeep);
        }
        if self.definitions.contains_key(&name) {
            return Err(Unfit::Twice);
        }
        self.definitions.insert(name, Definition::of(kind, definition));
        Ok(())
    }

    /// The approved definitions, by kind and name.
    pub fn definitions(&self) -> impl Iterator<Item = (&Name, &Definition)> {
        self.definitions.iter()
    }

    /// The approved definition of that name.
    pub fn definition(&self, name: &Name) -> Option<&Definition> {
        self.definitions.get(name)
    }
}

impl Definition {
    /// Deepest nesting of a definition: with what is around it, the file can still be read.
    const DEEPEST: usize = 120;

    /// What is pinned of a definition.
    pub fn of(kind: Kind, definition: Json<'_>) -> Self {
        let text = pinned(kind, definition);
        Self { digest: Digest::of_canonical(&text), nameless: nameless(kind, definition), text }
    }

    /// The digest of its text.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What is pinned of it, in canonical form. The server's text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn depth(json: Json<'_>) -> usize {
    let (mut here, mut deepest) = (0_usize, 0);
    json.walk(&mut |visit| {
        match visit {
            Visit::Enter(_) => here += 1,
            Visit::Leave => here = here.saturating_sub(1),
            Visit::Name(_) | Visit::Value(_) => {}
        }
        deepest = deepest.max(here);
        true
    });
    deepest
}

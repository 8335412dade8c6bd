use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::{Json, ServerName};

use crate::definition::{Kind, Name, nameless};
use crate::digest::Digest;

/// All that is approved and refused for one tenant: what the lock file says and what people have said since. By default
/// nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    servers: BTreeMap<ServerName, ServerPins>,
}

/// What is approved and refused of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerPins {
    /// Does the lock file name the server?
    pub locked: bool,
    /// Is who it says it is refused, or does that wait for a person, and is nothing approved?
    pub doubted: bool,
    /// Definitions of which one waits for a person: until they have answered, nothing is trusted under their names.
    pub waiting: BTreeSet<Name>,
    /// The digests that each definition may have.
    pub approved: BTreeMap<Name, BTreeSet<Digest>>,
    /// What a person has refused.
    pub refused: BTreeSet<(Name, Digest)>,
    /// Approved definitions by what they are without their names, as far as that is known.
    nameless: BTreeMap<(Kind, Digest), String>,
}

/// How a definition stands to what is approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the very one that is approved.
    Approved,
    /// Nothing of this kind of this server is approved, and no lock file names the server.
    First,
    /// The server is known, and this is new.
    Added,
    /// The same, and but for its name it is one that is approved.
    Renamed {
        /// The name that is approved. The server's text.
        from: String,
    },
    /// Another one is approved under its name.
    Changed,
    /// A person has refused this very one.
    Refused,
}

impl Standing {
    /// The word used in records and in the store.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::First => "first",
            Self::Added => "added",
            Self::Renamed { .. } => "renamed",
            Self::Changed => "changed",
            Self::Refused => "refused",
        }
    }
}

impl Pins {
    /// Notes that a lock file names the server.
    pub fn lock(&mut self, server: &ServerName) {
        self.server(server).locked = true;
    }

    /// Approves a definition. With the digest that it has without its name ([`nameless`]), it is known again when it is
    /// renamed.
    pub fn approve(&mut self, server: &ServerName, name: Name, digest: Digest, nameless: Option<Digest>) {
        let pins = self.server(server);
        if let Some(nameless) = nameless {
            pins.nameless.insert((name.kind, nameless), name.name.clone());
        }
        pins.refused.remove(&(name.clone(), digest));
        pins.approved.entry(name).or_default().insert(digest);
    }

    /// Refuses a definition: a later no is stronger than an earlier yes.
    pub fn refuse(&mut self, server: &ServerName, name: Name, digest: Digest) {
        self.server(server).refused.insert((name, digest));
    }

    /// Notes that a definition of this name waits for a person.
    pub fn wait(&mut self, server: &ServerName, name: Name) {
        self.server(server).waiting.insert(name);
    }

    /// Does one of this name wait for a person?
    pub fn waits(&self, server: &ServerName, name: &Name) -> bool {
        self.servers.get(server).is_some_and(|pins| pins.waiting.contains(name))
    }

    /// Notes that nobody may take the server for what it says it is: not approved, and waiting or refused.
    pub fn doubt(&mut self, server: &ServerName) {
        let pins = self.server(server);
        let approved = pins.of(Kind::Identity).next().is_some();
        pins.doubted = !approved;
    }

    /// How a definition stands. The definition itself is only needed to find out whether it was renamed.
    pub fn standing(
        &self,
        server: &ServerName,
        name: &Name,
        digest: Digest,
        definition: Option<Json<'_>>,
    ) -> Standing {
        let Some(pins) = self.servers.get(server) else { return Standing::First };
        if pins.is_refused(name, digest) {
            return Standing::Refused;
        }
        if let Some(approved) = pins.approved.get(name) {
            return if approved.contains(&digest) { Standing::Approved } else { Standing::Changed };
        }
        if !pins.locked && pins.of(name.kind).next().is_none() {
            return Standing::First;
        }
        let nameless = definition.and_then(|definition| nameless(name.kind, definition));
        match nameless.and_then(|nameless| pins.nameless.get(&(name.kind, nameless))) {
            Some(from) => Standing::Renamed { from: from.clone() },
            None => Standing::Added,
        }
    }

    /// Is who the server says it is not approved, and waiting or refused?
    pub fn is_doubted(&self, server: &ServerName) -> bool {
        self.servers.get(server).is_some_and(|pins| pins.doubted)
    }

    /// Does a lock file name the server?
    pub fn is_locked(&self, server: &ServerName) -> bool {
        self.servers.get(server).is_some_and(|pins| pins.locked)
    }

    /// The servers of which something is known, in order of their names.
    pub fn servers(&self) -> impl Iterator<Item = (&ServerName, &ServerPins)> {
        self.servers.iter()
    }

    /// What is approved of a server of that kind, in order of the names.
    pub fn of(&self, server: &ServerName, kind: Kind) -> impl Iterator<Item = &str> {
        self.servers.get(server).into_iter().flat_map(move |pins| pins.of(kind))
    }

    /// The names of a server's approved tools.
    pub fn tools_of(&self, server: &ServerName) -> impl Iterator<Item = &str> {
        self.of(server, Kind::Tool)
    }

    fn server(&mut self, server: &ServerName) -> &mut ServerPins {
        self.servers.entry(server.clone()).or_default()
    }
}

impl ServerPins {
    /// What is approved of that kind, in order of the names.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let first = Name { kind, name: String::new() };
        let from = self.approved.range(first..).map(|(name, _)| name);
        from.take_while(move |name| name.kind == kind).map(|name| name.name.as_str())
    }

    fn is_refused(&self, name: &Name, digest: Digest) -> bool {
        !self.refused.is_empty() && self.refused.contains(&(name.clone(), digest))
    }
}

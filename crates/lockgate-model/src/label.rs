use std::collections::BTreeSet;

use crate::ServerName;

/// How far a server is trusted. The operator says it; the default is `mixed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// New and not yet approved.
    Quarantined,
    /// Anybody can write what it returns: the web, search, public repositories.
    Open,
    /// Outsiders can write part of what it returns: mail, chat, tickets, files.
    Mixed,
    /// Run by the operator, over the operator's own data.
    Internal,
    /// A clock, a calculator, a vault: what it returns is as good as the operator's word.
    Core,
}

impl Tier {
    /// Every tier, least trusted first.
    pub const ALL: [Self; 5] = [Self::Quarantined, Self::Open, Self::Mixed, Self::Internal, Self::Core];

    /// The word used in the configuration and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Open => "open",
            Self::Mixed => "mixed",
            Self::Internal => "internal",
            Self::Core => "core",
        }
    }

    /// What text from such a server is worth. A tier never lifts prose above [`Integrity::FreeText`] unless all that
    /// the server says is the operator's own.
    pub fn integrity(self) -> Integrity {
        match self {
            Self::Quarantined | Self::Open | Self::Mixed => Integrity::FreeText,
            Self::Internal | Self::Core => Integrity::Trusted,
        }
    }
}

/// How much a value may decide. A chain, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Integrity {
    /// Prose that could be an instruction, from a server that outsiders can write to.
    FreeText,
    /// A short value alone in a structured field, from another server.
    ForeignRecord,
    /// The same, from the server that now receives it.
    OwnRecord,
    /// From a server or field that the operator trusts.
    Trusted,
    /// Said or approved by the user or the operator.
    Endorsed,
}

impl Integrity {
    /// The word used in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::FreeText => "free_text",
            Self::ForeignRecord => "foreign_record",
            Self::OwnRecord => "own_record",
            Self::Trusted => "trusted",
            Self::Endorsed => "endorsed",
        }
    }
}

/// What a session has read: the lowest integrity of any text shown to the model, and the servers it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    integrity: Integrity,
    origins: BTreeSet<ServerName>,
}

impl Label {
    /// Nothing read yet.
    pub fn clean() -> Self {
        Self { integrity: Integrity::Endorsed, origins: BTreeSet::new() }
    }

    /// Text of one server.
    pub fn from_server(server: ServerName, tier: Tier) -> Self {
        Self { integrity: tier.integrity(), origins: BTreeSet::from([server]) }
    }

    /// Joins two labels: the result is trusted only where both are, and remembers both origins. Never loses an origin.
    /// O(origins).
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self {
            integrity: self.integrity.min(other.integrity),
            origins: self.origins.union(&other.origins).cloned().collect(),
        }
    }

    /// Joins in place, without allocating when nothing is new.
    pub fn absorb(&mut self, server: &ServerName, tier: Tier) {
        self.integrity = self.integrity.min(tier.integrity());
        if !self.origins.contains(server) {
            self.origins.insert(server.clone());
        }
    }

    /// The lowest integrity read.
    pub fn integrity(&self) -> Integrity {
        self.integrity
    }

    /// The servers read from, in order of their names.
    pub fn origins(&self) -> impl Iterator<Item = &ServerName> {
        self.origins.iter()
    }
}

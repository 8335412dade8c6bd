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

    /// What prose from such a server is worth. Only what is as good as the operator's own word is more than prose.
    pub fn prose(self) -> Integrity {
        match self {
            Self::Quarantined | Self::Open | Self::Mixed | Self::Internal => Integrity::FreeText,
            Self::Core => Integrity::Trusted,
        }
    }

    /// What a short value alone in a field of such a server is worth to another server. To the same server it is an
    /// [`Integrity::OwnRecord`] at least, except where nothing of it is approved yet.
    pub fn record(self) -> Integrity {
        match self {
            Self::Quarantined => Integrity::FreeText,
            Self::Open | Self::Mixed => Integrity::ForeignRecord,
            Self::Internal | Self::Core => Integrity::Trusted,
        }
    }

    /// How confidential what it returns is, where the operator does not say.
    pub fn confidentiality(self) -> Confidentiality {
        match self {
            Self::Open | Self::Core => Confidentiality::Public,
            Self::Internal => Confidentiality::Internal,
            Self::Quarantined | Self::Mixed => Confidentiality::Private,
        }
    }

    /// How confidential what is sent to it may be, where the operator does not say.
    pub fn clearance(self) -> Confidentiality {
        match self {
            Self::Quarantined | Self::Open => Confidentiality::Public,
            Self::Mixed | Self::Internal => Confidentiality::Private,
            Self::Core => Confidentiality::Secret,
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
    /// Every grade, lowest first.
    pub const ALL: [Self; 5] =
        [Self::FreeText, Self::ForeignRecord, Self::OwnRecord, Self::Trusted, Self::Endorsed];

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

/// Who may see it. A chain, least confidential first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidentiality {
    /// Anybody.
    #[default]
    Public,
    /// The operator's own people.
    Internal,
    /// Somebody's own: mail, files, tickets.
    Private,
    /// Credentials and the like.
    Secret,
}

impl Confidentiality {
    /// Every level, least confidential first.
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Private, Self::Secret];

    /// The word used in the configuration and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Private => "private",
            Self::Secret => "secret",
        }
    }
}

/// How confidential something is, and to which compartments it belongs: tenants, servers, classes of data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrecy {
    /// The level.
    pub level: Confidentiality,
    /// The compartments, in the operator's words.
    pub compartments: BTreeSet<String>,
}

impl Secrecy {
    /// A level without compartments.
    pub fn level(level: Confidentiality) -> Self {
        Self { level, compartments: BTreeSet::new() }
    }

    /// Joins in place: the higher level and all compartments. Allocates nothing where nothing is new.
    pub fn absorb(&mut self, other: &Self) {
        self.level = self.level.max(other.level);
        for compartment in &other.compartments {
            if !self.compartments.contains(compartment) {
                self.compartments.insert(compartment.clone());
            }
        }
    }

    /// May it go where this is the clearance? The level is no higher, and every compartment is named there.
    pub fn fits(&self, clearance: &Self) -> bool {
        self.level <= clearance.level && self.compartments.is_subset(&clearance.compartments)
    }
}

/// What a session has read: the lowest integrity and the highest confidentiality of any text shown to the model, and the
/// servers it came from. Joins form a semilattice: commutative, associative, idempotent, and nothing is ever taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    integrity: Integrity,
    secrecy: Secrecy,
    origins: BTreeSet<ServerName>,
}

impl Label {
    /// Nothing read yet.
    pub fn clean() -> Self {
        Self { integrity: Integrity::Endorsed, secrecy: Secrecy::default(), origins: BTreeSet::new() }
    }

    /// Text of one server.
    pub fn new(server: ServerName, integrity: Integrity, secrecy: Secrecy) -> Self {
        Self { integrity, secrecy, origins: BTreeSet::from([server]) }
    }

    /// Joins two labels: the result is trusted only where both are, as confidential as either, and remembers both origins.
    /// O(origins).
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.integrity = joined.integrity.min(other.integrity);
        joined.secrecy.absorb(&other.secrecy);
        joined.origins.extend(other.origins.iter().cloned());
        joined
    }

    /// Joins in place, without allocating when nothing is new.
    pub fn absorb(&mut self, server: &ServerName, integrity: Integrity, secrecy: &Secrecy) {
        self.integrity = self.integrity.min(integrity);
        self.secrecy.absorb(secrecy);
        if !self.origins.contains(server) {
            self.origins.insert(server.clone());
        }
    }

    /// The lowest integrity read.
    pub fn integrity(&self) -> Integrity {
        self.integrity
    }

    /// The highest confidentiality read, with all compartments.
    pub fn secrecy(&self) -> &Secrecy {
        &self.secrecy
    }

    /// The servers read from, in order of their names.
    pub fn origins(&self) -> impl Iterator<Item = &ServerName> {
        self.origins.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn secrecy() -> impl Strategy<Value = Secrecy> {
        let compartments = btree_set(select(vec!["customer".to_owned(), "payroll".to_owned()]), 0..3);
        (select(Confidentiality::ALL.to_vec()), compartments)
            .prop_map(|(level, compartments)| Secrecy { level, compartments })
    }

    fn label() -> impl Strategy<Value = Label> {
        let server = select(vec!["db", "mail", "web"]).prop_map(|name| ServerName::parse(name).unwrap());
        let read = (server, select(Integrity::ALL.to_vec()), secrecy());
        vec(read, 0..4).prop_map(|all| {
            all.into_iter().fold(Label::clean(), |label, (server, integrity, secrecy)| {
                label.join(&Label::new(server, integrity, secrecy))
            })
        })
    }

    proptest! {
        #[test]
        fn joins_form_a_semilattice(a in label(), b in label(), c in label()) {
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.join(&a), a.clone());
            prop_assert_eq!(a.join(&Label::clean()), a);
        }

        #[test]
        fn a_join_never_forgets(a in label(), b in label(), clearance in secrecy()) {
            let both = a.join(&b);
            for one in [&a, &b] {
                prop_assert!(both.integrity() <= one.integrity());
                prop_assert!(one.secrecy().fits(both.secrecy()));
                prop_assert!(one.origins().all(|origin| both.origins().any(|kept| kept == origin)));
                // What may not go somewhere alone may not go there in company.
                prop_assert!(one.secrecy().fits(&clearance) || !both.secrecy().fits(&clearance));
            }
        }

        #[test]
        fn to_absorb_is_to_join(
            a in label(), integrity in select(Integrity::ALL.to_vec()), secrecy in secrecy(),
        ) {
            let server = ServerName::parse("notes").unwrap();
            let mut absorbed = a.clone();
            absorbed.absorb(&server, integrity, &secrecy);
            prop_assert_eq!(absorbed, a.join(&Label::new(server, integrity, secrecy)));
        }

        #[test]
        fn clearance_is_an_order(a in secrecy(), b in secrecy(), c in secrecy()) {
            prop_assert!(a.fits(&a));
            prop_assert!(!(a.fits(&b) && b.fits(&a)) || a == b);
            prop_assert!(!(a.fits(&b) && b.fits(&c)) || a.fits(&c));
        }
    }
}

//! The operator's rules over what a session has read, what a call would do, and where its arguments come from.

mod facts;
mod preset;
mod vain;
mod written;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use lockgate_model::{Class, Confidentiality, Effect, Integrity, Pattern, ServerName, Tier};

use crate::role::Role;

pub use facts::{Facts, Matched, Weighed};
pub use preset::{meaning, presets};
pub use vain::{Known, Vain};
pub use written::{KEYS, Misread, Written};

/// One rule. The order of rules has no meaning: of all that match, the strictest counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The operator's name for it, in findings as `rules.NAME`.
    pub name: String,
    /// What must hold. What cannot be told counts as held.
    pub when: Condition,
    /// What excuses it. What cannot be told excuses nothing.
    pub unless: Option<Condition>,
    /// What is done then.
    pub then: Then,
    /// How many different people must approve where one is asked. At least 1.
    pub approvers: u8,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Then {
    /// The call passes, and is written down.
    Log,
    /// A person is asked.
    Ask,
    /// The call is refused.
    Deny,
    /// What was found in a result is replaced by a mark.
    Redact,
    /// What was found in a result is replaced by a handle.
    Handle {
        /// The servers that get the value back in the handle's place.
        expand_for: BTreeSet<ServerName>,
    },
}

impl Then {
    /// The word used in the configuration and in records.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Ask => "ask",
            Self::Deny => "deny",
            Self::Redact => "redact",
            Self::Handle { .. } => "handle",
        }
    }

    /// Is it done to a result? Else to a call.
    pub fn is_for_results(&self) -> bool {
        matches!(self, Self::Redact | Self::Handle { .. })
    }
}

/// Tests that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition(pub Vec<Test>);

/// One fact of a call, a session or a result, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The lowest integrity that the session has read.
    Integrity(Bound<Integrity>),
    /// The highest confidentiality that the session has read.
    Confidentiality(Bound<Confidentiality>),
    /// The session has read something of one of these compartments.
    Compartments(BTreeSet<String>),
    /// The session has read text of one of these servers.
    Origins(Names),
    /// Is everything known that the user says?
    HearsUser(bool),
    /// How unusual what the session, or its principal in all its sessions, did of late is: 0 to 100.
    Risk(Bound<u8>),
    /// What the tool does.
    Effect(BTreeSet<Effect>),
    /// Which server gets the call.
    Server(Names),
    /// How far that server is trusted.
    Tier(BTreeSet<Tier>),
    /// The name of the tool, as its server says it.
    Tool(Vec<Pattern>),
    /// How much harm it can do at worst.
    Class(BTreeSet<Class>),
    /// Is it proven that the tools of the server are the ones its maker signed?
    Signed(bool),
    /// Is it proven that the server is where the configuration says?
    OriginVerified(bool),
    /// The arguments of this role, or all of them. Without any such argument it does not hold.
    Arguments(Option<Role>, Said),
    /// What was found in a result.
    ResultClass(BTreeSet<String>),
}

impl Test {
    /// What it says of which arguments; nothing where it is about something else.
    pub(crate) fn arguments(&self) -> Option<(Option<Role>, &Said)> {
        if let Self::Arguments(role, said) = self { Some((*role, said)) } else { None }
    }

    /// The same where it is about their integrity.
    pub(crate) fn argument_integrity(&self) -> Option<(Option<Role>, Bound<Integrity>)> {
        if let Self::Arguments(role, Said::Integrity(bound)) = self { Some((*role, *bound)) } else { None }
    }
}

/// What is said of arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The lowest integrity among them; a value that was never seen is below all.
    Integrity(Bound<Integrity>),
    /// The highest confidentiality of what they come from.
    Confidentiality(Bound<Confidentiality>),
    /// One of them comes from such a server: out of what it returned or said in the session. A value that the user gave
    /// comes from nobody else.
    Origins(Sources),
    /// The same, out of the definitions of its tools.
    Metadata(Sources),
}

/// A step of a chain and the side of it that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound<T> {
    /// This or lower.
    AtMost(T),
    /// This or higher.
    AtLeast(T),
    /// This alone.
    Exactly(T),
}

impl<T: Ord + Copy> Bound<T> {
    /// Is it within?
    pub fn holds(self, value: T) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Exactly(only) => value == only,
        }
    }
}

/// Servers by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// These.
    Among(BTreeSet<ServerName>),
    /// All but these.
    Not(BTreeSet<ServerName>),
}

impl Names {
    /// Is it one of them?
    pub fn holds(&self, server: &ServerName) -> bool {
        match self {
            Self::Among(names) => names.contains(server),
            Self::Not(names) => !names.contains(server),
        }
    }

    /// The names that were written.
    pub fn written(&self) -> &BTreeSet<ServerName> {
        match self {
            Self::Among(names) | Self::Not(names) => names,
        }
    }
}

/// Where a value comes from, as seen from the server that gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// From servers of these names.
    Named(Names),
    /// From another server, and not from the one that gets it.
    Others,
}

impl Condition {
    /// Every test.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.0.iter()
    }
}

impl Rule {
    /// Every test, of `when` and of `unless`.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.when.tests().chain(self.unless.iter().flat_map(Condition::tests))
    }

    /// Can a call with this effect meet it?
    pub fn is_about(&self, effect: Effect) -> bool {
        let fits =
            |test: &Test| if let Test::Effect(effects) = test { effects.contains(&effect) } else { true };
        !self.then.is_for_results() && self.when.tests().all(fits)
    }

    /// Does it ask for a proof of where a server's tools come from?
    pub fn wants_proof(&self) -> bool {
        self.when.tests().any(|test| matches!(test, Test::Signed(_) | Test::OriginVerified(_)))
    }

    /// Does it ask how unusual what the session did is?
    pub fn is_about_risk(&self) -> bool {
        self.when.tests().any(|test| matches!(test, Test::Risk(_)))
    }

    /// Does it look at how confidential arguments are? Then a refusal must not say more than that.
    pub fn tells_secrets(&self) -> bool {
        self.tests().any(|test| matches!(test, Test::Arguments(_, Said::Confidentiality(_))))
    }
}

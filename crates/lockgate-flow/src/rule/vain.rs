//! Rules that can never match.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::{Integrity, ServerName, Tier};

use super::{Bound, Condition, Names, Rule, Said, Sources, Test};
use crate::role::Role;

/// What a configuration has, for rules to speak of.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Every server and how far it is trusted.
    pub servers: BTreeMap<ServerName, Tier>,
    /// Every compartment that what a server returns belongs to.
    pub compartments: BTreeSet<String>,
}

/// Why a rule can match nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vain {
    /// A test that no server passes.
    NoServer,
    /// No server has one of these tiers.
    NoTier,
    /// No server returns anything of this compartment.
    NoCompartment(String),
    /// Two tests that never hold together.
    Contradiction,
    /// Whatever meets `when` is excused by `unless`.
    Excused,
    /// `redact` and `handle` are for results, and `when` does not say of which class.
    NoResult,
    /// `ask`, `deny` and `log` are for calls, which have no result yet.
    OnlyResults,
}

impl Vain {
    /// What is wrong, in words of ours and of the operator.
    pub fn message(&self) -> String {
        match self {
            Self::NoServer => "it matches nothing: no server is meant".to_owned(),
            Self::NoTier => "it matches nothing: no server that is meant has such a tier".to_owned(),
            Self::NoCompartment(name) => {
                format!(
                    "it matches nothing: no server belongs to the compartment `{}`",
                    name.escape_default()
                )
            }
            Self::Contradiction => "it matches nothing: two of its tests never hold together".to_owned(),
            Self::Excused => "it matches nothing: `unless` excuses all that meets `when`".to_owned(),
            Self::NoResult => "it says what is done to a result, and not to which".to_owned(),
            Self::OnlyResults => "it asks for the class of a result, and a call has none yet".to_owned(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoServer => "name a server of `servers`, or leave one out of `not`",
            Self::NoTier => "see `lockgate check` for the tier of each server",
            Self::NoCompartment(_) => "write it under `compartments` of a server, or remove it here",
            Self::Contradiction => "keep one of them, or make two rules",
            Self::Excused => "make `unless` narrower than `when`",
            Self::NoResult => "add `result.class: [credential]` to `when`",
            Self::OnlyResults => "write `then: redact` or `then: {handle: {expand_for: [server]}}`",
        }
    }
}

impl Rule {
    /// Why it can match nothing, if that can be seen.
    pub fn vain(&self, known: &Known) -> Option<Vain> {
        let of_results = self.when.tests().any(|test| matches!(test, Test::ResultClass(_)));
        match (self.then.is_for_results(), of_results) {
            (true, false) => return Some(Vain::NoResult),
            (false, true) => return Some(Vain::OnlyResults),
            (true, true) | (false, false) => {}
        }
        let excused = self.unless.as_ref().is_some_and(|unless| implies(&self.when, unless));
        self.when.vain(known).or(excused.then_some(Vain::Excused))
    }
}

impl Condition {
    fn vain(&self, known: &Known) -> Option<Vain> {
        let meant = |server: &ServerName| {
            self.tests().all(|test| if let Test::Server(names) = test { names.holds(server) } else { true })
        };
        let meant: Vec<Tier> =
            known.servers.iter().filter(|(name, _)| meant(name)).map(|(_, tier)| *tier).collect();
        if meant.is_empty() {
            return Some(Vain::NoServer);
        }
        self.tests().find_map(|test| match test {
            Test::Origins(names) => nobody(names, known),
            Test::Tier(tiers) => (!meant.iter().any(|tier| tiers.contains(tier))).then_some(Vain::NoTier),
            Test::Compartments(names) => {
                let missing = names.iter().find(|name| !known.compartments.contains(*name));
                missing.map(|name| Vain::NoCompartment(name.clone()))
            }
            Test::Integrity(bound) => self.forbids(*bound, known).then_some(Vain::Contradiction),
            Test::Arguments(role, said) => self.vain_of(*role, said, known),
            Test::Confidentiality(_)
            | Test::HearsUser(_)
            | Test::Risk(_)
            | Test::Effect(_)
            | Test::Server(_)
            | Test::Tool(_)
            | Test::Class(_)
            | Test::Signed(_)
            | Test::OriginVerified(_)
            | Test::ResultClass(_) => None,
        })
    }

    fn vain_of(&self, role: Option<Role>, said: &Said, known: &Known) -> Option<Vain> {
        match said {
            Said::Origins(Sources::Named(names)) | Said::Metadata(Sources::Named(names)) => {
                nobody(names, known)
            }
            Said::Origins(Sources::Others) | Said::Metadata(Sources::Others) => {
                (known.servers.len() < 2).then_some(Vain::NoServer)
            }
            Said::Integrity(bound) => {
                let all = self.tests().filter_map(Test::argument_integrity).find(|(role, _)| role.is_none());
                let crossed = role.is_some() && all.is_some_and(|(_, all)| crosses(all, *bound));
                crossed.then_some(Vain::Contradiction)
            }
            Said::Confidentiality(_) => None,
        }
    }

    /// Does it want a session that has read only what nobody can forge, and that has read one which anybody can write to?
    fn forbids(&self, bound: Bound<Integrity>, known: &Known) -> bool {
        let outside = |names: &Names| {
            let mut named = known.servers.iter().filter(|(name, _)| names.holds(name)).peekable();
            named.peek().is_some() && named.all(|(_, tier)| *tier < Tier::Internal)
        };
        !bound.holds(Integrity::FreeText)
            && self.tests().any(|test| matches!(test, Test::Origins(names) if outside(names)))
    }
}

/// Are no servers meant?
fn nobody(names: &Names, known: &Known) -> Option<Vain> {
    (!known.servers.keys().any(|server| names.holds(server))).then_some(Vain::NoServer)
}

/// Must the lowest of all be higher than the lowest of some?
fn crosses(all: Bound<Integrity>, some: Bound<Integrity>) -> bool {
    match (all, some) {
        (Bound::AtLeast(all) | Bound::Exactly(all), Bound::AtMost(some) | Bound::Exactly(some)) => all > some,
        _ => false,
    }
}

/// Does everything that meets the first meet the second?
fn implies(first: &Condition, second: &Condition) -> bool {
    second.tests().all(|wanted| first.tests().any(|given| given == wanted || narrower(given, wanted)))
}

fn narrower(given: &Test, wanted: &Test) -> bool {
    match (given, wanted) {
        (Test::Integrity(given), Test::Integrity(wanted)) => within(*given, *wanted),
        (Test::Confidentiality(given), Test::Confidentiality(wanted)) => within(*given, *wanted),
        (
            Test::Arguments(of, Said::Integrity(given)),
            Test::Arguments(wanted_of, Said::Integrity(wanted)),
        ) => of == wanted_of && within(*given, *wanted),
        (Test::Risk(given), Test::Risk(wanted)) => within(*given, *wanted),
        (Test::Effect(given), Test::Effect(wanted)) => given.is_subset(wanted),
        (Test::Tier(given), Test::Tier(wanted)) => given.is_subset(wanted),
        (Test::Class(given), Test::Class(wanted)) => given.is_subset(wanted),
        (Test::Server(Names::Among(given)), Test::Server(wanted)) => {
            given.iter().all(|name| wanted.holds(name))
        }
        _ => false,
    }
}

fn within<T: Ord + Copy>(given: Bound<T>, wanted: Bound<T>) -> bool {
    match (given, wanted) {
        (Bound::AtMost(given) | Bound::Exactly(given), Bound::AtMost(wanted)) => given <= wanted,
        (Bound::AtLeast(given) | Bound::Exactly(given), Bound::AtLeast(wanted)) => given >= wanted,
        (given, wanted) => given == wanted,
    }
}

//! Policy files of Intercept (`PolicyLayer`), with the verdicts of the original.
//!
//! [`Policy::read`] takes a file of version 1, the keys that came later, and what is known of the hosted JSON of
//! version 1. [`Policy::decide`] answers for one call. Where the original lets through what its own policy forbids,
//! this does not: every difference is in the table of `docs/intercept.md`. Of one thing it is exactly as careless: it
//! compares without regard to type (`"5"` equals 5). [`Policy::to_native`] writes the policy in Lockgate's own rules,
//! which do not.
//!
//! Whoever calls gives [`Json`](lockgate_model::Json) that was checked, the time in milliseconds since the Unix epoch,
//! and [`Counters`]. After [`Decision::Allow`] and a failed call the reservations go to [`release`].

mod amount;
mod condition;
mod counters;
mod decide;
mod native;
mod re2;
mod read;
#[cfg(test)]
mod tests;
mod value;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use condition::Condition;

pub use amount::Amount;
pub use counters::{Counters, Key, MemoryCounters, Reservation, Window, release};
pub use decide::Decision;
pub use yaml::Place;

/// A policy file that was read without an error.
#[derive(Clone, Debug)]
pub struct Policy {
    deny_unlisted: bool,
    hide: BTreeSet<String>,
    /// `*` holds the rules for every call.
    tools: BTreeMap<String, Vec<Rule>>,
    approvals: Approvals,
}

/// What a policy says of approvals in general.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Approvals {
    /// How long a question waits where its rule does not say, in milliseconds.
    pub timeout: Option<u64>,
    /// How long a call that is asked again counts as the same question, in milliseconds.
    pub dedupe_window: Option<u64>,
}

/// Something wrong with a policy file. Display: `line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct BadFile {
    /// Where.
    pub place: Place,
    /// What, in the words of the original where it has some.
    pub message: String,
}

/// Something the original accepts and ignores without a word. Display: `line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Where.
    pub place: Place,
    /// What.
    pub message: String,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl Policy {
    /// Reads a policy file: all that is wrong with it at once, tools sorted by name, or the policy and what the
    /// original would have ignored.
    pub fn read(text: &str) -> Result<(Self, Vec<Lint>), Vec<BadFile>> {
        read::read(text)
    }

    /// The names of the tools it lists or hides, without `*`: a name no server has is a mistake the original keeps
    /// quiet about.
    pub fn tools(&self) -> BTreeSet<&str> {
        self.tools.keys().chain(&self.hide).map(String::as_str).filter(|name| *name != "*").collect()
    }

    /// Is the tool to be left out of lists?
    pub fn hides(&self, tool: &str) -> bool {
        self.hide.contains(tool) || self.hide.contains("*")
    }

    /// What it says of approvals in general.
    pub fn approvals(&self) -> Approvals {
        self.approvals
    }

    /// The rules of the tool in the order of the file, then those of `*`.
    fn rules<'p>(&'p self, tool: &str) -> impl Iterator<Item = &'p Rule> + use<'p> {
        let own = self.tools.get(tool).filter(|_| tool != "*");
        own.into_iter().chain(self.tools.get("*")).flatten()
    }
}

#[derive(Clone, Debug)]
struct Rule {
    name: String,
    effect: Effect,
    conditions: Vec<Condition>,
    on_deny: Option<String>,
    counting: Option<Counting>,
    spend: Option<Spend>,
}

/// What a rule does with its conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// All must hold.
    Require,
    /// Denies, whatever they are.
    Deny,
    /// Denies where all hold (hosted policies).
    DenyIf,
    /// Asks where all hold; how long, in milliseconds.
    Ask(Option<u64>),
}

/// A `state` block.
#[derive(Clone, Debug)]
struct Counting {
    key: Key,
    window: Window,
    increment: Increment,
    limit: Amount,
}

#[derive(Clone, Debug)]
enum Increment {
    Fixed(Amount),
    /// The argument at that path.
    From(Vec<String>),
}

/// What a payment for a call may cost.
#[derive(Clone, Debug)]
struct Spend {
    per_call: Option<Amount>,
    daily: Option<Amount>,
    key: Key,
}

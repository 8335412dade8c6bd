//! What must not be in an argument: attacks on the program behind a tool.
//!
//! Rules are held against a text by what it is ([`Input`]), never against prose: a sentence may have any words in it. Most are
//! of the OWASP Core Rule Set, with its patterns unchanged.

mod bytes;
mod fold;
mod input;
mod needs;
mod path;
mod rules;

pub use input::Input;

use path::Places;
use rules::Rules;

use crate::{Level, Spot};

/// Everything that is looked for.
#[derive(Debug)]
pub struct Attacks {
    rules: Rules,
}

impl Default for Attacks {
    fn default() -> Self {
        Self::new()
    }
}

impl Attacks {
    /// What is built in. Patterns are compiled when they are first needed.
    pub fn new() -> Self {
        Self { rules: Rules::new() }
    }

    /// What stands against this text as a value of this kind.
    pub fn find(&self, input: Input, text: &str) -> Vec<Spot<'_>> {
        let hits = self.rules.hits(input, text);
        hits.into_iter()
            .map(|hit| Spot { rule: hit.rule.name, span: hit.span.unwrap_or_default(), level: hit.rule.level })
            .collect()
    }
}

#[cfg(test)]
mod crs_tests;

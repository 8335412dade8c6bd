//! What must not be in an argument: attacks on the program behind a tool.
//!
//! Rules are held against a text by what it is ([`Input`]), never against prose: a sentence may have any words in it. Most are
//! of the OWASP Core Rule Set, with its patterns unchanged; paths and addresses are read by programs of their own. What may be
//! in a program is asked in [`code`](crate::code).

pub mod address;
pub(crate) mod input;
mod path;

pub use input::Input;
pub(crate) use input::Inputs;

use path::Places;

use crate::code::language::Language;
use crate::code::script::Scripts;
use crate::rules::Rules;
use crate::{Level, Spot, Threat};

/// The rules that are built in, by file.
pub(crate) const FILES: [&str; 6] = [
    include_str!("crs/sql.rules"),
    include_str!("crs/command.rules"),
    include_str!("crs/path.rules"),
    include_str!("crs/script.rules"),
    include_str!("crs/other.rules"),
    include_str!("own.rules"),
];

/// Longest path, host or identifier; longest other text. Bytes. What is longer is not searched, and that is a finding.
pub const LONGEST_NAME: usize = 8 << 10;
/// See [`LONGEST_NAME`].
pub const LONGEST_TEXT: usize = 1 << 20;

/// Everything that is looked for.
#[derive(Debug)]
pub struct Attacks {
    rules: Rules,
    places: Places,
    scripts: Scripts,
}

impl Default for Attacks {
    fn default() -> Self {
        Self::new()
    }
}

impl Attacks {
    /// What is built in. Cheap: patterns are compiled when they are first needed.
    pub fn new() -> Self {
        Self { rules: Rules::new(Threat::Attack, &FILES), places: Places::new(), scripts: Scripts::new() }
    }

    /// What stands against this text as a value of this kind. Nothing ever stands against prose and programs. The span is empty
    /// where it is about all of the text, or the text had to be decoded first. O(length of the text).
    pub fn find(&self, input: Input, text: &str) -> Vec<Spot<'_>> {
        let longest = match input {
            Input::Prose | Input::Code => return Vec::new(),
            Input::Path | Input::Host | Input::Identifier | Input::Address => LONGEST_NAME,
            Input::Command | Input::Sql | Input::Html | Input::Template | Input::Query => LONGEST_TEXT,
        };
        let spot = |(rule, level)| Spot { rule, threat: Threat::Attack, span: 0..0, level };
        if text.len() > longest {
            return vec![spot(("too_long_to_search", Level::Block))];
        }
        let mut spots: Vec<Spot<'_>> = self.by_reading(input, text).into_iter().map(spot).collect();
        spots.extend(self.rules.spots(input, text));
        if input == Input::Command {
            // What is an argument of a shell is no program that somebody offers to run.
            let scripts = self.scripts.find(Language::Shell, text);
            spots.extend(scripts.into_iter().map(|spot| Spot { threat: Threat::Attack, ..spot }));
        }
        spots
    }

    /// The rules that stand in files, those for programs too.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.rules.names().chain(self.places.names()).chain(self.scripts.names()).collect()
    }

    /// The rules for programs.
    pub fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// What is found by reading the text for what it is.
    fn by_reading(&self, input: Input, text: &str) -> Vec<(&'static str, Level)> {
        let null = || text.contains('\0').then_some(("null_byte", Level::Block));
        match input {
            Input::Path if is_file_address(text) => self.places.find(text.get(7..).unwrap_or_default()),
            Input::Path => self.places.find(text),
            Input::Address | Input::Host => {
                let read = address::read(text);
                let found = address::rule(read.reach).into_iter().chain(read.fault);
                return found.chain(null()).collect();
            }
            Input::Identifier
            | Input::Query
            | Input::Command
            | Input::Sql
            | Input::Html
            | Input::Template => null(),
            Input::Prose | Input::Code => None,
        }
        .into_iter()
        .collect()
    }
}

fn is_file_address(text: &str) -> bool {
    text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("file://"))
}

#[cfg(test)]
mod crs_tests;

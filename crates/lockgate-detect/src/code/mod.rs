//! What must not be in a program that an agent hands to a tool.
//!
//! Python is parsed and walked whole ([`python`]). Shell and JavaScript are not: they are recognised ([`language`]), and searched for
//! what does damage ([`script`]), so that rules can refuse or hold them.

pub mod language;
pub mod python;
mod python_words;
pub mod script;

use std::sync::LazyLock;

use language::Language;
use python::Allowed;

/// What is known of a program before it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its language; none where only the text says which. What is said to be Python and cannot be read as that is a finding.
    pub language: Option<Language>,
    /// What it may import, where it is Python.
    pub imports: Allowed,
}

/// A program in each language, of which nothing else is known.
static PLAIN: LazyLock<[Program; 3]> = LazyLock::new(|| {
    [Language::Python, Language::JavaScript, Language::Shell]
        .map(|language| Program { language: Some(language), imports: Allowed::default() })
});

impl Program {
    /// What is known where one of these names says the language: of an argument, or of its tool.
    pub fn named(names: &[&str]) -> Option<&'static Self> {
        let language = names.iter().find_map(|name| language::named(name))?;
        PLAIN.iter().find(|program| program.language == Some(language))
    }
}

//! The rules that a name tells, by the words of the name.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::tokens::{BadRules, NAMED, Rule, Tokens};

/// Rules, and one automaton for the words that they stand beside.
#[derive(Debug)]
pub(super) struct Named {
    rules: Vec<Rule>,
    words: AhoCorasick,
    /// The rule that each word is of.
    of: Vec<usize>,
}

impl Named {
    pub(super) fn new() -> Result<Self, BadRules> {
        let Tokens(rules) = Tokens::read(NAMED)?;
        let words =
            rules.iter().enumerate().flat_map(|(at, rule)| rule.beside.iter().map(move |word| (at, *word)));
        let (of, words): (Vec<usize>, Vec<&str>) = words.unzip();
        let words = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(words);
        Ok(Self { rules, words: words.map_err(|_| BadRules::all())?, of })
    }

    /// All of them.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Those that a name is of, which is in lower case and without marks; in the order of the file.
    pub(super) fn beside(&self, name: &str) -> impl Iterator<Item = &Rule> {
        let words = self.words.find_overlapping_iter(name);
        let mut rules: Vec<usize> =
            words.filter_map(|word| self.of.get(word.pattern().as_usize()).copied()).collect();
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().filter_map(|rule| self.rules.get(rule))
    }
}

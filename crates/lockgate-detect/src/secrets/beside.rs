//! The rules that a name tells, by the words of the name.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::name;
use super::tokens::{BadRules, NAMED, Rule, Tokens};

/// Rules, and one automaton for the words that they stand beside.
#[derive(Debug)]
pub(super) struct Named {
    rules: Vec<Rule>,
    words: AhoCorasick,
    /// The rule that each word is of.
    of: Vec<usize>,
    /// No value that a rule is about is shorter. Bytes.
    shortest: usize,
}

impl Named {
    pub(super) fn new() -> Result<Self, BadRules> {
        let Tokens(rules) = Tokens::read(NAMED)?;
        let words =
            rules.iter().enumerate().flat_map(|(at, rule)| rule.beside.iter().map(move |word| (at, *word)));
        let (of, words): (Vec<usize>, Vec<&str>) = words.unzip();
        let shapes = rules.iter().flat_map(|rule| &rule.shapes);
        let shortest = shapes.map(|look| look.shape.shortest()).min().unwrap_or_default();
        let words = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(words);
        Ok(Self { rules, words: words.map_err(|_| BadRules::all())?, of, shortest })
    }

    /// All of them.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Whether a rule may be about a value, for all that its length says.
    pub(super) fn may_be(&self, value: &str) -> bool {
        value.len() >= self.shortest
    }

    /// The first in the order of the file that is about what has this name and this value.
    pub(super) fn rule(&self, name: &str, value: &str) -> Option<&Rule> {
        let is = |rule: &&Rule| {
            rule.shapes.iter().any(|look| look.shape.is_all_of(value)) && rule.judge(value).is_some()
        };
        self.beside(name, value).find(is)
    }

    /// Those that a name is of, where the value is long enough for any.
    fn beside(&self, name: &str, value: &str) -> impl Iterator<Item = &Rule> {
        let mut rules: Vec<usize> = Vec::new();
        if self.may_be(value) {
            let plain = name::plain(name);
            let words = self.words.find_overlapping_iter(&plain);
            rules.extend(words.filter_map(|word| self.of.get(word.pattern().as_usize()).copied()));
        }
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().filter_map(|rule| self.rules.get(rule))
    }
}

//! All rules that were taken, run over a text.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use super::Rule;
use crate::{Genre, Level, Spot, Threat};

/// How much text on either side of a word a pattern is tried over. Bytes. A match that is longer is not found.
const REACH: usize = 200;
/// Most places of a text at which one condition is tried.
const PLACES: usize = 8;

/// The finder.
#[derive(Debug)]
pub struct Imported {
    rules: Vec<Rule>,
    level: Level,
    automaton: Option<AhoCorasick>,
    /// All conditions: of which rule each is, and which of its conditions.
    conditions: Vec<(usize, usize)>,
    /// For each word: the conditions that need it.
    needs: Vec<Vec<usize>>,
}

impl Imported {
    /// Of all these. What they find is of that level: [`Level::Review`], unless the operator knows better.
    pub fn new(rules: Vec<Rule>, level: Level) -> Self {
        let mut words: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut conditions = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            for (condition, taken) in rule.conditions.iter().enumerate() {
                for word in &taken.pattern.words {
                    words.entry(word.clone()).or_default().push(conditions.len());
                }
                conditions.push((number, condition));
            }
        }
        let (words, needs): (Vec<_>, Vec<_>) = words.into_iter().unzip();
        let automaton = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(words).ok();
        Self { rules, level, automaton, conditions, needs }
    }

    /// What the rules say of a text, each once. Linear: of each condition at most so many places are looked at.
    pub fn judge(&self, genre: Genre, text: &str) -> Vec<Spot<'_>> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        // Where each condition was tried up to, how often, and what it found.
        let mut all: Vec<Tried> = self.conditions.iter().map(|_| Tried::default()).collect();
        for hit in automaton.find_overlapping_iter(text) {
            for need in self.needs.get(hit.pattern().as_usize()).into_iter().flatten() {
                let Some(tried) = all.get_mut(*need) else { continue };
                if tried.found.is_some() || tried.times >= PLACES || hit.start() < tried.upto {
                    continue;
                }
                let Some((rule, condition)) = self.conditions.get(*need) else { continue };
                let condition = self.rules.get(*rule).and_then(|rule| rule.conditions.get(*condition));
                let Some(condition) = condition.filter(|condition| condition.genres.contains(&genre)) else {
                    continue;
                };
                tried.times += 1;
                let (from, to) = around(text, hit.start(), hit.end());
                tried.upto = to.saturating_sub(REACH / 2).max(hit.end());
                let pattern = &condition.pattern;
                if (pattern.starts && from > 0) || (pattern.ends && to < text.len()) {
                    continue;
                }
                let found = text.get(from..to).and_then(|part| pattern.find(part));
                tried.found = found.map(|found| from + found.start..from + found.end);
            }
        }
        self.spots(&all)
    }

    fn spots(&self, all: &[Tried]) -> Vec<Spot<'_>> {
        let mut all = all.iter();
        let mut spots: Vec<Spot<'_>> = Vec::new();
        for rule in &self.rules {
            let of_rule = all.by_ref().take(rule.conditions.len());
            let found: Vec<_> = of_rule.filter_map(|tried| tried.found.clone()).collect();
            if let Some(span) = found.first()
                && (!rule.all || found.len() == rule.conditions.len())
            {
                spots.push(Spot {
                    rule: &rule.id,
                    threat: Threat::Injection,
                    span: span.clone(),
                    level: self.level,
                });
            }
        }
        spots.sort_by_key(|spot| spot.span.start);
        spots
    }
}

/// What one condition has come to in a text.
#[derive(Default)]
struct Tried {
    upto: usize,
    times: usize,
    found: Option<std::ops::Range<usize>>,
}

/// The text around a word, between characters.
fn around(text: &str, start: usize, end: usize) -> (usize, usize) {
    let mut from = start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut to = text.len().min(end + REACH);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    (from, to)
}

//! All rules that were taken, run over a text.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use super::Rule;
use crate::{Genre, Level, Spot};

/// How much text on either side of a word a pattern is tried over. Bytes. A match that is longer is not found.
const REACH: usize = 256;
/// Most places of a text at which one condition is tried.
const PLACES: usize = 16;

/// The finder.
#[derive(Debug)]
pub struct Imported {
    rules: Vec<Rule>,
    level: Level,
    automaton: Option<AhoCorasick>,
    /// For each word: the rules and the conditions of theirs that need it.
    needs: Vec<Vec<(usize, usize)>>,
}

impl Imported {
    /// Of all these. What they find is of that level: [`Level::Review`], unless the operator knows better.
    pub fn new(rules: Vec<Rule>, level: Level) -> Self {
        let mut words: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for (number, rule) in rules.iter().enumerate() {
            for (condition, taken) in rule.conditions.iter().enumerate() {
                for word in &taken.pattern.words {
                    words.entry(word.clone()).or_default().push((number, condition));
                }
            }
        }
        let (words, needs): (Vec<_>, Vec<_>) = words.into_iter().unzip();
        let automaton = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(words).ok();
        Self { rules, level, automaton, needs }
    }

    /// What the rules say of a text, each once. Linear: of each condition at most so many places are looked at.
    pub fn judge(&self, genre: Genre, text: &str) -> Vec<Spot<'_>> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        // Where each condition was tried up to, how often, and what it found.
        let mut tried: BTreeMap<(usize, usize), Tried> = BTreeMap::new();
        for hit in automaton.find_overlapping_iter(text) {
            for need in self.needs.get(hit.pattern().as_usize()).into_iter().flatten() {
                let Some(condition) = self.rules.get(need.0).and_then(|rule| rule.conditions.get(need.1))
                else {
                    continue;
                };
                if !condition.genres.contains(&genre) {
                    continue;
                }
                let tried = tried.entry(*need).or_default();
                if tried.found.is_some() || tried.times >= PLACES || hit.start() < tried.upto {
                    continue;
                }
                tried.times += 1;
                let (from, to) = around(text, hit.start(), hit.end());
                tried.upto = to.saturating_sub(REACH / 2).max(hit.end());
                let pattern = &condition.pattern;
                if (pattern.starts && from > 0) || (pattern.ends && to < text.len()) {
                    continue;
                }
                let found = text.get(from..to).and_then(|part| pattern.regex.find(part));
                tried.found = found.map(|found| from + found.start()..from + found.end());
            }
        }
        self.spots(tried)
    }

    fn spots(&self, tried: BTreeMap<(usize, usize), Tried>) -> Vec<Spot<'_>> {
        let mut spots: Vec<Spot<'_>> = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let of_rule = tried.range((number, 0)..(number + 1, 0));
            let mut found = of_rule.filter_map(|(_, tried)| tried.found.clone());
            let Some(span) = found.next() else { continue };
            if !rule.all || found.count() + 1 == rule.conditions.len() {
                spots.push(Spot { rule: &rule.id, span, level: self.level });
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

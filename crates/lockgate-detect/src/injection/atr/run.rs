//! All rules that were taken, run over a text.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use lockgate_model::Json;

use super::Rule;
use crate::injection::seen::Seen;
use crate::{Genre, Level, Report, Spot, Threat};

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

    /// The ids of all rules, in no order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.rules.iter().map(|rule| rule.id)
    }

    /// What the rules say of a text, each once, in order. Linear: of each condition at most so many places are looked at.
    pub fn judge(&self, genre: Genre, text: &str) -> Vec<Spot<'static>> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        let mut all: BTreeMap<usize, Tried> = BTreeMap::new();
        for hit in automaton.find_overlapping_iter(text) {
            for need in self.needs.get(hit.pattern().as_usize()).into_iter().flatten() {
                let Some((rule, condition)) = self.conditions.get(*need) else { continue };
                let condition = self.rules.get(*rule).and_then(|rule| rule.conditions.get(*condition));
                let Some(condition) = condition.filter(|condition| condition.genres.contains(&genre)) else {
                    continue;
                };
                let tried = all.entry(*need).or_default();
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
                let found = text.get(from..to).and_then(|part| pattern.find(part));
                tried.found = found.map(|found| from + found.start..from + found.end);
            }
        }
        self.spots(all)
    }

    /// Adds what they say of a text to what is known of it.
    pub fn add(&self, genre: Genre, text: &str, report: &mut Report<'_>) {
        let spots = self.judge(genre, text);
        report.level = spots.iter().map(|spot| spot.level).fold(report.level, Level::max);
        report.findings.extend(spots);
    }

    /// What they say of each text of an object, with its number: names and texts count as [`Json::walk`] comes to them, from 0.
    pub fn judge_object(&self, genre: Genre, object: Json<'_>) -> Vec<(usize, Spot<'static>)> {
        let (mut found, mut number) = (Vec::new(), 0);
        Seen::each(object, |seen| match seen {
            Seen::Name(_) => number += 1,
            Seen::Text(text) => {
                found.extend(self.judge(genre, &text).into_iter().map(|spot| (number, spot)));
                number += 1;
            }
            Seen::Enter(_) | Seen::Leave | Seen::Other => {}
        });
        found
    }

    /// One spot for each rule of which enough holds: where its first condition does.
    fn spots(&self, all: BTreeMap<usize, Tried>) -> Vec<Spot<'static>> {
        let mut by_rule: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for (condition, tried) in all {
            if let Some((span, (rule, _))) = tried.found.zip(self.conditions.get(condition)) {
                by_rule.entry(*rule).or_default().push(span);
            }
        }
        let mut spots: Vec<Spot<'static>> = Vec::new();
        for (rule, found) in by_rule {
            if let Some((rule, span)) = self.rules.get(rule).zip(found.first())
                && (!rule.all || found.len() == rule.conditions.len())
            {
                let span = span.clone();
                spots.push(Spot { rule: rule.id, threat: Threat::Injection, span, level: self.level });
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
    found: Option<Range<usize>>,
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

//! All rules that were taken, run over a text.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, Match};
use lockgate_model::Json;

use super::Rule;
use super::pattern::Need;
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
    /// For each word that is looked for: the ways that are tried around it.
    words: Vec<Vec<usize>>,
    ways: Vec<Way>,
}

/// How one of the conditions may come to hold.
#[derive(Debug)]
struct Way {
    rule: usize,
    /// Which condition of the rule it is.
    condition: usize,
    /// The words that must be near the one that it is tried around, by their numbers.
    beside: Vec<Need<usize>>,
}

impl Imported {
    /// Of all these. What they find is of that level: [`Level::Review`], unless the operator knows better.
    pub fn new(rules: Vec<Rule>, level: Level) -> Self {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let mut number = |word: &str| {
            let next = numbers.len();
            *numbers.entry(word.to_owned()).or_insert(next)
        };
        let (mut tries, mut ways) = (Vec::new(), Vec::new());
        for (rule, taken) in rules.iter().enumerate() {
            for (condition, taken) in taken.conditions.iter().enumerate() {
                for (around, beside) in taken.pattern.needs.ways() {
                    tries.extend(around.into_iter().map(|word| (number(word), ways.len())));
                    let beside = beside.into_iter().map(|need| need.map(&mut |word| number(word)));
                    ways.push(Way { rule, condition, beside: beside.collect() });
                }
            }
        }
        let mut words = vec![Vec::new(); numbers.len()];
        for (word, way) in tries {
            words.get_mut(word).into_iter().for_each(|ways: &mut Vec<usize>| ways.push(way));
        }
        let mut patterns: Vec<(String, usize)> = numbers.into_iter().collect();
        patterns.sort_by_key(|(_, number)| *number);
        let patterns = patterns.into_iter().map(|(word, _)| word);
        let automaton = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(patterns).ok();
        Self { rules, level, automaton, words, ways }
    }

    /// The ids of all rules, in no order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.rules.iter().map(|rule| rule.id)
    }

    /// What the rules say of a text, each once, in order. Linear: of each condition at most so many places are looked at.
    pub fn judge(&self, genre: Genre, text: &str) -> Vec<Spot<'static>> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        let mut all: BTreeMap<(usize, usize), Tried> = BTreeMap::new();
        let mut near = Near::default();
        for hit in automaton.find_overlapping_iter(text) {
            near.ends_before(hit.end(), |word, near| self.tries(genre, text, word, near, &mut all));
            near.push(hit, self.words.len());
        }
        near.ends_before(usize::MAX, |word, near| self.tries(genre, text, word, near, &mut all));
        self.spots(all)
    }

    /// Tries what is tried around a word, where all is near that it needs.
    fn tries(
        &self,
        genre: Genre,
        text: &str,
        hit: &Match,
        near: &[u16],
        all: &mut BTreeMap<(usize, usize), Tried>,
    ) {
        let is_near = |word: &usize| near.get(*word).is_some_and(|count| *count > 0);
        let ways = self.words.get(hit.pattern().as_usize()).into_iter().flatten();
        for way in ways.filter_map(|way| self.ways.get(*way)) {
            if !way.beside.iter().all(|need| need.is_met(&is_near)) {
                continue;
            }
            let condition = self.rules.get(way.rule).and_then(|rule| rule.conditions.get(way.condition));
            let Some(condition) = condition.filter(|condition| condition.genres.contains(&genre)) else {
                continue;
            };
            let tried = all.entry((way.rule, way.condition)).or_default();
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
                found.extend(self.judge(genre, text).into_iter().map(|spot| (number, spot)));
                number += 1;
            }
            Seen::Enter(_) | Seen::Leave | Seen::Other => {}
        });
        found
    }

    /// One spot for each rule of which enough holds: where its first condition does.
    fn spots(&self, all: BTreeMap<(usize, usize), Tried>) -> Vec<Spot<'static>> {
        let mut by_rule: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for ((rule, _), tried) in all {
            if let Some(span) = tried.found {
                by_rule.entry(rule).or_default().push(span);
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

/// The words around a place that goes from the left to the right.
#[derive(Default)]
struct Near {
    /// What was found, by where it ends: those before the place, then those that are still to come to.
    hits: VecDeque<Match>,
    /// How many are before the place.
    passed: usize,
    /// How many of each word there are; empty before the first.
    words: Vec<u16>,
}

impl Near {
    /// Another word, behind those that are known; and how many there are in all.
    fn push(&mut self, hit: Match, all: usize) {
        self.words.resize(all, 0);
        self.count(&hit, 1);
        self.hits.push_back(hit);
    }

    /// Goes on to each word that is farther before there than anything may be that it needs: with how many of each word are
    /// near it.
    fn ends_before(&mut self, end: usize, mut each: impl FnMut(&Match, &[u16])) {
        while let Some(hit) = self.hits.get(self.passed).copied().filter(|hit| hit.end() + REACH < end) {
            while let Some(first) = self.hits.pop_front_if(|first| first.end() + REACH <= hit.start()) {
                self.passed -= 1;
                self.count(&first, -1);
            }
            each(&hit, &self.words);
            self.passed += 1;
        }
    }

    fn count(&mut self, hit: &Match, more: i16) {
        let word = self.words.get_mut(hit.pattern().as_usize());
        if let Some(count) = word {
            *count = count.saturating_add_signed(more);
        }
    }
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

//! The rules, read from data and held against texts.
//!
//! In a `.rules` file, a rule is a line with its name and below it, indented:
//!
//! ```text
//! crs     NUMBER     the rule of the OWASP Core Rule Set it is
//! in      INPUTS     what it is asked of, by the words of `Input`
//! level   LEVEL      `block` or `review`
//! fold    FOLDS      how the text is read first, by the words of `fold.rs`, in this order
//! each               it is asked after each of them, not only after the last
//! match   PATTERN    a regular expression over bytes; `.` is any byte
//! same    1 2        what these groups of the pattern caught must be equal
//! and     PATTERN    this must match as well
//! unless  PATTERN    this must not match
//! words   FILE       or instead of a pattern: one of the words in `FILE.words`, in any case
//! any     WORDS      or one of these words, in any case
//! ```

mod bytes;
mod fold;
mod needs;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Regex, RegexBuilder};

use bytes::Bytes;
pub(crate) use fold::Fold;
use needs::Needs;

use crate::attack::{Input, Inputs};
use crate::{Level, Spot, Threat};

/// Most memory for the program of one pattern, and for what a search over it keeps. Bytes.
const PROGRAM: usize = 8 << 20;
const SEARCH: usize = 512 << 10;
/// Up to so many words, the automaton over them may be of the kind that is fast and large.
const FEW: usize = 400;

/// One rule, as it is written.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) crs: u32,
    pub(crate) inputs: Inputs,
    pub(crate) level: Level,
    /// Place of its way of reading in [`Rules::readings`].
    reading: usize,
    pattern: Option<&'static str>,
    groups: bool,
    also: Vec<(bool, &'static str)>,
    words: Vec<&'static str>,
}

/// A way of reading that some rules share.
#[derive(Debug)]
struct Reading {
    /// Each with the bytes without which it changes nothing.
    folds: Vec<(Fold, Bytes)>,
    each: bool,
    /// Without one of these in a text, the text is read as it is.
    moved: Bytes,
}

/// What is made of the rules for one kind of value when the first one comes.
#[derive(Debug)]
struct Ready {
    /// The rules by the way the text is read for them.
    plan: Vec<(usize, Vec<usize>)>,
    /// Words that give rules away, and those that are rules.
    words: AhoCorasick,
    /// For each of the words: the rules it is for.
    owners: Vec<Vec<u16>>,
    /// For each rule: the bytes that give it away; all of them where nothing does.
    bytes: Vec<Bytes>,
}

/// The patterns of a rule.
type Patterns = OnceLock<Option<(Regex, Vec<(bool, Regex)>)>>;

/// All rules. Cheap to make: a pattern is compiled when it is first asked.
#[derive(Debug)]
pub(crate) struct Rules {
    /// What they find.
    threat: Threat,
    pub(crate) all: Vec<Rule>,
    readings: Vec<Reading>,
    /// By the place of the kind in [`Input::ALL`].
    ready: [OnceLock<Option<Ready>>; Input::ALL.len()],
    patterns: Vec<Patterns>,
}

/// What one rule has found.
#[derive(Debug)]
struct Hit<'r> {
    rule: &'r Rule,
    /// Where; nothing where the text had to be read in another way first.
    span: Option<Range<usize>>,
}

impl Rules {
    /// Reads these files. O(length of the rules).
    pub(crate) fn new(threat: Threat, files: &[&'static str]) -> Self {
        let mut rules = Self {
            threat,
            all: Vec::new(),
            readings: Vec::new(),
            ready: [const { OnceLock::new() }; Input::ALL.len()],
            patterns: Vec::new(),
        };
        for file in files {
            rules.read(file);
        }
        rules.patterns = rules.all.iter().map(|_| OnceLock::new()).collect();
        rules
    }

    /// The names of all.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(|rule| rule.name)
    }

    /// Every rule for this input that matches, in the order of the rules. The span is empty where the text had to be read in
    /// another way first. O(length of the text).
    pub(crate) fn spots(&self, input: Input, text: &str) -> Vec<Spot<'_>> {
        let spot = |hit: Hit<'_>| Spot {
            rule: hit.rule.name,
            threat: self.threat,
            span: hit.span.map_or(0..0, |span| whole_characters(text, span)),
            level: hit.rule.level,
        };
        let place = Input::ALL.iter().position(|one| *one == input);
        let cell = place.and_then(|place| self.ready.get(place));
        let ready =
            cell.and_then(|cell| cell.get_or_init(|| self.prepare(|rule| rule.inputs.has(input))).as_ref());
        let hits = ready.map(|ready| self.ask(ready, text.as_bytes()));
        hits.unwrap_or_default().into_iter().map(spot).collect()
    }

    /// Does the rule with this number of the Core Rule Set match?
    #[cfg(test)]
    pub(crate) fn matches(&self, crs: u32, text: &[u8]) -> bool {
        static ALL: OnceLock<Option<Ready>> = OnceLock::new();
        let ready = ALL.get_or_init(|| self.prepare(|_| true)).as_ref().unwrap();
        self.ask(ready, text).iter().any(|hit| hit.rule.crs == crs)
    }

    /// Every one of these rules that matches.
    fn ask(&self, ready: &Ready, text: &[u8]) -> Vec<Hit<'_>> {
        let present = Bytes::of(text);
        // Many ways of reading make the same of most texts.
        let mut seen: Vec<(Cow<'_, [u8]>, Vec<bool>)> = vec![(Cow::Borrowed(text), ready.suspects(text))];
        let mut found: Vec<(usize, Hit<'_>)> = Vec::new();
        for (reading, rules) in &ready.plan {
            let Some(reading) = self.readings.get(*reading) else { continue };
            for read in reading.texts(text, present) {
                let known = seen.iter().position(|(known, _)| *known == read);
                let at = known.unwrap_or_else(|| {
                    let suspects = ready.suspects(&read);
                    seen.push((read, suspects));
                    seen.len() - 1
                });
                let Some((read, suspects)) = seen.get(at) else { continue };
                for &index in rules.iter().filter(|&&index| suspects.get(index) == Some(&true)) {
                    let Some(rule) = self.all.get(index) else { continue };
                    if found.iter().all(|(known, _)| *known != index)
                        && let Some(span) = self.find(index, rule, read)
                    {
                        found.push((index, Hit { rule, span: (at == 0).then_some(span) }));
                    }
                }
            }
        }
        found.sort_by_key(|(index, _)| *index);
        found.into_iter().map(|(_, hit)| hit).collect()
    }

    /// Where this rule matches a text as it is read.
    fn find(&self, index: usize, rule: &Rule, text: &[u8]) -> Option<Range<usize>> {
        if rule.pattern.is_none() {
            return Some(0..text.len());
        }
        // A pattern that cannot be compiled is found by a test. Here it counts against the text.
        let Some((first, also)) = self.patterns.get(index)?.get_or_init(|| compile(rule)) else {
            return Some(0..text.len());
        };
        let span = if rule.groups {
            first.captures_iter(text).find_map(|found| {
                let group = |at| found.get(at).map(|group| group.as_bytes());
                (group(1) == group(2)).then(|| found.get(0).map(|whole| whole.range())).flatten()
            })?
        } else {
            first.find(text)?.range()
        };
        also.iter().all(|(wanted, pattern)| pattern.is_match(text) == *wanted).then_some(span)
    }

    fn prepare(&self, wanted: impl Fn(&Rule) -> bool) -> Option<Ready> {
        let mut plan: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut words: Vec<Vec<u8>> = Vec::new();
        let mut owners: Vec<Vec<u16>> = Vec::new();
        let mut places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut bytes = Vec::new();
        for (index, rule) in self.all.iter().enumerate() {
            if !wanted(rule) {
                bytes.push(Bytes::default());
                continue;
            }
            plan.entry(rule.reading).or_default().push(index);
            let needs = match rule.pattern {
                Some(pattern) => parse(pattern).as_ref().and_then(Needs::of),
                None => Some(Needs::words(&rule.words)),
            };
            bytes.push(needs.as_ref().map_or(Bytes::that(|_| true), |needs| needs.bytes));
            for word in needs.map(|needs| needs.words).unwrap_or_default() {
                let place = *places.entry(word.clone()).or_insert_with(|| {
                    words.push(word);
                    owners.push(Vec::new());
                    words.len() - 1
                });
                owners.get_mut(place)?.push(u16::try_from(index).ok()?);
            }
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(if words.len() > FEW { AhoCorasickKind::ContiguousNFA } else { AhoCorasickKind::DFA }))
            .build(words)
            .ok()?;
        Some(Ready { plan: plan.into_iter().collect(), words, owners, bytes })
    }

    fn read(&mut self, file: &'static str) {
        let mut folds: (Vec<Fold>, bool) = (Vec::new(), false);
        for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some(line) = line.strip_prefix("  ") else {
                self.all.push(Rule { name: line, ..Rule::default() });
                folds = (Vec::new(), false);
                let reading = self.reading(&folds);
                if let Some(rule) = self.all.last_mut() {
                    rule.reading = reading;
                }
                continue;
            };
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            let value = value.trim_start();
            match key {
                "fold" => folds.0 = value.split(' ').filter_map(Fold::read).collect(),
                "each" => folds.1 = true,
                _ => {}
            }
            let reading = self.reading(&folds);
            let Some(rule) = self.all.last_mut() else { continue };
            rule.reading = reading;
            match key {
                "crs" => rule.crs = value.parse().unwrap_or_default(),
                "in" => rule.inputs = Inputs::read(value),
                "level" => rule.level = if value == "block" { Level::Block } else { Level::Review },
                "match" => rule.pattern = Some(value),
                "same" => rule.groups = true,
                "and" => rule.also.push((true, value)),
                "unless" => rule.also.push((false, value)),
                "words" => rule.words = words(value),
                "any" => rule.words = value.split(' ').collect(),
                _ => {}
            }
        }
    }

    /// The place of this way of reading.
    fn reading(&mut self, (folds, each): &(Vec<Fold>, bool)) -> usize {
        let same =
            |known: &Reading| known.folds.iter().map(|(fold, _)| fold).eq(folds) && known.each == *each;
        self.readings.iter().position(same).unwrap_or_else(|| {
            let folds: Vec<_> =
                folds.iter().map(|&fold| (fold, Bytes::that(|b| fold.is_moved_by(b)))).collect();
            let moved = folds.iter().fold(Bytes::default(), |all, (_, moved)| all.union(*moved));
            self.readings.push(Reading { folds, each: *each, moved });
            self.readings.len() - 1
        })
    }
}

impl Reading {
    /// The texts that are to be searched; the text itself is borrowed.
    fn texts<'t>(&self, text: &'t [u8], present: Bytes) -> Vec<Cow<'t, [u8]>> {
        if !self.moved.meets(present) {
            return vec![Cow::Borrowed(text)];
        }
        let mut texts = vec![Cow::Borrowed(text)];
        let mut present = present;
        for (fold, moved) in &self.folds {
            if !moved.meets(present) {
                continue;
            }
            let next = fold.apply(texts.last().map_or(text, AsRef::as_ref));
            if texts.last().is_none_or(|last| **last != next) {
                present = Bytes::of(&next);
                texts.push(Cow::Owned(next));
            }
        }
        if !self.each {
            let last = texts.pop();
            texts.clear();
            texts.extend(last);
        }
        texts
    }
}

impl Ready {
    /// For each rule: may it match this text? O(length of the text).
    fn suspects(&self, text: &[u8]) -> Vec<bool> {
        let present = Bytes::of(text);
        let mut suspects: Vec<bool> = self.bytes.iter().map(|bytes| bytes.meets(present)).collect();
        for found in self.words.find_overlapping_iter(text) {
            for &rule in self.owners.get(found.pattern().as_usize()).into_iter().flatten() {
                if let Some(suspect) = suspects.get_mut(usize::from(rule)) {
                    *suspect = true;
                }
            }
        }
        suspects
    }
}

/// A span of bytes, widened to whole characters.
fn whole_characters(text: &str, span: Range<usize>) -> Range<usize> {
    text.floor_char_boundary(span.start)..text.ceil_char_boundary(span.end)
}

fn compile(rule: &Rule) -> Option<(Regex, Vec<(bool, Regex)>)> {
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .unicode(false)
            .dot_matches_new_line(true)
            .size_limit(PROGRAM)
            .dfa_size_limit(SEARCH)
            .build()
            .ok()
    };
    let also =
        rule.also.iter().map(|(wanted, pattern)| Some((*wanted, build(pattern)?))).collect::<Option<_>>();
    Some((build(rule.pattern?)?, also?))
}

fn parse(pattern: &str) -> Option<regex_syntax::hir::Hir> {
    regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(pattern)
        .ok()
}

/// The words of a list.
fn words(list: &str) -> Vec<&'static str> {
    let file = match list {
        "java-classes" => include_str!("../attack/crs/java-classes.words"),
        "lfi-os-files" => include_str!("../attack/crs/lfi-os-files.words"),
        "ssrf" => include_str!("../attack/crs/ssrf.words"),
        "ssrf-no-scheme" => include_str!("../attack/crs/ssrf-no-scheme.words"),
        "unix-shell" => include_str!("../attack/crs/unix-shell.words"),
        "windows-powershell-commands" => include_str!("../attack/crs/windows-powershell-commands.words"),
        _ => "",
    };
    file.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_whole() {
        let rules = Rules::new(
            crate::Threat::Attack,
            &[
                crate::attack::FILES.as_slice(),
                &[include_str!("../code/shell.rules"), include_str!("../code/javascript.rules")],
            ]
            .concat(),
        );
        assert!(rules.all.len() > 130);
        for (index, rule) in rules.all.iter().enumerate() {
            let name = rule.name;
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
            assert!(!rule.inputs.is_empty() && rule.level > Level::None, "{name}");
            assert!(rule.pattern.is_some() == rule.words.is_empty(), "{name}: a pattern or words");
            assert!(rule.pattern.is_none() || compile(rule).is_some(), "{name} does not compile");
            assert!(
                rules
                    .all
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.name != name && (rule.crs == 0 || other.crs != rule.crs))
            );
            assert!(
                !rule.inputs.has(Input::Prose) && (rule.crs == 0 || !rule.inputs.has(Input::Code)),
                "{name}"
            );
        }
    }
}

//! What the rules say of one text, wherever it is hidden in it, and whether it is said or only spoken of.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::rules::{
    Force, Found, Gate, Listener, Nobody, Ring, Rule, TermReader, Terms, base64, decoded, mark_at, marked,
};
use crate::{Genre, Level, Spot, Threat};

/// Two signs this near each other are one thing. Bytes.
const NEAR: usize = 400;
/// Room within which findings for review are counted together, and how many of them are too many. Bytes.
const WIDE: usize = 1500;
const CROWD: usize = 3;
/// Most findings of one rule and force that are kept of a text.
const KEPT: usize = 8;
/// Most findings of a text of which it is asked whether they are only spoken of; others are not taken to be.
const ASKED: usize = 256;
/// How far around a finding it is asked whether it is only spoken of. Bytes.
const AROUND: usize = 240;
/// How far behind the last letter of another script a phrase in it may end. Bytes.
const TAIL: usize = 32;
/// Most encoded runs of a text that are looked into.
const RUNS: usize = 256;

/// What shows in the same sentence that an order is spoken of, not given.
const MENTION: &[&str] = &[
    "example",
    "examples",
    "e.g",
    "such as",
    "attack",
    "attacks",
    "attacker",
    "attackers",
    "injection",
    "injections",
    "injected",
    "malicious",
    "jailbreak",
    "jailbreaks",
    "adversarial",
    "adversary",
    "detect",
    "detects",
    "detection",
    "detector",
    "prevent",
    "prevents",
    "vulnerability",
    "vulnerabilities",
    "exploit",
    "payload",
    "payloads",
    "phishing",
    "threat",
    "security research",
    "beispiel",
    "angriff",
    "angreifer",
    "exemple",
    "attaque",
    "ejemplo",
    "ataque",
    "exemplo",
    "attacco",
    "esempio",
    "phrases like",
    "asking the model to",
    "tricks",
    "tricked",
    "attempts to",
    "tries to",
    "tried to",
    "scenario",
    "demonstrates",
    "red team",
];

/// All of them at once. None only if they could not be made, and then nothing is only spoken of.
static MENTIONS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(MENTION).ok());

/// The rules, ready for any text.
#[derive(Debug)]
pub(super) struct Speech {
    gate: Gate,
    terms: Terms,
}

/// What is kept from one text to the next, made when it is first needed.
#[derive(Default)]
pub(super) struct Ear {
    ring: Ring,
    words: Option<Listener>,
    terms: Option<TermReader>,
}

/// What was found, before it is weighed.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) rule: &'static Rule,
    pub(super) span: Range<usize>,
    pub(super) force: Force,
}

impl Hit {
    /// Is it of that rule, and does it say that much?
    pub(super) fn is(&self, rule: &Rule, force: Force) -> bool {
        std::ptr::eq(self.rule, rule) && self.force == force
    }
}

impl Speech {
    pub(super) fn new() -> Self {
        Self { gate: Gate::new(), terms: Terms::new() }
    }

    /// Is the text long enough to say anything?
    pub(super) fn may_speak(&self, text: &str) -> bool {
        self.gate.may_speak(text)
    }

    /// What the text says, in order, before it is weighed. Linear.
    pub(super) fn hear(&self, ear: &mut Ear, genre: Genre, text: &str) -> Vec<Hit> {
        if !self.may_speak(text) {
            return Vec::new();
        }
        let mut hits: Vec<Hit> = Vec::new();
        let mut asked = 0;
        let mut add = |found: Found| {
            let mut force = found.rule.force(genre);
            let kept = |force: Force| hits.iter().filter(|hit| hit.is(found.rule, force)).count() >= KEPT;
            if force == Force::Note || kept(force) {
                return;
            }
            // Who writes so many that are only spoken of wants one to be overlooked that is not.
            if force == Force::Block && asked < ASKED {
                asked += 1;
                force = if is_mentioned(text, &found.span) { Force::Review } else { force };
            }
            let known = |hit: &Hit| hit.is(found.rule, force) && hit.span.end > found.span.start;
            if !kept(force) && !hits.iter().any(known) {
                hits.push(Hit { rule: found.rule, span: found.span, force });
            }
        };
        let seen = self.gate.look(&mut ear.ring, genre, text);
        for part in &seen.foreign {
            // An address or a name in Latin letters may follow.
            let end = text.len().min(part.end + TAIL);
            let end = (part.end..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(part.end);
            let from = part.start;
            let reader = ear.terms.get_or_insert_default();
            self.terms.judge(reader, text.get(from..end).unwrap_or_default(), &mut |rule, span| {
                add(Found { rule, span: span.start + from..span.end + from, other: None });
            });
        }
        let mut plain = seen.plain.iter().peekable();
        let hear = |ear: &mut Ear, part: &Range<usize>, add: &mut dyn FnMut(Found)| {
            let listener = ear.words.get_or_insert_default();
            listener.hear(text.get(part.clone()).unwrap_or_default(), &Nobody, &mut |found| {
                let span = found.span.start + part.start..found.span.end + part.start;
                add(Found { span, ..found });
            });
        };
        for passage in &seen.coded {
            while let Some(part) = plain.next_if(|part| part.start < passage.end) {
                hear(ear, part, &mut add);
            }
            for way in text.get(passage.clone()).map(decoded).unwrap_or_default() {
                self.inner(ear, genre, &way, passage.clone(), &mut add);
            }
        }
        plain.for_each(|part| hear(ear, part, &mut add));
        let mut end = 0;
        for run in seen.long.iter().take(RUNS) {
            if run.start < end {
                continue;
            }
            let whole = encoded(text, run.clone());
            end = whole.end;
            if let Some(way) = text.get(whole.clone()).and_then(base64) {
                self.inner(ear, genre, &way, whole, &mut add);
            }
        }
        mark_at(text, seen.marks.iter().copied()).into_iter().filter_map(marked).for_each(&mut add);
        hits.sort_by_key(|hit| (hit.span.start, hit.span.end));
        hits
    }

    /// What something says that was hidden; the span is that of what hid it.
    fn inner(&self, ear: &mut Ear, genre: Genre, way: &str, span: Range<usize>, add: &mut dyn FnMut(Found)) {
        for part in self.gate.look(&mut ear.ring, genre, way).plain {
            let part = way.get(part).unwrap_or_default();
            let listener = ear.words.get_or_insert_default();
            listener.hear(part, &Nobody, &mut |found| add(Found { span: span.clone(), ..found }));
        }
        if !way.is_ascii() {
            let reader = ear.terms.get_or_insert_default();
            self.terms
                .judge(reader, way, &mut |rule, _| add(Found { rule, span: span.clone(), other: None }));
        }
    }
}

/// The whole of an encoded run of which `part` is a part.
fn encoded(text: &str, part: Range<usize>) -> Range<usize> {
    let of_it = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let bytes = text.as_bytes();
    let before = bytes.get(..part.start).unwrap_or_default();
    let after = bytes.get(part.end..).unwrap_or_default();
    let start = part.start - before.iter().rev().take(4096).take_while(|b| of_it(b)).count();
    let end = part.end + after.iter().take(65_536).take_while(|b| of_it(b)).count();
    start..end
}

/// What counts of all that was heard, in order of where it stands, and how much.
pub(super) fn weigh(genre: Genre, hits: &[Hit]) -> Vec<Spot<'static>> {
    weighed(genre, hits).into_iter().map(|(_, spot)| spot).collect()
}

/// The same, each with its number among what was heard.
pub(super) fn weighed(genre: Genre, hits: &[Hit]) -> Vec<(usize, Spot<'static>)> {
    let near = |at: usize, room: usize| {
        let hit = hits.get(at);
        let around =
            hits.get(at.saturating_sub(CROWD * 2)..hits.len().min(at + CROWD * 2 + 1)).unwrap_or_default();
        around.iter().filter(move |other| {
            hit.is_some_and(|hit| {
                other.span.start < hit.span.end + room && hit.span.start < other.span.end + room
            })
        })
    };
    let mut spots = Vec::new();
    for (at, hit) in hits.iter().enumerate() {
        let level = match hit.force {
            Force::Note => Level::None,
            // Two signs that are not the same one hold a definition back; elsewhere people look at them.
            Force::Sign if near(at, NEAR).all(|other| other.rule.name == hit.rule.name) => Level::None,
            Force::Sign
                if near(at, NEAR)
                    .all(|other| other.force == Force::Review || other.rule.name == hit.rule.name) =>
            {
                Level::Review
            }
            Force::Sign if genre == Genre::Definition => Level::Block,
            Force::Review if is_crowd(near(at, WIDE)) => Level::Block,
            Force::Sign | Force::Review => Level::Review,
            Force::Block => Level::Block,
        };
        if level > Level::None {
            spots.push((
                at,
                Spot { rule: hit.rule.name, threat: Threat::Injection, span: hit.span.clone(), level },
            ));
        }
    }
    spots
}

/// So many that are for review, of more than one rule, near each other, are no accident.
fn is_crowd<'h>(near: impl Iterator<Item = &'h Hit>) -> bool {
    let mut rules: Vec<&str> =
        near.filter(|hit| hit.force >= Force::Review).map(|hit| hit.rule.name).collect();
    let all = rules.len();
    rules.sort_unstable();
    rules.dedup();
    all >= CROWD && rules.len() > 1
}

/// Is it quoted, or spoken of as an example or an attack?
fn is_mentioned(text: &str, span: &Range<usize>) -> bool {
    let before = text.get(..span.start).unwrap_or_default();
    let after = text.get(span.end..).unwrap_or_default();
    let mut from = before.len().saturating_sub(AROUND);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    let before = before.get(from..).unwrap_or_default();
    let mut to = after.len().min(AROUND);
    while !after.is_char_boundary(to) {
        to -= 1;
    }
    let after = after.get(..to).unwrap_or_default();
    let head = before.rsplit(['.', '\n', '!', '?']).next().unwrap_or_default();
    let tail = after.split(['.', '\n', '!', '?']).next().unwrap_or_default();
    if is_quoted(before, after) {
        return true;
    }
    let sentence = format!("{head} {tail}").to_lowercase();
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    MENTIONS.as_ref().is_some_and(|mentions| {
        mentions.find_overlapping_iter(&sentence).any(|hit| {
            !letter(sentence.get(..hit.start()).and_then(|s| s.chars().next_back()))
                && !letter(sentence.get(hit.end()..).and_then(|s| s.chars().next()))
        })
    })
}

/// Does it stand between quotation marks, of which the first opens right before it or a few words earlier?
fn is_quoted(before: &str, after: &str) -> bool {
    let line_before = before.rsplit('\n').next().unwrap_or_default();
    let line_after = after.split('\n').next().unwrap_or_default();
    let straight = |mark: char| line_before.matches(mark).count() % 2 == 1 && line_after.contains(mark);
    let pair = |open: char, close: char| {
        line_before.rfind(open).is_some_and(|at| line_before.rfind(close).is_none_or(|end| end < at))
            && line_after.contains(close)
    };
    straight('"') || straight('`') || pair('“', '”') || pair('«', '»') || pair('„', '“') || pair('「', '」')
}

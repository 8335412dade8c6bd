//! The passages of a text in which a phrase may stand, found in one pass over its bytes.
//!
//! Every phrase has a few words that are rarer than its others. A passage is at most two blocks of words in one sentence; only one
//! that has all those words of some phrase is read word by word. What letters look like is followed as far as it takes no table of
//! all characters; a passage that mixes alphabets inside of words is always read.

mod byte;
mod walk;

use std::collections::BTreeMap;

use super::marker::SHORTEST as SHORTEST_MARK;
use super::phrase::Phrases;
use super::read::reading;
use super::rule::{Force, rules};
use super::text::path_words;
use crate::Genre;

pub(crate) use byte::{rot13, unleet};
pub(crate) use walk::Seen;
use walk::Walk;

/// How many groups the phrases are spread over. Two phrases of a group may open a passage in vain, no more.
const GROUPS: usize = 512;
/// How many words of a phrase are looked for.
const KEYS: usize = 4;
/// The places of the table of words: a power of two, well above their number.
const PLACES: usize = 1 << 13;
/// Words of the small table that most other words are turned away by; each is 64 bits.
const DOORS: usize = 1 << 9;

/// A word is too common to look for from this place on, counted from the rarest of `COMMON`.
const FREQUENT: usize = 150;
/// Words that are in most texts, the commonest first: of a phrase's words these are the last to look for.
const COMMON: &str = "the to a for name server and description type 0 in of is with use n 1 this from date that if com be let by \
    file on or as it string you not new an true 2 error bot can get test number are request service time path ai all some code \
    we data default list will update source when run user using your add into my any 4 at only no first have index http 7 but \
    read should users return text its write create so like set more make used start other message do page need must send has \
    before may now 8 where also current there output content about help could their tool tools without over key response system \
    input model file files information follow following next them they then what how which me our i";

/// A set of groups.
type Groups = [u64; GROUPS / 64];

/// For each of the words that are looked for: the groups of phrases of which it is there.
#[derive(Clone, Copy, Debug)]
struct Bits([u64; KEYS * GROUPS / 64]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; KEYS * GROUPS / 64])
    }
}

impl Bits {
    /// These groups have one of their words here.
    fn add(&mut self, parts: &[Part]) {
        for part in parts {
            if let Some(own) = self.0.get_mut(part.at) {
                *own |= part.bits;
            }
        }
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own |= other);
    }

    fn opens(&self, wanted: &Groups) -> bool {
        let mut there = *wanted;
        for key in self.0.chunks_exact(GROUPS / 64) {
            there.iter_mut().zip(key).for_each(|(there, key)| *there &= key);
        }
        there.iter().any(|group| *group != 0)
    }
}

/// Some groups that have a word: which part of all [`Bits`], and which of its bits.
#[derive(Clone, Copy, Debug)]
struct Part {
    at: usize,
    bits: u64,
}

/// A word that is looked for.
#[derive(Clone, Debug, Default)]
struct Word {
    parts: Vec<Part>,
    /// Is it one of a phrase that no honest text has, turned by thirteen letters?
    turned: bool,
}

impl Word {
    /// The bit of a group stands behind those of all groups for each earlier word.
    fn add(&mut self, bit: usize) {
        let (at, bits) = (bit / 64, 1 << (bit % 64));
        match self.parts.iter_mut().find(|part| part.at == at) {
            Some(part) => part.bits |= bits,
            None => self.parts.push(Part { at, bits }),
        }
    }
}

/// The finder.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The upper bits of the hash of a word, and its number, from 1.
    places: Vec<u64>,
    /// A bit for each hash that a word has, by its upper bits.
    doors: Vec<u64>,
    words: Vec<Word>,
    wanted: [Groups; Genre::ALL.len()],
    /// What two bytes of Latin letters with marks are read as: those from U+00C0 to U+024F, then from U+1E00 to U+1EFF.
    latin: Vec<u8>,
    /// A bit for each letter or digit from U+0370 to U+10FF.
    letters: Vec<u64>,
    /// What an address of a person says.
    mailbox: Vec<Part>,
    /// No phrase has fewer bytes than this.
    shortest: usize,
}

#[inline]
fn fold(hash: u64, letter: u8) -> u64 {
    hash.rotate_left(7) ^ u64::from(letter)
}

/// How much of a hash is kept beside the number of its word.
const TAG: u64 = !0xffff;

#[inline]
fn mix(hash: u64) -> u64 {
    let hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

#[inline]
fn place(mixed: u64) -> usize {
    usize::try_from(mixed >> 51).unwrap_or(0) % PLACES
}

/// Where the bit of a word is among the doors, and which it is.
#[inline]
fn door(mixed: u64) -> (usize, u64) {
    (usize::try_from(mixed >> 55).unwrap_or(0) % DOORS, 1 << (mixed >> 49 & 63))
}

fn hash_of(word: &[u8]) -> u64 {
    word.iter().fold(0, |hash, b| fold(hash, *b))
}

impl Gate {
    /// For all phrases that are built in.
    pub(crate) fn new() -> Self {
        let mut gate = Self {
            places: vec![0; PLACES],
            doors: vec![0; DOORS],
            words: Vec::new(),
            wanted: [[0; GROUPS / 64]; Genre::ALL.len()],
            latin: latin(),
            letters: letters(),
            mailbox: Vec::new(),
            shortest: SHORTEST_MARK,
        };
        gate.add(&rules().texts);
        let mailbox = gate.find(hash_of(b"%mailbox")).and_then(|at| gate.words.get(at));
        gate.mailbox = mailbox.map(|word| word.parts.clone()).unwrap_or_default();
        gate
    }

    fn add(&mut self, phrases: &Phrases) {
        let common: BTreeMap<&str, usize> = COMMON.split_whitespace().rev().zip(1..).collect();
        let commonness = |word: &&str| common.get(word).copied().unwrap_or(0);
        let mut rotated: Vec<&str> = Vec::new();
        for (number, (rule, steps)) in phrases.each().enumerate() {
            let group = number % GROUPS;
            let bit = 1_u64 << (group % 64);
            let speaks_of = |sort: &str| steps.iter().any(|words| words.contains(&sort));
            if speaks_of("%othertool") || speaks_of("%otherserver") {
                continue;
            }
            self.shortest = self.shortest.min(steps.iter().map(|words| shortest(words)).sum());
            let mut steps: Vec<Vec<&str>> =
                steps.into_iter().map(look_for).filter(|words| !words.is_empty()).collect();
            let weight = |words: &Vec<&str>| words.iter().map(commonness).max().unwrap_or(0);
            steps.sort_by_key(weight);
            // The commonest words are in any passage; a phrase has one that is not, or must do with it.
            let rare = steps.iter().filter(|words| weight(words) < FREQUENT).count().max(1);
            steps.truncate(rare.min(KEYS));
            let Some(rarest) = steps.first() else { continue };
            let rule = rules().list.get(rule);
            for (wanted, genre) in self.wanted.iter_mut().zip(Genre::ALL) {
                if rule.is_some_and(|rule| rule.force(genre) > Force::Note)
                    && let Some(wanted) = wanted.get_mut(group / 64)
                {
                    *wanted |= bit;
                }
            }
            for key in 0..KEYS {
                for word in steps.get(key).unwrap_or(rarest) {
                    self.word(hash_of(reading(word).as_bytes())).add(key * GROUPS + group);
                }
            }
            if rule.is_some_and(|rule| rule.force(Genre::Result) == Force::Block) {
                rotated.extend(steps.iter().take(2).flatten().filter(|word| word.len() > 4));
            }
        }
        for word in rotated {
            let turned: Vec<u8> = word.bytes().map(rot13).collect();
            self.word(hash_of(&turned)).turned = true;
        }
    }

    fn word(&mut self, hash: u64) -> &mut Word {
        let known = self.find(hash);
        let at = known.unwrap_or(self.words.len());
        if known.is_none() {
            let mixed = mix(hash);
            let mut slot = place(mixed);
            while self.places.get(slot).is_some_and(|taken| *taken != 0) {
                slot = (slot + 1) % PLACES;
            }
            self.words.push(Word::default());
            let (at, bit) = door(mixed);
            self.doors.get_mut(at).into_iter().for_each(|door| *door |= bit);
            if let Some(free) = self.places.get_mut(slot) {
                *free = (mixed & TAG) | u64::try_from(self.words.len()).unwrap_or(0);
            }
        }
        #[expect(clippy::indexing_slicing, reason = "found there, or just put there")]
        &mut self.words[at]
    }

    #[inline]
    fn find(&self, hash: u64) -> Option<usize> {
        let mixed = mix(hash);
        let (at, bit) = door(mixed);
        if self.doors.get(at)? & bit == 0 {
            return None;
        }
        let mut slot = place(mixed);
        loop {
            let taken = *self.places.get(slot)?;
            if taken == 0 {
                return None;
            }
            if (taken ^ mixed) & TAG == 0 {
                return usize::try_from(taken & !TAG).ok()?.checked_sub(1);
            }
            slot = (slot + 1) % PLACES;
        }
    }

    /// Is the text long enough to say anything? Letters above ASCII may say more with less.
    pub(crate) fn may_speak(&self, text: &str) -> bool {
        text.len() >= self.shortest || !text.is_ascii()
    }

    /// What should be looked at more closely in a text of that genre. Linear.
    pub(crate) fn look(&self, genre: Genre, text: &str) -> Seen {
        let at = Genre::ALL.iter().position(|known| *known == genre).unwrap_or(0);
        let wanted = self.wanted.get(at).copied().unwrap_or_default();
        Walk::new(self, wanted).over(text)
    }

    /// Is it a letter or a digit? Quick for scripts that are mostly neither Latin nor signs.
    fn is_letter(&self, letter: char) -> bool {
        match letter {
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => true,
            '\u{370}'..='\u{10ff}' => {
                let at = u32::from(letter) - 0x370;
                let part = usize::try_from(at / 64).ok().and_then(|part| self.letters.get(part));
                part.is_some_and(|part| part >> (at % 64) & 1 == 1)
            }
            letter => letter.is_alphanumeric(),
        }
    }

    /// The ASCII letter that two or three bytes of a Latin letter with marks are read as.
    fn bare(&self, letter: char) -> Option<u8> {
        let code = usize::try_from(u32::from(letter)).ok()?;
        let at = match code {
            0xc0..=0x24f => code - 0xc0,
            0x1e00..=0x1eff => code - 0x1e00 + 0x190,
            _ => return None,
        };
        self.latin.get(at).copied().filter(|letter| *letter != 0)
    }
}

/// The words to look for where a step may be these: of a path, a part of it.
fn look_for(words: &[&'static str]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for word in words {
        match *word {
            "%secretfile" | "%envfile" => all.extend(path_words()),
            "%assignment" => return Vec::new(),
            word => all.push(word),
        }
    }
    all
}

/// The fewest bytes that a step takes in a text: of what stands for a sort of words, one.
fn shortest(words: &[&str]) -> usize {
    words.iter().map(|word| if word.starts_with('%') { 1 } else { word.len() }).min().unwrap_or(0)
}

fn letters() -> Vec<u64> {
    let letters: Vec<char> = ('\u{370}'..='\u{10ff}').collect();
    let part = |letters: &[char]| {
        letters.iter().rev().fold(0, |bits, letter| bits << 1 | u64::from(letter.is_alphanumeric()))
    };
    letters.chunks(64).map(part).collect()
}

fn latin() -> Vec<u8> {
    let letters = ('\u{c0}'..='\u{24f}').chain('\u{1e00}'..='\u{1eff}');
    letters
        .map(|letter| match reading(&letter.to_string()).as_bytes() {
            [b] if b.is_ascii_alphabetic() => b.to_ascii_lowercase(),
            _ => 0,
        })
        .collect()
}

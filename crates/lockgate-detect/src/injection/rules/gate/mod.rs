//! The passages of a text in which a phrase may stand, found in one pass over its bytes.
//!
//! Every phrase has a few words that are rarer than its others. A passage is at most two blocks of words in one sentence; only one
//! that has all those words of some phrase is read word by word. What letters look like is followed as far as it takes no table of
//! all characters; a passage that mixes alphabets inside of words is always read.

mod bits;
mod byte;
mod course;
mod piece;
mod signs;
mod spelling;
mod walk;

use std::collections::BTreeMap;

use super::marker::SHORTEST as SHORTEST_MARK;
use super::phrase::Phrases;
use super::read::reading;
use super::rule::{Force, rules};
use super::text::path_words;
use crate::Genre;
use crate::table::Table;

use bits::{Coarse, Hint, LONG_GROUPS, Part, Wanted};
pub(crate) use byte::{rot13, unleet};
use course::Course;
pub(crate) use piece::Ring;
use piece::SHORT;
use spelling::Spelling;
pub(crate) use walk::Seen;
use walk::Walk;

/// How many words of a phrase are looked for.
const KEYS: usize = 4;
/// All of them, a bit each.
const ALL_KEYS: u8 = (1 << KEYS) - 1;

/// A word is too common to look for from this place on, counted from the rarest of `COMMON`.
const FREQUENT: usize = 150;
/// Words that are in most texts, the commonest first: of a phrase's words these are the last to look for.
const COMMON: &str = "the to a for name server and description type 0 in of is with use n 1 this from date that if com be let by \
    file on or as it string you not new an true 2 error bot can get test number are request service time path ai all some code \
    we data default list will update source when run user using your add into my any 4 at only no first have index http 7 but \
    read should users return text its write create so like set more make used start other message do page need must send has \
    before may now 8 where also current there output content about help could their tool tools without over key response system \
    input model file files information follow following next them they then what how which me our i";

/// The number of a word that is looked for, from 1. 0 is that of no word. The uppermost bit stands for a word of a phrase that no
/// honest text has, turned by thirteen letters.
type Number = u16;

const TURNED: Number = 1 << 15;

/// A word that is looked for.
#[derive(Clone, Debug, Default)]
struct Word {
    /// Of which phrases it is which of the words.
    hint: Hint,
    /// Of which of the shorter ones it is one at all.
    any: Coarse,
    /// The same, group by group; the rarest first.
    parts: Vec<Part>,
    /// How many are first.
    rare: usize,
}

impl Word {
    /// It is that key of phrases of a group.
    fn add(&mut self, key: usize, group: usize) {
        self.hint = self.hint.with(&Hint::of(key, group));
        if bits::long(group).is_some() {
            return;
        }
        self.any = self.any.with(&Coarse::of(group));
        let new = Part::new(key, group);
        if self.parts.iter_mut().any(|part| part.takes(new)) {
            return;
        }
        if new.is_rare() {
            self.parts.insert(self.rare, new);
            self.rare += 1;
        } else {
            self.parts.push(new);
        }
    }

    fn rare(&self) -> &[Part] {
        self.parts.get(..self.rare).unwrap_or_default()
    }

    /// Which keys of that group it is, a bit each.
    fn keys_of(&self, group: usize) -> u8 {
        match bits::long(group) {
            Some(bit) => self.hint.keys_of_long(bit),
            None if self.any.and(&Coarse::of(group)).is_empty() => 0,
            None => self.parts.iter().fold(0, |keys, part| keys | part.key_of(group)),
        }
    }
}

/// The finder.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The numbers of words, by their hashes.
    numbers: Table,
    /// By their numbers. The first is no word.
    words: Vec<Word>,
    /// In which order the words of each group come.
    courses: BTreeMap<usize, Vec<Course>>,
    wanted: [Wanted; Genre::ALL.len()],
    /// What two bytes of Latin letters with marks are read as: those from U+00C0 to U+024F, then from U+1E00 to U+1EFF.
    latin: Vec<u8>,
    /// A bit for each letter or digit from U+0370 to U+10FF.
    letters: Vec<u64>,
    /// What an address of a person says.
    mailbox: Number,
    /// No phrase has fewer bytes than this.
    shortest: usize,
}

fn hash_of(word: &[u8]) -> u64 {
    Spelling::of(word.iter().copied()).hash()
}

impl Gate {
    /// For all phrases that are built in.
    pub(crate) fn new() -> Self {
        let mut gate = Self {
            numbers: Table::default(),
            words: vec![Word::default()],
            courses: BTreeMap::new(),
            wanted: [Wanted::default(); Genre::ALL.len()],
            latin: latin(),
            letters: letters(),
            mailbox: 0,
            shortest: SHORTEST_MARK,
        };
        gate.add(&rules().texts);
        gate.mailbox = gate.find(hash_of(b"%mailbox"));
        gate
    }

    fn add(&mut self, phrases: &Phrases) {
        let common: BTreeMap<&str, usize> = COMMON.split_whitespace().rev().zip(1..).collect();
        let commonness = |word: &&str| common.get(word).copied().unwrap_or(0);
        let mut rotated: Vec<&str> = Vec::new();
        let (mut short, mut long) = ((0..LONG_GROUPS.start).cycle(), LONG_GROUPS.cycle());
        for (rule, steps) in phrases.each() {
            let speaks_of = |sort: &str| steps.iter().any(|(words, _)| words.contains(&sort));
            if speaks_of("%othertool") || speaks_of("%otherserver") {
                continue;
            }
            let is_long = steps.last().is_some_and(|(_, before)| *before >= SHORT);
            let Some(group) = (if is_long { &mut long } else { &mut short }).next() else { return };
            self.shortest = self.shortest.min(steps.iter().map(|(words, _)| shortest(words)).sum());
            let steps = steps.into_iter().map(|(words, before)| (look_for(words), before));
            let mut steps: Vec<(Vec<&str>, usize)> = steps.filter(|(words, _)| !words.is_empty()).collect();
            let weight = |(words, _): &(Vec<&str>, usize)| words.iter().map(commonness).max().unwrap_or(0);
            steps.sort_by_key(weight);
            // The commonest words are in any passage; a phrase has one that is not, or must do with it.
            let rare = steps.iter().filter(|step| weight(step) < FREQUENT).count().max(1);
            steps.truncate(rare.min(KEYS));
            let Some(rarest) = steps.first() else { continue };
            self.courses.entry(group).or_default().push(Course::of(steps.iter().map(|(_, before)| *before)));
            let rule = rules().list.get(rule);
            for (wanted, genre) in self.wanted.iter_mut().zip(Genre::ALL) {
                if rule.is_some_and(|rule| rule.force(genre) > Force::Note) {
                    wanted.add(group);
                }
            }
            for key in 0..KEYS {
                for word in &steps.get(key).unwrap_or(rarest).0 {
                    self.put(hash_of(reading(word).as_bytes())).add(key, group);
                }
            }
            if rule.is_some_and(|rule| rule.force(Genre::Result) == Force::Block) {
                let words = steps.iter().take(2).flat_map(|(words, _)| words);
                rotated.extend(words.filter(|word| word.len() > 4));
            }
        }
        for word in rotated {
            let turned: Vec<u8> = word.bytes().map(rot13).collect();
            let hash = hash_of(&turned);
            self.put(hash);
            self.numbers.put(hash, self.find(hash) | TURNED);
        }
    }

    /// The word with that hash, which is made where it is not there yet.
    fn put(&mut self, hash: u64) -> &mut Word {
        let mut number = usize::from(self.find(hash) & !TURNED);
        if number == 0 {
            number = self.words.len();
            self.words.push(Word::default());
            self.numbers.put(hash, Number::try_from(number).unwrap_or(0));
        }
        #[expect(clippy::indexing_slicing, reason = "found there, or just put there")]
        &mut self.words[number]
    }

    /// The number of the word with that hash, or 0.
    #[inline]
    fn find(&self, hash: u64) -> Number {
        self.numbers.get(hash)
    }

    /// The word with that number.
    #[inline]
    fn word(&self, number: Number) -> &Word {
        #[expect(clippy::indexing_slicing, reason = "numbers are given here alone")]
        &self.words[usize::from(number & !TURNED)]
    }

    /// Is the text long enough to say anything? Letters above ASCII may say more with less.
    pub(crate) fn may_speak(&self, text: &str) -> bool {
        text.len() >= self.shortest || !text.is_ascii()
    }

    /// What should be looked at more closely in a text of that genre. Linear.
    pub(crate) fn look(&self, ring: &mut Ring, genre: Genre, text: &str) -> Seen {
        let at = Genre::ALL.iter().position(|known| *known == genre).unwrap_or(0);
        let wanted = self.wanted.get(at).copied().unwrap_or_default();
        Walk::new(self, wanted, ring).over(text)
    }

    /// Is it a letter or a digit? Quick for scripts that are mostly neither Latin nor signs.
    fn is_letter(&self, letter: char) -> bool {
        match letter {
            '\u{370}'..='\u{10ff}' => {
                let at = u32::from(letter) - 0x370;
                let part = usize::try_from(at / 64).ok().and_then(|part| self.letters.get(part));
                part.is_some_and(|part| part >> (at % 64) & 1 == 1)
            }
            '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => true,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_code_is_decoded() {
        let gate = Gate::new();
        let coded = |text: &str| !gate.look(&mut Ring::default(), Genre::Result, text).coded.is_empty();
        for text in ["1 g n 0 r 3 p r 3 v 1 0 u s", "you must 1gn0re it", "vtaber gur cerivbhf"] {
            assert!(coded(text), "{text}");
        }
        // Columns of digits, and numbers that would be words.
        for text in ["| 1 | 2 | 0 | 3 | 0 | 0 | 1 | 4 | 7 |", "531 rows of 533", "a b 1 2 3 4 5 6 7 8"] {
            assert!(!coded(text), "{text}");
        }
    }

    #[test]
    fn every_word_has_a_place() {
        let gate = Gate::new();
        assert_eq!(gate.numbers.len(), gate.words.len() - 1);
        assert!(gate.words.len() > 1_000);
        for word in ["ignore", "previous", "instructions"] {
            assert_ne!(gate.find(hash_of(word.as_bytes())), 0, "{word}");
        }
        // `ignore`, thirteen letters on.
        assert!(gate.find(hash_of(b"vtaber")) >= TURNED);
    }
}

//! The passages of a text in which a phrase may stand, found in one pass over its bytes.
//!
//! Every phrase has a few words that are rarer than its others. A passage is at most two blocks of words in one sentence; only one
//! that has all those words of some phrase is read word by word. What letters look like is followed as far as it takes no table of
//! all characters; a passage that mixes alphabets inside of words is always read.

use std::collections::BTreeMap;
use std::ops::Range;

use super::marker::may_begin;
use super::phrase::Phrases;
use super::read::reading;
use super::rule::{Force, rules};
use super::text::path_words;
use crate::Genre;

/// Most words of a block. No phrase without names of tools is longer.
const BLOCK: usize = 48;
/// How many groups the phrases are spread over. Two phrases of a group may open a passage in vain, no more.
const GROUPS: usize = 512;
/// How many words of a phrase are looked for.
const KEYS: usize = 4;
/// The places of the table of words: a power of two, well above their number.
const PLACES: usize = 1 << 13;
/// So many words of one letter in a row may be a word that is spaced out.
const SPACED: u32 = 7;
/// So many letters written as codes may be hiding a phrase.
const CODED: u32 = 4;
/// Letters of other scripts that are this far from each other are of two texts. Bytes.
const FAR: usize = 64;
/// Words at least this long may be something encoded. Bytes.
const LONG: usize = 20;

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
    /// These groups have one of their words here. The bit of a group stands behind those of all groups for each earlier word.
    fn add(&mut self, bits: &[u16]) {
        for bit in bits {
            if let Some(part) = self.0.get_mut(usize::from(bit / 64)) {
                *part |= 1 << (bit % 64);
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

/// A word that is looked for.
#[derive(Clone, Debug, Default)]
struct Word {
    bits: Vec<u16>,
    /// Is it one of a phrase that no honest text has, turned by thirteen letters?
    turned: bool,
}

/// A passage that should be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) span: Range<usize>,
    /// It may say something else, decoded.
    pub(crate) coded: bool,
    /// As it stands.
    pub(crate) plain: bool,
}

/// What was seen in one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// In order and not overlapping.
    pub(crate) passages: Vec<Passage>,
    /// Runs of letters and digits that are long enough to be something encoded, in order.
    pub(crate) long: Vec<Range<usize>>,
    /// Where a mark may begin: a `<`, a `[` or a `#`, in order.
    pub(crate) marks: Vec<usize>,
    /// Where there are letters of scripts that `terms.rules` is about, in order.
    pub(crate) foreign: Vec<Range<usize>>,
}

/// The finder.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The upper bits of the hash of a word, and its number, from 1.
    places: Vec<u64>,
    words: Vec<Word>,
    wanted: [Groups; Genre::ALL.len()],
    /// What two bytes of Latin letters with marks are read as: those from U+00C0 to U+024F, then from U+1E00 to U+1EFF.
    latin: Vec<u8>,
    /// What an address of a person says.
    mailbox: Vec<u16>,
}

/// What a byte is to the gate: a letter or digit as it is folded, or one of these.
const SPACE: u8 = 0;
const LINE: u8 = 1;
const STOP: u8 = 2;
const CLOSE: u8 = 3;
const MARK: u8 = 4;
const SKIP: u8 = 5;
const WIDE: u8 = 6;
const CODE: u8 = 7;
const OPEN: u8 = 8;
const AT: u8 = 9;
const HASH: u8 = 10;

const CLASSES: [u8; 256] = {
    let mut classes = [MARK; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it counts to 255")]
        let b = at as u8;
        #[expect(clippy::indexing_slicing, reason = "it counts to 255")]
        {
            classes[at] = match b {
                b'0'..=b'9' | b'a'..=b'z' => b,
                b'A'..=b'Z' => b.to_ascii_lowercase(),
                b' ' | b'\t' | b'\r' => SPACE,
                b'\n' => LINE,
                b'.' | b'!' | b'?' => STOP,
                b'"' | b')' | b']' | b'*' | b'`' => CLOSE,
                b'\'' => SKIP,
                b'%' | b'&' | b'\\' => CODE,
                b'<' | b'[' => OPEN,
                b'@' | b'+' => AT,
                b'#' => HASH,
                0x80..=0xff => WIDE,
                _ => MARK,
            };
        }
        at += 1;
    }
    classes
};

fn fold(hash: u64, letter: u8) -> u64 {
    hash.rotate_left(7) ^ u64::from(letter)
}

/// How much of a hash is kept beside the number of its word.
const TAG: u64 = !0xffff;

fn mix(hash: u64) -> u64 {
    let hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

fn place(mixed: u64) -> usize {
    usize::try_from(mixed >> 51).unwrap_or(0) % PLACES
}

fn hash_of(word: &[u8]) -> u64 {
    word.iter().fold(0, |hash, b| fold(hash, *b))
}

/// The letter that a digit or a mark is written for, as in `1gn0r3`.
pub(crate) fn unleet(letter: u8) -> u8 {
    match letter {
        b'0' => b'o',
        b'1' => b'i',
        b'3' => b'e',
        b'4' => b'a',
        b'5' => b's',
        b'7' => b't',
        other => other,
    }
}

/// Thirteen letters on.
pub(crate) fn rot13(letter: u8) -> u8 {
    match letter {
        b'a'..=b'm' | b'A'..=b'M' => letter + 13,
        b'n'..=b'z' | b'N'..=b'Z' => letter - 13,
        other => other,
    }
}

impl Gate {
    /// For all phrases that are built in.
    pub(crate) fn new() -> Self {
        let mut gate = Self {
            places: vec![0; PLACES],
            words: Vec::new(),
            wanted: [[0; GROUPS / 64]; Genre::ALL.len()],
            latin: latin(),
            mailbox: Vec::new(),
        };
        gate.add(&rules().texts);
        let mailbox = gate.find(hash_of(b"%mailbox")).and_then(|at| gate.words.get(at));
        gate.mailbox = mailbox.map(|word| word.bits.clone()).unwrap_or_default();
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
                    let bits = &mut self.word(hash_of(reading(word).as_bytes())).bits;
                    bits.extend(u16::try_from(key * GROUPS + group).ok());
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

    /// What should be looked at more closely in a text of that genre. Linear.
    pub(crate) fn look(&self, genre: Genre, text: &str) -> Seen {
        let at = Genre::ALL.iter().position(|known| *known == genre).unwrap_or(0);
        let wanted = self.wanted.get(at).copied().unwrap_or_default();
        let mut walk =
            Walk { gate: self, wanted, seen: Seen::default(), block: Block::default(), before: None };
        walk.run(text);
        walk.seen
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

fn latin() -> Vec<u8> {
    let letters = ('\u{c0}'..='\u{24f}').chain('\u{1e00}'..='\u{1eff}');
    letters
        .map(|letter| match reading(&letter.to_string()).as_bytes() {
            [b] if b.is_ascii_alphabetic() => b.to_ascii_lowercase(),
            _ => 0,
        })
        .collect()
}

/// Some words of a sentence.
#[derive(Clone, Debug, Default)]
struct Block {
    from: usize,
    words: usize,
    bits: Bits,
    /// Words of one letter in a row, and the most of them.
    single: u32,
    singles: u32,
    /// Letters written as codes, words that are in no phrase but turned or with digits for letters, and words of two alphabets.
    codes: u32,
    turned: u32,
    leet: u32,
    odd: bool,
}

impl Block {
    fn is_coded(&self) -> bool {
        self.singles >= SPACED || self.codes >= CODED || self.turned >= 2 || self.leet >= 1
    }
}

struct Walk<'g> {
    gate: &'g Gate,
    wanted: Groups,
    seen: Seen,
    block: Block,
    /// The block before in the same sentence.
    before: Option<Block>,
}

impl Walk<'_> {
    fn run(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut at, mut hash, mut length, mut begun) = (0, 0_u64, 0_usize, 0_usize);
        // Has a sentence just ended, and a line with nothing on it behind?
        let (mut stop, mut line) = (false, false);
        let (mut digits, mut foreign) = (false, false);
        while let Some(&b) = bytes.get(at) {
            let class = CLASSES.get(usize::from(b)).copied().unwrap_or(MARK);
            if class >= b'0' {
                if length == 0 {
                    begun = at;
                }
                digits |= class <= b'9';
                hash = fold(hash, class);
                length += 1;
                at += 1;
                continue;
            }
            if class == SKIP {
                at += 1;
                continue;
            }
            if class == WIDE {
                let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
                let size = letter.len_utf8();
                if matches!(letter, '\u{370}'..='\u{10ff}' | '\u{3040}'..='\u{d7ff}') {
                    match self.seen.foreign.last_mut().filter(|last| last.end + FAR > at) {
                        Some(last) => last.end = at + size,
                        None => self.seen.foreign.push(at..at + size),
                    }
                }
                match self.wide(letter) {
                    Letter::Read(b) => {
                        if length == 0 {
                            begun = at;
                        }
                        hash = fold(hash, b);
                        length += 1;
                    }
                    Letter::Other => {
                        if length == 0 {
                            begun = at;
                        }
                        for b in bytes.get(at..at + size).unwrap_or_default() {
                            hash = fold(hash, *b);
                        }
                        length += size;
                        foreign = true;
                    }
                    Letter::Nothing => {}
                    Letter::Mark => {
                        self.word(bytes, begun..at, hash, length, digits, foreign);
                        (hash, length, digits, foreign) = (0, 0, false, false);
                    }
                }
                at += size;
                continue;
            }
            if length > 0 {
                self.word(bytes, begun..at, hash, length, digits, foreign);
                (hash, length, digits, foreign, stop, line) = (0, 0, false, false, false, false);
            }
            match class {
                SPACE if stop => {
                    self.sentence(at);
                    stop = false;
                }
                LINE if stop || line => {
                    self.sentence(at);
                    (stop, line) = (false, true);
                }
                LINE => line = true,
                SPACE | CLOSE => {}
                STOP => stop = true,
                CODE => {
                    self.block.codes += u32::from(is_code(bytes, at));
                    stop = false;
                }
                HASH if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"### ")) => {
                    self.seen.marks.push(at);
                    stop = false;
                }
                AT if bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) => {
                    self.block.bits.add(&self.gate.mailbox);
                    stop = false;
                }
                OPEN => {
                    if may_begin(bytes.get(at + 1..).unwrap_or_default()) {
                        self.seen.marks.push(at);
                    }
                    stop = false;
                }
                _ => stop = false,
            }
            at += 1;
        }
        self.word(bytes, begun..at, hash, length, digits, foreign);
        self.sentence(at);
    }

    /// What a character above ASCII is.
    fn wide(&mut self, letter: char) -> Letter {
        // Most of what is above ASCII is one of these.
        if matches!(letter, '\u{400}'..='\u{10ff}' | '\u{3040}'..='\u{d7ff}') {
            return if letter.is_alphanumeric() { Letter::Other } else { Letter::Mark };
        }
        if let Some(bare) = self.gate.bare(letter) {
            return Letter::Read(bare);
        }
        match letter {
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{300}'..='\u{36f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{2018}'
            | '\u{2019}' => Letter::Nothing,
            '\u{e0000}'..='\u{e007f}' => {
                super::read::tagged(letter).map_or(Letter::Nothing, |tag| match u8::try_from(tag) {
                    Ok(b) if b.is_ascii_alphanumeric() => Letter::Read(b.to_ascii_lowercase()),
                    _ => Letter::Mark,
                })
            }
            '\u{ff21}'..='\u{ff5a}'
            | '\u{1d400}'..='\u{1d7ff}'
            | '\u{2460}'..='\u{24ff}'
            | '\u{2100}'..='\u{214f}'
            | '\u{1f100}'..='\u{1f189}'
            | '\u{250}'..='\u{2ff}'
            | '\u{1d00}'..='\u{1dbf}' => {
                self.block.odd = true;
                Letter::Mark
            }
            '\u{370}'..='\u{1fff}'
            | '\u{2c00}'..='\u{2dff}'
            | '\u{3040}'..='\u{d7ff}'
            | '\u{a0}'..='\u{24f}'
            | '\u{ff66}'..='\u{ffdc}' => {
                if letter.is_alphanumeric() {
                    Letter::Other
                } else {
                    Letter::Mark
                }
            }
            _ => Letter::Mark,
        }
    }

    fn word(
        &mut self,
        bytes: &[u8],
        span: Range<usize>,
        hash: u64,
        length: usize,
        digits: bool,
        foreign: bool,
    ) {
        if length == 0 {
            return;
        }
        let block = &mut self.block;
        block.words += 1;
        if length == 1 {
            block.single += 1;
            block.singles = block.singles.max(block.single);
        } else {
            block.single = 0;
        }
        if let Some(word) = self.gate.find(hash).and_then(|at| self.gate.words.get(at)) {
            block.bits.add(&word.bits);
            block.turned += u32::from(word.turned);
        } else if foreign {
            let word = bytes.get(span.clone()).unwrap_or_default();
            // Two alphabets in one word: one of them may stand for the other.
            block.odd |=
                word.iter().any(u8::is_ascii_alphabetic) && word.iter().any(|b| (0xcd..=0xd5).contains(b));
        } else if digits && (3..=16).contains(&length) {
            let word = bytes.get(span.clone()).unwrap_or_default();
            let plain = word.iter().fold(0, |hash, b| fold(hash, unleet(b.to_ascii_lowercase())));
            block.leet += u32::from(plain != hash && self.gate.find(plain).is_some());
        }
        if length >= LONG {
            self.seen.long.push(span.clone());
        }
        if block.words >= BLOCK {
            self.close(span.end);
        }
    }

    /// The sentence ends here.
    fn sentence(&mut self, at: usize) {
        if self.block.words > 0 || self.block.codes > 0 || self.block.odd {
            self.close(at);
        }
        self.before = None;
        self.block.from = at;
    }

    /// The block ends here.
    fn close(&mut self, at: usize) {
        let block = std::mem::take(&mut self.block);
        let mut bits = block.bits;
        let mut from = block.from;
        let (mut coded, mut odd) = (block.is_coded(), block.odd);
        if let Some(before) = &self.before {
            bits.join(&before.bits);
            from = before.from;
            coded |= before.is_coded();
            odd |= before.odd;
        }
        let plain = odd || bits.opens(&self.wanted);
        if plain || coded {
            match self.seen.passages.last_mut().filter(|last| last.span.end > from) {
                Some(last) => {
                    last.span.end = at;
                    last.plain |= plain;
                    last.coded |= coded;
                }
                None => self.seen.passages.push(Passage { span: from..at, coded, plain }),
            }
        }
        self.block.from = at;
        self.before = Some(block);
    }
}

enum Letter {
    Read(u8),
    Other,
    Nothing,
    Mark,
}

/// Does a letter stand here as a code: `%69`, `&#105;`, `\u0069`, `\x69`?
fn is_code(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at..).unwrap_or_default() {
        [b'%', b'4'..=b'7', low, ..] => low.is_ascii_hexdigit(),
        [b'&', b'#', digit, ..] => digit.is_ascii_digit() || matches!(digit, b'x' | b'X'),
        [b'\\', b'u', b'0', b'0', b'4'..=b'7', ..] | [b'\\', b'x', b'4'..=b'7', ..] => true,
        _ => false,
    }
}

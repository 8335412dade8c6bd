//! One pass over the bytes of a text.

use std::ops::Range;

use super::byte::{
    AT, CLASSES, CLOSE, CODE, HASH, LINE, MARK, OPEN, SKIP, SPACE, STOP, WIDE, is_code, may_call, unleet,
};
use super::{Bits, Gate, Groups, fold};
use crate::injection::rules::marker::may_begin;
use lockgate_model::letter::tagged;

/// Most words of a block. No phrase without names of tools is longer.
const BLOCK: usize = 48;
/// So many words of one letter in a row may be a word that is spaced out.
const SPACED: u32 = 7;
/// So many letters written as codes may be hiding a phrase.
const CODED: u32 = 4;
/// Letters of other scripts that are this far from each other are of two texts. Bytes.
const FAR: usize = 64;
/// Words at least this long may be something encoded. Bytes.
const LONG: usize = 20;

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

/// Some words of a sentence.
#[derive(Clone, Debug, Default)]
struct Block {
    from: usize,
    words: usize,
    bits: Bits,
    /// Is there any in `bits`?
    any: bool,
    /// Are those of an address of a person?
    called: bool,
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
    /// As if there were no word in it.
    fn clear(&mut self) {
        let Self { from, words, bits, any, called, single, singles, codes, turned, leet, odd } = self;
        *called = false;
        if std::mem::take(any) {
            *bits = Bits::default();
        }
        (*from, *words, *single, *singles, *codes, *turned, *leet, *odd) = (0, 0, 0, 0, 0, 0, 0, false);
    }

    fn is_coded(&self) -> bool {
        self.singles >= SPACED || self.codes >= CODED || self.turned >= 2 || self.leet >= 1
    }
}

pub(super) struct Walk<'g> {
    gate: &'g Gate,
    wanted: Groups,
    seen: Seen,
    block: Block,
    /// The block before in the same sentence.
    before: Option<Block>,
}

impl<'g> Walk<'g> {
    pub(super) fn new(gate: &'g Gate, wanted: Groups) -> Self {
        Self { gate, wanted, seen: Seen::default(), block: Block::default(), before: None }
    }

    /// What was seen in all of the text.
    pub(super) fn over(mut self, text: &str) -> Seen {
        self.run(text);
        self.seen
    }

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
                let letters = letters(bytes.get(at..).unwrap_or_default(), &mut hash, &mut digits);
                length += letters;
                at += letters;
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
                AT => {
                    if !self.block.called && may_call(bytes, at) {
                        self.block.bits.add(&self.gate.mailbox);
                        (self.block.any, self.block.called) = (true, true);
                    }
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
            return if self.gate.is_letter(letter) { Letter::Other } else { Letter::Mark };
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
                tagged(letter).map_or(Letter::Nothing, |tag| match u8::try_from(tag) {
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
                if self.gate.is_letter(letter) {
                    Letter::Other
                } else {
                    Letter::Mark
                }
            }
            _ => Letter::Mark,
        }
    }

    #[inline]
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
            block.bits.add(&word.parts);
            block.any = true;
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
            self.judge(at);
            self.block.clear();
        }
        self.before = None;
        self.block.from = at;
    }

    /// The block ends here.
    fn close(&mut self, at: usize) {
        self.judge(at);
        self.before = Some(std::mem::take(&mut self.block));
        self.block.from = at;
    }

    /// Is this block, with the one before it, worth reading?
    fn judge(&mut self, at: usize) {
        let Self { block, before, wanted, .. } = self;
        let mut from = block.from;
        let (mut coded, mut odd) = (block.is_coded(), block.odd);
        let opens = match before {
            Some(before) => {
                from = before.from;
                coded |= before.is_coded();
                odd |= before.odd;
                let mut bits = block.bits;
                bits.join(&before.bits);
                bits.opens(wanted)
            }
            None => block.any && block.bits.opens(wanted),
        };
        let plain = odd || opens;
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
    }
}

/// How many letters and digits of ASCII there are before anything else; they go into the hash of the word.
#[inline]
fn letters(bytes: &[u8], hash: &mut u64, digits: &mut bool) -> usize {
    for (at, b) in bytes.iter().enumerate() {
        let class = CLASSES.get(usize::from(*b)).copied().unwrap_or(MARK);
        if class < b'0' {
            return at;
        }
        *digits |= class <= b'9';
        *hash = fold(*hash, class);
    }
    bytes.len()
}

enum Letter {
    Read(u8),
    Other,
    Nothing,
    Mark,
}

//! One pass over the bytes of a text.

use std::ops::Range;

use super::Gate;
use super::bits::Groups;
use super::byte::{
    AT, CLASSES, CLOSE, CODE, HASH, LINE, MARK, OPEN, SKIP, SPACE, STOP, WIDE, is_code, may_call, unleet,
};
use super::piece::Pieces;
use super::spelling::Spelling;
use crate::injection::rules::marker::may_begin;
use lockgate_model::letter::tagged;

/// Most words of a block. No phrase without names of tools is longer.
pub(super) const BLOCK: usize = 48;
/// So many words of one letter in a row may be a word that is spaced out.
const SPACED: u32 = 7;
/// So many letters written as codes may be hiding a phrase.
const CODED: u32 = 4;
/// Letters of other scripts that are this far from each other are of two texts. Bytes.
const FAR: usize = 64;
/// Words at least this long may be something encoded. Bytes.
const LONG: usize = 20;

/// What was seen in one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Passages that should be read as they stand, in order and not overlapping.
    pub(crate) plain: Vec<Range<usize>>,
    /// Passages that may say something else, decoded; in order and not overlapping.
    pub(crate) coded: Vec<Range<usize>>,
    /// Runs of letters and digits that are long enough to be something encoded, in order.
    pub(crate) long: Vec<Range<usize>>,
    /// Where a mark may begin: a `<`, a `[` or a `#`, in order.
    pub(crate) marks: Vec<usize>,
    /// Where there are letters of scripts that `terms.rules` is about, in order.
    pub(crate) foreign: Vec<Range<usize>>,
}

/// Puts a passage behind others, of which none ends behind it. Those that overlap become one.
fn put(passages: &mut Vec<Range<usize>>, span: Range<usize>) {
    let mut start = span.start;
    while let Some(last) = passages.pop_if(|last| last.end > span.start) {
        start = start.min(last.start);
    }
    passages.push(start..span.end);
}

/// Some words of a sentence.
#[derive(Clone, Debug, Default)]
struct Block {
    from: usize,
    words: usize,
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

/// A word that is under way.
#[derive(Default)]
struct Draft {
    begun: usize,
    spelling: Spelling,
    /// Has it digits, and letters beyond ASCII that are read as none of it?
    digits: bool,
    foreign: bool,
}

impl Draft {
    /// It begins there, or goes on.
    #[inline]
    fn goes_on(&mut self, at: usize) -> &mut Spelling {
        if self.spelling.length == 0 {
            self.begun = at;
        }
        &mut self.spelling
    }
}

pub(super) struct Walk<'g> {
    gate: &'g Gate,
    seen: Seen,
    block: Block,
    /// The block before in the same sentence.
    before: Option<Block>,
    pieces: Pieces<'g>,
}

impl<'g> Walk<'g> {
    pub(super) fn new(gate: &'g Gate, wanted: Groups) -> Self {
        let (seen, block, before) = Default::default();
        Self { gate, seen, block, before, pieces: Pieces::new(&gate.courses, wanted) }
    }

    /// What was seen in all of the text.
    pub(super) fn over(mut self, text: &str) -> Seen {
        self.run(text);
        self.seen
    }

    fn run(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut at, mut word) = (0, Draft::default());
        // Has a sentence just ended, and a line with nothing on it behind?
        let (mut stop, mut line) = (false, false);
        while let Some(&b) = bytes.get(at) {
            let class = CLASSES.get(usize::from(b)).copied().unwrap_or(MARK);
            if class >= b'0' {
                let (length, digits) = word.goes_on(at).run(bytes.get(at..).unwrap_or_default());
                word.digits |= digits;
                at += length;
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
                    Letter::Read(b) => word.goes_on(at).push(b),
                    Letter::Other => {
                        word.goes_on(at).letters(bytes.get(at..at + size).unwrap_or_default());
                        word.foreign = true;
                    }
                    Letter::Nothing => {}
                    Letter::Mark => self.word(bytes, at, std::mem::take(&mut word)),
                }
                at += size;
                continue;
            }
            if word.spelling.length > 0 {
                self.word(bytes, at, std::mem::take(&mut word));
                (stop, line) = (false, false);
            }
            if matches!(class, SPACE | LINE) && self.pieces.run_ends() {
                self.piece_ends(at);
            }
            // Nearly all that stands between words.
            if class == SPACE && !stop {
                at += 1;
                continue;
            }
            match class {
                SPACE => {
                    self.sentence(at);
                    stop = false;
                }
                LINE if stop || line => {
                    self.sentence(at);
                    (stop, line) = (false, true);
                }
                LINE => line = true,
                CLOSE => {}
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
                    if !self.pieces.is_called() && may_call(bytes, at) {
                        self.pieces.call(&self.gate.mailbox);
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
        self.word(bytes, at, word);
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
    fn word(&mut self, bytes: &[u8], end: usize, word: Draft) {
        let Draft { begun, spelling, digits, foreign } = word;
        let (span, length) = (begun..end, spelling.length);
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
        let hash = spelling.hash();
        if let Some(word) = self.gate.find(hash).and_then(|at| self.gate.words.get(at)) {
            block.turned += u32::from(word.turned);
            self.pieces.add(word);
        } else if foreign {
            let word = bytes.get(span.clone()).unwrap_or_default();
            // Two alphabets in one word: one of them may stand for the other.
            block.odd |=
                word.iter().any(u8::is_ascii_alphabetic) && word.iter().any(|b| (0xcd..=0xd5).contains(b));
        } else if digits && (3..=16).contains(&length) {
            let word = bytes.get(span.clone()).unwrap_or_default();
            let plain = Spelling::of(word.iter().map(|b| unleet(b.to_ascii_lowercase()))).hash();
            block.leet += u32::from(plain != hash && self.gate.find(plain).is_some());
        }
        if length >= LONG {
            self.seen.long.push(span.clone());
        }
        if self.block.words >= BLOCK {
            self.close(span.end);
        }
        if self.pieces.word_ends() {
            self.piece_ends(span.end);
        }
    }

    /// The sentence ends here.
    fn sentence(&mut self, at: usize) {
        // A line with nothing on it costs nothing.
        if !self.pieces.begins(at) {
            self.piece_ends(at);
            self.pieces.sentence();
        }
        if self.block.words > 0 || self.block.codes > 0 || self.block.odd {
            self.judge(at);
            self.block = Block::default();
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

    /// The piece ends here: is it, with those before it, worth reading?
    fn piece_ends(&mut self, at: usize) {
        if let Some(from) = self.pieces.end(at) {
            put(&mut self.seen.plain, from..at);
        }
    }

    /// Is this block, with the one before it, worth reading whatever its words are?
    fn judge(&mut self, at: usize) {
        let (this, before) = (&self.block, self.before.as_ref());
        let from = before.unwrap_or(this).from;
        let has = |what: fn(&Block) -> bool| what(this) || before.is_some_and(what);
        if has(|block| block.odd) {
            put(&mut self.seen.plain, from..at);
        }
        if has(Block::is_coded) {
            put(&mut self.seen.coded, from..at);
        }
    }
}

enum Letter {
    Read(u8),
    Other,
    Nothing,
    Mark,
}

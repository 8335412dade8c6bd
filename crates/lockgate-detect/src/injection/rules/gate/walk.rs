//! One pass over the bytes of a text.

use std::num::NonZeroU64;
use std::ops::Range;

use super::bits::Wanted;
use super::byte::{
    AT, CLASSES, CLOSE, CODE, HASH, LINE, MARK, OPEN, SKIP, SPACE, STOP, WIDE, is_code, may_call, unleet,
};
use super::piece::{Pieces, Ring};
use super::signs::{Signs, behind};
use super::spelling::{AT_ONCE, Spelling, hash_at};
use super::{Gate, TURNED};
use crate::blocks;
use crate::injection::rules::marker::may_begin;
use crate::runs::{Having, Runs};
use lockgate_model::letter::tagged;

/// Most words of a block. No phrase without names of tools is longer.
pub(super) const BLOCK: usize = 48;
/// So many words of one letter in a row, and digits between them, may be a word that is spaced out.
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
    strange: Strange,
}

/// What is rare in a word.
#[derive(Clone, Copy, Default)]
struct Strange {
    /// Digits.
    digits: bool,
    /// Letters beyond ASCII that are read as none of it.
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

#[inline]
fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(MARK)
}

/// Is it of the scripts that most of what is above ASCII is of, and that are read as they stand?
#[inline]
fn is_mostly_letters(letter: char) -> bool {
    matches!(letter, '\u{400}'..='\u{10ff}' | '\u{3040}'..='\u{d7ff}')
}

pub(super) struct Walk<'g> {
    gate: &'g Gate,
    seen: Seen,
    block: Block,
    /// The block before in the same sentence.
    before: Option<Block>,
    pieces: Pieces<'g>,
    /// Where the last word began that has more than a few letters and digits of ASCII.
    drafted: usize,
    /// Was there white space since the last word, and then perhaps what looked like one and was none?
    fresh: bool,
}

/// Whether a run of characters is begun before there was a word in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Begun,
    Open,
}

impl<'g> Walk<'g> {
    pub(super) fn new(gate: &'g Gate, wanted: Wanted, ring: &'g mut Ring) -> Self {
        let (seen, block, before, drafted, fresh) = Default::default();
        Self { gate, seen, block, before, pieces: Pieces::new(gate, wanted, ring), drafted, fresh }
    }

    /// What was seen in all of the text.
    pub(super) fn over(mut self, text: &str) -> Seen {
        self.run(text);
        self.seen
    }

    fn run(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut blank, mut empty) = (true, false);
        let (mut runs, mut firsts, mut odd, mut other) = <(Runs, Having, Having, Having)>::default();
        // A word that ends with the text ends before what is behind it.
        for base in (0..=bytes.len()).step_by(blocks::BLOCK) {
            let signs = Signs::at(bytes, base);
            let token = signs.token;
            let [starts, ended] = runs.on(base, token);
            let mut is_first = firsts.ended(token, behind(starts, signs.white, &mut blank));
            let (is_odd, is_other) = (odd.ended(token, signs.odd), other.ended(token, signs.other));
            // No sentence ends within a word or a number, and none with a line on which there is one.
            let plain = signs.plain();
            let event = signs.rare
                | signs.stop & !(plain >> 1)
                | signs.line & behind(signs.line | plain, signs.line, &mut empty);
            let mut rest = ended | event;
            while let Some(bits) = NonZeroU64::new(rest) {
                rest &= rest - 1;
                let place = bits.trailing_zeros();
                let is = |of: u64| of >> place & 1 == 1;
                let at = base + usize::try_from(place).unwrap_or_default();
                if is(ended) {
                    self.fresh |= is(is_first);
                    let start = runs.begun();
                    // Nearly all words are short, and letters alone.
                    if at - start > AT_ONCE || is(is_odd) && is(is_other) {
                        self.token(text, start);
                    } else {
                        let hash = hash_at(bytes, start, at - start);
                        let strange = Strange { digits: is(is_odd), foreign: false };
                        self.word(bytes, start..at, at - start, hash, strange);
                    }
                }
                // The run of the next word may be begun.
                if is(event) && self.event(text, at) == Run::Begun {
                    let behind = u64::MAX << place << 1;
                    let next = ended & behind;
                    is_first &= !(next & next.wrapping_neg());
                    if next == 0 {
                        firsts.forget();
                    }
                    blank &= starts & behind != 0;
                }
            }
        }
        self.sentence(bytes.len());
    }

    /// What may be words begins here, and is long, or goes on with apostrophes or what is beyond ASCII.
    fn token(&mut self, text: &str, from: usize) {
        let bytes = text.as_bytes();
        let (mut at, mut word) = (from, Draft::default());
        while let Some(&byte) = bytes.get(at) {
            let class = class(byte);
            if class >= b'0' {
                let rest = bytes.get(at..).unwrap_or_default();
                let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
                let digits = rest.iter().take(length).any(u8::is_ascii_digit);
                word.goes_on(at).run(bytes, at, length);
                word.strange.digits |= digits;
                at += length;
            } else if class == SKIP {
                at += 1;
            } else if class == WIDE {
                let end = self.other_letters(text, at);
                if end > at {
                    self.foreign(at..end);
                    word.goes_on(at).bytes(bytes, at, end - at, 0);
                    word.strange.foreign = true;
                    at = end;
                    continue;
                }
                let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
                let size = letter.len_utf8();
                if matches!(letter, '\u{370}'..='\u{10ff}' | '\u{3040}'..='\u{d7ff}') {
                    self.foreign(at..at + size);
                }
                match self.wide(letter) {
                    Letter::Read(b) => word.goes_on(at).push(b),
                    Letter::Other => {
                        word.goes_on(at).bytes(bytes, at, size, 0);
                        word.strange.foreign = true;
                    }
                    Letter::Nothing => {}
                    Letter::Mark => self.draft(bytes, at, &mut word),
                }
                at += size;
            } else {
                break;
            }
        }
        self.draft(bytes, at, &mut word);
    }

    /// Letters of scripts that `terms.rules` is about stand there.
    fn foreign(&mut self, span: Range<usize>) {
        match self.seen.foreign.last_mut().filter(|last| last.end + FAR > span.start) {
            Some(last) => last.end = span.end,
            None => self.seen.foreign.push(span),
        }
    }

    /// Where the letters end that begin there, of scripts that are read as they stand: most of what is above ASCII.
    fn other_letters(&self, text: &str, from: usize) -> usize {
        let mut ahead = text.get(from..).unwrap_or_default().chars();
        let mut left = ahead.as_str().len();
        while ahead.next().is_some_and(|letter| is_mostly_letters(letter) && self.gate.is_letter(letter)) {
            left = ahead.as_str().len();
        }
        text.len() - left
    }

    /// What may end a sentence or a line, hide a letter, or begin a mark or an address. Says whether the run is begun of which a
    /// word comes next.
    fn event(&mut self, text: &str, at: usize) -> Run {
        let bytes = text.as_bytes();
        match class(bytes.get(at).copied().unwrap_or_default()) {
            // Behind another, with no word between but perhaps one that was drafted.
            LINE => {
                let before = bytes.get(..at).unwrap_or_default().iter().rposition(|byte| *byte == b'\n');
                if before.is_some_and(|before| self.drafted <= before) {
                    self.sentence(at);
                }
            }
            STOP => {
                if let Some(end) = self.stops_at(text, at + 1) {
                    self.sentence(end);
                }
            }
            CODE => self.block.codes += u32::from(is_code(bytes, at)),
            HASH if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"### ")) => self.seen.marks.push(at),
            OPEN if may_begin(bytes.get(at + 1..).unwrap_or_default()) => self.seen.marks.push(at),
            AT => return self.call(bytes, at),
            _ => {}
        }
        Run::Open
    }

    /// The white space behind the end of a sentence, where it is one: quotation marks and brackets may close between.
    fn stops_at(&mut self, text: &str, from: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut at = from;
        loop {
            match class(*bytes.get(at)?) {
                SPACE | LINE => return Some(at),
                CLOSE | SKIP => at += 1,
                WIDE => {
                    let letter = text.get(at..)?.chars().next()?;
                    if matches!(self.wide(letter), Letter::Read(_) | Letter::Other) {
                        return None;
                    }
                    at += letter.len_utf8();
                }
                _ => return None,
            }
        }
    }

    /// Perhaps an address of a person, or a number to call.
    fn call(&mut self, bytes: &[u8], at: usize) -> Run {
        let before = bytes.get(..at).unwrap_or_default().iter().rev().map(|byte| class(*byte));
        let is_of_word = |class: u8| matches!(class, SKIP | WIDE | b'0'..);
        let joined = before.clone().next().is_some_and(is_of_word) && !self.fresh;
        // What follows is asked first: of marks in a row only the last looks back.
        if joined && self.pieces.is_called() || !may_call(bytes, at) {
            return Run::Open;
        }
        // It may be what its run begins with.
        let mut before = before.skip_while(|class| !matches!(*class, SPACE | LINE) && !is_of_word(*class));
        let begins = self.fresh || before.next().is_none_or(|class| matches!(class, SPACE | LINE));
        if !begins && self.pieces.is_called() {
            return Run::Open;
        }
        self.fresh = false;
        if begins && self.pieces.run(true) {
            self.piece_ends(at);
        }
        if self.pieces.call() {
            self.piece_ends(at);
        }
        if begins { Run::Begun } else { Run::Open }
    }

    /// What a character above ASCII is.
    fn wide(&mut self, letter: char) -> Letter {
        // Most of what is above ASCII is one of these.
        if is_mostly_letters(letter) {
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

    /// The word that is under way ends here, where there is one.
    fn draft(&mut self, bytes: &[u8], end: usize, word: &mut Draft) {
        let Draft { begun, spelling, strange } = std::mem::take(word);
        if spelling.length > 0 {
            self.drafted = begun;
            if spelling.length >= LONG {
                self.seen.long.push(begun..end);
            }
            self.word(bytes, begun..end, spelling.length, spelling.hash(), strange);
        }
    }

    #[expect(clippy::inline_always, reason = "a call costs as much as what is done here")]
    #[inline(always)]
    fn word(&mut self, bytes: &[u8], span: Range<usize>, length: usize, hash: u64, strange: Strange) {
        let number = self.gate.find(hash);
        if self.pieces.run(std::mem::take(&mut self.fresh)) {
            self.piece_ends(span.start);
        }
        let block = &mut self.block;
        block.words += 1;
        if length == 1 {
            // A digit that is alone spells no word, and a column of a table is full of them.
            block.single += u32::from(!strange.digits);
            block.singles = block.singles.max(block.single);
        } else {
            block.single = 0;
        }
        block.turned += u32::from(number / TURNED);
        if (strange.foreign || strange.digits) && number == 0 {
            self.unknown(bytes.get(span.clone()).unwrap_or_default(), length, hash, strange);
        }
        if self.block.words >= BLOCK {
            self.close(span.end);
        }
        if self.pieces.add(number) {
            self.piece_ends(span.end);
        }
    }

    /// A word that is not looked for, with digits or letters beyond ASCII.
    fn unknown(&mut self, word: &[u8], length: usize, hash: u64, strange: Strange) {
        let block = &mut self.block;
        if strange.foreign {
            // Two alphabets in one word: one of them may stand for the other.
            block.odd |=
                word.iter().any(u8::is_ascii_alphabetic) && word.iter().any(|b| (0xcd..=0xd5).contains(b));
        } else if (3..=16).contains(&length) && word.iter().any(u8::is_ascii_alphabetic) {
            let plain = Spelling::of(word.iter().map(|b| unleet(b.to_ascii_lowercase()))).hash();
            block.leet += u32::from(plain != hash && self.gate.find(plain) != 0);
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

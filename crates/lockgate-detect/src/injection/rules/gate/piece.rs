//! A sentence in small pieces: does one of them, with those before it, have the words of some phrase in their order?

use super::bits::{Bits, Hint, Wanted, each, each_long};
use super::course::{Course, Reached};
use super::walk::BLOCK;
use super::{Gate, Number};

/// Runs of characters between white space in a piece. A reader takes each for one word at least.
const PIECE: usize = 12;
/// Most words of a phrase that is always in two pieces.
pub(super) const SHORT: usize = PIECE + 1;
/// Pieces in which the others always are.
const PIECES: usize = BLOCK / PIECE + 1;
/// Room for them: a power of two, since to divide by it is cheap.
const RING: usize = PIECES.next_power_of_two();
/// Room for the words of a piece that are looked for: a power of two.
const HITS: usize = 64;

/// Some runs of characters between white space; where there is none, as many words as a block has.
#[derive(Clone, Debug)]
struct Piece {
    from: usize,
    hint: Hint,
    /// The words that are looked for, each with its run, and how many there are.
    hits: [(u32, Number); HITS],
    all: usize,
}

impl Default for Piece {
    fn default() -> Self {
        Self { from: 0, hint: Hint::default(), hits: [(0, 0); HITS], all: 0 }
    }
}

impl Piece {
    fn hits(&self) -> &[(u32, Number)] {
        self.hits.get(..self.all).unwrap_or_default()
    }
}

/// Room for pieces, which many texts have one after the other: to make it takes longer than most texts of an object.
#[derive(Default)]
pub(crate) struct Ring([Piece; RING]);

/// The pieces of a sentence.
pub(super) struct Pieces<'g> {
    gate: &'g Gate,
    wanted: Wanted,
    /// The pieces, which of them is under way, and how many before it are of the same sentence.
    ring: &'g mut Ring,
    last: usize,
    kept: usize,
    /// How many words are in the piece; how many runs of characters with words are in it, and in the sentence.
    words: usize,
    runs: usize,
    run: u32,
    /// Is an address of a person in the last one?
    called: bool,
}

impl<'g> Pieces<'g> {
    pub(super) fn new(gate: &'g Gate, wanted: Wanted, ring: &'g mut Ring) -> Self {
        let (last, kept, words, runs, run, called) = Default::default();
        let mut pieces = Self { gate, wanted, ring, last, kept, words, runs, run, called };
        let piece = pieces.piece();
        (piece.from, piece.all) = (0, 0);
        pieces
    }

    /// Before a word: does a run begin with it? Is the piece full without it?
    #[inline]
    pub(super) fn run(&mut self, begins: bool) -> bool {
        self.run = self.run.wrapping_add(u32::from(begins));
        self.runs += usize::from(begins);
        self.called &= !begins;
        self.runs > PIECE
    }

    /// A word with its number; 0 is that of one that is not looked for. Without a branch: nobody can guess which it is. Is the
    /// piece full?
    #[inline]
    pub(super) fn add(&mut self, number: Number) -> bool {
        self.words += 1;
        let (run, full) = (self.run, self.words >= BLOCK);
        let piece = self.piece();
        piece.hits.get_mut(piece.all % HITS).into_iter().for_each(|place| *place = (run, number));
        piece.all += usize::from(number != 0);
        full
    }

    /// Was there an address of a person in this run?
    pub(super) fn is_called(&self) -> bool {
        self.called
    }

    /// An address of a person. Is the piece full?
    pub(super) fn call(&mut self) -> bool {
        self.called = true;
        self.add(self.gate.mailbox)
    }

    /// Is nothing in the sentence yet? Then it begins here.
    pub(super) fn begins(&mut self, at: usize) -> bool {
        if self.runs == 0 {
            self.piece().from = at;
        }
        self.runs == 0
    }

    /// No phrase goes on from here.
    pub(super) fn sentence(&mut self) {
        (self.kept, self.runs, self.run) = (0, 0, 0);
    }

    /// The piece ends here. Gives where that begins which may be a phrase, if there may be one that ends in it.
    pub(super) fn end(&mut self, at: usize) -> Option<usize> {
        let gate = self.gate;
        let piece = self.piece();
        piece.hint = piece
            .hits()
            .iter()
            .fold(Hint::default(), |hint, (_, number)| hint.with(&gate.word(*number).hint));
        let open = self.opens_from();
        self.last = (self.last + 1) % RING;
        self.kept = (self.kept + 1).min(PIECES - 1);
        // The run goes on, or begins.
        (self.words, self.runs) = (0, 1);
        let piece = self.piece();
        (piece.from, piece.all) = (at, 0);
        open
    }

    /// The piece that is under way.
    #[inline]
    fn piece(&mut self) -> &mut Piece {
        #[expect(clippy::indexing_slicing, reason = "the rest of a division by how many there are")]
        &mut self.ring.0[self.last % RING]
    }

    /// The last pieces of the sentence, at most so many, the first one first.
    fn last(&self, pieces: usize) -> impl Iterator<Item = &Piece> {
        let pieces = pieces.min(self.kept + 1);
        (1..=pieces).filter_map(move |piece| self.ring.0.get((self.last + RING + piece - pieces) % RING))
    }

    /// Where the pieces begin in which a phrase may be that ends in this one.
    fn opens_from(&self) -> Option<usize> {
        // Of long phrases all of the pieces are asked.
        let long = Hint::long(self.last(PIECES).map(|piece| &piece.hint), &self.wanted);
        if self.is_open(each_long(long), PIECES) {
            return self.last(PIECES).next().map(|first| first.from);
        }
        let mut near = self.last(2);
        let (first, second) = (near.next()?, near.next());
        let nothing = Hint::default();
        let short = first.hint.short(second.map_or(&nothing, |second| &second.hint), &self.wanted);
        if short == 0 {
            return None;
        }
        let mut bits = Bits::default();
        let words = self.last(2).flat_map(Piece::hits).map(|(_, number)| self.gate.word(*number));
        for word in words.filter(|word| word.hint.is_of(short)) {
            word.rare().iter().for_each(|part| bits.add(*part));
        }
        self.is_open(each(bits.all(&self.wanted)), 2).then_some(first.from)
    }

    /// Do the words of one of the groups come in their order, in so many pieces?
    fn is_open(&self, mut groups: impl Iterator<Item = usize>, pieces: usize) -> bool {
        groups.any(|group| {
            let courses = self.gate.courses.get(&group).map(Vec::as_slice).unwrap_or_default();
            courses.iter().any(|course| self.comes(course, group, pieces))
        })
    }

    /// Do the words of a phrase come in their order?
    fn comes(&self, course: &Course, group: usize, pieces: usize) -> bool {
        let mut reached = Reached::default();
        let (mut run, mut keys) = (0, 0);
        for piece in self.last(pieces) {
            for (here, number) in piece.hits() {
                let word = self.gate.word(*number);
                if !word.hint.is_of_group(group) {
                    continue;
                }
                if *here != run {
                    if keys != 0 && course.pass(run, keys, &mut reached) {
                        return true;
                    }
                    (run, keys) = (*here, 0);
                }
                keys |= word.keys_of(group);
            }
        }
        keys != 0 && course.pass(run, keys, &mut reached)
    }
}

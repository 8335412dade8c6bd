//! A sentence in small pieces: does one of them, with those before it, have the words of some phrase in their order?

use super::bits::{Bits, Hint, Wanted, each, each_long};
use super::walk::BLOCK;
use super::{ALL_KEYS, Gate, Number, Word};

/// Runs of characters between white space in a piece. A reader takes each for one word at least.
const PIECE: u32 = 12;
/// Most words of a phrase that is always in two pieces.
pub(super) const SHORT: usize = PIECE as usize + 1;
/// Pieces in which the others always are.
const PIECES: usize = BLOCK / PIECE as usize + 1;
/// Room for them: a power of two, since to divide by it is cheap.
const RING: usize = PIECES.next_power_of_two();
/// Room for the words of all of them that are looked for: a power of two too.
const HITS: usize = (PIECES * BLOCK).next_power_of_two();

/// Some runs of characters between white space; where there is none, as many words as a block has.
#[derive(Clone, Debug, Default)]
struct Piece {
    from: usize,
    hint: Hint,
    /// How many words that are looked for came before it.
    before: usize,
}

/// Room for pieces, which many texts have one after the other: to make it takes longer than most texts of an object.
pub(crate) struct Ring {
    pieces: [Piece; RING],
    /// The last words that are looked for, each with its run.
    hits: [(u32, Number); HITS],
}

impl Default for Ring {
    fn default() -> Self {
        Self { pieces: Default::default(), hits: [(0, 0); HITS] }
    }
}

/// The pieces of a sentence.
pub(super) struct Pieces<'g> {
    gate: &'g Gate,
    wanted: Wanted,
    /// The pieces, which of them is under way, and how many before it are of the same sentence.
    ring: &'g mut Ring,
    last: usize,
    kept: usize,
    /// How many words that are looked for there were.
    hits: usize,
    /// How many words are in the piece.
    words: usize,
    /// How many runs of characters with words there were in the text, and before those of the piece.
    run: u32,
    before: u32,
    /// Of the last run with an address of a person in it.
    called: u32,
}

impl<'g> Pieces<'g> {
    pub(super) fn new(gate: &'g Gate, wanted: Wanted, ring: &'g mut Ring) -> Self {
        let (last, kept, hits, words, run, before) = Default::default();
        let mut pieces = Self { gate, wanted, ring, last, kept, hits, words, run, before, called: u32::MAX };
        pieces.begin(0);
        pieces
    }

    /// Before a word: does a run begin with it? Is the piece full without it?
    #[inline]
    pub(super) fn run(&mut self, begins: bool) -> bool {
        self.run = self.run.wrapping_add(u32::from(begins));
        self.run.wrapping_sub(self.before) > PIECE
    }

    /// A word with its number; 0 is that of one that is not looked for. Without a branch: nobody can guess which it is. Is the
    /// piece full?
    #[inline]
    pub(super) fn add(&mut self, number: Number) -> bool {
        self.words += 1;
        self.ring.hits.get_mut(self.hits % HITS).into_iter().for_each(|place| *place = (self.run, number));
        self.hits += usize::from(number != 0);
        self.words >= BLOCK
    }

    /// Was there an address of a person in this run?
    pub(super) fn is_called(&self) -> bool {
        self.called == self.run
    }

    /// An address of a person. Is the piece full?
    pub(super) fn call(&mut self) -> bool {
        self.called = self.run;
        self.add(self.gate.mailbox)
    }

    /// Is nothing in the sentence yet? Then it begins here.
    pub(super) fn begins(&mut self, at: usize) -> bool {
        let begins = self.run == self.before;
        if begins {
            self.piece().from = at;
        }
        begins
    }

    /// No phrase goes on from here.
    pub(super) fn sentence(&mut self) {
        (self.kept, self.before) = (0, self.run);
    }

    /// The piece ends here. Gives where that begins which may be a phrase, if there may be one that ends in it.
    pub(super) fn end(&mut self, at: usize) -> Option<usize> {
        let hint = self.words_of(1).fold(Hint::default(), |hint, (_, word)| hint.with(&word.hint));
        self.piece().hint = hint;
        let open = self.opens_from();
        self.last = (self.last + 1) % RING;
        self.kept = (self.kept + 1).min(PIECES - 1);
        // The run goes on, or begins.
        (self.words, self.before) = (0, self.run.wrapping_sub(1));
        self.begin(at);
        open
    }

    /// A piece begins there.
    fn begin(&mut self, at: usize) {
        let before = self.hits;
        *self.piece() = Piece { from: at, hint: Hint::default(), before };
    }

    /// The piece that is under way.
    #[inline]
    fn piece(&mut self) -> &mut Piece {
        #[expect(clippy::indexing_slicing, reason = "the rest of a division by how many there are")]
        &mut self.ring.pieces[self.last % RING]
    }

    /// The last pieces of the sentence, at most so many, the first one first.
    fn last(&self, pieces: usize) -> impl Iterator<Item = &Piece> {
        let pieces = pieces.min(self.kept + 1);
        (1..=pieces).filter_map(move |piece| self.ring.pieces.get((self.last + RING + piece - pieces) % RING))
    }

    /// Their words that are looked for, each with its run.
    fn words_of(&self, pieces: usize) -> impl Iterator<Item = (u32, &'g Word)> {
        let gate = self.gate;
        let before = self.last(pieces).next().map_or(self.hits, |first| first.before);
        let hits = (before..self.hits).filter_map(|hit| self.ring.hits.get(hit % HITS));
        hits.map(|(run, number)| (*run, gate.word(*number)))
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
        if short.is_empty() {
            return None;
        }
        let mut bits = Bits::default();
        for (_, word) in self.words_of(2).filter(|(_, word)| !word.any.and(&short).is_empty()) {
            word.rare().iter().for_each(|part| bits.add(*part));
        }
        self.is_open(each(bits.all(&self.wanted)), 2).then_some(first.from)
    }

    /// Do the words of one of the groups come in their order, in so many pieces?
    fn is_open(&self, mut groups: impl Iterator<Item = usize>, pieces: usize) -> bool {
        groups.any(|group| {
            let runs = self.runs_of(group, pieces);
            // A phrase of fewer words has one of them for several keys.
            let all = runs.iter().fold(0, |all, (_, keys)| all | keys);
            let courses = self.gate.courses.get(&group).map(Vec::as_slice).unwrap_or_default();
            all == ALL_KEYS && courses.iter().any(|course| course.is_run(&runs))
        })
    }

    /// The runs with words of a group, in their order, and which keys they are.
    fn runs_of(&self, group: usize, pieces: usize) -> Vec<(u32, u8)> {
        let mut runs: Vec<(u32, u8)> = Vec::new();
        let words = self.words_of(pieces).map(|(run, word)| (run, word.keys_of(group)));
        for (run, keys) in words.filter(|(_, keys)| *keys != 0) {
            match runs.last_mut() {
                Some((last, all)) if *last == run => *all |= keys,
                _ => runs.push((run, keys)),
            }
        }
        runs
    }
}

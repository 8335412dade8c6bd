//! A sentence in small pieces: does one of them, with those before it, have the words of some phrase in their order?

use std::collections::BTreeMap;

use super::Word;
use super::bits::{Bits, Groups, LONG_GROUPS, RARE, each};
use super::course::{Course, Reached};
use super::walk::BLOCK;

/// Runs of characters between white space in a piece. A reader takes each for one word at least.
const PIECE: usize = 12;
/// Most words of a phrase that is always in two pieces.
pub(super) const SHORT: usize = PIECE + 1;
/// Pieces in which the others always are.
const PIECES: usize = BLOCK / PIECE + 1;
/// Room for them: a power of two, since to divide by it is cheap.
const RING: usize = PIECES.next_power_of_two();
/// Some runs of characters between white space; in one that is very long, as many words as a block has.
#[derive(Clone, Debug, Default)]
struct Piece<'g> {
    from: usize,
    runs: usize,
    words: usize,
    bits: Bits,
    /// The words that are looked for, each with its run.
    hits: Vec<(usize, &'g Word)>,
}

/// The pieces of a sentence.
pub(super) struct Pieces<'g> {
    courses: &'g BTreeMap<usize, Vec<Course>>,
    wanted: Groups,
    /// A ring of pieces, which of them is under way, and how many before it are of the same sentence.
    ring: [Piece<'g>; RING],
    last: usize,
    kept: usize,
    /// How many runs of characters with words were before; and is there a word in this one, and an address of a person?
    run: usize,
    inked: bool,
    called: bool,
}

impl<'g> Pieces<'g> {
    pub(super) fn new(courses: &'g BTreeMap<usize, Vec<Course>>, wanted: Groups) -> Self {
        let (ring, last, kept, run, inked, called) = Default::default();
        Self { courses, wanted, ring, last, kept, run, inked, called }
    }

    /// A word that is looked for.
    #[inline]
    pub(super) fn add(&mut self, word: &'g Word) {
        let run = self.run;
        let piece = self.piece();
        word.rare.iter().for_each(|part| piece.bits.add(*part));
        piece.hits.push((run, word));
    }

    /// Was there an address of a person in this run?
    pub(super) fn is_called(&self) -> bool {
        self.called
    }

    /// An address of a person.
    pub(super) fn call(&mut self, mailbox: &'g Word) {
        self.add(mailbox);
        self.called = true;
    }

    /// Behind any word. Is the piece full?
    #[inline]
    pub(super) fn word_ends(&mut self) -> bool {
        self.inked = true;
        let piece = self.piece();
        piece.words += 1;
        piece.words >= BLOCK
    }

    /// Where white space stands. Is the piece full?
    #[inline]
    pub(super) fn run_ends(&mut self) -> bool {
        if !self.inked && !self.called {
            return false;
        }
        (self.inked, self.called) = (false, false);
        self.run += 1;
        let piece = self.piece();
        piece.runs += 1;
        piece.runs >= PIECE
    }

    /// No phrase goes on from here.
    pub(super) fn sentence(&mut self) {
        self.kept = 0;
    }

    /// Is nothing in the sentence yet? Then it begins here.
    pub(super) fn begins(&mut self, at: usize) -> bool {
        let piece = self.piece();
        let nothing = piece.words == 0 && piece.hits.is_empty();
        if nothing {
            piece.from = at;
        }
        nothing && self.kept == 0
    }

    /// The piece ends here. Gives where that begins which may be a phrase, if there may be one that ends in it.
    pub(super) fn end(&mut self, at: usize) -> Option<usize> {
        let empty = self.last(PIECES).all(|piece| piece.hits.is_empty());
        let open = if empty { None } else { self.opens_from() };
        self.last = (self.last + 1) % RING;
        self.kept = (self.kept + 1).min(PIECES - 1);
        let Piece { from, runs, words, bits, hits } = self.piece();
        (*from, *runs, *words) = (at, 0, 0);
        if !hits.is_empty() {
            *bits = Bits::default();
            hits.clear();
        }
        open
    }

    /// The piece that is under way.
    #[inline]
    fn piece(&mut self) -> &mut Piece<'g> {
        #[expect(clippy::indexing_slicing, reason = "the rest of a division by how many there are")]
        &mut self.ring[self.last % RING]
    }

    /// The last pieces of the sentence, at most so many, the first one first.
    fn last(&self, pieces: usize) -> impl Iterator<Item = &Piece<'g>> {
        let pieces = pieces.min(self.kept + 1);
        (1..=pieces).filter_map(move |piece| self.ring.get((self.last + RING + piece - pieces) % RING))
    }

    /// Where the pieces begin in which a phrase may be that ends in this one.
    fn opens_from(&self) -> Option<usize> {
        // Of long phrases only one lane is asked, in all of the pieces.
        let [.., mut long] = self.wanted;
        for key in 0..RARE {
            long &= self.last(PIECES).fold(0, |all, piece| all | piece.bits.long(key));
        }
        let long = (0..64).filter(|_| long != 0).filter(|bit| long >> bit & 1 == 1);
        if self.is_open(long.map(|bit| LONG_GROUPS.start + bit), PIECES) {
            return self.last(PIECES).next().map(|first| first.from);
        }
        let nothing = Bits::default();
        let mut near = self.last(2);
        let (first, second) = (near.next()?, near.next());
        let short = first.bits.with(second.map_or(&nothing, |second| &second.bits), &self.wanted);
        self.is_open(each(short), 2).then_some(first.from)
    }

    /// Do the words of one of the groups come in their order, in so many pieces?
    fn is_open(&self, mut groups: impl Iterator<Item = usize>, pieces: usize) -> bool {
        groups.any(|group| {
            let courses = self.courses.get(&group).map(Vec::as_slice).unwrap_or_default();
            courses.iter().any(|course| comes(course, group, self.last(pieces)))
        })
    }
}

/// Do the words of a phrase come in their order?
fn comes<'p>(course: &Course, group: usize, pieces: impl Iterator<Item = &'p Piece<'p>>) -> bool {
    let mut reached = Reached::default();
    let (mut run, mut keys) = (0, 0);
    for piece in pieces {
        for (here, word) in &piece.hits {
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

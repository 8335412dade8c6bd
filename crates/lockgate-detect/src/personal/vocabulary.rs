//! The words that say what a number is, and where in a text they stand.

use std::num::NonZeroU64;
use std::ops::Range;

use super::entity::{Entities, Entity};
use crate::blocks::{BLOCK, among, low, masks, one_of};
use crate::lexicon::Lexicon;

/// Longest name of a field that is read. Bytes.
const NAME: usize = 64;

/// All words, and what each speaks of. A word is looked for only where one may begin, and there by its first two bytes: most
/// of a text is passed over.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: Lexicon,
    /// What each of them means.
    meanings: Vec<Meaning>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Of these entities. It may go on where that is said.
    Speaks(Entities, bool),
    /// It says that a number is no personal one: that of an order, a version. It may go on where that is said.
    Other(bool),
    /// It stands where something was taken out. What is before it speaks of that.
    Mark,
}

/// Words for numbers of things.
const OTHER: [&str; 41] = [
    "order",
    "order id",
    "order_id*",
    "orderid*",
    "invoice*",
    "tracking*",
    "version",
    "ver",
    "build",
    "release",
    "serial*",
    "sku",
    "ean",
    "gtin",
    "isbn",
    "upc",
    "barcode*",
    "timestamp*",
    "commit",
    "hash",
    "sha",
    "checksum",
    "uuid",
    "guid",
    "trace*",
    "span",
    "request id",
    "request_id*",
    "transaction*",
    "ticket*",
    "flight*",
    "reservation*",
    "item*",
    "product*",
    "port",
    "size",
    "bytes",
    "offset",
    "pid",
    "nonce",
    "seed",
];

impl Vocabulary {
    /// Nothing where a word is none that can be looked for.
    pub(super) fn new(words: impl Iterator<Item = (&'static str, Entities)>) -> Option<Self> {
        let marks = Entity::ALL.map(Entity::mark);
        let told = words.map(|(word, entities)| (word, Meaning::Speaks(entities, false)));
        let others = OTHER.into_iter().map(|word| (word, Meaning::Other(false)));
        let marks = marks.iter().map(|mark| (mark.as_str(), Meaning::Mark));
        let marks = marks.chain([(crate::MARK, Meaning::Mark), (super::MASKED, Meaning::Mark)]);
        let all = told.chain(others).chain(marks).map(open_end);
        let (words, meanings): (Vec<&str>, _) = all.unzip();
        let can_begin = words.iter().all(|word| begins(word.as_bytes(), 0) & 1 == 1);
        can_begin.then_some(Self { words: Lexicon::folded(&words)?, meanings })
    }

    /// What the name of a field says.
    pub(super) fn field(&self, name: &str) -> Entities {
        let mut said = Entities::default();
        if name.len() <= NAME {
            self.each(name, 0..name.len(), |meaning, span| {
                if let Meaning::Speaks(entities, goes_on) = meaning
                    && is_word(name, &span, goes_on)
                {
                    said = said.and(entities);
                }
            });
        }
        said
    }

    /// Bytes that the words take.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.words.memory() + size_of_val(&*self.meanings)
    }

    /// Hands over each word that begins in a part of the text: by where they begin.
    pub(super) fn each(&self, text: &str, part: Range<usize>, mut seen: impl FnMut(Meaning, Range<usize>)) {
        let bytes = text.as_bytes();
        for from in part.clone().step_by(BLOCK) {
            let mut begin = begins(bytes, from) & low(u32::try_from(part.end - from).unwrap_or(u32::MAX));
            while let Some(bits) = NonZeroU64::new(begin) {
                self.at(text, from + usize::try_from(bits.trailing_zeros()).unwrap_or_default(), &mut seen);
                begin &= begin - 1;
            }
        }
    }

    /// Hands over each word that begins right here.
    pub(super) fn at(&self, text: &str, at: usize, mut seen: impl FnMut(Meaning, Range<usize>)) {
        self.words.at(text.as_bytes(), at, |word, length| {
            self.meanings.get(word).into_iter().for_each(|meaning| seen(*meaning, at..at + length));
            true
        });
    }
}

/// Where in the block that begins there a word may begin, a bit each: at a mark, behind what is no letter, and at a capital
/// behind a small letter. See [`is_word`].
fn begins(bytes: &[u8], from: usize) -> u64 {
    let [capital, small, wide, mark] = masks(bytes, from, |bytes| {
        [among(bytes, b'A', 26), among(bytes, b'a', 26), bytes, one_of(bytes, *b"[*")]
    });
    let before = from.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let behind_capital = capital << 1 | u64::from(before.is_ascii_uppercase());
    let behind_letter = (capital | small) << 1 | u64::from(before.is_ascii_alphabetic());
    mark | capital & !behind_capital | (small | wide) & !behind_letter
}

/// `*` at the end: the word may go on.
fn open_end((word, meaning): (&str, Meaning)) -> (&str, Meaning) {
    match (word.strip_suffix('*'), meaning) {
        (Some(word), Meaning::Speaks(entities, _)) => (word, Meaning::Speaks(entities, true)),
        (Some(word), Meaning::Other(_)) => (word, Meaning::Other(true)),
        (_, meaning) => (word, meaning),
    }
}

/// Whether nothing else is glued to it: `sin` is no word in `using`, but is one in `userSin` and `sin_number`.
pub(super) fn is_word(text: &str, span: &Range<usize>, goes_on: bool) -> bool {
    let bytes = text.as_bytes();
    let first = bytes.get(span.start).copied().unwrap_or_default();
    let before = span.start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let after = bytes.get(span.end).copied().unwrap_or(b' ');
    let begins = !before.is_ascii_alphabetic() || first.is_ascii_uppercase() && before.is_ascii_lowercase();
    let capital = after.is_ascii_uppercase() && bytes.get(span.end - 1).is_some_and(u8::is_ascii_lowercase);
    begins && (goes_on || !after.is_ascii_alphabetic() || capital)
}

//! A text in windows that slide over it: a short passage is found in a long text, and a long text is no worse for its length.

use std::ops::Range;

use super::concepts::Concepts;
use super::feature::Trail;
use super::words::{Reader, Word, read};

/// Words in a block: windows begin and end with blocks.
pub const BLOCK: u32 = 8;
/// Blocks in a window: a long sentence, or a few short ones.
pub const WINDOW: usize = 4;
/// How many blocks long a feature is not counted again.
const COUNTED: u32 = 4;

/// Some words in a row.
#[derive(Clone, Debug, Default)]
struct Block {
    /// What its features weigh, all in all.
    weight: i32,
    /// Where it stands in the text.
    span: Range<usize>,
}

/// It has no word yet.
const NO_WORDS: Block = Block { weight: 0, span: usize::MAX..usize::MAX };

/// A window of the text.
#[derive(Clone, Debug)]
pub struct Window {
    /// What it weighs, in the steps of its features.
    pub weight: i32,
    /// Where it stands in the text.
    pub span: Range<usize>,
}

/// The last blocks.
#[derive(Debug, Default)]
struct Recent([Block; WINDOW]);

impl Recent {
    /// The window that ends with this block.
    fn push(&mut self, block: Block) -> Window {
        self.0.rotate_left(1);
        let [.., last] = &mut self.0;
        *last = block;
        let used = self.0.iter().filter(|block| !block.span.is_empty());
        let start = used.clone().next().map_or(0, |block| block.span.start);
        let [.., last] = &self.0;
        Window { weight: used.map(|block| block.weight).sum(), span: start..last.span.end }
    }
}

/// Which features were counted lately: what a window says twice counts once.
#[derive(Debug)]
struct Fresh {
    /// By the last bits of a feature: which one it was, and below, in which block.
    places: [u64; FRESH],
}

/// Features that are remembered. A power of two, and several times as many as there are in a window.
const FRESH: usize = 1 << 10;

impl Fresh {
    /// Whether it was not counted in the window that ends with that block. Without a branch: nobody can guess which it is.
    #[inline]
    fn is(&mut self, feature: u32, block: u32) -> bool {
        let place = usize::try_from(feature).unwrap_or_default() % FRESH;
        let Some(last) = self.places.get_mut(place) else { return true };
        let now = u64::from(feature) << 32 | u64::from(block);
        // Of the same feature not long ago: blocks only come to be more.
        let counted = now.wrapping_sub(*last) < u64::from(COUNTED);
        *last = if counted { *last } else { now };
        !counted
    }
}

/// Reads a text block by block. `weigh` gives what a feature weighs, and 0 for one that is not fresh: one that the window
/// has counted. No block weighs less than `least`: ordinary words do not hide what stands among them. `each` sees the window that ends with each block. Linear, in fixed memory.
pub fn slide(
    text: &str,
    concepts: &Concepts,
    least: i32,
    weigh: impl FnMut(u32, bool) -> i32,
    each: impl FnMut(Window),
) {
    let (recent, trail, block) = (Recent::default(), Trail::default(), NO_WORDS);
    let fresh = Fresh { places: [0; FRESH] };
    // Counted from the length of a window, so that nothing was counted in the first.
    let mut slide =
        Slide { concepts, least, weigh, each, recent, trail, fresh, number: COUNTED, words: 0, block };
    read(text, &mut slide);
    if slide.words > 0 {
        slide.block_ends();
    }
}

/// How far a text is read.
struct Slide<'c, Weigh, Each> {
    concepts: &'c Concepts,
    least: i32,
    weigh: Weigh,
    each: Each,
    recent: Recent,
    trail: Trail,
    fresh: Fresh,
    /// Which block is under way, and how many words are in it.
    number: u32,
    words: u32,
    block: Block,
}

impl<Weigh: FnMut(u32, bool) -> i32, Each: FnMut(Window)> Reader for Slide<'_, Weigh, Each> {
    #[expect(clippy::inline_always, reason = "a call costs a tenth of what is done here")]
    #[inline(always)]
    fn word(&mut self, word: &Word) {
        let Self { trail, concepts, weigh, fresh, number, .. } = self;
        let mut weight = 0;
        trail.step(word, concepts, &mut |feature| {
            weight += weigh(feature, fresh.is(feature, *number));
        });
        self.block.span.start = self.block.span.start.min(word.start);
        self.block.span.end = word.end;
        self.block.weight += weight;
        self.words += 1;
        if self.words == BLOCK {
            self.block_ends();
        }
    }
}

impl<Weigh, Each: FnMut(Window)> Slide<'_, Weigh, Each> {
    #[inline(never)]
    fn block_ends(&mut self) {
        let mut block = std::mem::replace(&mut self.block, NO_WORDS);
        block.weight = block.weight.max(self.least);
        (self.each)(self.recent.push(block));
        self.words = 0;
        self.number = self.number.saturating_add(1);
    }
}

//! A text in windows that slide over it: a short passage is found in a long text, and a long text is no worse for its length.

use std::ops::Range;

use super::concepts::{CONCEPTS, Concepts};
use super::feature::Trail;
use super::words::read;

/// Words in a block: windows begin and end with blocks.
pub const BLOCK: u32 = 8;
/// Blocks in a window: a long sentence, or a few short ones.
pub const WINDOW: usize = 4;
/// Blocks in what is around it, the window itself among them: what comes before says what a passage is for.
pub const AROUND: usize = 16;

/// How often each concept is met.
pub type Counts = [u8; CONCEPTS];

/// Some words in a row.
#[derive(Clone, Debug)]
pub struct Block {
    /// What its features weigh, all in all.
    pub weight: i32,
    /// The words in it.
    pub words: u32,
    /// The concepts in it.
    pub counts: Counts,
    /// Where it stands in the text.
    pub span: Range<usize>,
}

impl Default for Block {
    fn default() -> Self {
        Self { weight: 0, words: 0, counts: [0; CONCEPTS], span: 0..0 }
    }
}

/// The last blocks, as a window and what is around it. Fixed in size.
#[derive(Debug)]
pub struct Recent {
    blocks: [Block; AROUND],
    /// How many there have been.
    seen: usize,
}

impl Recent {
    fn new() -> Self {
        Self { blocks: std::array::from_fn(|_| Block::default()), seen: 0 }
    }

    fn push(&mut self, block: Block) {
        if let Some(place) = self.blocks.get_mut(self.seen % AROUND) {
            *place = block;
        }
        self.seen += 1;
    }

    /// The last ones, as many as there are up to that number, the last first.
    fn last(&self, most: usize) -> impl Iterator<Item = &Block> {
        (1..=most.min(self.seen)).filter_map(|back| self.blocks.get((self.seen - back) % AROUND))
    }

    /// What the window weighs.
    pub fn weight(&self) -> i32 {
        self.last(WINDOW).map(|block| block.weight).sum()
    }

    /// How many words are in the window.
    pub fn words(&self) -> u32 {
        self.last(WINDOW).map(|block| block.words).sum()
    }

    /// Where the window stands in the text.
    pub fn span(&self) -> Range<usize> {
        let end = self.last(1).next().map_or(0, |block| block.span.end);
        self.last(WINDOW).last().map_or(0..0, |block| block.span.start..end)
    }

    /// The concepts of the window, and of what is around it.
    pub fn counts(&self) -> [Counts; 2] {
        [WINDOW, AROUND].map(|most| {
            let mut counts = [0; CONCEPTS];
            for block in self.last(most) {
                counts.iter_mut().zip(block.counts).for_each(|(all, here): (&mut u8, u8)| *all = all.saturating_add(here));
            }
            counts
        })
    }
}

/// Reads a text block by block. `weigh` gives the weight of a feature; `each` sees the window that ends with each block.
/// Linear, in fixed memory.
pub fn slide(text: &str, concepts: &Concepts, weigh: &mut impl FnMut(u32) -> i32, each: &mut impl FnMut(&Recent)) {
    let mut recent = Recent::new();
    let mut trail = Trail::default();
    let mut block = Block::default();
    let mut words = 0;
    read(text, |word| {
        if words == 0 {
            block.span.start = word.start;
        }
        let mut weight = 0;
        let concept = trail.step(&word, concepts, &mut |feature| weight += weigh(feature));
        block.weight += weight;
        if let Some(count) = block.counts.get_mut(usize::from(concept)) {
            *count += 1;
        }
        block.span.end = word.end;
        words += 1;
        block.words = words;
        if words == BLOCK {
            recent.push(std::mem::take(&mut block));
            each(&recent);
            words = 0;
        }
    });
    if words > 0 {
        recent.push(block);
        each(&recent);
    }
}

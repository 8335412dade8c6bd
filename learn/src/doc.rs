//! Texts as they are learned from: the features of every block, read by the code that judges.

use std::ops::Range;

use lockgate_detect::injection::model::concepts::Concepts;
use lockgate_detect::injection::model::weights::FEATURES;
use lockgate_detect::injection::model::window::{WINDOW, Window, slide};

use crate::Row;

/// A text in blocks.
pub(crate) struct Doc {
    /// The features of each block.
    pub(crate) blocks: Vec<Vec<u32>>,
    /// Where each stands.
    pub(crate) spans: Vec<Range<usize>>,
}

impl Doc {
    pub(crate) fn new(row: &Row, concepts: &Concepts) -> Self {
        let mut features: Vec<u32> = Vec::new();
        let mut spans: Vec<Range<usize>> = Vec::new();
        let mut ends = Vec::new();
        // What is handed over between two blocks belongs to the second.
        let mut seen = std::cell::RefCell::new(Vec::new());
        slide(
            &row.text,
            concepts,
            0,
            |feature, fresh| {
                if fresh {
                    seen.borrow_mut().push(feature % FEATURES as u32);
                }
                0
            },
            |window: Window| {
                features.append(&mut seen.borrow_mut());
                ends.push(features.len());
                let start = spans.last().map_or(0, |last: &Range<usize>| last.end);
                spans.push(start..window.span.end);
            },
        );
        seen.get_mut().clear();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let blocks = starts.zip(&ends).map(|(start, end)| features[start..*end].to_vec()).collect();
        Self { blocks, spans }
    }

    /// The blocks of the window that ends with that block.
    pub(crate) fn window(&self, last: usize) -> &[Vec<u32>] {
        &self.blocks[(last + 1).saturating_sub(WINDOW)..=last]
    }

    /// How much of the window is in that part of the text, or how much of the part in the window: the larger.
    pub(crate) fn overlap(&self, last: usize, part: &Range<usize>) -> f32 {
        let window = self.spans[(last + 1).saturating_sub(WINDOW)].start..self.spans[last].end;
        let both = window.end.min(part.end).saturating_sub(window.start.max(part.start)) as f32;
        both / window.len().min(part.len()).max(1) as f32
    }
}

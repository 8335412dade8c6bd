//! What was found so far.

use std::ops::Range;

use super::{DECODED, Hidden, HiddenKind, MOST};
use crate::Level;

/// Most of what all findings of a text say. Bytes.
const DECODED_ALL: usize = 64 * 1024;

pub(super) struct Found<'t> {
    text: &'t str,
    all: Vec<Hidden>,
    /// Findings that count, and those that do not.
    loud: usize,
    quiet: usize,
    said: usize,
}

impl<'t> Found<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, all: Vec::new(), loud: 0, quiet: 0, said: 0 }
    }

    /// Adds a finding. False where no more are taken.
    pub(super) fn push(
        &mut self,
        kind: HiddenKind,
        span: Range<usize>,
        level: Level,
        decoded: Option<String>,
    ) -> bool {
        let count = if level == Level::None { &mut self.quiet } else { &mut self.loud };
        *count += 1;
        if *count > MOST {
            if level != Level::None && self.loud == MOST + 1 {
                let span = span.start..self.text.len();
                self.all.push(Hidden { kind, span, decoded: None, level: Level::Block });
            }
            return level == Level::None;
        }
        let decoded = decoded.and_then(|said| self.bound(said));
        self.all.push(Hidden { kind, span, decoded, level });
        true
    }

    pub(super) fn finish(mut self) -> Vec<Hidden> {
        self.all.sort_by_key(|hidden| (hidden.span.start, hidden.span.end));
        self.all
    }

    fn bound(&mut self, mut said: String) -> Option<String> {
        said.truncate(said.floor_char_boundary(DECODED.min(DECODED_ALL.saturating_sub(self.said))));
        self.said += said.len();
        (!said.is_empty()).then_some(said)
    }
}

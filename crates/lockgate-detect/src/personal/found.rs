//! What was found so far, in the end in order and not overlapping.

use std::ops::Range;

use super::{Datum, Entity};
use crate::Sure;

pub(super) struct Found<'s> {
    data: Vec<Datum>,
    /// What is something else already, in order; those before were passed.
    taken: &'s [Range<usize>],
}

impl<'s> Found<'s> {
    pub(super) fn new(taken: &'s [Range<usize>]) -> Self {
        Self { data: Vec::new(), taken }
    }

    pub(super) fn push(&mut self, entity: Entity, span: Range<usize>, sure: Sure) {
        if !span.is_empty() {
            self.data.push(Datum { entity, span, sure });
        }
    }

    /// The end of the last that is taken before here.
    pub(super) fn taken_before(&mut self, at: usize) -> Option<usize> {
        let mut last = None;
        while let Some((span, rest)) = self.taken.split_first().filter(|(span, _)| span.end <= at) {
            last = Some(span.end);
            self.taken = rest;
        }
        last
    }

    /// Of what overlaps, the surer counts, and then the first, for all that the two cover. What is taken is left out whole.
    pub(super) fn finish(self, taken: &[Range<usize>]) -> Vec<Datum> {
        let mut data = self.data;
        data.sort_by_key(|datum| (datum.span.start, datum.span.end));
        let mut kept: Vec<Datum> = Vec::with_capacity(data.len());
        let mut rest = taken;
        for datum in data {
            while let Some((_, more)) = rest.split_first().filter(|(span, _)| span.end <= datum.span.start) {
                rest = more;
            }
            if rest.first().is_some_and(|span| span.start < datum.span.end) {
                continue;
            }
            match kept.last_mut() {
                Some(last) if datum.span.start < last.span.end => {
                    let span = last.span.start..last.span.end.max(datum.span.end);
                    let better = if datum.sure > last.sure { datum } else { last.clone() };
                    *last = Datum { span, ..better };
                }
                _ => kept.push(datum),
            }
        }
        kept
    }
}

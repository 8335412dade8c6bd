//! Taking out what is hidden.

use std::borrow::Cow;
use std::ops::Range;

use super::{Hidden, HiddenKind, gap, look};
use crate::Level;

/// Taking one thing out may uncover another. Who has hidden things in each other more often than this gets flat text.
const ROUNDS: usize = 4;

/// The text without what is hidden in it: every finding that is worse than [`Level::None`], but words in disguise, which are
/// seen. `found` is what [`look`] has found; raise a level there to take out more. Linear; cleaning twice changes nothing.
pub fn clean<'t>(text: &'t str, found: &[Hidden]) -> Cow<'t, str> {
    let Some(mut cleaned) = without(text, found) else { return Cow::Borrowed(text) };
    for _ in 0..ROUNDS {
        match without(&cleaned, &look(&cleaned)) {
            Some(next) => cleaned = next,
            None => return Cow::Owned(cleaned),
        }
    }
    Cow::Owned(gap::flat(&cleaned))
}

/// Nothing where there is nothing to take out.
fn without(text: &str, found: &[Hidden]) -> Option<String> {
    let mut cuts: Vec<(Range<usize>, &str)> = found
        .iter()
        .filter(|hidden| hidden.level > Level::None && hidden.kind != HiddenKind::Disguise)
        .map(|hidden| {
            let span = text.floor_char_boundary(hidden.span.start)..text.ceil_char_boundary(hidden.span.end);
            (span, if hidden.kind == HiddenKind::Gap { gap::closed(text, hidden) } else { "" })
        })
        .filter(|(span, _)| !span.is_empty())
        .collect();
    if cuts.is_empty() {
        return None;
    }
    cuts.sort_by_key(|(span, _)| (span.start, span.end));
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for (span, instead) in cuts {
        if span.start >= kept {
            out.push_str(text.get(kept..span.start).unwrap_or_default());
            out.push_str(instead);
        }
        kept = kept.max(span.end);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Some(out)
}

//! What is replaced in a text, and by what.

use std::cmp::Reverse;
use std::ops::Range;

use lockgate_detect::personal::Entity;
use lockgate_detect::{MARK, Mask};
use lockgate_model::ServerName;

use super::{Handling, Hit, Sort};
use crate::handles::{Handles, Seal, Stands, handles_in, within};

/// A part of a text to be replaced.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) span: Range<usize>,
    pub(crate) by: By,
    /// The handle that stands for it already.
    pub(crate) handle: Option<String>,
}

/// What stands in place of what was there. Ordered: of what overlaps, the later counts for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// A handle.
    Handle(Stands, &'static str),
    /// A part of it.
    Mask(Option<Entity>),
    /// That there was something.
    Nothing(Option<Entity>),
    /// The rule that it was taken out by.
    Rule(&'static str),
}

impl Cut {
    /// What is to be done with a hit; none where its text stays.
    fn of(hit: &Hit) -> Option<Self> {
        let by = match (hit.handling, hit.sort) {
            (Handling::Off | Handling::Flag | Handling::Ask | Handling::Deny, _) => return None,
            (Handling::Tokenise, Sort::Secret) if !hit.unread => By::Handle(Stands::Secret, hit.rule),
            (Handling::Tokenise, Sort::Personal) => By::Handle(Stands::Personal, hit.rule),
            (Handling::Mask, Sort::Personal) => By::Mask(hit.entity),
            (_, Sort::Secret | Sort::Personal) => By::Nothing(hit.entity),
            (_, Sort::Hidden | Sort::Injection | Sort::Attack | Sort::Code | Sort::Indicator) => {
                By::Rule(hit.rule)
            }
        };
        Some(Self { span: hit.span.clone(), by, handle: None })
    }
}

/// What is to be replaced in a text, in order and not overlapping. `known`: what has handles already.
pub(crate) fn cuts(text: &str, hits: &[Hit], known: Vec<Cut>) -> Vec<Cut> {
    let mut cuts = known;
    if !cuts.is_empty() {
        let handles: Vec<_> = handles_in(text).collect();
        cuts.retain(|cut| !within(&handles, &cut.span));
    }
    cuts.extend(hits.iter().filter_map(Cut::of));
    cuts.sort_by_key(|cut| (cut.span.start, Reverse(cut.span.end), cut.handle.is_none()));
    let mut apart: Vec<Cut> = Vec::with_capacity(cuts.len());
    for cut in cuts {
        match apart.last_mut() {
            Some(last) if cut.span.start < last.span.end => {
                let same = cut.by <= last.by;
                last.by = last.by.max(cut.by);
                if cut.span.end > last.span.end {
                    last.span.end = cut.span.end;
                    last.handle = None;
                } else if !same {
                    last.handle = None;
                }
            }
            _ => apart.push(cut),
        }
    }
    apart
}

/// The text with what stands in place of each cut.
pub(crate) fn replace(
    text: &str,
    cuts: Vec<Cut>,
    handles: &mut Handles,
    server: &ServerName,
    seal: &Seal<'_>,
) -> String {
    // Spans begin and end between characters; were one not to, all of its text would go.
    let part = |span: Range<usize>| text.get(span).unwrap_or_default();
    let (mut without, mut from) = (String::with_capacity(text.len()), 0);
    for cut in cuts {
        without.push_str(part(from..cut.span.start));
        let was = part(cut.span.clone());
        match cut.by {
            By::Handle(stands, kind) => {
                let handle = cut.handle.or_else(|| handles.stand_in(was, stands, kind, server, seal));
                without.push_str(handle.as_deref().unwrap_or(MARK));
            }
            By::Mask(entity) => without.push_str(&covered(Mask::Cover, entity, was)),
            By::Nothing(entity) => without.push_str(&covered(Mask::Redact, entity, was)),
            By::Rule(rule) => without.push_str(&format!("[removed: {rule}]")),
        }
        from = cut.span.end;
    }
    without.push_str(part(from..text.len()));
    without
}

/// What is left of personal data; nothing of anything else.
fn covered(mask: Mask, entity: Option<Entity>, text: &str) -> String {
    entity.map_or_else(|| MARK.to_owned(), |entity| mask.datum(entity, text))
}

#[cfg(test)]
mod tests {
    use lockgate_detect::Level;

    use super::*;

    fn hit(sort: Sort, span: Range<usize>, handling: Handling) -> Hit {
        Hit { sort, rule: "r", level: Level::Block, span, handling, unread: false, entity: None }
    }

    type Case = (Vec<Hit>, Vec<(usize, usize, By)>);

    #[test]
    fn what_overlaps_is_replaced_once_by_what_takes_most_away() {
        use Handling::{Ask, Deny, Flag, Mask, Redact, Tokenise};
        use Sort::{Injection, Personal, Secret};
        let handle = By::Handle(Stands::Secret, "r");
        let cases: [Case; 7] = [
            (vec![], vec![]),
            (vec![hit(Secret, 1..3, Flag), hit(Injection, 0..9, Deny), hit(Personal, 4..5, Ask)], vec![]),
            (
                vec![hit(Secret, 4..8, Tokenise), hit(Personal, 0..2, Mask)],
                vec![(0, 2, By::Mask(None)), (4, 8, handle)],
            ),
            (vec![hit(Secret, 2..6, Tokenise), hit(Secret, 4..8, Tokenise)], vec![(2, 8, handle)]),
            (vec![hit(Secret, 2..6, Tokenise), hit(Injection, 0..9, Redact)], vec![(0, 9, By::Rule("r"))]),
            (vec![hit(Secret, 2..6, Tokenise), hit(Injection, 4..9, Redact)], vec![(2, 9, By::Rule("r"))]),
            (vec![hit(Secret, 0..9, Redact), hit(Personal, 4..5, Mask)], vec![(0, 9, By::Nothing(None))]),
        ];
        for (hits, expected) in cases {
            let cuts = cuts("0123456789", &hits, Vec::new());
            let found: Vec<_> = cuts.iter().map(|cut| (cut.span.start, cut.span.end, cut.by)).collect();
            assert_eq!(found, expected, "{hits:?}");
        }
    }
}

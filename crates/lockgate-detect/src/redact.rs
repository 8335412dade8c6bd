//! Taking out what was found.

use std::ops::Range;

/// What stands in place of what was taken out. No finder of this crate finds anything in it.
pub const MARK: &str = "[redacted]";

/// The text with `mark` in place of each span.
///
/// Spans may come in any order and overlap: what overlaps or touches is taken out as one. A span that ends past the text, or
/// inside of a character, takes out the whole character; an empty one takes out nothing. O(text + spans × log spans).
pub fn redact(text: &str, spans: impl IntoIterator<Item = Range<usize>>, mark: &str) -> String {
    replace(text, spans.into_iter().map(|span| (span, mark)))
}

/// The same with a text of its own in place of each span; of those that overlap the first counts.
pub(crate) fn replace<T: AsRef<str>>(
    text: &str,
    cuts: impl IntoIterator<Item = (Range<usize>, T)>,
) -> String {
    let mut cuts: Vec<_> = cuts
        .into_iter()
        .map(|(span, mark)| (text.floor_char_boundary(span.start)..text.ceil_char_boundary(span.end), mark))
        .filter(|(span, _)| !span.is_empty())
        .collect();
    cuts.sort_by_key(|(span, _)| (span.start, span.end));
    let mut replaced = String::with_capacity(text.len());
    let mut kept = 0;
    let mut last: Option<(usize, T)> = None;
    for (span, mark) in cuts {
        let joins =
            last.as_ref().is_some_and(|(end, before)| *end == span.start && before.as_ref() == mark.as_ref());
        if span.start >= kept && !joins {
            replaced.push_str(text.get(kept..span.start).unwrap_or_default());
            replaced.push_str(mark.as_ref());
        }
        kept = kept.max(span.end);
        last = Some((kept, mark));
    }
    replaced.push_str(text.get(kept..).unwrap_or_default());
    replaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_taken_out() {
        type Case = (&'static str, &'static [(usize, usize)], &'static str);
        let cases: &[Case] = &[
            ("abcdef", &[], "abcdef"),
            ("abcdef", &[(1, 3)], "a#def"),
            ("abcdef", &[(4, 6), (0, 1)], "#bcd#"),
            ("abcdef", &[(1, 4), (2, 3), (3, 5)], "a#f"),
            ("abcdef", &[(1, 3), (3, 5)], "a#f"),
            ("abcdef", &[(0, 6)], "#"),
            ("abcdef", &[(5, 99)], "abcde#"),
            ("abcdef", &[(99, 120), (2, 2)], "abcdef"),
            ("aäb", &[(2, 3)], "a#b"),
            ("", &[(0, 4)], ""),
        ];
        for (text, spans, expected) in cases {
            assert_eq!(
                redact(text, spans.iter().map(|(from, to)| *from..*to), "#"),
                *expected,
                "{text} {spans:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_span_is_left(text in "[a-z]{0,40}", spans in proptest::collection::vec((0_usize..50, 0_usize..50), 0..6)) {
            let spans: Vec<_> = spans.into_iter().map(|(from, long)| from..from + long).collect();
            let redacted = redact(&text, spans.iter().cloned(), "#");
            let left: String = text
                .char_indices()
                .filter(|(at, _)| !spans.iter().any(|span| span.contains(at)))
                .map(|(_, letter)| letter)
                .collect();
            prop_assert_eq!(redacted.replace('#', ""), left);
            prop_assert!(!redacted.contains("##"));
        }
    }
}

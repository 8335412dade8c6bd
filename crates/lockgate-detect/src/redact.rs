//! Taking out what was found.

use std::ops::Range;

/// What stands in place of what was taken out. No finder of this crate finds anything in it.
pub const MARK: &str = "[redacted]";

/// The text with `mark` in place of each span.
///
/// Spans may come in any order and overlap: what overlaps or touches is taken out as one. A span that ends past the text, or
/// inside of a character, takes out the whole character; an empty one takes out nothing. O(text + spans × log spans).
pub fn redact(text: &str, spans: impl IntoIterator<Item = Range<usize>>, mark: &str) -> String {
    let mut spans: Vec<_> = spans
        .into_iter()
        .map(|span| text.floor_char_boundary(span.start)..text.ceil_char_boundary(span.end))
        .filter(|span| !span.is_empty())
        .collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut redacted = String::with_capacity(text.len());
    let mut kept = 0;
    let mut marked = None;
    for span in spans {
        if marked != Some(span.start) && span.start >= kept {
            redacted.push_str(text.get(kept..span.start).unwrap_or_default());
            redacted.push_str(mark);
        }
        kept = kept.max(span.end);
        marked = Some(kept);
    }
    redacted.push_str(text.get(kept..).unwrap_or_default());
    redacted
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

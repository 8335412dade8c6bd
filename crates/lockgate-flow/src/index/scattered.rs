//! Values in pieces.

use memchr::memmem;

use super::ring::{Hits, Ring, Stream};
use crate::text::{is_letter, letters};

/// Longest value that is looked for in pieces, in bytes, so that the time stays linear.
const LONGEST: usize = 256;
/// Fewest letters of a value that is put together from its words.
const WORDS: usize = 8;
/// Fewest letters of a value that is put together from two pieces, and of each piece.
const HALVES: usize = 12;
const PIECE: usize = 5;
/// How many places of the longest word, and how many cuts, are tried.
const TRIES: usize = 1024;
const CUTS: usize = 16;

/// The value's words in their order in one text, in a stretch of four times its length and 40 bytes.
pub(crate) fn in_order(ring: &Ring, value: &str) -> Hits {
    let mut hits = Hits::default();
    let words: Vec<&[u8]> =
        value.as_bytes().split(|byte| !is_letter(*byte)).filter(|word| !word.is_empty()).collect();
    let long = words.iter().map(|word| word.len()).sum::<usize>() >= WORDS;
    let longest = (0..words.len()).max_by_key(|place| words.get(*place).map(|word| word.len()));
    let Some((before, [anchor, after @ ..])) = longest.and_then(|place| words.split_at_checked(place)) else {
        return hits;
    };
    if words.len() < 2 || value.len() > LONGEST || !long || !words.iter().all(|word| ring.may_hold(word)) {
        return hits;
    }
    let reach = 4 * value.len() + 40;
    let text = ring.stream(Stream::Spaced);
    for start in ring.places(Stream::Spaced, anchor).take(TRIES) {
        let (opening, closing) = ring.around(start);
        let window = text.get(start.saturating_sub(reach).max(opening)..start).unwrap_or_default();
        let first =
            before.iter().rev().try_fold(window, |window, word| window.get(..memmem::rfind(window, word)?));
        let Some(first) = first else { continue };
        let end = (start - (window.len() - first.len()) + reach).min(closing);
        let window = text.get(start + anchor.len()..end).unwrap_or_default();
        let last = after
            .iter()
            .try_fold(window, |window, word| window.get(memmem::find(window, word)? + word.len()..));
        if let Some(segment) = ring.segment(Stream::Spaced, start)
            && last.is_some()
        {
            hits.add(segment.kind, segment.source);
            if hits.prose.is_some() {
                break;
            }
        }
    }
    hits
}

/// The value in two pieces, cut in the middle or, where it is one word to whoever reads it, within any of its words.
pub(crate) fn halved(ring: &Ring, value: &str) -> Hits {
    if value.len() > LONGEST || letters(value).len() < HALVES {
        return Hits::default();
    }
    let middle = value.floor_char_boundary(value.len() / 2);
    let within = |cut: &usize| {
        let inner = |place: usize| value.as_bytes().get(place).copied().is_some_and(is_letter);
        cut.checked_sub(2).is_some_and(inner) && inner(cut - 1) && inner(*cut) && inner(cut + 1)
    };
    let cuts = (0..value.len()).filter(|cut| *cut != middle && !value.contains(' ') && within(cut));
    let mut tries = 0;
    // What begins or ends with a piece that is nowhere is nowhere.
    let (mut no_first, mut no_second) = (usize::MAX, usize::MAX);
    for cut in std::iter::once(middle).chain(cuts) {
        let Some((first, second)) = value.split_at_checked(cut) else { continue };
        let long = first.len() >= PIECE && second.len() >= PIECE;
        if !long || first.len() >= no_first || second.len() >= no_second {
            continue;
        }
        let mut longer_first = [(first, &mut no_first), (second, &mut no_second)];
        if first.len() <= second.len() {
            longer_first.reverse();
        }
        let absent = |piece: &(&str, &mut usize)| !ring.may_hold(piece.0.as_bytes());
        if let Some((piece, nowhere)) = longer_first.iter_mut().find(|piece| absent(piece)) {
            **nowhere = piece.len();
            continue;
        }
        tries += 1;
        if tries > CUTS {
            break;
        }
        let [one, other] = longer_first.map(|(piece, nowhere)| {
            let hits = ring.find(Stream::Spaced, piece.as_bytes());
            if hits.is_empty() {
                *nowhere = piece.len();
            }
            hits
        });
        let hits = one.both(other);
        if !hits.is_empty() {
            return hits;
        }
    }
    Hits::default()
}

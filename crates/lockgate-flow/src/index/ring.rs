//! The newest text of a session in two streams, each of which is searched as one piece of memory.

use std::collections::VecDeque;
use std::ops::Range;

use super::end::End;
use super::places::Places;
use super::sieve::{SEEN, Sieve};
use super::source::Source;
use super::stretch::Roll;
use super::tail::Tail;
use crate::text::{BLOCK, block, fold_wide, is_letter, mask};
use crate::words::bounded;

/// Longest stretch of one source that is evicted as one.
const SEGMENT: usize = 16 * 1024;
/// The most segments that are told apart.
const SEGMENTS: usize = 4096;
/// How many finds of one value are looked at; the next is taken for one in prose. Bounds the time where a value stands
/// very often in fields, or within words, and lets nobody hide it among such.
const TRIES: usize = 4096;

/// What a text was in the result that brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Free text.
    Prose,
    /// A short value alone in its field.
    Field,
}

/// Where the text of one source begins in both streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    spaced: usize,
    letters: usize,
    pub(crate) source: Source,
    pub(crate) kind: Kind,
}

/// Which of the two streams.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// Normal form.
    Spaced,
    /// Normal form, where only what stands between word boundaries is found.
    Words,
    /// Letters and digits only, one text right behind the other.
    Letters,
}

/// The first find in each kind of text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hits {
    pub(crate) prose: Option<Source>,
    pub(crate) field: Option<Source>,
}

/// The streams and what of them came from where.
#[derive(Debug)]
pub(crate) struct Ring {
    limit: usize,
    spaced: Vec<u8>,
    letters: Vec<u8>,
    sieve: Sieve,
    segments: VecDeque<Segment>,
}

impl Ring {
    /// An empty ring that holds at most `limit` bytes in each stream.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            spaced: Vec::new(),
            letters: Vec::new(),
            sieve: Sieve::default(),
            segments: VecDeque::new(),
        }
    }

    /// Appends a text. What has no room any more goes to the tail first, oldest first.
    pub(crate) fn push(&mut self, source: Source, kind: Kind, text: &str, tail: &mut Tail) {
        let most = SEGMENT.min(self.limit / 4);
        if most == 0 {
            tail.saturated.insert(source.origin);
            return;
        }
        let mut flow = Flow { source, kind, most, roll: Roll::default(), first: true };
        let mut folded = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at_checked(cut(rest, most)).unwrap_or((rest, ""));
            if piece.is_ascii() {
                self.push_narrow(&mut flow, piece, tail);
            } else {
                folded.clear();
                fold_wide(piece, &mut folded);
                self.push_narrow(&mut flow, &folded, tail);
            }
            rest = after;
        }
        tail.end(source.origin, &flow.roll);
    }

    /// Appends a piece of a text. It may have grown as it was folded.
    fn push_narrow(&mut self, flow: &mut Flow, piece: &str, tail: &mut Tail) {
        let mut rest = piece;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at_checked(cut(rest, flow.most)).unwrap_or((rest, ""));
            self.make_room(piece.len() + 1, tail);
            self.begin(flow.source, flow.kind, flow.first);
            let begun = self.spaced.len();
            self.append(piece.as_bytes());
            self.sieve.extend(&self.letters);
            let appended = self.spaced.get(begun..).unwrap_or_default();
            tail.mark(flow.source.origin, &mut flow.roll, appended);
            flow.first = false;
            rest = after;
        }
    }

    fn begin(&mut self, source: Source, kind: Kind, first: bool) {
        let (spaced, letters) = (self.spaced.len(), self.letters.len());
        let joins = self
            .segments
            .back()
            .is_some_and(|last| last.source == source && last.kind == kind && spaced - last.spaced < SEGMENT);
        if !joins {
            self.segments.push_back(Segment { spaced, letters, source, kind });
        }
        if first && spaced > 0 {
            self.spaced.push(b'\n');
        }
    }

    fn append(&mut self, piece: &[u8]) {
        // Whether a space would stand behind another.
        let mut behind = matches!(self.spaced.last(), None | Some(b'\n' | b' '));
        let mut spaced = End::of(&mut self.spaced, piece.len(), self.limit);
        let mut letters = End::of(&mut self.letters, piece.len(), self.limit);
        let mut next = self.sieve.next();
        for bytes in piece.chunks(BLOCK) {
            let folded = block(bytes).map(fold);
            let begun = spaced.place();
            let blanks = mask(folded.map(|byte| byte == b' '));
            let doubled = blanks & (blanks << 1 | u64::from(behind));
            behind = blanks >> (bytes.len() - 1) & 1 == 1;
            if doubled == 0 {
                spaced.push(folded, bytes.len());
            } else {
                // Without the zeros that fill up the last block.
                spaced.push_some(&folded, !doubled & u64::MAX >> (BLOCK - bytes.len()));
            }
            letters.push_some(&folded, mask(folded.map(is_letter)));
            if letters.place() >= next {
                self.sieve.mark(begun);
                next = self.sieve.next();
            }
        }
        let (spaced, letters) = (spaced.place(), letters.place());
        self.spaced.truncate(spaced);
        self.letters.truncate(letters);
    }

    /// Drops the oldest segments until so many bytes fit, and a quarter at least, so that moving the rest stays cheap.
    fn make_room(&mut self, bytes: usize, tail: &mut Tail) {
        if self.spaced.len() + bytes <= self.limit && self.segments.len() < SEGMENTS {
            return;
        }
        let least = self.segments.len() / 4;
        let mut dropped = 0;
        let mut end = (0, 0);
        while let Some(segment) = self.segments.pop_front() {
            let next = self.segments.front();
            end = next.map_or((self.spaced.len(), self.letters.len()), |next| (next.spaced, next.letters));
            let text = self.spaced.get(segment.spaced..end.0).unwrap_or_default();
            tail.forget(&segment, text, self.letters.get(segment.letters..).unwrap_or_default());
            dropped += 1;
            if end.0 >= bytes.max(self.limit / 4) && dropped >= least {
                break;
            }
        }
        self.spaced.drain(..end.0);
        self.letters.drain(..end.1);
        self.sieve.drop_front(end.1, end.0);
        for segment in &mut self.segments {
            segment.spaced -= end.0;
            segment.letters -= end.1;
        }
    }

    /// Whether a piece may stand in the spaced stream, or letters in the other. Cheap; never wrong where it does.
    pub(crate) fn may_hold(&self, sought: &[u8]) -> bool {
        self.parts(sought).is_none_or(|parts| !parts.is_empty())
    }

    /// The first finds of a piece, in the spaced stream only those between word boundaries.
    pub(crate) fn find(&self, stream: Stream, sought: &[u8]) -> Hits {
        let mut hits = Hits::default();
        let text = self.stream(stream);
        for (tried, start) in self.places(stream, sought).enumerate() {
            let whole = match stream {
                Stream::Words => bounded(text, start, sought.len()),
                Stream::Spaced | Stream::Letters => true,
            };
            if let Some(segment) = self.segment(stream, start)
                && whole
            {
                hits.add(segment.kind, segment.source);
            }
            if tried == TRIES {
                hits.prose = self.segment(stream, start).map(|segment| segment.source);
            }
            if hits.prose.is_some() {
                break;
            }
        }
        hits
    }

    /// Where a piece stands, in order; of finds that overlap the first.
    pub(crate) fn places<'ring>(&'ring self, stream: Stream, sought: &'ring [u8]) -> Places<'ring> {
        let windows = if sought.is_empty() { Vec::new() } else { self.windows(stream, sought) };
        Places::new(self.stream(stream), windows, sought)
    }

    /// Where in the stream a piece can stand, in order; none touches the next.
    fn windows(&self, stream: Stream, sought: &[u8]) -> Vec<Range<usize>> {
        let end = self.stream(stream).len();
        let Some(parts) = self.parts(sought) else {
            return std::iter::once(0..end).collect();
        };
        let mut windows: Vec<Range<usize>> = Vec::with_capacity(parts.len());
        for parts in parts {
            let of_parts = match stream {
                Stream::Spaced | Stream::Words => self.sieve.spaced(&parts),
                Stream::Letters => self.sieve.letters(&parts),
            };
            // One of its letters is there.
            let start = of_parts.start.saturating_sub(sought.len());
            let behind = of_parts.end.saturating_add(sought.len()).min(end);
            match windows.last_mut() {
                Some(last) if start <= last.end => last.end = behind,
                _ => windows.push(start..behind),
            }
        }
        windows
    }

    /// The parts in which the letters of a piece may begin, if that can be told.
    fn parts(&self, sought: &[u8]) -> Option<Vec<Range<usize>>> {
        if sought.len() > self.spaced.len() {
            return Some(Vec::new());
        }
        let (mut letters, mut count) = ([0; SEEN], 0);
        for (place, letter) in letters.iter_mut().zip(sought.iter().filter(|byte| is_letter(**byte))) {
            *place = *letter;
            count += 1;
        }
        self.sieve.parts(letters.get(..count).unwrap_or_default())
    }

    /// The stream as one piece of memory.
    pub(crate) fn stream(&self, stream: Stream) -> &[u8] {
        match stream {
            Stream::Spaced | Stream::Words => &self.spaced,
            Stream::Letters => &self.letters,
        }
    }

    /// Where the byte at this place came from.
    pub(crate) fn segment(&self, stream: Stream, place: usize) -> Option<&Segment> {
        let begins = |segment: &Segment| match stream {
            Stream::Spaced | Stream::Words => segment.spaced,
            Stream::Letters => segment.letters,
        };
        let after = self.segments.partition_point(|segment| begins(segment) <= place);
        self.segments.get(after.saturating_sub(1))
    }

    /// Where the segment around this place of the spaced stream begins and ends.
    pub(crate) fn around(&self, place: usize) -> (usize, usize) {
        let after = self.segments.partition_point(|segment| segment.spaced <= place);
        let begin = self.segments.get(after.saturating_sub(1)).map_or(0, |segment| segment.spaced);
        (begin, self.segments.get(after).map_or(self.spaced.len(), |next| next.spaced))
    }

    /// The segments that share this stretch of the spaced stream.
    pub(crate) fn segments(&self, start: usize, end: usize) -> impl Iterator<Item = &Segment> {
        let first = self.segments.partition_point(|segment| segment.spaced <= start).saturating_sub(1);
        self.segments.range(first..).take_while(move |segment| segment.spaced < end)
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let segments = self.segments.capacity() * size_of::<Segment>();
        self.spaced.capacity() + self.letters.capacity() + self.sieve.bytes() + segments
    }
}

impl Hits {
    /// The finds of a whole of which one piece and the other are found: in prose if one of them is.
    pub(crate) fn both(self, other: Self) -> Self {
        let [one, two] = [self, other].map(|hits| hits.prose.or(hits.field));
        let prose = self.prose.or(other.prose);
        match (one, two) {
            (Some(field), Some(_)) if prose.is_none() => Self { prose, field: Some(field) },
            (Some(_), Some(_)) => Self { prose, field: None },
            _ => Self::default(),
        }
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(self) -> bool {
        self.prose.is_none() && self.field.is_none()
    }

    /// Keeps the first of each kind.
    pub(crate) fn add(&mut self, kind: Kind, source: Source) {
        match kind {
            Kind::Prose => self.prose.get_or_insert(source),
            Kind::Field => self.field.get_or_insert(source),
        };
    }
}

/// The byte in lower case, or a space for white space.
const fn fold(byte: u8) -> u8 {
    if matches!(byte, 9..=13) { b' ' } else { byte.to_ascii_lowercase() }
}

/// A text on its way in.
struct Flow {
    source: Source,
    kind: Kind,
    most: usize,
    roll: Roll,
    first: bool,
}

/// Where to cut off a first piece of at most so many bytes, or one character: behind a space near the end, else anywhere.
fn cut(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let near = most - most / 4;
    let last = text.as_bytes().get(near..most).unwrap_or_default();
    let behind = last.iter().rposition(u8::is_ascii_whitespace).map(|space| near + space + 1);
    behind.unwrap_or_else(|| text.floor_char_boundary(most)).max(text.ceil_char_boundary(1))
}

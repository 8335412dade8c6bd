//! The newest text of a session in two streams, each of which is searched as one piece of memory.

use memchr::memmem::Finder;

use super::source::Source;
use crate::text::fold_wide;
use crate::words::bounded;

/// Longest stretch of one source that is evicted as one.
const SEGMENT: usize = 16 * 1024;
/// The most segments that are told apart.
const SEGMENTS: usize = 4096;
/// How many finds of one value are looked at before it is taken as found in the last: bounds the time where a value
/// stands very often in fields and never in prose.
const TRIES: usize = 512;

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
    /// Normal form, words kept apart.
    Spaced,
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
    segments: Vec<Segment>,
}

impl Ring {
    /// An empty ring that holds at most `limit` bytes in each stream.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, spaced: Vec::new(), letters: Vec::new(), segments: Vec::new() }
    }

    /// Appends a text in its normal form. What has no room any more is handed to `evict` first, oldest first.
    pub(crate) fn push(
        &mut self,
        source: Source,
        kind: Kind,
        text: &str,
        evict: &mut impl FnMut(Segment, &[u8]),
    ) {
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.floor_char_boundary(SEGMENT.min(self.limit / 4));
            let (piece, after) = rest.split_at_checked(end.max(1)).unwrap_or((rest, ""));
            self.make_room(piece.len() * 3 + 1, evict);
            let first = rest.len() == text.len();
            self.begin(source, kind, first);
            self.append(piece);
            rest = after;
        }
    }

    fn begin(&mut self, source: Source, kind: Kind, first: bool) {
        let (spaced, letters) = (self.spaced.len(), self.letters.len());
        if first && spaced > 0 {
            self.spaced.push(b'\n');
        }
        let joins = self
            .segments
            .last()
            .is_some_and(|last| last.source == source && last.kind == kind && spaced - last.spaced < SEGMENT);
        if !joins {
            self.segments.push(Segment { spaced, letters, source, kind });
        }
    }

    fn append(&mut self, piece: &str) {
        for chunk in piece.as_bytes().chunk_by(|a, b| a.is_ascii() == b.is_ascii()) {
            if chunk.is_ascii() {
                self.append_folded(chunk);
            } else {
                let mut folded = String::with_capacity(chunk.len());
                fold_wide(str::from_utf8(chunk).unwrap_or_default(), &mut folded);
                let spaces = folded.replace(char::is_whitespace, " ");
                self.append_folded(spaces.as_bytes());
            }
        }
    }

    fn append_folded(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let byte = if byte.is_ascii_whitespace() { b' ' } else { byte.to_ascii_lowercase() };
            if byte != b' ' || !matches!(self.spaced.last(), Some(b' ' | b'\n')) {
                self.spaced.push(byte);
            }
            if crate::text::is_letter(byte) {
                self.letters.push(byte);
            }
        }
    }

    /// Drops the oldest segments until so many bytes fit, and a quarter at least, so that moving the rest stays cheap.
    fn make_room(&mut self, bytes: usize, evict: &mut impl FnMut(Segment, &[u8])) {
        if self.spaced.len() + bytes <= self.limit && self.segments.len() < SEGMENTS {
            return;
        }
        let goal = bytes.max(self.limit / 4);
        let mut dropped = 0;
        let mut end = (self.spaced.len(), self.letters.len());
        for (place, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(place + 1);
            evict(
                *segment,
                self.spaced
                    .get(segment.spaced..next.map_or(self.spaced.len(), |next| next.spaced))
                    .unwrap_or_default(),
            );
            dropped = place + 1;
            if let Some(next) = next
                && next.spaced >= goal
                && dropped >= self.segments.len() / 4
            {
                end = (next.spaced, next.letters);
                break;
            }
        }
        self.segments.drain(..dropped);
        self.spaced.drain(..end.0);
        self.letters.drain(..end.1);
        for segment in &mut self.segments {
            segment.spaced -= end.0;
            segment.letters -= end.1;
        }
    }

    /// The first finds of a piece, in the spaced stream only those between word boundaries.
    pub(crate) fn find(&self, stream: Stream, sought: &[u8]) -> Hits {
        let mut hits = Hits::default();
        let text = self.stream(stream);
        if sought.is_empty() {
            return hits;
        }
        for start in Finder::new(sought).find_iter(text).take(TRIES) {
            if matches!(stream, Stream::Spaced) && !bounded(text, start, sought.len()) {
                continue;
            }
            let Some(segment) = self.segment(stream, start) else { continue };
            hits.add(segment.kind, segment.source);
            if hits.prose.is_some() {
                break;
            }
        }
        hits
    }

    pub(crate) fn stream(&self, stream: Stream) -> &[u8] {
        match stream {
            Stream::Spaced => &self.spaced,
            Stream::Letters => &self.letters,
        }
    }

    /// Where the byte at this place came from.
    pub(crate) fn segment(&self, stream: Stream, place: usize) -> Option<&Segment> {
        let begins = |segment: &Segment| match stream {
            Stream::Spaced => segment.spaced,
            Stream::Letters => segment.letters,
        };
        let after = self.segments.partition_point(|segment| begins(segment) <= place);
        self.segments.get(after.checked_sub(1)?)
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.spaced.capacity() + self.letters.capacity() + self.segments.capacity() * size_of::<Segment>()
    }
}

impl Hits {
    /// Keeps the first of each kind.
    pub(crate) fn add(&mut self, kind: Kind, source: Source) {
        match kind {
            Kind::Prose => self.prose.get_or_insert(source),
            Kind::Field => self.field.get_or_insert(source),
        };
    }
}

//! How much of a long text is copied from what was read.

use super::ring::{Ring, Stream};
use super::{DECODED, Index, stretch::WINDOW};
use crate::index::source::{Copied, Origins};
use crate::text::{decode, skeleton};

/// How many stretches of one text are looked up in the streams. Further ones count by their fingerprint alone.
const LOOKUPS: usize = 64;

impl Index {
    /// What a long text holds copies of, plainly or in another spelling of bytes. Every copied run of 127 bytes
    /// is seen, and of shorter ones that of 64 bytes with a probability of 1 in 64, of 96 with 1 in 2.
    pub fn copied(&self, text: &str) -> Copied {
        let plain = self.copies(skeleton(text).as_bytes());
        let mut decoded = String::new();
        let complete = decode(text, DECODED, &mut decoded);
        let hidden = self.copies(skeleton(&decoded).as_bytes());
        let unread = if complete { Origins::NONE } else { self.tail.saturated };
        Copied { origins: plain.origins.join(hidden.origins).join(unread), bytes: plain.bytes + hidden.bytes }
    }

    fn copies(&self, text: &[u8]) -> Copied {
        let mut copied = Copied::default();
        let (mut done, mut lookups) = (0, 0);
        self.tail.recognise(text, |end, origins| {
            copied.origins = copied.origins.join(origins);
            if end <= done {
                return;
            }
            let start = end.saturating_sub(WINDOW);
            let mut run = (start.max(done), end);
            if lookups < LOOKUPS {
                lookups += 1;
                let longest = [&self.text, &self.decoded].map(|ring| extend(ring, text, start, end));
                for (found, origins) in longest.into_iter().flatten() {
                    run = (run.0.min(found.0).max(done), run.1.max(found.1));
                    copied.origins = copied.origins.join(origins);
                }
            }
            copied.bytes += run.1 - run.0;
            done = run.1;
        });
        copied
    }
}

/// The longest run around a stretch that stands so in the ring, and whose text it is.
fn extend(ring: &Ring, text: &[u8], start: usize, end: usize) -> Option<((usize, usize), Origins)> {
    let stream = ring.stream(Stream::Spaced);
    let there = ring.places(Stream::Spaced, text.get(start..end)?).next()?;
    let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let before =
        text.get(..start)?.iter().rev().zip(stream.get(..there)?.iter().rev()).take_while(same).count();
    let behind = there + end - start;
    let after = text.get(end..)?.iter().zip(stream.get(behind..)?).take_while(same).count();
    let mut origins = Origins::NONE;
    for segment in ring.segments(there - before, behind + after) {
        origins.insert(segment.source.origin);
    }
    Some(((start - before, end + after), origins))
}

//! Appending to a stream in whole blocks.

use super::compact::compact;
use crate::text::BLOCK;

/// How much a stream holds before it takes the room it may ever need.
const LARGE: usize = 128 * 1024;

/// The end of a stream, with room for what comes.
pub(crate) struct End<'stream> {
    begun: usize,
    room: &'stream mut [u8],
    length: usize,
}

impl<'stream> End<'stream> {
    /// Makes room for so many bytes in whole blocks, and for one block more, since whole blocks are written.
    #[inline]
    pub(crate) fn of(stream: &'stream mut Vec<u8>, bytes: usize, limit: usize) -> Self {
        let begun = stream.len();
        let end = begun + bytes.next_multiple_of(BLOCK) + BLOCK;
        grow(stream, end, limit + 2 * BLOCK);
        stream.resize(end, 0);
        Self { begun, room: stream.get_mut(begun..).unwrap_or_default(), length: 0 }
    }

    /// Appends so many bytes of the block.
    #[inline]
    pub(crate) fn push(&mut self, block: [u8; BLOCK], bytes: usize) {
        if let Some(room) = self.room.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut) {
            *room = block;
        }
        self.length += bytes;
    }

    /// Appends the bytes that are kept.
    #[inline]
    pub(crate) fn push_some(&mut self, block: &[u8; BLOCK], kept: u64) {
        // The last eight bytes may be written behind all others.
        let room = self.room.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut::<{ BLOCK + 8 }>);
        let Some(room) = room else { return };
        let mut place = 0;
        for (bytes, kept) in block.as_chunks().0.iter().zip(kept.to_le_bytes()) {
            let (bytes, length) = compact(*bytes, kept);
            if let Some(room) = room.get_mut(place..).and_then(<[u8]>::first_chunk_mut) {
                *room = bytes;
            }
            place += length;
        }
        self.length += place;
    }

    /// Where the stream ends now.
    #[inline]
    pub(crate) fn place(&self) -> usize {
        self.begun + self.length
    }
}

/// Makes room for so many bytes: doubles, and from [`LARGE`] on takes all that may ever be needed, since moving would
/// cost more than room that is not touched.
fn grow(stream: &mut Vec<u8>, bytes: usize, limit: usize) {
    if bytes > stream.capacity() {
        let room = if stream.capacity() < LARGE { stream.capacity() * 2 } else { limit };
        stream.reserve_exact(room.min(limit).max(bytes) - stream.len());
    }
}

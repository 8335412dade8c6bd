//! The state as bytes: numbers little-endian, texts with their length before them.

use sha2::{Digest, Sha256};

/// Where the bytes are put.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn short(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn word(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn long(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// At most [`LONGEST_NAME`] bytes.
    pub(super) fn text(&mut self, value: &str) {
        self.short(u16::try_from(value.len()).unwrap_or(u16::MAX));
        self.0.extend_from_slice(value.as_bytes());
    }
}

/// Where they are read. Whatever is not there is `None`.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// 0 or 1.
    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn long(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn text(&mut self) -> Option<&'b str> {
        let length = usize::from(self.short()?);
        if length > LONGEST_NAME {
            return None;
        }
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Longest name that is kept to be shown; what is longer is cut. Bytes.
pub(super) const LONGEST_NAME: usize = 256;

/// A name as it is kept.
pub(super) fn short_name(name: &str) -> String {
    name.char_indices().take_while(|(at, c)| at + c.len_utf8() <= LONGEST_NAME).map(|(_, c)| c).collect()
}

/// A number for a name, so that one host, tool or call is told from all others: the start of a SHA-256, for nobody must be
/// able to find another name with the same number.
pub(super) fn key(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part.as_bytes());
    }
    first(&hash.finalize())
}

/// The number of one text, or of the whole state.
pub(super) fn number(bytes: impl AsRef<[u8]>) -> u64 {
    first(&Sha256::digest(bytes))
}

fn first(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

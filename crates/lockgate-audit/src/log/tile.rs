//! The files that a log is kept in, as <https://c2sp.org/tlog-tiles> lays them out.

use super::Hash;

/// Hashes, or records, in a whole tile.
pub const WIDTH: u64 = 256;
/// Levels of the tree in a tile.
const HEIGHT: u8 = 8;
/// Most levels of tiles: a log has fewer than 2^64 records.
pub(super) const LEVELS: u8 = 8;

/// One file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tile {
    /// 256 hashes of neighbouring subtrees, 32 bytes each.
    Hashes {
        /// 0 for hashes of records, then as many times eight levels up the tree.
        level: u8,
        /// Which of its level, from 0.
        number: u64,
        /// How many hashes are in it; 256 when it is whole.
        width: u64,
    },
    /// 256 records, each after its length.
    Records {
        /// Which, from 0.
        number: u64,
        /// How many records are in it; 256 when it is whole.
        width: u64,
    },
}

impl Tile {
    /// Where it is kept, below the folder of the log: `tile/0/x001/x234/067.p/8`.
    pub fn path(self) -> String {
        let (kind, number, width) = match self {
            Self::Hashes { level, number, width } => (level.to_string(), number, width),
            Self::Records { number, width } => ("entries".to_owned(), number, width),
        };
        let digits = number.to_string();
        let digits = format!("{}{digits}", "0".repeat((3 - digits.len() % 3) % 3));
        let groups: Vec<_> = digits.as_bytes().chunks(3).map(String::from_utf8_lossy).collect();
        let last = groups.len().saturating_sub(1);
        let steps: Vec<_> = groups
            .iter()
            .enumerate()
            .map(|(at, group)| if at < last { format!("x{group}") } else { group.to_string() })
            .collect();
        let part = if width < WIDTH { format!(".p/{width}") } else { String::new() };
        format!("tile/{kind}/{}{part}", steps.join("/"))
    }

    /// How many hashes or records are in it.
    pub fn width(self) -> u64 {
        match self {
            Self::Hashes { width, .. } | Self::Records { width, .. } => width,
        }
    }

    /// The same tile when it was, or will be, so wide.
    #[must_use]
    pub fn of_width(self, width: u64) -> Self {
        match self {
            Self::Hashes { level, number, .. } => Self::Hashes { level, number, width },
            Self::Records { number, .. } => Self::Records { number, width },
        }
    }

    /// The tile with the hash of a subtree in a log of `size` records, and which of its hashes, counted from 0, belong to
    /// it: `2^k` of them, from `first` on.
    pub fn of_subtree(level: u8, number: u64, size: u64) -> (Self, usize, usize) {
        let up = level / HEIGHT;
        let inside = level % HEIGHT;
        let first = number << inside;
        let tile = Self::hashes(up, first / WIDTH, size);
        (tile, usize::try_from(first % WIDTH).unwrap_or_default(), 1 << inside)
    }

    /// The hashes numbered `number` of a level, as wide as they are in a log of `size` records.
    pub fn hashes(level: u8, number: u64, size: u64) -> Self {
        let there = size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0);
        Self::Hashes { level, number, width: there.saturating_sub(number * WIDTH).min(WIDTH) }
    }

    /// The records numbered `number`, as many as there are in a log of `size` records.
    pub fn records(number: u64, size: u64) -> Self {
        Self::Records { number, width: size.saturating_sub(number * WIDTH).min(WIDTH) }
    }
}

/// Reads the hashes of a tile. None where it is not a whole number of them.
pub fn read_hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then(|| hashes.iter().map(|hash| Hash(*hash)).collect())
}

/// The hashes as a tile has them.
pub(super) fn write_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Longest record. Bytes: its length is written in two.
pub const LONGEST: usize = 0xffff;

/// Puts a record at the end of others. False, and nothing is put, where it is longer than [`LONGEST`].
pub fn push_record(records: &mut Vec<u8>, record: &[u8]) -> bool {
    let Ok(length) = u16::try_from(record.len()) else { return false };
    records.extend_from_slice(&length.to_be_bytes());
    records.extend_from_slice(record);
    true
}

/// The records of a tile, and what is left at its end: part of a record that was cut off.
pub fn read_records(bytes: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>()
        && let Some((record, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))
    {
        records.push(record);
        rest = after;
    }
    (records, rest)
}

/// The hash of the subtree over so many hashes, a power of two.
pub fn fold(hashes: &[Hash]) -> Option<Hash> {
    if let [one] = hashes {
        return Some(*one);
    }
    let (left, right) = hashes.split_at_checked(hashes.len() / 2)?;
    (left.len() == right.len() && !left.is_empty()).then_some(())?;
    Some(Hash::of_pair(fold(left)?, fold(right)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let hashes = |level, number, width| Tile::Hashes { level, number, width }.path();
        assert_eq!(hashes(0, 0, 256), "tile/0/000");
        assert_eq!(hashes(3, 1_234_067, 256), "tile/3/x001/x234/067");
        assert_eq!(hashes(0, 1_234_067, 8), "tile/0/x001/x234/067.p/8");
        assert_eq!(hashes(1, 999, 1), "tile/1/999.p/1");
        assert_eq!(hashes(1, 1_000, 256), "tile/1/x001/000");
        assert_eq!(Tile::Records { number: 1_000, width: 3 }.path(), "tile/entries/x001/000.p/3");
    }

    #[test]
    fn tiles_are_as_wide_as_the_log_makes_them() {
        assert_eq!(Tile::hashes(0, 273, 70_000), Tile::Hashes { level: 0, number: 273, width: 112 });
        assert_eq!(Tile::hashes(1, 1, 70_000), Tile::Hashes { level: 1, number: 1, width: 17 });
        assert_eq!(Tile::hashes(2, 0, 70_000), Tile::Hashes { level: 2, number: 0, width: 1 });
        assert_eq!(Tile::hashes(7, 0, u64::MAX), Tile::Hashes { level: 7, number: 0, width: 255 });
        assert_eq!(Tile::of_subtree(9, 3, 70_000), (Tile::hashes(1, 0, 70_000), 6, 2));
    }

    #[test]
    fn records_come_back() {
        let mut bytes = Vec::new();
        for record in [&b"one"[..], b"", b"three"] {
            assert!(push_record(&mut bytes, record));
        }
        assert!(!push_record(&mut bytes, &vec![0; LONGEST + 1]));
        assert_eq!(read_records(&bytes), (vec![&b"one"[..], b"", b"three"], &b""[..]));
        let cut = &bytes[..bytes.len() - 1];
        assert_eq!(read_records(cut), (vec![&b"one"[..], b""], &b"\0\x05thre"[..]));
        assert_eq!(read_hashes(&[0; 33]), None);
    }
}

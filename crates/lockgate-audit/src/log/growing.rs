use super::tile::{WIDTH, fold, push_record, read_hashes, read_records, write_hashes};
use super::{Hash, Tile};

/// A log that grows: what of it is not in whole tiles yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    size: u64,
    /// The hashes of each level, of the tile that is not whole.
    rows: Vec<Vec<Hash>>,
    /// The records of the tile that is not whole.
    records: Vec<u8>,
}

/// A file of a log and what is in it.
pub type Written = (Tile, Vec<u8>);

impl Growing {
    /// Goes on with a log of `size` records. `read` gives the tile that is asked for, or a wider one of the same number.
    /// None where one is missing or does not have what it must.
    pub fn resume(size: u64, mut read: impl FnMut(Tile) -> Option<Vec<u8>>) -> Option<Self> {
        let mut log = Self { size, ..Self::default() };
        let mut there = size;
        let mut level = 0;
        while there > 0 {
            let width = usize::try_from(there % WIDTH).ok()?;
            let mut row = Vec::new();
            if width > 0 {
                row = read_hashes(&read(Tile::hashes(level, there / WIDTH, size))?)?;
                row.get(..width)?;
                row.truncate(width);
            }
            log.rows.push(row);
            there /= WIDTH;
            level += 1;
        }
        let width = size % WIDTH;
        if width > 0 {
            let bytes = read(Tile::records(size / WIDTH, size))?;
            let (records, _) = read_records(&bytes);
            for record in records.get(..usize::try_from(width).ok()?)? {
                push_record(&mut log.records, record);
            }
        }
        Some(log)
    }

    /// How many records there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes a record in; gives its number. What is whole now goes to `whole`, records before their hashes. None, and nothing
    /// is taken in, where the record is longer than [`LONGEST`](super::LONGEST).
    pub fn append(&mut self, record: &[u8], whole: &mut dyn FnMut(Written)) -> Option<u64> {
        if !push_record(&mut self.records, record) {
            return None;
        }
        let number = self.size;
        self.size += 1;
        if self.size.is_multiple_of(WIDTH) {
            let tile = Tile::Records { number: number / WIDTH, width: WIDTH };
            whole((tile, std::mem::take(&mut self.records)));
        }
        let mut hash = Hash::of_leaf(record);
        let mut tiles = number / WIDTH;
        for level in 0.. {
            let at = usize::from(level);
            if self.rows.len() <= at {
                self.rows.push(Vec::new());
            }
            let Some(row) = self.rows.get_mut(at) else { break };
            row.push(hash);
            if row.len() < 256 {
                break;
            }
            whole((Tile::Hashes { level, number: tiles, width: WIDTH }, write_hashes(row)));
            // 256 is a power of two.
            let Some(above) = fold(row) else { break };
            row.clear();
            hash = above;
            tiles /= WIDTH;
        }
        Some(number)
    }

    /// What is not whole, as it is now: what a checkpoint of this size needs beside whole tiles.
    pub fn parts(&self) -> Vec<Written> {
        let mut parts = Vec::new();
        if !self.records.is_empty() {
            parts.push((Tile::records(self.size / WIDTH, self.size), self.records.clone()));
        }
        let mut there = self.size;
        for (level, row) in (0..).zip(&self.rows) {
            if !row.is_empty() {
                parts.push((Tile::hashes(level, there / WIDTH, self.size), write_hashes(row)));
            }
            there /= WIDTH;
        }
        parts
    }

    /// The root over all records.
    pub fn root(&self) -> Hash {
        root_of(&self.rows)
    }
}

/// The root over what is not whole: hashes of subtrees of each level of tiles, fewer than 256 of each.
pub(super) fn root_of(rows: &[Vec<Hash>]) -> Hash {
    let mut root: Option<Hash> = None;
    for row in rows {
        // The parts of a tree become smaller from left to right; so they are put together from the right.
        let mut rest = &row[..];
        while !rest.is_empty() {
            let part = 1 << rest.len().trailing_zeros();
            let (before, part) = rest.split_at(rest.len() - part);
            rest = before;
            root = fold(part).map(|part| root.map_or(part, |right| Hash::of_pair(part, right)));
        }
    }
    root.unwrap_or_else(Hash::of_nothing)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tree::{Subtrees, root};
    use super::*;

    /// A log in memory, with all files that were ever written.
    #[derive(Default)]
    struct Disk(BTreeMap<Tile, Vec<u8>>);

    struct At<'d>(&'d Disk, u64);

    impl Subtrees for At<'_> {
        type Error = ();

        fn subtree(&self, level: u8, number: u64) -> Result<Hash, ()> {
            let (tile, first, many) = Tile::of_subtree(level, number, self.1);
            let hashes = read_hashes(self.0.0.get(&tile).ok_or(())?).ok_or(())?;
            fold(hashes.get(first..first + many).ok_or(())?).ok_or(())
        }
    }

    #[test]
    fn the_root_is_that_of_the_tree_at_every_size() {
        let mut log = Growing::default();
        let mut disk = Disk::default();
        assert_eq!(log.root(), Hash::of_nothing());
        for number in 0..1_500_u64 {
            let record = format!("record {number}");
            let mut put = |(tile, bytes)| drop(disk.0.insert(tile, bytes));
            assert_eq!(log.append(record.as_bytes(), &mut put), Some(number));
            log.parts().into_iter().for_each(&mut put);
            let size = log.size();
            assert_eq!(Ok(log.root()), root(&At(&disk, size), size), "{size}");
        }
        for size in [0, 1, 255, 256, 257, 511, 512, 1_499] {
            let resumed = Growing::resume(size, |tile| disk.0.get(&tile).cloned()).unwrap();
            assert_eq!(Ok(resumed.root()), root(&At(&disk, size), size), "{size}");
        }
        assert_eq!(Growing::resume(log.size(), |tile| disk.0.get(&tile).cloned()), Some(log));
    }

    #[test]
    fn high_trees_have_the_root_of_their_parts() {
        let leaf = Hash::of_leaf(b"");
        let mut same = vec![leaf];
        for _ in 0..24 {
            let below = same[same.len() - 1];
            same.push(Hash::of_pair(below, below));
        }
        // 2^24 + 2^16 + 3 equal records.
        let rows = [vec![leaf; 3], vec![], vec![same[16]; 1], vec![same[24]; 1]];
        let right = Hash::of_pair(Hash::of_pair(leaf, leaf), leaf);
        assert_eq!(root_of(&rows), Hash::of_pair(same[24], Hash::of_pair(same[16], right)));
    }
}

use super::growing::root_of;
use super::tile::{LEVELS, WIDTH, fold, read_hashes, read_records};
use super::{Checkpoint, Hash, Tile};

/// Hashes in a whole tile.
const WIDE: usize = 256;

/// The files of a log.
pub trait Tiles {
    /// Why one could not be read.
    type Error;

    /// What is in a tile; a wider one of the same number will do. None where there is none.
    fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, Self::Error>;

    /// The hashes of the records of a tile of a log of `size` records. None where there are none. Whoever can do it faster
    /// does; the outcome is that of this.
    fn leaves(&self, number: u64, size: u64) -> Result<Option<Vec<Hash>>, Self::Error> {
        let bytes = self.read(Tile::records(number, size))?;
        Ok(bytes.map(|bytes| read_records(&bytes).0.into_iter().map(Hash::of_leaf).collect()))
    }
}

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// This record is missing, and all before it are as they were signed.
    #[error("record {0} is missing")]
    Missing(u64),
    /// This record is not the one that was signed, and all before it are.
    #[error("record {0} is not the one that was signed")]
    Changed(u64),
    /// The first wrong record is one of these: the hashes that would tell which are damaged too.
    #[error(
        "one of the records {0} to {1} is not the one that was signed, and the hashes that would tell which are damaged"
    )]
    ChangedAmong(u64, u64),
    /// A record stands here that was never signed.
    #[error("between the records {} and {} stands one that was never signed", .0.saturating_sub(1), .0)]
    Added(u64),
    /// All records are as they were signed, but hashes over them are not: proofs made from them are wrong.
    #[error("every record is the one that was signed, but hashes over the records from {0} on are damaged")]
    Hashes(u64),
}

/// What was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// So many records are what was signed.
    pub records: u64,
    /// Of so many more, the oldest, only the hashes are left.
    pub removed: u64,
}

/// Are the records of a log those of a checkpoint? Of records before `kept`, a multiple of 256, the hashes are enough. Who signed
/// the checkpoint has been asked before. Reads everything once; at the first damage, some of it twice.
pub fn verify<T: Tiles>(
    log: &T,
    checkpoint: &Checkpoint,
    kept: u64,
) -> Result<Result<Verified, Damage>, T::Error> {
    let size = checkpoint.size;
    let mut verified = Verified::default();
    let mut rows: Vec<Vec<Hash>> = Vec::new();
    // The hash of every whole tile of records, to find out later where it went wrong.
    let mut wholes = Vec::new();
    let mut spoiled = None;
    for number in 0..size.div_ceil(WIDTH) {
        let first = number * WIDTH;
        let width = usize::try_from((size - first).min(WIDTH)).unwrap_or_default();
        let stored = log.read(Tile::hashes(0, number, size))?.and_then(|bytes| read_hashes(&bytes));
        let stored = stored.filter(|hashes| hashes.len() >= width);
        let row = match hashes_of(log, number, size)? {
            Read::Records(row) if row.len() > width && width == 256 => {
                return Ok(Err(Damage::Added(first + WIDTH)));
            }
            Read::Records(mut row) => {
                row.truncate(width);
                verified.records += u64::try_from(row.len()).unwrap_or_default();
                row
            }
            Read::Nothing if first + WIDTH <= kept => {
                let Some(mut row) = stored.clone() else { return Ok(Err(Damage::Missing(first))) };
                row.truncate(width);
                verified.removed += WIDTH;
                row
            }
            Read::Nothing => Vec::new(),
        };
        let differs = stored.is_none_or(|stored| stored.get(..width) != Some(&row[..]));
        spoiled = spoiled.or(differs.then_some(first));
        let complete = row.len() == width;
        take(&mut rows, &mut wholes, row);
        if !complete {
            break;
        }
    }
    if root_of(&rows) == checkpoint.root && verified.records + verified.removed == size {
        let spoiled = match spoiled {
            None => upper(log, size, &wholes)?,
            spoiled => spoiled,
        };
        return Ok(spoiled.map_or(Ok(verified), |first| Err(Damage::Hashes(first))));
    }
    Ok(Err(first_damage(log, checkpoint, &wholes)?))
}

/// What is left of a tile of records.
enum Read {
    Nothing,
    /// The hash of each.
    Records(Vec<Hash>),
}

fn hashes_of<T: Tiles>(log: &T, number: u64, size: u64) -> Result<Read, T::Error> {
    Ok(log.leaves(number, size)?.map_or(Read::Nothing, Read::Records))
}

/// Takes in the hashes of the records of one tile.
fn take(rows: &mut Vec<Vec<Hash>>, wholes: &mut Vec<Hash>, row: Vec<Hash>) {
    let Some(mut hash) = whole(&row) else {
        rows.resize(rows.len().max(1), Vec::new());
        if let Some(first) = rows.first_mut() {
            *first = row;
        }
        return;
    };
    wholes.push(hash);
    for level in 1.. {
        rows.resize(rows.len().max(level + 1), Vec::new());
        let Some(row) = rows.get_mut(level) else { break };
        row.push(hash);
        let Some(above) = whole(row) else { break };
        row.clear();
        hash = above;
    }
}

fn whole(row: &[Hash]) -> Option<Hash> {
    (row.len() == WIDE).then(|| fold(row)).flatten()
}

/// The first record of the first tile of hashes of hashes that is not as it must be.
fn upper<T: Tiles>(log: &T, size: u64, wholes: &[Hash]) -> Result<Option<u64>, T::Error> {
    let mut hashes = wholes.to_vec();
    for level in 1..LEVELS {
        for (number, row) in (0..).zip(hashes.chunks(WIDE)) {
            let stored = log.read(Tile::hashes(level, number, size))?.and_then(|bytes| read_hashes(&bytes));
            if stored.is_none_or(|stored| stored.get(..row.len()) != Some(row)) {
                return Ok(Some(number << (8 * (u32::from(level) + 1))));
            }
        }
        hashes = hashes.chunks(WIDE).filter_map(whole).collect();
    }
    Ok(None)
}

/// Goes down from the root along hashes that are right to the first record that is not.
struct Search<'l, T> {
    log: &'l T,
    size: u64,
    /// The hashes of the records as they are, of each level of tiles; of level 0 none.
    are: Vec<Vec<Hash>>,
}

fn first_damage<T: Tiles>(log: &T, checkpoint: &Checkpoint, wholes: &[Hash]) -> Result<Damage, T::Error> {
    let size = checkpoint.size;
    let all = Damage::ChangedAmong(0, size.saturating_sub(1));
    let mut are = vec![Vec::new(), wholes.to_vec()];
    // The tiles at the right edge, which the root is made of.
    let mut edge = Vec::new();
    for level in 0..LEVELS {
        let Tile::Hashes { number, width, .. } =
            Tile::hashes(level, size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0), size)
        else {
            break;
        };
        let width = usize::try_from(width).unwrap_or_default();
        let row = match width {
            0 => Some(Vec::new()),
            _ => log.read(Tile::hashes(level, number, size))?.and_then(|bytes| read_hashes(&bytes)),
        };
        let Some(row) = row.and_then(|row| row.get(..width).map(<[Hash]>::to_vec)) else { return Ok(all) };
        edge.push((level, number, row));
        if level > 0 {
            let above = are.last().map(|hashes| hashes.chunks(WIDE).filter_map(whole).collect());
            are.push(above.unwrap_or_default());
        }
    }
    let rows: Vec<_> = edge.iter().map(|(_, _, row)| row.clone()).collect();
    if root_of(&rows) != checkpoint.root {
        return Ok(all);
    }
    let search = Search { log, size, are };
    for (level, number, row) in edge.into_iter().rev() {
        if let Some(damage) = search.among(level, number, &row)? {
            return Ok(damage);
        }
    }
    Ok(all)
}

impl<T: Tiles> Search<'_, T> {
    /// The first damage below hashes of a tile that are right.
    fn among(&self, level: u8, tile: u64, row: &[Hash]) -> Result<Option<Damage>, T::Error> {
        let first = tile * WIDTH;
        if level == 0 {
            let Read::Records(records) = hashes_of(self.log, tile, self.size)? else {
                return Ok((!row.is_empty()).then_some(Damage::Missing(first)));
            };
            let wrong = (first..).zip(row).zip(0..).find_map(|((number, right), at)| match records.get(at) {
                None => Some(Damage::Missing(number)),
                Some(is) => (is != right).then_some(Damage::Changed(number)),
            });
            return Ok(wrong);
        }
        let are = self.are.get(usize::from(level));
        for (number, right) in (first..).zip(row) {
            let is = are.and_then(|hashes| hashes.get(usize::try_from(number).ok()?));
            if is == Some(right) {
                continue;
            }
            let below = Tile::Hashes { level: level - 1, number, width: WIDTH };
            let row = self.log.read(below)?.and_then(|bytes| read_hashes(&bytes));
            if let Some(row) = row.filter(|row| whole(row) == Some(*right)) {
                return self.among(level - 1, number, &row);
            }
            let records = 1_u64.checked_shl(8 * u32::from(level)).unwrap_or(u64::MAX);
            let first = number.saturating_mul(records);
            return Ok(Some(Damage::ChangedAmong(first, first.saturating_add(records - 1))));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::tile::push_record;
    use super::super::{Growing, Written};
    use super::*;

    #[derive(Clone, Default)]
    struct Disk(BTreeMap<String, Vec<u8>>);

    impl Disk {
        fn put(&mut self, (tile, bytes): Written) {
            self.0.insert(tile.path(), bytes);
        }
    }

    impl Tiles for Disk {
        type Error = ();

        fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, ()> {
            Ok(self.0.get(&tile.path()).cloned())
        }
    }

    fn log(size: u64) -> (Disk, Checkpoint) {
        let (mut log, mut disk) = (Growing::default(), Disk::default());
        for number in 0..size {
            log.append(format!("record {number}").as_bytes(), &mut |written| disk.put(written));
        }
        for part in log.parts() {
            disk.put(part);
        }
        (disk, Checkpoint { origin: "log".to_owned(), size, root: log.root() })
    }

    /// Changes the records of one tile.
    fn edit(disk: &mut Disk, number: u64, size: u64, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let bytes = disk.0.get_mut(&Tile::records(number, size).path()).unwrap();
        let mut records: Vec<_> = read_records(bytes).0.into_iter().map(<[u8]>::to_vec).collect();
        change(&mut records);
        bytes.clear();
        assert!(records.iter().all(|record| push_record(bytes, record)));
    }

    #[test]
    fn a_whole_log_is_verified() {
        for size in [0, 1, 255, 256, 257, 70_000] {
            let (disk, checkpoint) = log(size);
            let all = Verified { records: size, removed: 0 };
            assert_eq!(verify(&disk, &checkpoint, 0), Ok(Ok(all)), "{size}");
        }
    }

    #[test]
    fn what_was_removed_is_told_by_its_hashes() {
        let (mut disk, checkpoint) = log(1_000);
        for number in 0..2 {
            disk.0.remove(&Tile::records(number, 1_000).path());
        }
        assert_eq!(verify(&disk, &checkpoint, 512), Ok(Ok(Verified { records: 488, removed: 512 })));
        assert_eq!(verify(&disk, &checkpoint, 256), Ok(Err(Damage::Missing(256))));
        assert_eq!(verify(&disk, &checkpoint, 0), Ok(Err(Damage::Missing(0))));
    }

    #[test]
    fn damage_is_named() {
        let (good, checkpoint) = log(70_000);
        let tell = |change: &dyn Fn(&mut Disk)| {
            let mut disk = good.clone();
            change(&mut disk);
            verify(&disk, &checkpoint, 0).unwrap().unwrap_err()
        };
        assert_eq!(tell(&|disk| edit(disk, 3, 70_000, |records| records[7][0] ^= 1)), Damage::Changed(775));
        assert_eq!(tell(&|disk| edit(disk, 3, 70_000, |records| records.swap(7, 9))), Damage::Changed(775));
        assert_eq!(
            tell(&|disk| edit(disk, 3, 70_000, |records| drop(records.pop()))),
            Damage::Missing(1_023)
        );
        assert_eq!(
            tell(&|disk| edit(disk, 3, 70_000, |records| drop(records.remove(7)))),
            Damage::Changed(775)
        );
        assert_eq!(tell(&|disk| edit(disk, 3, 70_000, |records| records.push(vec![]))), Damage::Added(1_024));
        assert_eq!(
            tell(&|disk| edit(disk, 273, 70_000, |records| records[1].clear())),
            Damage::Changed(69_889)
        );
        let removed = |tile: Tile| tell(&|disk| drop(disk.0.remove(&tile.path())));
        assert_eq!(removed(Tile::records(200, 70_000)), Damage::Missing(51_200));
        assert_eq!(removed(Tile::hashes(0, 200, 70_000)), Damage::Hashes(51_200));
        assert_eq!(removed(Tile::hashes(1, 0, 70_000)), Damage::Hashes(0));
        let both = tell(&|disk| {
            edit(disk, 3, 70_000, |records| records[7][0] ^= 1);
            disk.0.remove(&Tile::hashes(0, 3, 70_000).path());
        });
        assert_eq!(both, Damage::ChangedAmong(768, 1_023));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Whatever is done to a record, it is found, and never a record before it is blamed.
        #[test]
        fn every_change_is_found(size in 1_u64..2_000, at: prop::sample::Index, kind in 0..5_u8, bit: prop::sample::Index) {
            let (mut disk, checkpoint) = log(size);
            let number = u64::try_from(at.index(usize::try_from(size).unwrap())).unwrap();
            let inside = usize::try_from(number % WIDTH).unwrap();
            edit(&mut disk, number / WIDTH, size, |records| match kind {
                0 => {
                    let bit = bit.index(records[inside].len() * 8);
                    records[inside][bit / 8] ^= 1 << (bit % 8);
                }
                1 => drop(records.remove(inside)),
                2 => records.insert(inside, b"another".to_vec()),
                3 => records.truncate(inside),
                _ => {
                    let other = (inside + 1) % records.len();
                    if records.len() == 1 { records[0].clear() } else { records.swap(inside, other) }
                }
            });
            let damage = verify(&disk, &checkpoint, 0).unwrap().unwrap_err();
            let found = match damage {
                Damage::Missing(found) | Damage::Changed(found) | Damage::Added(found) => found,
                Damage::ChangedAmong(..) | Damage::Hashes(_) => panic!("{damage}"),
            };
            prop_assert!(found >= number || kind == 4 && found == number / WIDTH * WIDTH, "{} at {}", damage, number);
        }

        /// So is every flipped bit of every file.
        #[test]
        fn every_flipped_bit_is_found(size in 1_u64..700, file: prop::sample::Index, bit: prop::sample::Index) {
            let (mut disk, checkpoint) = log(size);
            let name = disk.0.keys().nth(file.index(disk.0.len())).unwrap().clone();
            let bytes = disk.0.get_mut(&name).unwrap();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify(&disk, &checkpoint, 0).unwrap().is_err(), "{}", name);
        }
    }
}

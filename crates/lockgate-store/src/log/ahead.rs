//! Reads and hashes the records of a log ahead of who verifies it, on all cores.

use std::cell::Cell;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use lockgate_audit::log::{Hash, Tile, Tiles, WIDTH};

use super::folder::{LogError, LogFolder};

/// Most threads that read.
const MOST: usize = 8;
/// Most tiles that one of them is ahead: 8 KiB each.
const FAR: usize = 16;

/// What there is of the records of a tile.
type Leaves = Result<Option<Vec<Hash>>, LogError>;

/// A log whose records are read and hashed before they are asked for, one tile after the other from the first on. Whoever asks for
/// something else is answered all the same. The threads end with it.
#[derive(Debug)]
pub struct Ahead<'l> {
    log: &'l LogFolder,
    size: u64,
    /// The tiles, dealt out one by one.
    lanes: Vec<Receiver<Leaves>>,
    next: Cell<u64>,
}

impl LogFolder {
    /// Begins to read the first `size` records, on as many threads as there are cores, at most 8.
    pub fn ahead(&self, size: u64) -> Ahead<'_> {
        let many = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
        let tiles = size.div_ceil(WIDTH);
        let lane = |first: usize| {
            let (give, lane) = sync_channel(FAR);
            let log = self.clone();
            let read = move || {
                let first = u64::try_from(first).unwrap_or(u64::MAX);
                for tile in (first..tiles).step_by(many) {
                    // Nobody asks any more.
                    if give.send(log.leaves(tile, size)).is_err() {
                        return;
                    }
                }
            };
            thread::Builder::new().name(format!("read-{first}")).spawn(read).map(|_| lane)
        };
        // Without threads it is read when it is asked for.
        let lanes = if many > 1 { (0..many).map(lane).collect::<Result<_, _>>() } else { Ok(Vec::new()) };
        Ahead { log: self, size, lanes: lanes.unwrap_or_default(), next: Cell::new(0) }
    }
}

impl Tiles for Ahead<'_> {
    type Error = LogError;

    fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, LogError> {
        self.log.read(tile)
    }

    fn leaves(&self, number: u64, size: u64) -> Leaves {
        if (number, size) == (self.next.get(), self.size) {
            self.next.set(number + 1);
            let lane = usize::try_from(number).ok().and_then(|number| number.checked_rem(self.lanes.len()));
            if let Some(read) = lane.and_then(|lane| self.lanes.get(lane)).and_then(|lane| lane.recv().ok()) {
                return read;
            }
        }
        self.log.leaves(number, size)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::fs;

    use lockgate_audit::log::{Checkpoint, NoteKey, Use, consistency, includes, inclusion, verify};

    use super::super::{Grown, Noted, Signing, TreeLog};
    use super::*;

    #[test]
    fn what_is_read_ahead_is_what_is_there() {
        for size in [0, 1, 256, 257, 10_000] {
            let folder = tempfile::tempdir().unwrap();
            let key = NoteKey::new("example.org/log", Use::Log, [7; 32]).unwrap();
            let mut tree =
                TreeLog::open(folder.path(), Signing { key, sign: Box::new(|_| [0; 64]) }).unwrap();
            let mut records: VecDeque<Noted> =
                (0..size).map(|number| format!("record {number}").into_bytes().into()).collect();
            tree.append(&mut records).unwrap();
            tree.sign().unwrap();
            let log = LogFolder::new(folder.path());
            let note = log.checkpoint().unwrap().unwrap();
            let checkpoint = Checkpoint::parse(note.text()).unwrap();
            let both = || {
                let plain = verify(&log, &checkpoint, 0).unwrap();
                assert_eq!(verify(&log.ahead(size), &checkpoint, 0).unwrap(), plain, "{size}");
                plain
            };
            assert_eq!(both().unwrap().records, size);
            if size < 10_000 {
                continue;
            }
            let tile = folder.path().join(Tile::Records { number: 20, width: 256 }.path());
            let mut bytes = fs::read(&tile).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(&tile, bytes).unwrap();
            assert!(both().is_err());
            fs::remove_file(tile).unwrap();
            assert!(both().is_err());
        }
    }

    /// Few reads are what keeps the slowest proof fast: each may wait for the disk.
    #[test]
    fn a_proof_reads_two_tiles_a_level_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let key = NoteKey::new("example.org/log", Use::Log, [7; 32]).unwrap();
        let mut tree = TreeLog::open(folder.path(), Signing { key, sign: Box::new(|_| [0; 64]) }).unwrap();
        let size: u64 = 70_000;
        let mut records: VecDeque<Noted> =
            (0..size).map(|number| format!("record {number}").into_bytes().into()).collect();
        tree.append(&mut records).unwrap();
        tree.sign().unwrap();
        let log = LogFolder::new(folder.path());
        let root = Checkpoint::parse(log.checkpoint().unwrap().unwrap().text()).unwrap().root;
        for number in [0, 1, 255, 256, 40_000, 65_535, 65_536, 69_887, 69_999] {
            let tree = Grown::new(&log, size);
            let path = inclusion(&tree, number, size).unwrap().unwrap();
            let leaf = Hash::of_leaf(format!("record {number}").as_bytes());
            assert!(includes(root, size, number, leaf, &path));
            // Three levels of tiles: of records, of 256, of 65,536.
            assert!(tree.reads() <= 5, "{} reads for record {number}", tree.reads());
            let tree = Grown::new(&log, size);
            let path = consistency(&tree, number + 1, size).unwrap().unwrap();
            assert!(path.len() <= 34 && tree.reads() <= 5, "{} reads from {number}", tree.reads());
        }
    }

    #[test]
    fn who_asks_for_something_else_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFolder::new(folder.path());
        let ahead = log.ahead(1 << 20);
        for number in [5, 0, 0, 1, 4_000, 2] {
            assert_eq!(ahead.leaves(number, 1 << 20).unwrap(), None, "{number}");
        }
    }
}

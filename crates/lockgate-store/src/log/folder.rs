use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lockgate_audit::digest;
use lockgate_audit::log::{
    Checkpoint, Hash, Note, NoteKey, Subtrees, Tile, Tiles, WIDTH, fold, read_hashes, read_records,
};

use super::retention::removed;
use super::tree::write;

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk.
    #[error("{}: {}", .0.display(), .1)]
    Disk(PathBuf, #[source] io::Error),
    /// A file in it is not what it must be.
    #[error("{} is damaged", .0.display())]
    Damaged(PathBuf),
    /// Its checkpoints were signed with another key.
    #[error("{} was signed with another key", .0.display())]
    OtherKey(PathBuf),
    /// A record is longer than 65,535 bytes.
    #[error("a record is longer than 65,535 bytes")]
    TooLong,
}

/// The newest checkpoint that enough witnesses have signed.
const WITNESSED: &str = "checkpoint.witnessed";

/// A folder with a log, for who reads it.
///
/// In it are the [`Tile`]s, `checkpoint`, `checkpoint.witnessed` where there are witnesses, `log.vkey` with the key that signs it, and in `head/` the records of the tile that is
/// not whole yet, as they come: each after its length (two bytes) and the first eight bytes of its hash, so that what a crash
/// cut off is told from what was written.
#[derive(Clone, Debug)]
pub struct LogFolder(PathBuf);

impl LogFolder {
    /// Nothing is read yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// A file or folder in it.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }

    /// Where the newest records of a tile are, before it is whole.
    pub(super) fn head(&self, tile: u64) -> PathBuf {
        self.0.join(format!("head/{tile}"))
    }

    /// The checkpoint that was signed last; none where none was.
    pub fn checkpoint(&self) -> Result<Option<Note>, LogError> {
        self.parsed("checkpoint", Note::parse)
    }

    /// The newest checkpoint that enough witnesses have signed; none where none was.
    pub fn witnessed(&self) -> Result<Option<Note>, LogError> {
        self.parsed(WITNESSED, Note::parse)
    }

    /// Keeps a checkpoint that enough witnesses have signed, where none with more records is kept.
    pub fn keep_witnessed(&self, note: &Note) -> Result<(), LogError> {
        let size = |note: &Note| Checkpoint::parse(note.text()).map(|checkpoint| checkpoint.size);
        if self.witnessed()?.as_ref().and_then(size) > size(note) {
            return Ok(());
        }
        write(&self.at(WITNESSED), note.to_string().as_bytes(), true)
    }

    /// The key that checkpoints are signed with, as the log says itself.
    pub fn key(&self) -> Result<Option<NoteKey>, LogError> {
        self.parsed("log.vkey", NoteKey::parse)
    }

    fn parsed<T>(&self, name: &str, parse: fn(&str) -> Option<T>) -> Result<Option<T>, LogError> {
        let path = self.at(name);
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let parsed = String::from_utf8(bytes).ok().and_then(|text| parse(&text));
        parsed.map(Some).ok_or(LogError::Damaged(path))
    }

    /// The records of a tile that are there now, whether a checkpoint covers them or not. None where there are none any more,
    /// or none yet.
    pub fn records(&self, tile: u64) -> Result<Option<Vec<Vec<u8>>>, LogError> {
        let owned = |records: Vec<&[u8]>| Some(records.into_iter().map(<[u8]>::to_vec).collect());
        if let Some(bytes) = read(&self.at(Tile::Records { number: tile, width: WIDTH }.path()))? {
            return Ok(owned(read_records(&bytes).0));
        }
        Ok(read(&self.head(tile))?.and_then(|bytes| owned(read_head(&bytes).0)))
    }
}

impl LogFolder {
    /// What records of a tile name by their digests (SHA-256 in hexadecimal), as far as it is kept.
    pub fn contents(&self, tile: u64) -> Result<BTreeMap<String, Vec<u8>>, LogError> {
        let bytes = read(&self.at(contents_path(tile)))?.unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.map(|line| (digest(line), line.to_vec())).collect())
    }

    /// How many of the oldest records were removed, as the newest record says that was signed. Where none is missing, 0 at once;
    /// else the records are read from the newest on.
    pub fn removed(&self) -> Result<u64, LogError> {
        let checkpoint = self.checkpoint()?.and_then(|note| Checkpoint::parse(note.text()));
        let size = checkpoint.map_or(0, |checkpoint| checkpoint.size);
        if size < WIDTH || self.records(0)?.is_some() {
            return Ok(0);
        }
        for tile in (0..=size / WIDTH).rev() {
            let signed = usize::try_from(size - tile * WIDTH).unwrap_or(usize::MAX);
            let records = self.records(tile)?.unwrap_or_default();
            let said = records.iter().take(signed).rev().find_map(|record| removed(record));
            if let Some(removed) = said {
                return Ok(removed.min(tile * WIDTH));
            }
        }
        Ok(0)
    }
}

/// Most tiles of hashes that are kept: more than two for each level there can be, which is what one proof needs.
const KEPT: usize = 32;

/// The tree over the first records of a log, for proofs. A tile of hashes that was read is kept, so that a proof reads at most two
/// for each eight levels of the tree: six of ten million records.
#[derive(Debug)]
pub struct Grown<'l> {
    log: &'l LogFolder,
    size: u64,
    tiles: RefCell<BTreeMap<Tile, Vec<Hash>>>,
    reads: Cell<u64>,
}

impl<'l> Grown<'l> {
    /// Over the first `size` records.
    pub fn new(log: &'l LogFolder, size: u64) -> Self {
        Self { log, size, tiles: RefCell::default(), reads: Cell::new(0) }
    }

    /// How many tiles were read so far.
    pub fn reads(&self) -> u64 {
        self.reads.get()
    }
}

impl Subtrees for Grown<'_> {
    type Error = LogError;

    fn subtree(&self, level: u8, number: u64) -> Result<Hash, LogError> {
        let (tile, first, many) = Tile::of_subtree(level, number, self.size);
        let damaged = || LogError::Damaged(self.log.at(tile.path()));
        let mut tiles = self.tiles.borrow_mut();
        if tiles.len() >= KEPT && !tiles.contains_key(&tile) {
            tiles.clear();
        }
        let hashes = match tiles.entry(tile) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(place) => {
                self.reads.set(self.reads.get() + 1);
                let bytes = self.log.read(tile)?;
                place.insert(bytes.and_then(|bytes| read_hashes(&bytes)).ok_or_else(damaged)?)
            }
        };
        hashes.get(first..first + many).and_then(fold).ok_or_else(damaged)
    }
}

/// Where what records of a tile name by digests is kept, one a line.
pub(super) fn contents_path(tile: u64) -> String {
    Tile::Records { number: tile, width: WIDTH }.path().replacen("tile/entries/", "contents/", 1)
}

impl Tiles for LogFolder {
    type Error = LogError;

    fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, LogError> {
        if let Some(bytes) = read(&self.at(tile.path()))? {
            return Ok(Some(bytes));
        }
        // It may have become wider since, or whole.
        let width = tile.width();
        let parts = self.at(tile.of_width(1).path());
        let parts = parts.parent().and_then(|parts| fs::read_dir(parts).ok()).into_iter().flatten();
        let widths = parts.filter_map(|part| part.ok()?.file_name().to_str()?.parse::<u64>().ok());
        let wider = widths.filter(|part| (width..WIDTH).contains(part)).max();
        for width in wider.into_iter().chain([WIDTH]) {
            if let Some(bytes) = read(&self.at(tile.of_width(width).path()))? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

/// What is in a file; none where there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, LogError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        // `NotADirectory` is where a tile has become whole between two looks.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(LogError::Disk(path.to_owned(), error)),
    }
}

/// Bytes of the hash of a record that stand before it in a head.
const SEAL: usize = 8;

/// Puts a record at the end of a head. False, and nothing is put, where it is too long.
pub(super) fn push_head(head: &mut Vec<u8>, record: &[u8]) -> bool {
    let Ok(length) = u16::try_from(record.len()) else { return false };
    head.extend_from_slice(&length.to_be_bytes());
    head.extend(Hash::of_leaf(record).0.iter().take(SEAL));
    head.extend_from_slice(record);
    true
}

/// The records of a head, and how many of its bytes they are: after them may come what a crash cut off.
pub(super) fn read_head(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>()
        && let Some((seal, after)) = after.split_first_chunk::<SEAL>()
        && let Some((record, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        && Hash::of_leaf(record).0.starts_with(seal)
    {
        records.push(record);
        rest = after;
    }
    (records, bytes.len() - rest.len())
}

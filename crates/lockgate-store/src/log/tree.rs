//! Who writes a log that nobody can quietly change.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lockgate_audit::log::{Checkpoint, Growing, Note, NoteKey, Tile, Tiles, WIDTH, Written, read_records};

use super::folder::{LogError, LogFolder, contents_path, push_head, read, read_head};

/// Makes a signature (Ed25519, RFC 8032) of a message.
pub type Sign = Box<dyn Fn(&[u8]) -> [u8; 64] + Send + Sync>;

/// What signs checkpoints.
pub struct Signing {
    /// The key; its name is the name of the log.
    pub key: NoteKey,
    /// Signs with it.
    pub sign: Sign,
}

/// A record on its way into a log, and what is kept beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The record.
    pub record: Vec<u8>,
    /// One line that the record names by its digest.
    pub content: Option<Vec<u8>>,
}

impl From<Vec<u8>> for Noted {
    fn from(record: Vec<u8>) -> Self {
        Self { record, content: None }
    }
}

/// Writes a log. Several gateways may write into one folder, each for a moment alone.
///
/// A record that was appended has been written and synced (`fdatasync`). A checkpoint is signed less often: what came after the
/// last one is in the log, and is covered by the next.
pub struct TreeLog {
    folder: LogFolder,
    lock: File,
    signing: Signing,
    growing: Growing,
    /// Bytes in the head that we know.
    head: u64,
    /// How many records the last checkpoint covers.
    signed: u64,
    /// Nothing is known any more of what is on the disk.
    lost: bool,
}

impl TreeLog {
    /// Opens a log; begins one where there is none. Only its owner can read it.
    pub fn open(folder: &Path, signing: Signing) -> Result<Self, LogError> {
        make_folder(folder)?;
        make_folder(&folder.join("head"))?;
        let lock = open_lock(folder)?;
        let mut log = Self {
            folder: LogFolder::new(folder),
            lock,
            signing,
            growing: Growing::default(),
            head: 0,
            signed: 0,
            lost: true,
        };
        log.alone(|log| log.say_key())?;
        Ok(log)
    }

    /// How many records there are.
    pub fn size(&self) -> u64 {
        self.growing.size()
    }

    /// Adds records and brings them to the disk. What was added is taken from the front of those that wait; where that fails, the
    /// rest stays there, and may be tried again. Gives the number of the first.
    pub fn append(&mut self, waiting: &mut VecDeque<Noted>) -> Result<u64, LogError> {
        self.alone(|log| {
            let first = log.size();
            while !waiting.is_empty() {
                let room = usize::try_from(WIDTH - log.size() % WIDTH).unwrap_or(1);
                let many = room.min(waiting.len());
                let added = if many == room { log.fill(waiting, many) } else { log.lengthen(waiting) };
                if added.is_err() {
                    // Some of it may be in memory and not on the disk.
                    log.lost = true;
                }
                added?;
            }
            Ok(first)
        })
    }

    /// Signs a checkpoint over all records.
    pub fn sign(&mut self) -> Result<Checkpoint, LogError> {
        self.alone(|log| {
            let key = &log.signing.key;
            let (origin, size, root) = (key.name().to_owned(), log.growing.size(), log.growing.root());
            let checkpoint = Checkpoint { origin, size, root };
            let path = log.folder.at("checkpoint");
            let mut signed = Note::new(checkpoint.text()).ok_or(LogError::Damaged(path))?;
            signed.sign(key, 0, &log.signing.sign);
            let before = log.signed;
            for part in log.growing.parts() {
                log.put(&part, false)?;
            }
            log.replace("checkpoint", signed.to_string().as_bytes())?;
            log.signed = size;
            log.forget_parts(before);
            Ok(checkpoint)
        })
    }

    /// What it is written to.
    pub(super) fn folder(&self) -> &LogFolder {
        &self.folder
    }

    /// Are there records that no checkpoint covers?
    pub fn is_unsigned(&self) -> bool {
        self.signed < self.size()
    }

    /// Does something while nobody else writes, knowing all that is on the disk.
    fn alone<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, LogError>) -> Result<T, LogError> {
        let locked = |error| LogError::Disk(self.folder.at("lock"), error);
        self.lock.lock().map_err(locked)?;
        let done = if self.lost || !self.is_current() { self.load() } else { Ok(()) };
        let done = done.and_then(|()| act(self));
        let unlocked = self.lock.unlock();
        let done = done?;
        unlocked.map_err(|error| LogError::Disk(self.folder.at("lock"), error))?;
        Ok(done)
    }

    /// Has nobody else added anything?
    fn is_current(&self) -> bool {
        let tile = self.size() / WIDTH;
        let head = fs::metadata(self.folder.head(tile)).map_or(0, |file| file.len());
        head == self.head && !self.folder.at(Tile::Records { number: tile, width: WIDTH }.path()).exists()
    }

    /// Finds out what is on the disk. What a crash cut off is taken away.
    fn load(&mut self) -> Result<(), LogError> {
        self.lost = true;
        let at = self.folder.at("checkpoint");
        let mut size = 0;
        let mut growing = Growing::default();
        if let Some(note) = self.folder.checkpoint()? {
            let checkpoint = Checkpoint::parse(note.text()).ok_or(LogError::Damaged(at.clone()))?;
            if checkpoint.origin != self.signing.key.name() {
                return Err(LogError::OtherKey(at));
            }
            size = checkpoint.size;
            let resumed = Growing::resume(size, |tile| self.folder.read(tile).ok().flatten());
            growing = resumed.filter(|log| log.root() == checkpoint.root).ok_or(LogError::Damaged(at))?;
        }
        self.signed = size;
        let mut made = Vec::new();
        loop {
            let tile = growing.size() / WIDTH;
            let path = self.folder.at(Tile::Records { number: tile, width: WIDTH }.path());
            let Some(records) = read(&path)? else { break };
            let (records, rest) = read_records(&records);
            if records.len() != 256 || !rest.is_empty() {
                return Err(LogError::Damaged(path));
            }
            go_on(&mut growing, &records, &mut made);
        }
        // Hashes are made anew from the records: those of the disk may not have reached it.
        for part in made.iter().filter(|(tile, _)| matches!(tile, Tile::Hashes { .. })) {
            self.put(part, true)?;
        }
        let path = self.folder.head(growing.size() / WIDTH);
        let bytes = read(&path)?.unwrap_or_default();
        let (records, length) = read_head(&bytes);
        if length < bytes.len() {
            let cut = OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(length as u64));
            cut.map_err(|error| LogError::Disk(path, error))?;
        }
        go_on(&mut growing, &records, &mut Vec::new());
        self.head = length as u64;
        self.growing = growing;
        self.lost = false;
        Ok(())
    }

    /// Brings contents to the disk, before the records that name them. What is there twice does no harm, nor does a line that a
    /// crash has cut off: nothing names it.
    fn put_contents<'w>(&self, waiting: impl Iterator<Item = &'w Noted>) -> Result<(), LogError> {
        let contents: Vec<&[u8]> = waiting.filter_map(|kept| kept.content.as_deref()).collect();
        if contents.is_empty() {
            return Ok(());
        }
        let path = self.folder.at(contents_path(self.size() / WIDTH));
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let text = [b"\n", &contents.join(&b'\n')[..], b"\n"].concat();
        let mut options = private();
        let written = options.append(true).create(true).open(&path).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_data()
        });
        written.map_err(|error| LogError::Disk(path, error))
    }

    /// Adds so many that the tile is whole. It takes the place of the head.
    fn fill(&mut self, waiting: &mut VecDeque<Noted>, many: usize) -> Result<(), LogError> {
        let head = self.folder.head(self.size() / WIDTH);
        let mut whole = Vec::new();
        self.put_contents(waiting.iter().take(many))?;
        for Noted { record, .. } in waiting.iter().take(many) {
            self.growing.append(record, &mut |part| whole.push(part)).ok_or(LogError::TooLong)?;
        }
        for part in &whole {
            // The records come first, and hashes can be made anew from them.
            let are_records = matches!(part.0, Tile::Records { .. });
            self.put(part, are_records)?;
            if are_records {
                // They are in the log now, whatever becomes of the rest.
                waiting.drain(..many);
            }
        }
        self.head = 0;
        match fs::remove_file(&head) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogError::Disk(head, error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Adds fewer.
    fn lengthen(&mut self, waiting: &mut VecDeque<Noted>) -> Result<(), LogError> {
        let mut frames = Vec::new();
        self.put_contents(waiting.iter())?;
        for Noted { record, .. } in waiting.iter() {
            push_head(&mut frames, record);
            self.growing.append(record, &mut drop).ok_or(LogError::TooLong)?;
        }
        let path = self.folder.head(self.size() / WIDTH);
        let mut options = private();
        let written = options.append(true).create(true).open(&path).and_then(|mut file| {
            let written = file.write_all(&frames).and_then(|()| file.sync_data());
            if written.is_err() {
                // Else a part of it would be there twice when it is tried again.
                let _shortened = file.set_len(self.head);
            }
            written
        });
        written.map_err(|error| LogError::Disk(path, error))?;
        self.head += frames.len() as u64;
        waiting.clear();
        Ok(())
    }

    fn say_key(&self) -> Result<(), LogError> {
        match self.folder.key()? {
            Some(key) if key == self.signing.key => Ok(()),
            Some(_) => Err(LogError::OtherKey(self.folder.at("log.vkey"))),
            None => self.replace("log.vkey", format!("{}\n", self.signing.key).as_bytes()),
        }
    }

    fn put(&self, (tile, bytes): &Written, synced: bool) -> Result<(), LogError> {
        let path = self.folder.at(tile.path());
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        write(&path, bytes, synced)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), LogError> {
        write(&self.folder.at(name), bytes, true)
    }

    /// Tiles that are wider by now are needed no longer. What is left lying does no harm.
    fn forget_parts(&self, before: u64) {
        let now = self.size();
        let mut there = before;
        let mut old = vec![Tile::records(before / WIDTH, before)];
        for level in 0..8 {
            old.push(Tile::hashes(level, there / WIDTH, before));
            there /= WIDTH;
        }
        for tile in old {
            let (width, wider) = match tile {
                Tile::Hashes { level, number, width } => (width, Tile::hashes(level, number, now)),
                Tile::Records { number, width } => (width, Tile::records(number, now)),
            };
            if width > 0 && wider != tile {
                let path = self.folder.at(tile.path());
                let _gone = fs::remove_file(&path);
                // Only where nothing is left in it.
                let _gone = path.parent().map(fs::remove_dir);
            }
        }
    }
}

impl std::fmt::Debug for TreeLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TreeLog({} records)", self.size())
    }
}

/// Takes in the records of a tile that are not in yet.
fn go_on(growing: &mut Growing, records: &[&[u8]], made: &mut Vec<Written>) {
    let known = usize::try_from(growing.size() % WIDTH).unwrap_or_default();
    for record in records.iter().skip(known) {
        growing.append(record, &mut |part| made.push(part));
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The file that is locked while somebody writes into the folder.
pub(super) fn open_lock(folder: &Path) -> Result<File, LogError> {
    let path = folder.join("lock");
    let lock = private().write(true).create(true).truncate(false).open(&path);
    lock.map_err(|error| LogError::Disk(path, error))
}

pub(super) fn make_folder(folder: &Path) -> Result<(), LogError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| LogError::Disk(folder.to_owned(), error))
}

/// Writes a file so that it is there whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8], synced: bool) -> Result<(), LogError> {
    let mut new = path.to_owned().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    let written = private().write(true).create(true).truncate(true).open(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        if synced { file.sync_data() } else { Ok(()) }
    });
    written.and_then(|()| fs::rename(&new, path)).map_err(|error| LogError::Disk(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use lockgate_audit::log::{Damage, Use, Verified, verify};
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn open(folder: &TempDir) -> Result<TreeLog, LogError> {
        let key = NoteKey::new("example.org/log", Use::Log, [7; 32]).unwrap();
        // What a signature is worth is the matter of who checks it.
        TreeLog::open(&folder.path().join("log"), Signing { key, sign: Box::new(|_| [0; 64]) })
    }

    fn records(from: u64, to: u64) -> VecDeque<Noted> {
        (from..to).map(|number| format!("record {number}").into_bytes().into()).collect()
    }

    fn check(folder: &TempDir) -> Result<Verified, Damage> {
        let log = LogFolder::new(folder.path().join("log"));
        let checkpoint = Checkpoint::parse(log.checkpoint().unwrap().unwrap().text()).unwrap();
        verify(&log, &checkpoint, 0).unwrap()
    }

    fn all(folder: &TempDir, size: u64) -> Vec<Noted> {
        let log = LogFolder::new(folder.path().join("log"));
        let records = (0..=size / WIDTH).flat_map(|tile| log.records(tile).unwrap().unwrap_or_default());
        records.map(Noted::from).collect()
    }

    #[test]
    fn what_was_added_is_there_after_a_restart() {
        let folder = TempDir::new().unwrap();
        let mut size = 0;
        for many in [1, 0, 254, 1, 1, 300, 700, 3] {
            let mut log = open(&folder).unwrap();
            assert_eq!(log.size(), size);
            let mut waiting = records(size, size + many);
            assert_eq!(log.append(&mut waiting).unwrap(), size);
            assert!(waiting.is_empty());
            size += many;
            if many != 700 {
                assert_eq!(log.sign().unwrap().size, size);
                assert_eq!(check(&folder), Ok(Verified { records: size, removed: 0 }));
            }
        }
        assert_eq!(all(&folder, size), Vec::from(records(0, size)));
        let parts = fs::read_dir(folder.path().join("log/tile/0")).unwrap().count();
        assert_eq!(parts, 5, "four whole tiles and one part");
    }

    #[test]
    fn two_may_write() {
        let folder = TempDir::new().unwrap();
        let (mut one, mut two) = (open(&folder).unwrap(), open(&folder).unwrap());
        for number in 0..600 {
            let log = if number % 3 == 0 { &mut one } else { &mut two };
            log.append(&mut records(number, number + 1)).unwrap();
            if number % 7 == 0 {
                log.sign().unwrap();
            }
        }
        one.sign().unwrap();
        assert_eq!(check(&folder), Ok(Verified { records: 600, removed: 0 }));
        assert_eq!(all(&folder, 600), Vec::from(records(0, 600)));
    }

    #[test]
    fn nothing_is_lost_while_nothing_can_be_written() {
        let folder = TempDir::new().unwrap();
        let mut log = open(&folder).unwrap();
        log.append(&mut records(0, 256)).unwrap();
        let head = folder.path().join("log/head/1");
        fs::create_dir(&head).unwrap();
        let mut waiting = records(256, 300);
        for _ in 0..3 {
            assert!(matches!(log.append(&mut waiting), Err(LogError::Disk(..))));
            assert_eq!(waiting.len(), 44);
        }
        fs::remove_dir(&head).unwrap();
        assert_eq!(log.append(&mut waiting).unwrap(), 256);
        log.sign().unwrap();
        assert_eq!(check(&folder), Ok(Verified { records: 300, removed: 0 }));
        assert_eq!(all(&folder, 300), Vec::from(records(0, 300)));
    }

    #[test]
    fn what_is_in_the_log_is_not_put_in_again() {
        let folder = TempDir::new().unwrap();
        let mut log = open(&folder).unwrap();
        // The records of the tile reach the disk, its hashes do not.
        let hashes = folder.path().join("log/tile/0");
        fs::create_dir(folder.path().join("log/tile")).unwrap();
        fs::write(&hashes, "").unwrap();
        let mut waiting = records(0, 300);
        assert!(matches!(log.append(&mut waiting), Err(LogError::Disk(..))));
        assert_eq!(waiting.len(), 44);
        fs::remove_file(&hashes).unwrap();
        assert_eq!(log.append(&mut waiting).unwrap(), 256);
        log.sign().unwrap();
        assert_eq!(check(&folder), Ok(Verified { records: 300, removed: 0 }));
        assert_eq!(all(&folder, 300), Vec::from(records(0, 300)));
    }

    #[test]
    fn a_log_of_somebody_else_is_left_alone() {
        let folder = TempDir::new().unwrap();
        open(&folder).unwrap().append(&mut records(0, 1)).unwrap();
        let key = NoteKey::new("example.org/log", Use::Log, [8; 32]).unwrap();
        let other = TreeLog::open(&folder.path().join("log"), Signing { key, sign: Box::new(|_| [0; 64]) });
        assert!(matches!(other, Err(LogError::OtherKey(_))));
    }

    #[test]
    fn damage_is_not_built_upon() {
        let folder = TempDir::new().unwrap();
        let mut log = open(&folder).unwrap();
        log.append(&mut records(0, 300)).unwrap();
        log.sign().unwrap();
        let path = folder.path().join("log/tile/0/001.p/44");
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(open(&folder), Err(LogError::Damaged(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Wherever a crash cuts the head off, what is before is kept, and the log goes on.
        #[test]
        fn what_a_crash_cuts_off_breaks_nothing(signed in 0_u64..300, more in 1_u64..300, cut in 0_u64..60, noise: bool) {
            let folder = TempDir::new().unwrap();
            let mut log = open(&folder).unwrap();
            log.append(&mut records(0, signed)).unwrap();
            log.sign().unwrap();
            log.append(&mut records(signed, signed + more)).unwrap();
            drop(log);
            let head = folder.path().join(format!("log/head/{}", (signed + more) / WIDTH));
            let length = fs::metadata(&head).map_or(0, |file| file.len());
            // What is signed has reached the disk.
            let kept = length.saturating_sub(if (signed + more) / WIDTH == signed / WIDTH { 0 } else { cut });
            if length > 0 {
                let file = OpenOptions::new().write(true).open(&head).unwrap();
                file.set_len(kept).unwrap();
                if noise {
                    file.set_len(kept + 9).unwrap();
                }
            }
            let mut log = open(&folder).unwrap();
            let size = log.size();
            prop_assert!(size >= signed && size <= signed + more && (kept < length || size == signed + more));
            log.append(&mut records(size, size + 5)).unwrap();
            log.sign().unwrap();
            prop_assert_eq!(check(&folder), Ok(Verified { records: size + 5, removed: 0 }));
            prop_assert_eq!(all(&folder, size + 5), Vec::from(records(0, size + 5)));
        }
    }
}

//! Messages on the disk that wait for their channel: a file each, so that whatever ends the process leaves them there.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::Message;

/// Most messages that wait for one channel. Then the oldest is dropped and counted.
pub(super) const MOST: usize = 1_000;
/// How long a message is kept. Milliseconds: 7 days.
pub(super) const LONGEST: u64 = 7 * 86_400_000;
/// Largest file that is read. Bytes: what is larger is not of ours.
const LARGEST: u64 = 64 << 10;
/// What the name of a message ends with.
const KIND: &str = ".json";

/// The folder of one channel. Several processes may use it.
#[derive(Clone, Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    /// Tells what this one keeps from what others keep in the folder: process ids do not, as each container has its own.
    mark: u64,
}

/// A message that nobody else sends as long as this is held.
pub(super) struct Claimed {
    pub(super) name: String,
    pub(super) message: Message,
    path: PathBuf,
    /// The lock ends with it.
    _file: File,
}

impl Spool {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, mark: RandomState::new().hash_one(()) }
    }

    /// Keeps a message, made at `now` in milliseconds since 1970, as the `number`th of this spool. It is on the disk
    /// before this returns. Gives how many older ones were dropped for it.
    pub(super) fn put(&self, message: &Message, now: u64, number: u64) -> io::Result<u64> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let name = format!("{now:020}-{:016x}-{number:010}{KIND}", self.mark);
        let (path, draft) = (self.folder.join(&name), self.folder.join(format!("{name}.draft")));
        let written = write(&draft, message).and_then(|()| std::fs::rename(&draft, &path));
        if let Err(error) = written {
            // Half a message is none.
            let _gone = std::fs::remove_file(&draft);
            return Err(error);
        }
        let names = self.names()?;
        let beyond = names.len().saturating_sub(MOST);
        let dropped = names.iter().take(beyond).filter(|name| self.remove(name));
        Ok(dropped.count() as u64)
    }

    /// The next message that nobody else is sending: of those that failed least often, the oldest. What is too old at
    /// `now`, or is not a message, is dropped and counted.
    pub(super) fn next(
        &self,
        failures: &BTreeMap<String, u32>,
        now: u64,
    ) -> io::Result<(Option<Claimed>, u64)> {
        let mut dropped = 0;
        let mut names = self.names()?;
        names.sort_by_key(|name| failures.get(name).copied().unwrap_or(0));
        for name in names {
            if made(&name).is_none_or(|made| made.saturating_add(LONGEST) < now) {
                dropped += u64::from(self.remove(&name));
                continue;
            }
            match self.claim(&name) {
                Ok(Some(claimed)) => return Ok((Some(claimed), dropped)),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    dropped += u64::from(self.remove(&name));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((None, dropped))
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.names().map_or(0, |names| names.len())
    }

    /// Takes the lock of a message. None where another process has it, or it is gone.
    fn claim(&self, name: &str) -> io::Result<Option<Claimed>> {
        let path = self.folder.join(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Held elsewhere, or sent and removed before the lock was ours.
        if file.try_lock().is_err() || file.metadata()?.nlink() == 0 {
            return Ok(None);
        }
        let mut text = Vec::new();
        (&file).take(LARGEST).read_to_end(&mut text)?;
        let message = serde_json::from_slice(&text).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
        Ok(Some(Claimed { name: name.to_owned(), message, path, _file: file }))
    }

    /// The names of all messages, oldest first.
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let name = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
        let mut names: Vec<String> = entries.filter_map(name).filter(|name| name.ends_with(KIND)).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn remove(&self, name: &str) -> bool {
        std::fs::remove_file(self.folder.join(name)).is_ok()
    }
}

impl Claimed {
    /// The message is told: it need not be kept.
    pub(super) fn done(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

/// When a message of this name was made. Milliseconds since 1970.
fn made(name: &str) -> Option<u64> {
    name.split_once('-')?.0.parse().ok()
}

fn write(path: &Path, message: &Message) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec(message)?)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::super::tests::message;
    use super::*;

    fn ids(spool: &Spool, failures: &BTreeMap<String, u32>, now: u64) -> Vec<String> {
        let mut held = Vec::new();
        while let (Some(claimed), _) = spool.next(failures, now).unwrap() {
            held.push(claimed);
        }
        held.into_iter().map(|claimed| claimed.message.id).collect()
    }

    #[test]
    fn what_is_kept_comes_back_in_order_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().join("alerts/ops"));
        assert!(spool.next(&BTreeMap::new(), 5).unwrap().0.is_none());
        for (number, id) in ["a", "b", "c"].iter().enumerate() {
            assert_eq!(spool.put(&message(id), 1_000, number as u64).unwrap(), 0);
        }
        let meta = std::fs::metadata(folder.path().join("alerts/ops")).unwrap();
        assert_eq!(meta.mode() & 0o777, 0o700);
        // As long as one process has them, another one finds none.
        assert_eq!(ids(&spool, &BTreeMap::new(), 1_000), ["a", "b", "c"]);
        let (first, _) = spool.next(&BTreeMap::new(), 1_000).unwrap();
        let first = first.unwrap();
        let (second, _) = spool.next(&BTreeMap::new(), 1_000).unwrap();
        let failed = BTreeMap::from([(second.unwrap().name, 1)]);
        assert_eq!(ids(&spool, &failed, 1_000), ["c", "b"]);
        first.done().unwrap();
        assert_eq!(ids(&spool, &failed, 1_000), ["c", "b"]);
        assert_eq!(spool.waiting(), 2);
    }

    #[test]
    fn what_two_keep_at_once_is_kept_twice() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| Spool::new(folder.path().to_owned()));
        assert_eq!(one.put(&message("a"), 1_000, 1).unwrap(), 0);
        assert_eq!(other.put(&message("b"), 1_000, 1).unwrap(), 0);
        assert_eq!(one.waiting(), 2);
        // In the order in which one of them was told.
        for number in 8..12 {
            one.put(&message(&number.to_string()), 2_000, number).unwrap();
        }
        assert_eq!(ids(&other, &BTreeMap::new(), 2_000)[2..], ["8", "9", "10", "11"]);
    }

    #[test]
    fn the_oldest_the_old_and_the_broken_are_dropped_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned());
        let mut dropped = 0;
        for number in 0..MOST as u64 + 3 {
            dropped += spool.put(&message(&number.to_string()), 1_000 + number, number).unwrap();
        }
        assert_eq!((dropped, spool.waiting()), (3, MOST));
        let (next, none) = spool.next(&BTreeMap::new(), 2_000).unwrap();
        assert_eq!((next.unwrap().message.id.as_str(), none), ("3", 0));
        // The newest is of 2002.
        let (next, old) = spool.next(&BTreeMap::new(), 2_002 + LONGEST).unwrap();
        assert_eq!((next.unwrap().message.id.as_str(), old), ("1002", MOST as u64 - 1));
        std::fs::write(folder.path().join("00000000000000002002-1-1.json"), "{").unwrap();
        std::fs::write(folder.path().join("no name.json"), "{}").unwrap();
        std::fs::write(folder.path().join("other.draft"), "{}").unwrap();
        let (next, broken) = spool.next(&BTreeMap::new(), 2_002).unwrap();
        assert_eq!((next.unwrap().message.id.as_str(), broken), ("1002", 1));
    }
}

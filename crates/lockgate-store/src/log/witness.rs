use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lockgate_audit::log::{Checkpoint, Hash};

use super::folder::{LogError, read};
use super::tree::{make_folder, open_lock, write};

/// What a witness has signed last of each log, in a folder that only its owner can read: one file a log.
#[derive(Debug)]
pub struct Witnessed {
    folder: PathBuf,
    /// Keeps other processes out, and other threads of this one.
    lock: Mutex<File>,
}

impl Witnessed {
    /// Opens the folder; makes it where there is none.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        make_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), lock: Mutex::new(open_lock(folder)?) })
    }

    /// Takes the next checkpoint of a log. `judge` is given the last one and says whether this may follow; what it refuses changes
    /// nothing. The new one is on the disk when this comes back, and nobody else has taken one meanwhile.
    pub fn follow<E: From<LogError>>(
        &self,
        next: &Checkpoint,
        judge: impl FnOnce(Option<&Checkpoint>) -> Result<(), E>,
    ) -> Result<(), E> {
        let locked = |error| LogError::Disk(self.folder.join("lock"), error);
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.lock().map_err(locked)?;
        let done = self.last(&next.origin).map_err(E::from).and_then(|last| {
            judge(last.as_ref())?;
            let path = self.file(&next.origin);
            write(&path, next.text().as_bytes(), true)?;
            // A name that a power cut takes away would let an older one be signed again.
            let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| LogError::Disk(path, error).into())
        });
        let unlocked = lock.unlock();
        done?;
        unlocked.map_err(|error| locked(error).into())
    }

    /// The last checkpoint of a log.
    pub fn last(&self, origin: &str) -> Result<Option<Checkpoint>, LogError> {
        let path = self.file(origin);
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let checkpoint = String::from_utf8(bytes).ok().and_then(|text| Checkpoint::parse(&text));
        checkpoint.filter(|last| last.origin == origin).map(Some).ok_or(LogError::Damaged(path))
    }

    /// Names of logs are not names of files.
    fn file(&self, origin: &str) -> PathBuf {
        self.folder.join(lockgate_model::hex(&Hash::of_leaf(origin.as_bytes()).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    enum Failed {
        Store,
        Refused,
    }

    impl From<LogError> for Failed {
        fn from(_: LogError) -> Self {
            Self::Store
        }
    }

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint { origin: "example.org/../log".to_owned(), size, root: Hash::of_nothing() }
    }

    #[test]
    fn what_was_taken_is_there_after_a_restart_and_what_was_refused_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Witnessed::open(&folder.path().join("seen")).unwrap();
        let grows = |next: u64| {
            move |last: Option<&Checkpoint>| {
                if last.is_none_or(|last| last.size <= next) { Ok(()) } else { Err(Failed::Refused) }
            }
        };
        let mut largest = 0;
        for (next, taken) in [(5, true), (7, true), (6, false), (7, true)] {
            let done = open().follow(&checkpoint(next), grows(next));
            assert_eq!(done.is_ok(), taken, "{done:?}");
            largest = largest.max(next);
            assert_eq!(open().last("example.org/../log").unwrap(), Some(checkpoint(largest)));
        }
        assert_eq!(open().last("example.org/other").unwrap(), None);
        let damaged = open().file("example.org/../log");
        std::fs::write(damaged, "7").unwrap();
        assert!(matches!(open().follow(&checkpoint(9), |_| Ok(())), Err(Failed::Store)));
    }

    #[test]
    fn of_several_at_once_each_sees_what_the_one_before_it_took() {
        let folder = tempfile::tempdir().unwrap();
        let both = [(); 2].map(|()| Witnessed::open(folder.path()).unwrap());
        let won = std::sync::atomic::AtomicU64::new(0);
        let add = &|number: usize| {
            let seen = &both[number % 2];
            for _ in 0..50 {
                let now = seen.last("example.org/../log").unwrap().map_or(0, |last| last.size);
                // Only one of those that saw the same may go on.
                let next = checkpoint(now + 1);
                let taken = seen.follow(&next, |last| {
                    if last.map_or(0, |last| last.size) == now { Ok(()) } else { Err(Failed::Refused) }
                });
                won.fetch_add(u64::from(taken.is_ok()), std::sync::atomic::Ordering::Relaxed);
            }
        };
        std::thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || add(number));
            }
        });
        let last = Witnessed::open(folder.path()).unwrap().last("example.org/../log").unwrap().unwrap();
        assert_eq!(last.size, won.into_inner(), "each that went on counts once");
    }
}

//! Who holds a place among concurrent calls, and whether that process still lives.
//!
//! Each [`super::Counters`] has a file beside the database and keeps it locked. The system gives a lock up
//! when its process ends, however it ends, so that a place is free at once after a crash, and never while a
//! long call is under way, as it would be if places ran out with time.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::CountersError;

/// The locked file of one [`super::Counters`].
#[derive(Debug)]
pub(super) struct Owner {
    name: String,
    /// None in memory, where nobody else is.
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    database: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Owner {
    pub(super) fn none() -> Self {
        Self { name: String::new(), place: None }
    }

    /// Makes and locks the file, and removes what dead processes have left.
    pub(super) fn register(database: &Path, connection: &mut Connection) -> Result<Self, CountersError> {
        // Within a transaction, so that nobody looks at the file between its making and its locking.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for left in left_behind(database)? {
            if !lives(database, &left) {
                remove(database, &left);
            }
        }
        let (name, lock) = make(database)?;
        let owner = Self { name, place: Some(Place { database: database.to_owned(), _lock: lock }) };
        owner.sweep(&transaction)?;
        transaction.commit()?;
        Ok(owner)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Frees the places of dead processes. Says whether there were any.
    pub(super) fn sweep(&self, transaction: &Transaction<'_>) -> Result<bool, CountersError> {
        let Some(place) = &self.place else { return Ok(false) };
        let mut select = transaction.prepare_cached("SELECT DISTINCT owner FROM leases WHERE owner <> ?1")?;
        let others: Vec<String> =
            select.query_map([&self.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut freed = false;
        for other in others.iter().filter(|other| !lives(&place.database, other)) {
            transaction.execute("DELETE FROM leases WHERE owner = ?1", [other])?;
            remove(&place.database, other);
            freed = true;
        }
        Ok(freed)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            remove(&place.database, &self.name);
        }
    }
}

fn file_of(database: &Path, owner: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-owner-");
    name.push(owner);
    PathBuf::from(name)
}

fn make(database: &Path) -> Result<(String, File), CountersError> {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for attempt in 0..100 {
        let name = format!("{:x}-{nanos:x}-{attempt}", std::process::id());
        match options.open(file_of(database, &name)) {
            Ok(file) => {
                file.try_lock().map_err(io::Error::from)?;
                return Ok((name, file));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists).into())
}

/// Whatever cannot be told counts as living: its places stay taken.
fn lives(database: &Path, owner: &str) -> bool {
    match File::open(file_of(database, owner)) {
        Ok(file) => file.try_lock().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn remove(database: &Path, owner: &str) {
    // A file that stays is found again when the database is next opened.
    let _removed = fs::remove_file(file_of(database, owner));
}

/// The owners that have a file.
fn left_behind(database: &Path) -> io::Result<Vec<String>> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix: OsString = file_of(database, "").file_name().unwrap_or_default().to_owned();
    let mut owners = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let owner = name.to_str().zip(prefix.to_str()).and_then(|(name, prefix)| name.strip_prefix(prefix));
        owners.extend(owner.map(str::to_owned));
    }
    Ok(owners)
}

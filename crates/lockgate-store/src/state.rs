//! The files of a state folder: their rights, their format and how `SQLite` is set up.
//!
//! Unlike counters, what is written here waits for the disk: a yes that was used must stay used when the
//! machine loses power, and a stop must stay in force.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

/// Why approvals or stops cannot be read or written, or why they do not take something in. Whoever reports it
/// names the file.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not a database, or a broken one. It is never repaired or replaced by itself: that would forget what was
    /// denied or stopped.
    #[error(
        "the file is damaged\n  hint: restore a copy, or remove it; what was denied or stopped is then forgotten"
    )]
    Damaged,
    /// A database of something else.
    #[error("the file is a database of something else\n  hint: name another folder")]
    Foreign,
    /// Written by a newer version.
    #[error("the file has format {found}, known here are up to {known}\n  hint: use the newer version")]
    Newer {
        /// The format of the file.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The file is as large as it may be, or the disk is full.
    #[error("there is no room for more")]
    Full,
    /// Another process has kept the file locked for two seconds.
    #[error("the file is in use by another process for too long")]
    Busy,
    /// The file system has no shared memory, as those of networks have not.
    #[error("the file is on a file system that it cannot be used on\n  hint: use a local disk")]
    NoLog,
    /// The system has no randomness to make an id of.
    #[error("the system gives no randomness")]
    NoRandomness,
    /// A name that is empty, longer than 1 024 bytes, or holds control characters where people read it.
    #[error("{what} is empty, too long, or holds control characters")]
    Name {
        /// Which name.
        what: &'static str,
    },
    /// No approval has this id, or it was removed with the history.
    #[error(
        "there is no approval with this id\n  hint: `lockgate approvals list --all` shows those there are"
    )]
    Unknown,
    /// The principal has 20 calls waiting, or 60 were put to people within the hour: nobody could look at more
    /// with care (SAFE-T1403).
    #[error("too many calls of this principal wait for people, or were put to them within the hour")]
    TooMany,
    /// A yes to more than one call, where only a yes to one is possible.
    #[error("a call with the effect `{effect}` can only be approved once\n  hint: use the scope `once`")]
    NoBlanket {
        /// The effect of the call.
        effect: String,
    },
    /// A yes until a time that has passed, or that is more than a day away.
    #[error("an approval cannot count until then\n  hint: it may count for up to 24 hours")]
    Until,
    /// 1 000 stops are in force.
    #[error("too many stops are in force\n  hint: stop a whole server, or everything")]
    TooManyStops,
    /// The file or its folder cannot be used.
    #[error("the file cannot be used: {0}")]
    Io(#[from] io::Error),
    /// Anything else that `SQLite` reports.
    #[error("the file cannot be used: {0}")]
    Database(#[source] rusqlite::Error),
}

/// How long it is waited for other processes.
const PATIENCE: Duration = Duration::from_secs(2);

/// What one file is.
pub(crate) struct Format {
    pub(crate) file: &'static str,
    /// Marks the file as ours (`PRAGMA application_id`).
    pub(crate) application: i32,
    /// Pages of 4 KiB in the largest file.
    pub(crate) pages: u32,
    /// What brings the format from one version to the next; the version is how many of them were done. Never
    /// changed once released, only added to.
    pub(crate) migrations: &'static [&'static str],
}

/// One file, used by several threads and processes.
pub(crate) struct Database(Mutex<Connection>);

impl Database {
    /// Opens the file in the folder; makes both where they are missing, for their owner alone.
    pub(crate) fn open(folder: &Path, format: &Format) -> Result<Self, StateError> {
        make(folder)?;
        let path = folder.join(format.file);
        private(&path)?;
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_handler(Some(wait))?;
        let started = Instant::now();
        // Where two processes make the file at once, `SQLite` gives up without waiting, lest they wait for each other.
        while let Err(error) = prepare(&mut connection, format) {
            if !matches!(error, StateError::Busy) || started.elapsed() > PATIENCE {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        if mode == "wal" { Ok(Self(Mutex::new(connection))) } else { Err(StateError::NoLog) }
    }

    pub(crate) fn in_memory(format: &Format) -> Result<Self, StateError> {
        let mut connection = Connection::open_in_memory()?;
        prepare(&mut connection, format)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// What one moment looks like.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        work(&transaction)
    }

    /// One transaction, alone among threads and processes: all of it, or nothing where it fails.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Another number whenever anything was changed, by this connection or by another.
    pub(crate) fn version(&self) -> Result<u64, StateError> {
        let connection = self.lock();
        let others: u32 = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        Ok((u64::from(others) << 32) | (connection.total_changes() & u64::from(u32::MAX)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked with the lock rolled its transaction back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<rusqlite::Error> for StateError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged,
            Some(DiskFull) => Self::Full,
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy,
            _ => Self::Database(error),
        }
    }
}

/// `SQLite`'s integers have a sign; times beyond theirs are the end of time.
pub(crate) fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// A time as it was written.
pub(crate) fn unsigned(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

/// Is it a name that people can tell from others?
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), StateError> {
    let good = (1..=1_024).contains(&name.len()) && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(StateError::Name { what }) }
}

/// At most so many bytes of a text, with a mark where it was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut short: String =
        text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= most).map(|(_, c)| c).collect();
    short.push('…');
    short
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the file where there is none, and sees that only its owner can read or write it. `SQLite` gives the
/// files beside it the same rights.
///
/// A file that exists is not opened here: to close it again would take the locks away that another connection
/// of this process has on it (POSIX gives locks to processes, not to descriptors).
fn private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_made) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn prepare(connection: &mut Connection, format: &Format) -> Result<(), StateError> {
    let number = |connection: &Connection, sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let known = i64::try_from(format.migrations.len()).unwrap_or(i64::MAX);

    // Nothing is written to a file before it is known to be ours or empty. All at one moment: another process may
    // be making it.
    let moment = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let application = number(&moment, "PRAGMA application_id")?;
    let tables = number(&moment, "SELECT count(*) FROM sqlite_schema")?;
    if application != i64::from(format.application) && (application != 0 || tables != 0) {
        return Err(StateError::Foreign);
    }
    let found = number(&moment, "PRAGMA user_version")?;
    if found > known || found < 0 {
        return Err(StateError::Newer { found, known });
    }
    let sound: String = moment.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Err(StateError::Damaged);
    }
    drop(moment);

    let _mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.query_row(&format!("PRAGMA max_page_count = {}", format.pages), [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // 1 MiB of memory at most.
    connection.pragma_update(None, "cache_size", -1_024)?;
    connection.set_prepared_statement_cache_capacity(32);

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let found = number(&transaction, "PRAGMA user_version")?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for migration in format.migrations.get(done..).unwrap_or_default() {
        transaction.execute_batch(migration)?;
    }
    if found < known {
        transaction.pragma_update(None, "application_id", format.application)?;
        transaction.pragma_update(None, "user_version", known)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Waits for another process: shortly at first, for [`PATIENCE`] in all.
fn wait(times: i32) -> bool {
    std::thread::sleep(Duration::from_micros(if times < 100 { 50 } else { 1_000 }));
    times < 2_000
}

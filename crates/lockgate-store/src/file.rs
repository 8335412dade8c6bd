//! The database files: their rights, their format and how `SQLite` is set up.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

/// How long it is waited for other processes.
const PATIENCE: Duration = Duration::from_secs(2);

/// What one file is.
pub(crate) struct Format {
    /// Marks the file as ours (`PRAGMA application_id`).
    pub(crate) application: i32,
    /// Pages of 4 KiB in the largest file.
    pub(crate) pages: u32,
    pub(crate) writes: Writes,
    /// What brings the format from one version to the next; the version is how many of them were done. Never
    /// changed once released, only added to.
    pub(crate) migrations: &'static [&'static str],
}

/// When what is written is on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// Before it is said to be written.
    AtOnce,
    /// When somebody brings it there.
    Later,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// Not a database, or a broken one.
    Damaged,
    /// A database of something else.
    Foreign,
    /// Written by a newer version.
    Newer { found: i64, known: i64 },
    /// The file is as large as it may be, or the disk is full.
    Full,
    /// Another process has kept the file locked for too long.
    Busy,
    /// The file system has no shared memory.
    NoLog,
    /// The file or its folder cannot be used.
    Io(io::Error),
    /// Anything else that `SQLite` reports.
    Database(rusqlite::Error),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rusqlite::Error> for Flaw {
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

/// Opens the file, for its owner alone; makes it where it is missing, and brings an older format up to date.
pub(crate) fn open(path: &Path, format: &Format) -> Result<Connection, Flaw> {
    private(path)?;
    let mut connection = connect(path)?;
    let started = Instant::now();
    // Where two processes make the file at once, `SQLite` gives up without waiting, lest they wait for each other.
    while let Err(flaw) = prepare(&mut connection, format) {
        if !matches!(flaw, Flaw::Busy) || started.elapsed() > PATIENCE {
            return Err(flaw);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode == "wal" { Ok(connection) } else { Err(Flaw::NoLog) }
}

/// A further connection to a file that was opened before.
pub(crate) fn open_again(path: &Path, format: &Format) -> Result<Connection, Flaw> {
    let connection = connect(path)?;
    set_up(&connection, format)?;
    Ok(connection)
}

/// What ends with the process.
pub(crate) fn in_memory(format: &Format) -> Result<Connection, Flaw> {
    let mut connection = Connection::open_in_memory()?;
    prepare(&mut connection, format)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, Flaw> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait))?;
    Ok(connection)
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

fn prepare(connection: &mut Connection, format: &Format) -> Result<(), Flaw> {
    let number = |connection: &Connection, sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let known = i64::try_from(format.migrations.len()).unwrap_or(i64::MAX);

    // Nothing is written to a file before it is known to be ours or empty. All at one moment: another process may
    // be making it.
    let moment = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let application = number(&moment, "PRAGMA application_id")?;
    let tables = number(&moment, "SELECT count(*) FROM sqlite_schema")?;
    if application != i64::from(format.application) && (application != 0 || tables != 0) {
        return Err(Flaw::Foreign);
    }
    let found = number(&moment, "PRAGMA user_version")?;
    if found > known || found < 0 {
        return Err(Flaw::Newer { found, known });
    }
    let sound: String = moment.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Err(Flaw::Damaged);
    }
    drop(moment);

    let _mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    set_up(connection, format)?;

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

fn set_up(connection: &Connection, format: &Format) -> Result<(), Flaw> {
    connection.query_row(&format!("PRAGMA max_page_count = {}", format.pages), [], |_| Ok(()))?;
    match format.writes {
        Writes::AtOnce => connection.pragma_update(None, "synchronous", "FULL")?,
        Writes::Later => {
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            // Whoever brings it to the disk does this too, so that no call waits for that; should they be stuck, calls
            // do from 40 MiB on.
            connection.query_row("PRAGMA wal_autocheckpoint = 10000", [], |_| Ok(()))?;
        }
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // 1 MiB of memory at most.
    connection.pragma_update(None, "cache_size", -1_024)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Waits for another process: shortly at first, for [`PATIENCE`] in all.
fn wait(times: i32) -> bool {
    std::thread::sleep(Duration::from_micros(if times < 100 { 50 } else { 1_000 }));
    times < 2_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[&str] = &["CREATE TABLE notes (a TEXT)"];
    const BOTH: &[&str] = &["CREATE TABLE notes (a TEXT)", "ALTER TABLE notes ADD COLUMN b TEXT"];
    const BROKEN: &[&str] =
        &["CREATE TABLE notes (a TEXT)", "CREATE TABLE other (a TEXT); CREATE TABLE notes (b TEXT)"];

    fn format(migrations: &'static [&'static str]) -> Format {
        Format { application: 7, pages: 1_000, writes: Writes::Later, migrations }
    }

    #[test]
    fn brings_an_older_format_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let connection = open(&path, &format(FIRST)).unwrap();
        connection.execute("INSERT INTO notes VALUES ('k')", []).unwrap();
        for _ in 0..2 {
            open(&path, &format(BOTH)).unwrap();
        }
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let note: (String, Option<String>) =
            connection.query_row("SELECT a, b FROM notes", [], read).unwrap();
        assert_eq!(note, ("k".to_owned(), None));
        let newer = open(&path, &format(FIRST)).unwrap_err();
        assert!(matches!(newer, Flaw::Newer { found: 2, known: 1 }), "{newer:?}");
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        open(&path, &format(FIRST)).unwrap();
        assert!(open(&path, &format(BROKEN)).is_err());
        let connection = open(&path, &format(FIRST)).unwrap();
        assert!(connection.execute("INSERT INTO other VALUES ('x')", []).is_err());
    }
}

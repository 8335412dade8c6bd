//! The file: its rights, its format and how `SQLite` is set up.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::CountersError;

/// Marks the file as ours (`PRAGMA application_id`).
const APPLICATION: i32 = 0x4c6b_4331;
/// Pages of 4 KiB in the largest file: 256 MiB.
const MOST_PAGES: u32 = 65_536;

/// What brings the format from one version to the next; the version is how many of them were done. Never
/// changed once released, only added to.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 0), high INTEGER NOT NULL) STRICT;
    INSERT INTO clock (id, high) VALUES (0, 0);
    CREATE TABLE counters (key TEXT PRIMARY KEY, slots BLOB NOT NULL, until INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE INDEX counters_until ON counters (until);
    CREATE TABLE leases (id INTEGER PRIMARY KEY, key TEXT NOT NULL, owner TEXT NOT NULL) STRICT;
    CREATE INDEX leases_key ON leases (key);
"];

/// Opens the file for reservations, and makes or checks it first.
pub(super) fn open(path: &Path) -> Result<Connection, CountersError> {
    private(path)?;
    let mut connection = connect(path)?;
    prepare(&mut connection, MIGRATIONS)?;
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode == "wal" { Ok(connection) } else { Err(CountersError::NoLog) }
}

pub(super) fn in_memory() -> Result<Connection, CountersError> {
    let mut connection = Connection::open_in_memory()?;
    prepare(&mut connection, MIGRATIONS)?;
    Ok(connection)
}

/// A further connection to a file that was opened before.
pub(super) fn connect(path: &Path) -> Result<Connection, CountersError> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_handler(Some(wait))?;
    // Commits do not wait for the disk; see `Counters` for what that may cost.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // 1 MiB of memory at most.
    connection.pragma_update(None, "cache_size", -1_024)?;
    Ok(connection)
}

/// Makes the file where there is none, and sees that only its owner can read or write it. `SQLite` gives the
/// files beside it the same rights.
///
/// A file that exists is not opened here: to close it again would take the locks away that another connection
/// of this process has on it (POSIX gives locks to processes, not to descriptors).
fn private(path: &Path) -> Result<(), CountersError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_made) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
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

fn prepare(connection: &mut Connection, migrations: &[&str]) -> Result<(), CountersError> {
    let number = |connection: &Connection, sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);

    // Nothing is written to a file before it is known to be ours or empty.
    let application = number(connection, "PRAGMA application_id")?;
    let tables = number(connection, "SELECT count(*) FROM sqlite_schema")?;
    if application != i64::from(APPLICATION) && (application != 0 || tables != 0) {
        return Err(CountersError::Foreign);
    }
    let found = number(connection, "PRAGMA user_version")?;
    if found > known || found < 0 {
        return Err(CountersError::Newer { found, known });
    }
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Err(CountersError::Damaged);
    }

    let _mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.query_row(&format!("PRAGMA max_page_count = {MOST_PAGES}"), [], |_| Ok(()))?;
    // A thread of its own does this, so that no call waits for the disk; should it be stuck, calls do from 40
    // MiB on.
    connection.query_row("PRAGMA wal_autocheckpoint = 10000", [], |_| Ok(()))?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(32);

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let found = number(&transaction, "PRAGMA user_version")?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for migration in migrations.get(done..).unwrap_or_default() {
        transaction.execute_batch(migration)?;
    }
    if found < known {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", known)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Waits for another process: shortly at first, for two seconds in all.
fn wait(times: i32) -> bool {
    std::thread::sleep(Duration::from_micros(if times < 100 { 50 } else { 1_000 }));
    times < 2_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brings_an_older_format_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counters.db");
        private(&path).unwrap();
        let first = &MIGRATIONS[..1];
        prepare(&mut connect(&path).unwrap(), first).unwrap();
        let connection = connect(&path).unwrap();
        connection.execute("INSERT INTO counters VALUES ('k', x'', 7)", []).unwrap();
        let both = [first[0], "ALTER TABLE counters ADD COLUMN note TEXT"];
        for _ in 0..2 {
            prepare(&mut connect(&path).unwrap(), &both).unwrap();
        }
        let (until, note): (i64, Option<String>) = connection
            .query_row("SELECT until, note FROM counters", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!((until, note), (7, None));
        let newer = prepare(&mut connect(&path).unwrap(), first).unwrap_err();
        assert!(matches!(newer, CountersError::Newer { found: 2, known: 1 }), "{newer}");
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counters.db");
        private(&path).unwrap();
        prepare(&mut connect(&path).unwrap(), MIGRATIONS).unwrap();
        let broken = [MIGRATIONS[0], "CREATE TABLE other (a TEXT); CREATE TABLE counters (b TEXT)"];
        assert!(prepare(&mut connect(&path).unwrap(), &broken).is_err());
        prepare(&mut connect(&path).unwrap(), MIGRATIONS).unwrap();
        assert!(connect(&path).unwrap().execute("INSERT INTO other VALUES ('x')", []).is_err());
    }
}

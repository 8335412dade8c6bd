//! What people decided that no other file of the state folder remembers, and how far each log of records has come.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::file::{Format, Writes};
use crate::state::{Database, StateError, check_name, cut, signed, unsigned};

/// Most decisions that are kept.
const KEPT: i64 = 10_000;
/// Most bytes of a reason that are kept.
const TEXT: usize = 4_096;

const FORMAT: Format = Format {
    application: 0x4c6b_4a31,
    pages: 16_384,
    writes: Writes::AtOnce,
    migrations: &["
        CREATE TABLE decisions (
            id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, what TEXT NOT NULL, about TEXT,
            by TEXT NOT NULL, why TEXT, at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE recorded (
            log TEXT NOT NULL, source TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (log, source)
        ) STRICT;
    "],
};

/// What people decided that no other file of the state folder remembers, and how far each log of records has come in what they
/// decide: one file, `journal.db`, that gateways and command lines share. So every decision is in every log once, whichever
/// gateway writes it down, also one that was made while none ran.
pub struct Journal(Database);

/// Something that a person decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What it is about: `destination`, `incident`, `token`.
    pub topic: String,
    /// What was done: `forgotten`, `opened`, `closed` ….
    pub what: String,
    /// Which one, by its id or its digest.
    pub about: Option<String>,
    /// Who.
    pub by: String,
    /// Why, in their words. Kept up to 4 KiB.
    pub why: Option<String>,
    /// When. Milliseconds since 1970.
    pub at: u64,
}

impl Journal {
    /// The name of the file in the folder.
    pub const FILE: &'static str = "journal.db";

    /// Opens the file in a folder, and makes both where they are missing, for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        Database::open(folder, Self::FILE, &FORMAT).map(Self)
    }

    /// One that ends with the process.
    pub fn in_memory() -> Result<Self, StateError> {
        Database::in_memory(&FORMAT).map(Self)
    }

    /// Remembers a decision: the newest 10 000 are.
    pub fn note(&self, one: &Decision) -> Result<(), StateError> {
        check_name("the topic", &one.topic)?;
        check_name("what was done", &one.what)?;
        check_name("who decides", &one.by)?;
        let why = one.why.as_ref().map(|why| cut(why, TEXT));
        self.0.write(|at| {
            at.execute(
                "INSERT INTO decisions (topic, what, about, by, why, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![one.topic, one.what, one.about, one.by, why, signed(one.at)],
            )?;
            at.execute("DELETE FROM decisions WHERE id <= ?1", [at.last_insert_rowid() - KEPT])?;
            Ok(())
        })
    }

    /// What was remembered since this was last asked for a log, oldest first. The first time, all of it or nothing.
    pub fn news(&self, log: &str, all: bool) -> Result<Vec<Decision>, StateError> {
        self.0.write(|at| {
            advance(at, log, "journal", all, |since| {
                let mut select = at.prepare_cached(
                    "SELECT id, topic, what, about, by, why, at FROM decisions WHERE id > ?1 ORDER BY id",
                )?;
                let rows = select.query_map([signed(since)], |row| {
                    let (topic, what, about) = (row.get(1)?, row.get(2)?, row.get(3)?);
                    let (by, why, at) = (row.get(4)?, row.get(5)?, unsigned(row.get(6)?));
                    Ok((unsigned(row.get(0)?), Decision { topic, what, about, by, why, at }))
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
        })
    }

    /// The same of what another file remembers. `after` gives what is newer than a number there, each with its own, oldest
    /// first. Nobody else is given the same for the log.
    pub fn news_of<T>(
        &self,
        log: &str,
        source: &str,
        all: bool,
        after: impl FnOnce(u64) -> Result<Vec<(u64, T)>, StateError>,
    ) -> Result<Vec<T>, StateError> {
        self.0.write(|at| advance(at, log, source, all, after))
    }

    /// Another number whenever another process or thread has changed anything. Takes microseconds.
    pub fn version(&self) -> Result<u64, StateError> {
        self.0.version()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}

fn advance<T>(
    at: &Transaction<'_>,
    log: &str,
    source: &str,
    all: bool,
    after: impl FnOnce(u64) -> Result<Vec<(u64, T)>, StateError>,
) -> Result<Vec<T>, StateError> {
    let since: Option<i64> = at
        .prepare_cached("SELECT last FROM recorded WHERE log = ?1 AND source = ?2")?
        .query_row([log, source], |row| row.get(0))
        .optional()?;
    let news = after(unsigned(since.unwrap_or_default()))?;
    let last = news.last().map_or_else(|| unsigned(since.unwrap_or_default()), |(number, _)| *number);
    if since != Some(signed(last)) {
        at.prepare_cached("INSERT OR REPLACE INTO recorded (log, source, last) VALUES (?1, ?2, ?3)")?
            .execute(params![log, source, signed(last)])?;
    }
    Ok(if all || since.is_some() { news.into_iter().map(|(_, one)| one).collect() } else { Vec::new() })
}

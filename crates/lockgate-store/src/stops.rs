//! What operators have stopped.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use rusqlite::{OptionalExtension, Row, params};

use crate::file::{Format, Writes};
use crate::state::{Database, StateError, check_name, cut, signed, unsigned};

/// Most stops in force, beside the one of everything and safe mode: those are always taken in.
const MOST: u32 = 1_000;
/// Most past stops and resumptions that are kept.
const HISTORY: u32 = 10_000;
/// Most bytes of a reason that are kept.
const TEXT: usize = 4_096;

const FORMAT: Format = Format {
    application: 0x4c6b_5331,
    pages: 16_384,
    writes: Writes::AtOnce,
    migrations: &["
        CREATE TABLE stops (
            kind TEXT NOT NULL, name TEXT NOT NULL, tool TEXT NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL,
            since INTEGER NOT NULL, PRIMARY KEY (kind, name, tool)
        ) STRICT;
        CREATE TABLE history (
            id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, tool TEXT NOT NULL,
            by TEXT NOT NULL, why TEXT, at INTEGER NOT NULL
        ) STRICT;
    "],
};

/// What operators have stopped: one file, `stops.db`, that gateways and command lines share. It outlives them
/// all: what is stopped stays so until somebody resumes it.
///
/// Every change is on the disk before a method returns. A file that cannot be read is an error, never an empty
/// list: whoever cannot read it must take everything as stopped.
pub struct Stops(Database);

/// What is stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// All calls.
    Everything,
    /// All calls to a server.
    Server(String),
    /// All calls to a tool of a server.
    Tool(String, String),
    /// All calls of a principal.
    Principal(String),
    /// All calls of a session.
    Session(String),
    /// All calls that do anything but read.
    SafeMode,
}

/// A stop in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What is stopped.
    pub target: Target,
    /// Who stopped it.
    pub by: String,
    /// Why. Kept up to 4 KiB.
    pub why: String,
    /// When. Milliseconds since 1970.
    pub since: u64,
}

/// What happened to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was stopped or resumed.
    pub target: Target,
    /// Who did it.
    pub by: String,
    /// Why it was stopped; `None` where it was resumed.
    pub why: Option<String>,
    /// When. Milliseconds since 1970.
    pub at: u64,
}

impl Stops {
    /// Who stops where an alert's rule says so and no person has. A person who stops the same takes it over.
    pub const BY_ALERT: &'static str = "an alert";
    /// The name of the file in the folder.
    pub const FILE: &'static str = "stops.db";

    /// Opens the file in a folder, and makes both where they are missing, for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        Database::open(folder, Self::FILE, &FORMAT).map(Self)
    }

    /// Stops that end with the process.
    pub fn in_memory() -> Result<Self, StateError> {
        Database::in_memory(&FORMAT).map(Self)
    }

    /// Stops a target. `now` is the wall clock in milliseconds since 1970. Says whether it was running, or was stopped
    /// [by an alert](Self::BY_ALERT) only: what a person has stopped stays as it was.
    pub fn stop(&self, target: &Target, by: &str, why: &str, now: u64) -> Result<bool, StateError> {
        let (kind, name, tool) = target.check()?;
        check_name("who stops", by)?;
        let why = cut(why, TEXT);
        self.0.write(|at| {
            let known: Option<String> = at
                .query_row(
                    "SELECT by FROM stops WHERE kind = ?1 AND name = ?2 AND tool = ?3",
                    [kind, name, tool],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(known) = known {
                if known != Self::BY_ALERT || by == Self::BY_ALERT {
                    return Ok(false);
                }
                at.execute(
                    "DELETE FROM stops WHERE kind = ?1 AND name = ?2 AND tool = ?3",
                    [kind, name, tool],
                )?;
            }
            let count: u32 =
                at.query_row("SELECT count(*) FROM stops WHERE name <> ''", [], |row| row.get(0))?;
            if !name.is_empty() && count >= MOST {
                return Err(StateError::TooManyStops);
            }
            at.execute(
                "INSERT INTO stops (kind, name, tool, by, why, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![kind, name, tool, by, why, signed(now)],
            )?;
            remember(at, target, by, Some(&why), now)?;
            Ok(true)
        })
    }

    /// Lets a target run again. Says whether it was stopped by itself; something wider may still stop it.
    pub fn resume(&self, target: &Target, by: &str, now: u64) -> Result<bool, StateError> {
        let (kind, name, tool) = target.check()?;
        check_name("who resumes", by)?;
        self.0.write(|at| {
            let gone = at.execute(
                "DELETE FROM stops WHERE kind = ?1 AND name = ?2 AND tool = ?3",
                [kind, name, tool],
            )?;
            if gone > 0 {
                remember(at, target, by, None, now)?;
            }
            Ok(gone > 0)
        })
    }

    /// All stops in force, oldest first.
    pub fn list(&self) -> Result<Vec<Stop>, StateError> {
        self.0.read(|at| {
            let mut select =
                at.prepare_cached("SELECT kind, name, tool, by, why, since FROM stops ORDER BY rowid")?;
            let rows = select.query_map([], |row| {
                let (by, why, since) = (row.get(3)?, row.get(4)?, unsigned(row.get(5)?));
                Ok(Target::of(row)?.map(|target| Stop { target, by, why, since }))
            })?;
            rows.map(|stop| stop?.ok_or(StateError::Damaged)).collect()
        })
    }

    /// What was stopped and resumed, oldest first: the newest 10 000.
    pub fn history(&self) -> Result<Vec<Change>, StateError> {
        Ok(self.history_after(0)?.into_iter().map(|(_, change)| change).collect())
    }

    /// The same since the change of this number, each with its own. Numbers only grow, from 1.
    pub fn history_after(&self, number: u64) -> Result<Vec<(u64, Change)>, StateError> {
        self.0.read(|at| {
            let mut select = at.prepare_cached(
                "SELECT kind, name, tool, by, why, at, id FROM history WHERE id > ?1 ORDER BY id",
            )?;
            let rows = select.query_map([signed(number)], |row| {
                let (by, why, at) = (row.get(3)?, row.get(4)?, unsigned(row.get(5)?));
                let change = Target::of(row)?.map(|target| Change { target, by, why, at });
                Ok((unsigned(row.get(6)?), change))
            })?;
            rows.map(|row| {
                let (number, change) = row?;
                Ok((number, change.ok_or(StateError::Damaged)?))
            })
            .collect()
        })
    }

    /// Another number whenever another process or thread has changed anything. Takes microseconds.
    pub fn version(&self) -> Result<u64, StateError> {
        self.0.version()
    }
}

impl fmt::Debug for Stops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stops").finish_non_exhaustive()
    }
}

impl Target {
    /// As it is written: kind, name, tool. Names are empty where there are none, and only there.
    fn check(&self) -> Result<(&'static str, &str, &str), StateError> {
        let written = match self {
            Self::Everything => ("everything", "", ""),
            Self::SafeMode => ("safe_mode", "", ""),
            Self::Server(server) => ("server", server.as_str(), ""),
            Self::Tool(server, tool) => {
                check_name("the tool", tool)?;
                ("tool", server.as_str(), tool.as_str())
            }
            Self::Principal(principal) => ("principal", principal.as_str(), ""),
            Self::Session(session) => ("session", session.as_str(), ""),
        };
        match self {
            Self::Everything | Self::SafeMode => {}
            Self::Server(name) | Self::Tool(name, _) => check_name("the server", name)?,
            Self::Principal(name) => check_name("the principal", name)?,
            Self::Session(name) => check_name("the session", name)?,
        }
        Ok(written)
    }

    /// As it was written; `None` for what makes no sense.
    fn of(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(match kind.as_str() {
            "everything" => Some(Self::Everything),
            "safe_mode" => Some(Self::SafeMode),
            "server" => Some(Self::Server(name)),
            "tool" => Some(Self::Tool(name, row.get(2)?)),
            "principal" => Some(Self::Principal(name)),
            "session" => Some(Self::Session(name)),
            _ => None,
        })
    }
}

fn remember(
    at: &rusqlite::Transaction<'_>,
    target: &Target,
    by: &str,
    why: Option<&str>,
    now: u64,
) -> Result<(), StateError> {
    let (kind, name, tool) = target.check()?;
    at.execute(
        "INSERT INTO history (kind, name, tool, by, why, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![kind, name, tool, by, why, signed(now)],
    )?;
    at.execute("DELETE FROM history WHERE id <= ?1", [at.last_insert_rowid() - i64::from(HISTORY)])?;
    Ok(())
}

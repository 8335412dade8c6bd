//! The values that people have approved for later sessions as well.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use rusqlite::params;

use crate::file::{Format, Writes};
use crate::state::{Database, StateError, check_name, signed, unsigned};

/// Most values that are kept. Then the one that was learned longest ago is forgotten.
const MOST: i64 = 10_000;

const FORMAT: Format = Format {
    application: 0x4c6b_4431,
    pages: 16_384,
    writes: Writes::AtOnce,
    migrations: &["
        CREATE TABLE destinations (
            principal TEXT NOT NULL, value TEXT NOT NULL, server TEXT NOT NULL, tool TEXT NOT NULL,
            argument TEXT NOT NULL, learned INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (principal, value)
        ) STRICT;
        CREATE INDEX destinations_learned ON destinations (learned);
    "],
};

/// The values that people have approved for later sessions as well: one file, `destinations.db`, that gateways and command
/// lines share. Each is for one principal alone, and until a time.
///
/// A file that cannot be read is an error, never repaired: whoever cannot read it knows no value.
pub struct Destinations(Database);

/// A value, and the call it was approved in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Whose sessions may use it.
    pub principal: String,
    /// The value, as it stood in the call. At most [`Destination::LONGEST`] bytes.
    pub value: String,
    /// The server that was called.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// The JSON pointer of the argument.
    pub argument: String,
    /// When it was approved last. Milliseconds since 1970.
    pub learned: u64,
    /// From when on it does not count any more. Milliseconds since 1970.
    pub until: u64,
}

impl Destination {
    /// Most bytes of a value that is learned.
    pub const LONGEST: usize = 1_024;
}

impl Destinations {
    /// The name of the file in the folder.
    pub const FILE: &'static str = "destinations.db";

    /// Opens the file in a folder, and makes both where they are missing, for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        Database::open(folder, Self::FILE, &FORMAT).map(Self)
    }

    /// Keeps a value. One that the principal has already counts anew, as of this call. A value that is empty, too long or
    /// holds control characters is an error.
    pub fn learn(&self, one: &Destination) -> Result<(), StateError> {
        check_name("the value", &one.value)?;
        check_name("the principal", &one.principal)?;
        self.0.write(|at| {
            at.prepare_cached(
                "INSERT OR REPLACE INTO destinations (principal, value, server, tool, argument, learned, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                one.principal,
                one.value,
                one.server,
                one.tool,
                one.argument,
                signed(one.learned),
                signed(one.until),
            ])?;
            at.prepare_cached(
                "DELETE FROM destinations WHERE rowid IN
                 (SELECT rowid FROM destinations ORDER BY learned DESC, rowid DESC LIMIT -1 OFFSET ?1)",
            )?
            .execute([MOST])?;
            Ok(())
        })
    }

    /// What counts for a principal now, the one learned first first. `now` is the wall clock in milliseconds since 1970.
    pub fn of(&self, principal: &str, now: u64) -> Result<Vec<Destination>, StateError> {
        self.select(Some(principal), now)
    }

    /// All that counts now, the one learned first first.
    pub fn list(&self, now: u64) -> Result<Vec<Destination>, StateError> {
        self.select(None, now)
    }

    /// Forgets a value, of every principal; all values where none is named. Says how many it were, those that do not count
    /// any more among them.
    pub fn forget(&self, value: Option<&str>) -> Result<usize, StateError> {
        let delete = "DELETE FROM destinations WHERE ?1 IS NULL OR value = ?1";
        self.0.write(|at| Ok(at.execute(delete, [value])?))
    }

    fn select(&self, principal: Option<&str>, now: u64) -> Result<Vec<Destination>, StateError> {
        self.0.read(|at| {
            let mut select = at.prepare_cached(
                "SELECT principal, value, server, tool, argument, learned, until FROM destinations
                 WHERE until > ?1 AND (?2 IS NULL OR principal = ?2) ORDER BY learned, rowid",
            )?;
            let rows = select.query_map(params![signed(now), principal], |row| {
                Ok(Destination {
                    principal: row.get(0)?,
                    value: row.get(1)?,
                    server: row.get(2)?,
                    tool: row.get(3)?,
                    argument: row.get(4)?,
                    learned: unsigned(row.get(5)?),
                    until: unsigned(row.get(6)?),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

impl fmt::Debug for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destinations").finish_non_exhaustive()
    }
}

//! What tokens of personal data stand for, sealed.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use rusqlite::params;

use crate::file::{Format, Writes};
use crate::state::{Database, StateError, check_name, signed, unsigned};

/// Most tokens of one principal that are kept. Then the one that was kept longest ago is forgotten.
const MOST_OF_ONE: i64 = 1_000;
/// Most tokens that are kept of all. Then the one that was kept longest ago is forgotten.
const MOST: i64 = 100_000;
/// Longest seal, in bytes.
const LONGEST: usize = 32 << 10;

const FORMAT: Format = Format {
    application: 0x4c6b_5631,
    pages: 65_536,
    writes: Writes::AtOnce,
    migrations: &["
        CREATE TABLE tokens (
            handle TEXT NOT NULL, principal TEXT NOT NULL, server TEXT NOT NULL, sealed TEXT NOT NULL,
            kept INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (principal, handle)
        ) STRICT;
        CREATE INDEX tokens_kept ON tokens (kept);
        CREATE INDEX tokens_until ON tokens (until);
    "],
};

/// What tokens of personal data stand for: one file, `vault.db`, that gateways and command lines share. The data in it is sealed
/// with the key of the state folder, which this crate does not know. Each token is for one principal alone, and until a time; what is
/// over is removed with the next write.
///
/// A file that cannot be read is an error, never repaired: whoever cannot read it knows no token.
pub struct Vault(Database);

/// A token that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What the agent was shown.
    pub handle: String,
    /// Whose sessions know it.
    pub principal: String,
    /// The server that gave the data.
    pub server: String,
    /// The data, sealed.
    pub sealed: String,
    /// When it was kept last. Milliseconds since 1970.
    pub kept: u64,
    /// From when on it is forgotten. Milliseconds since 1970.
    pub until: u64,
}

impl Vault {
    /// The name of the file in the folder.
    pub const FILE: &'static str = "vault.db";

    /// Opens the file in a folder, and makes both where they are missing, for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        Database::open(folder, Self::FILE, &FORMAT).map(Self)
    }

    /// Keeps tokens. One that the principal has already is kept anew.
    pub fn keep(&self, tokens: &[Kept]) -> Result<(), StateError> {
        for token in tokens {
            check_name("the token", &token.handle)?;
            check_name("the principal", &token.principal)?;
            if token.sealed.len() > LONGEST {
                return Err(StateError::Name { what: "the seal" });
            }
        }
        self.0.write(|at| {
            for token in tokens {
                at.prepare_cached(
                    "INSERT OR REPLACE INTO tokens (handle, principal, server, sealed, kept, until)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    token.handle,
                    token.principal,
                    token.server,
                    token.sealed,
                    signed(token.kept),
                    signed(token.until),
                ])?;
            }
            let now = tokens.iter().map(|token| token.kept).max().unwrap_or_default();
            at.execute("DELETE FROM tokens WHERE until <= ?1", [signed(now)])?;
            let principals: BTreeSet<&str> = tokens.iter().map(|token| token.principal.as_str()).collect();
            for principal in principals {
                at.prepare_cached(
                    "DELETE FROM tokens WHERE rowid IN
                     (SELECT rowid FROM tokens WHERE principal = ?1 ORDER BY kept DESC, rowid DESC LIMIT -1 OFFSET ?2)",
                )?
                .execute(params![principal, MOST_OF_ONE])?;
            }
            at.prepare_cached(
                "DELETE FROM tokens WHERE rowid IN
                 (SELECT rowid FROM tokens ORDER BY kept DESC, rowid DESC LIMIT -1 OFFSET ?1)",
            )?
            .execute([MOST])?;
            Ok(())
        })
    }

    /// What counts for a principal now, the one kept first first. `now` is the wall clock in milliseconds since 1970.
    pub fn of(&self, principal: &str, now: u64) -> Result<Vec<Kept>, StateError> {
        self.select(Some(principal), now)
    }

    /// All that counts now, the one kept first first.
    pub fn list(&self, now: u64) -> Result<Vec<Kept>, StateError> {
        self.select(None, now)
    }

    /// Forgets a token, of every principal; all of a principal, or all, where none is named. Says how many it were.
    pub fn forget(&self, handle: Option<&str>, principal: Option<&str>) -> Result<usize, StateError> {
        let delete =
            "DELETE FROM tokens WHERE (?1 IS NULL OR handle = ?1) AND (?2 IS NULL OR principal = ?2)";
        self.0.write(|at| Ok(at.execute(delete, params![handle, principal])?))
    }

    fn select(&self, principal: Option<&str>, now: u64) -> Result<Vec<Kept>, StateError> {
        self.0.read(|at| {
            let mut select = at.prepare_cached(
                "SELECT handle, principal, server, sealed, kept, until FROM tokens
                 WHERE until > ?1 AND (?2 IS NULL OR principal = ?2) ORDER BY kept, rowid",
            )?;
            let rows = select.query_map(params![signed(now), principal], |row| {
                Ok(Kept {
                    handle: row.get(0)?,
                    principal: row.get(1)?,
                    server: row.get(2)?,
                    sealed: row.get(3)?,
                    kept: unsigned(row.get(4)?),
                    until: unsigned(row.get(5)?),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

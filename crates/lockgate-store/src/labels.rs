//! What open sessions have read, for those that come after them.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use lockgate_model::{Confidentiality, Integrity, Label, Secrecy, ServerName};
use rusqlite::{Row, Transaction, params};

use crate::file::{Format, Writes};
use crate::state::{Database, StateError, check_name, signed, unsigned};

/// Most sessions that are kept. Then the one that was written longest ago is forgotten.
const MOST: i64 = 10_000;
/// Between the members of a set. No name of a server or a compartment is written with it.
const BETWEEN: char = '\u{1f}';

const FORMAT: Format = Format {
    application: 0x4c6b_4c31,
    pages: 16_384,
    writes: Writes::AtOnce,
    migrations: &["
        CREATE TABLE labels (
            session TEXT PRIMARY KEY, gateway TEXT NOT NULL, principal TEXT NOT NULL, agent TEXT NOT NULL,
            integrity TEXT NOT NULL, level TEXT NOT NULL, compartments TEXT NOT NULL, origins TEXT NOT NULL,
            updated INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX labels_gateway ON labels (gateway);
        CREATE INDEX labels_updated ON labels (updated);
    "],
};

/// What open sessions have read: one file, `sessions.db`, that gateways share. A gateway that ends leaves the labels of
/// the sessions that were open; the agent may still have in its context what they have read, and comes back.
///
/// Which gateways run is told by locks that the system takes back when a process ends, however it ends: files in the
/// folder `gateways`.
pub struct Labels {
    database: Database,
    folder: PathBuf,
    own: String,
    _running: File,
}

/// A session and what it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Its name.
    pub session: String,
    /// Who the agent acts for.
    pub principal: String,
    /// What the agent is known by: its context, or its program's name.
    pub agent: String,
    /// What it has read.
    pub label: Label,
}

impl Labels {
    /// The name of the file in the folder.
    pub const FILE: &'static str = "sessions.db";

    /// Opens the file in a folder, and makes both where they are missing, for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let database = Database::open(folder, Self::FILE, &FORMAT)?;
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|_| StateError::NoRandomness)?;
        let own = format!("{:016x}", u64::from_ne_bytes(bytes));
        let folder = folder.join("gateways");
        // Alone among processes: who sweeps must not take a file away that is about to be locked.
        let running = database.write(|_| {
            fs::create_dir_all(&folder)?;
            let running = OpenOptions::new().write(true).create_new(true).open(folder.join(&own))?;
            running.lock()?;
            Ok(running)
        })?;
        Ok(Self { database, folder, own, _running: running })
    }

    /// Keeps what these sessions have read by now. `now` is the wall clock in milliseconds since 1970.
    pub fn keep(&self, sessions: &[Labelled], now: u64) -> Result<(), StateError> {
        self.database.write(|at| {
            for one in sessions {
                check_name("the session", &one.session)?;
                let secrecy = one.label.secrecy();
                at.prepare_cached(
                    "INSERT OR REPLACE INTO labels
                     (session, gateway, principal, agent, integrity, level, compartments, origins, updated)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    one.session,
                    self.own,
                    one.principal,
                    one.agent,
                    one.label.integrity().word(),
                    secrecy.level.word(),
                    together(secrecy.compartments.iter().map(String::as_str)),
                    together(one.label.origins().map(ServerName::as_str)),
                    signed(now),
                ])?;
            }
            at.prepare_cached(
                "DELETE FROM labels WHERE session IN
                 (SELECT session FROM labels ORDER BY updated DESC, rowid DESC LIMIT -1 OFFSET ?1)",
            )?
            .execute([MOST])?;
            Ok(())
        })
    }

    /// How many sessions are kept, open ones and others.
    pub fn count(&self) -> Result<u64, StateError> {
        self.database
            .read(|at| Ok(unsigned(at.query_row("SELECT count(*) FROM labels", [], |row| row.get(0))?)))
    }

    /// These sessions have ended as their agents wanted: nothing is left of them.
    pub fn end(&self, sessions: &[String]) -> Result<(), StateError> {
        self.database.write(|at| {
            for session in sessions {
                at.prepare_cached("DELETE FROM labels WHERE session = ?1")?.execute([session])?;
            }
            Ok(())
        })
    }

    /// The sessions that were open when their gateways ended, unless that is longer ago than `ttl` milliseconds: those are
    /// forgotten.
    pub fn left(&self, ttl: u64, now: u64) -> Result<Vec<Labelled>, StateError> {
        self.database.write(|at| {
            let gateways: Vec<String> = at
                .prepare_cached("SELECT DISTINCT gateway FROM labels WHERE gateway <> ''")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for gateway in gateways.iter().filter(|gateway| !self.runs(gateway)) {
                at.execute("UPDATE labels SET gateway = '' WHERE gateway = ?1", [gateway])?;
            }
            self.sweep();
            at.execute(
                "DELETE FROM labels WHERE gateway = '' AND updated < ?1",
                [signed(now.saturating_sub(ttl))],
            )?;
            select(at, "gateway = ''")
        })
    }

    /// All sessions in the folder, those that are open among them, the one written first first. Changes nothing, and makes no file.
    pub fn read(folder: &Path) -> Result<Vec<Labelled>, StateError> {
        if !folder.join(Self::FILE).exists() {
            return Ok(Vec::new());
        }
        Database::open(folder, Self::FILE, &FORMAT)?.read(|at| select(at, "gateway IS NOT NULL"))
    }

    /// Does the gateway still run?
    fn runs(&self, gateway: &str) -> bool {
        // What cannot be told apart from a gateway that has ended is taken for one: its agents are not clean.
        gateway == self.own
            || File::open(self.folder.join(gateway))
                .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Removes the files of gateways that have ended.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| !self.runs(name)) {
                // One that stays is swept another time.
                let _removed = fs::remove_file(entry.path());
            }
        }
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Labels").field("own", &self.own).finish_non_exhaustive()
    }
}

fn select(at: &Transaction<'_>, which: &'static str) -> Result<Vec<Labelled>, StateError> {
    let mut select = at.prepare_cached(&format!(
        "SELECT session, principal, agent, integrity, level, compartments, origins FROM labels WHERE {which}
         ORDER BY updated, rowid"
    ))?;
    let rows = select.query_map([], |row| {
        let label = label(row)?;
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, label))
    })?;
    rows.map(|row| {
        let (session, principal, agent, label) = row?;
        Ok(Labelled { session, principal, agent, label: label.ok_or(StateError::Damaged)? })
    })
    .collect()
}

/// A label as it was written; `None` for what makes no sense.
fn label(row: &Row<'_>) -> rusqlite::Result<Option<Label>> {
    let text = |column| row.get::<_, String>(column);
    let (integrity, level, compartments, origins) = (text(3)?, text(4)?, text(5)?, text(6)?);
    let integrity = Integrity::ALL.into_iter().find(|known| known.word() == integrity);
    let level = Confidentiality::ALL.into_iter().find(|known| known.word() == level);
    let origins: Option<Vec<ServerName>> = apart(&origins).map(ServerName::parse).collect();
    Ok(integrity.zip(level).zip(origins).map(|((integrity, level), origins)| {
        let secrecy = Secrecy { level, compartments: apart(&compartments).map(str::to_owned).collect() };
        let mut label = Label::clean();
        for origin in &origins {
            label.absorb(origin, integrity, &secrecy);
        }
        label
    }))
}

fn together<'t>(members: impl Iterator<Item = &'t str>) -> String {
    members.collect::<Vec<_>>().join(&BETWEEN.to_string())
}

fn apart(text: &str) -> impl Iterator<Item = &str> {
    text.split(BETWEEN).filter(|member| !member.is_empty())
}

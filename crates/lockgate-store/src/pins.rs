//! What definitions of servers are approved, wait for people, or were refused by them.

mod decide;
mod entry;
mod read;
mod row;
#[cfg(test)]
mod tests;

pub use entry::{
    Answer, Basis, Cause, Entry, Event, Filter, Imported, Key, Known, Locked, Pinned, Seen, Sighted, State,
    Trust, Vote, What,
};
pub use lockgate_model::DefinitionKind as Kind;

use std::fmt;
use std::path::Path;

use crate::file::{Format, Writes};
use crate::state::{Database, StateError, check_name, cut};

/// Most definitions of one server that are kept for a tenant: approved, waiting and refused together.
const MOST: u32 = 20_000;
/// Most digests of one definition that wait. Beyond, the one that was seen longest ago is forgotten, and of
/// those that nobody has said yes to.
const MOST_WAITING: u32 = 8;
/// Most bytes of one definition that are kept.
const DEFINITION: usize = 256 * 1_024;
/// Most bytes of all definitions of one server that are kept for a tenant. Of what comes beyond, there is the digest.
const DEFINITIONS: u64 = 32 * 1_024 * 1_024;
/// How long a definition waits that is not seen any more. Milliseconds: 30 days.
const LONGEST_WAIT: u64 = 30 * DAY;
/// Seen again within this time, it is not counted again. Milliseconds: a minute, and a day for what is approved.
const AGAIN: u64 = 60_000;
const DAY: u64 = 86_400_000;
/// Most events of one server that are kept for a tenant.
const HISTORY: u32 = 1_000;
/// Most bytes of a reason that are kept.
const TEXT: usize = 4_096;

const FORMAT: Format = Format {
    application: 0x4c6b_5031,
    pages: 262_144,
    writes: Writes::AtOnce,
    migrations: &["
        CREATE TABLE pins (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, server TEXT NOT NULL,
            kind TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, nameless TEXT,
            state TEXT NOT NULL CHECK (state IN ('approved', 'waiting', 'refused')), basis TEXT, by TEXT,
            since INTEGER NOT NULL, cause TEXT NOT NULL, former TEXT, why TEXT NOT NULL, need INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
            UNIQUE (tenant, server, kind, name, digest)
        ) STRICT;
        CREATE UNIQUE INDEX pins_in_force ON pins (tenant, server, kind, name) WHERE state = 'approved';
        CREATE INDEX pins_known ON pins (tenant, state, server, kind, name, digest, nameless);
        CREATE INDEX pins_waiting ON pins (last) WHERE state = 'waiting';
        CREATE TABLE definitions (
            pin INTEGER PRIMARY KEY REFERENCES pins (number) ON DELETE CASCADE, text TEXT NOT NULL
        ) STRICT;
        CREATE TABLE votes (
            id INTEGER PRIMARY KEY, pin INTEGER NOT NULL REFERENCES pins (number) ON DELETE CASCADE,
            voice TEXT NOT NULL, approver TEXT NOT NULL, why TEXT, at INTEGER NOT NULL, UNIQUE (pin, voice)
        ) STRICT;
        CREATE TABLE history (
            id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, server TEXT NOT NULL, kind TEXT NOT NULL,
            name TEXT NOT NULL, digest TEXT NOT NULL, replaced TEXT, what TEXT NOT NULL, by TEXT, why TEXT,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX history_server ON history (tenant, server, id);
        CREATE TABLE revision (number INTEGER NOT NULL) STRICT;
        INSERT INTO revision VALUES (1);
    "],
};

/// What definitions of servers are approved, wait for people, or were refused by them: one file, `pins.db`, that
/// gateways and command lines share.
///
/// * Of a definition, one digest is in force at most; approving another replaces it.
/// * A definition that comes first is in force only where the caller trusts it and nobody else was asked about it
///   before. What waits for people, and what they refused, stays so until people say otherwise.
/// * An id means one digest of one definition of one server, for good, and nobody can choose it: what was shown is
///   what is approved.
/// * Nobody counts twice. `local:ann`, `ann` and `Ann` are one voice.
/// * What is approved or refused for everybody (the tenant `""`) holds for every tenant that has no pin of its own.
/// * Of one server, 20 000 digests are kept at most, and 32 MiB of definitions; what a server fills, it fills for
///   itself.
///
/// Whoever can write to the file can approve anything: keep the folder to the user that runs the gateway. A file
/// that cannot be read is an error, never an empty list: that would be a first sight of everything.
///
/// Every change is on the disk before a method returns: some milliseconds. Waits up to two seconds for other
/// processes. The file grows to 1 GiB at most.
pub struct Pins(Database);

impl Pins {
    /// The name of the file in the folder.
    pub const FILE: &'static str = "pins.db";

    /// Opens the file in a folder, and makes both where they are missing, for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        Database::open(folder, Self::FILE, &FORMAT).map(Self)
    }

    /// Pins that end with the process.
    pub fn in_memory() -> Result<Self, StateError> {
        Database::in_memory(&FORMAT).map(Self)
    }

    /// Takes in what a server offers, and says of each how it stands now, in the same order. `now` is the wall clock
    /// in milliseconds since 1970. All of it in one transaction, which is only a reading one where nothing is new.
    pub fn sight(
        &self,
        tenant: &str,
        server: &str,
        seen: &[Seen],
        now: u64,
    ) -> Result<Vec<Sighted>, StateError> {
        check_tenant(tenant)?;
        check_name("the server", server)?;
        for seen in seen {
            check_digest(&seen.digest)?;
            seen.nameless.as_deref().map_or(Ok(()), check_digest)?;
        }
        let place = decide::Place { tenant, server, now };
        if let Some(known) = self.0.read(|at| decide::look(at, &place, seen))? {
            return Ok(known);
        }
        self.0.write(|at| decide::take_in(at, &place, seen))
    }

    /// All that is approved or refused for a tenant, in order of server, and the version it is of. 10 000 definitions take
    /// some milliseconds.
    pub fn known(&self, tenant: &str) -> Result<Known, StateError> {
        check_tenant(tenant)?;
        self.0.read(|at| read::known(at, tenant))
    }

    /// What there is, without definitions, of one tenant or of all: the newest last.
    pub fn list(&self, filter: Filter, tenant: Option<&str>) -> Result<Vec<Entry>, StateError> {
        self.0.read(|at| read::list(at, filter, tenant))
    }

    /// One entry with its definition; `None` where there is none with this id.
    pub fn show(&self, id: &str) -> Result<Option<Entry>, StateError> {
        self.0.read(|at| read::entry(at, id))
    }

    /// What is in force for a key, with its definition: the tenant's own, or else everybody's.
    pub fn in_force(&self, key: &Key) -> Result<Option<Entry>, StateError> {
        self.0.read(|at| {
            let same = row::same(at, key)?.into_iter().find(|same| same.state == State::Approved);
            same.map_or(Ok(None), |same| read::entry(at, &same.id))
        })
    }

    /// Counts a yes to a digest that waits or was refused, and puts it in force once enough have said so, in place of
    /// what was. The caller has made sure who says it.
    pub fn approve(&self, id: &str, by: &str, why: Option<&str>, now: u64) -> Result<Answer, StateError> {
        check_name("the approver", by)?;
        self.0.write(|at| {
            let Some((number, entry)) = read::brief(at, id)? else { return Ok(Answer::Unknown) };
            if entry.state == State::Approved {
                return Ok(Answer::AsBefore);
            }
            let have = row::vote(at, number, by, why, now)?;
            let (what, replaced, answer) = if have < entry.need {
                (What::Voted, None, Answer::Voted { have, need: entry.need })
            } else {
                let replaced = row::put_in_force(at, number, &entry.key, Basis::Person, Some(by), now)?;
                (What::Approved, replaced, Answer::Approved)
            };
            let Entry { key, digest, .. } = entry;
            let (by, why) = (Some(by.to_owned()), why.map(|why| cut(why, TEXT)));
            row::remember(at, &Event { key, digest, what, replaced, by, why, at: now })?;
            row::changed(at)?;
            Ok(answer)
        })
    }

    /// Refuses a digest, also one that is in force: then nothing is in force for that definition. One no is enough,
    /// and takes back every yes.
    pub fn reject(&self, id: &str, by: &str, why: Option<&str>, now: u64) -> Result<Answer, StateError> {
        check_name("who refuses", by)?;
        self.0.write(|at| {
            let Some((number, entry)) = read::brief(at, id)? else { return Ok(Answer::Unknown) };
            if entry.state == State::Refused {
                return Ok(Answer::AsBefore);
            }
            row::refuse(at, number, by, now)?;
            let Entry { key, digest, .. } = entry;
            let (by, why, what) = (Some(by.to_owned()), why.map(|why| cut(why, TEXT)), What::Refused);
            row::remember(at, &Event { key, digest, what, replaced: None, by, why, at: now })?;
            row::changed(at)?;
            Ok(Answer::Refused)
        })
    }

    /// Forgets all that is known of a server for a tenant, so that it is seen for the first time again. Says how many
    /// digests it were.
    pub fn forget(&self, tenant: &str, server: &str, by: &str, now: u64) -> Result<usize, StateError> {
        check_tenant(tenant)?;
        check_name("the server", server)?;
        check_name("who forgets", by)?;
        self.0.write(|at| {
            let gone = at.execute("DELETE FROM pins WHERE tenant = ?1 AND server = ?2", [tenant, server])?;
            if gone > 0 {
                let (tenant, server) = (tenant.to_owned(), server.to_owned());
                let key = Key { tenant, server, kind: Kind::Identity, name: String::new() };
                let (digest, what, by) = (String::new(), What::Forgotten, Some(by.to_owned()));
                row::remember(at, &Event { key, digest, what, replaced: None, by, why: None, at: now })?;
                row::changed(at)?;
            }
            Ok(gone)
        })
    }

    /// Puts in force what a lock file has, in place of what was. What people refused stays refused.
    pub fn import(&self, locked: &[Locked], by: &str, now: u64) -> Result<Imported, StateError> {
        check_name("who imports", by)?;
        for one in locked {
            check_tenant(&one.key.tenant)?;
            check_name("the server", &one.key.server)?;
            check_digest(&one.digest)?;
            one.nameless.as_deref().map_or(Ok(()), check_digest)?;
            if !one.key.is_fit() {
                return Err(StateError::Name { what: "the name of a definition" });
            }
        }
        self.0.write(|at| {
            let mut imported = Imported::default();
            for one in locked {
                match row::lock(at, one, by, now)? {
                    Some(State::Approved) => {}
                    Some(State::Refused) => imported.refused += 1,
                    Some(State::Waiting) | None => imported.changed += 1,
                }
            }
            if imported.changed > 0 {
                row::changed(at)?;
            }
            Ok(imported)
        })
    }

    /// What people have said, and whenever one digest took the place of another, oldest first: of each server the newest
    /// 1 000 events.
    pub fn history(&self) -> Result<Vec<Event>, StateError> {
        Ok(self.history_after(0)?.into_iter().map(|(_, event)| event).collect())
    }

    /// The same of what happened after the event with this number; each with its number, which grows and is never given twice.
    pub fn history_after(&self, number: u64) -> Result<Vec<(u64, Event)>, StateError> {
        self.0.read(|at| read::history(at, number))
    }

    /// Another number whenever something was approved, refused, forgotten or voted for, or something new waits; not
    /// where what is known was seen again. Takes some microseconds.
    pub fn version(&self) -> Result<u64, StateError> {
        self.0.read(read::revision)
    }
}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pins").finish_non_exhaustive()
    }
}

/// The tenant `""` is everybody.
fn check_tenant(tenant: &str) -> Result<(), StateError> {
    if tenant.is_empty() { Ok(()) } else { check_name("the tenant", tenant) }
}

fn check_digest(digest: &str) -> Result<(), StateError> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let good = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if good { Ok(()) } else { Err(StateError::Name { what: "the digest" }) }
}

//! Reads entries from the file.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Row, Transaction};

use super::{Basis, Cause, Entry, Event, Filter, Key, Kind, Known, Pinned, State, Vote, What};
use crate::state::{StateError, unsigned};

/// The columns that [`entry_of`] reads.
const COLUMNS: &str = "number, id, tenant, server, kind, name, digest, bytes, state, basis, by, since, cause, former, \
    why, need, first, last, count";

/// The tenant's own, and everybody's where it has none.
pub(super) fn known(at: &Transaction<'_>, tenant: &str) -> Result<Known, StateError> {
    let mut known = Known {
        version: revision(at)?,
        approved: standing(at, tenant, State::Approved)?,
        refused: standing(at, tenant, State::Refused)?,
    };
    if tenant.is_empty() {
        return Ok(known);
    }
    let mut others = standing(at, "", State::Approved)?;
    if !known.approved.is_empty() {
        let own: BTreeSet<_> = known.approved.iter().map(Pinned::of).collect();
        others.retain(|pinned| !own.contains(&pinned.of()));
    }
    known.approved.append(&mut others);
    known.approved.sort_unstable();
    known.refused.append(&mut standing(at, "", State::Refused)?);
    known.refused.sort_unstable();
    known.refused.dedup();
    Ok(known)
}

/// In order: of the index in the file, which needs no other table.
fn standing(at: &Transaction<'_>, tenant: &str, state: State) -> Result<Vec<Pinned>, StateError> {
    let mut select = at.prepare_cached(
        "SELECT server, kind, name, digest, nameless FROM pins WHERE tenant = ?1 AND state = ?2
         ORDER BY server, kind, name, digest",
    )?;
    let rows = select.query_map([tenant, state.word()], |row| {
        Ok(Pinned {
            server: row.get(0)?,
            kind: kind(row, 1)?,
            name: row.get(2)?,
            digest: row.get(3)?,
            nameless: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn list(
    at: &Transaction<'_>,
    filter: Filter,
    tenant: Option<&str>,
) -> Result<Vec<Entry>, StateError> {
    let of = match filter {
        Filter::Waiting => "state = 'waiting'",
        Filter::Refused => "state = 'refused'",
        Filter::All => "true",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM pins WHERE {of} AND (?1 IS NULL OR tenant = ?1) ORDER BY first, number"
    );
    let mut select = at.prepare_cached(&sql)?;
    let found = select.query_map([tenant], entry_of)?.collect::<rusqlite::Result<Vec<_>>>()?;
    found.into_iter().map(|(number, entry)| Ok(Entry { votes: votes(at, number)?, ..entry })).collect()
}

/// An entry with its votes, without its definition.
pub(super) fn brief(at: &Transaction<'_>, id: &str) -> Result<Option<(i64, Entry)>, StateError> {
    let sql = format!("SELECT {COLUMNS} FROM pins WHERE id = ?1");
    let found = at.prepare_cached(&sql)?.query_row([id], entry_of).optional()?;
    found.map(|(number, entry)| Ok((number, Entry { votes: votes(at, number)?, ..entry }))).transpose()
}

/// An entry with its votes and its definition.
pub(super) fn entry(at: &Transaction<'_>, id: &str) -> Result<Option<Entry>, StateError> {
    let Some((number, entry)) = brief(at, id)? else { return Ok(None) };
    let definition = at
        .prepare_cached("SELECT text FROM definitions WHERE pin = ?1")?
        .query_row([number], |row| row.get(0))
        .optional()?;
    Ok(Some(Entry { definition, ..entry }))
}

fn votes(at: &Transaction<'_>, number: i64) -> Result<Vec<Vote>, StateError> {
    let mut select = at.prepare_cached("SELECT approver, why, at FROM votes WHERE pin = ?1 ORDER BY id")?;
    let rows = select.query_map([number], |row| {
        Ok(Vote { by: row.get(0)?, why: row.get(1)?, at: unsigned(row.get(2)?) })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Each with its number, which grows and is never given twice.
pub(super) fn history(at: &Transaction<'_>, after: u64) -> Result<Vec<(u64, Event)>, StateError> {
    let mut select = at.prepare_cached(
        "SELECT tenant, server, kind, name, digest, replaced, what, by, why, at, id FROM history WHERE id > ?1
         ORDER BY id",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = select.query_map([after], |row| {
        let key = Key { tenant: row.get(0)?, server: row.get(1)?, kind: kind(row, 2)?, name: row.get(3)? };
        let what = What::parse(&row.get::<_, String>(6)?).ok_or_else(|| broken(6))?;
        let event = Event {
            key,
            digest: row.get(4)?,
            what,
            replaced: row.get(5)?,
            by: row.get(7)?,
            why: row.get(8)?,
            at: unsigned(row.get(9)?),
        };
        Ok((unsigned(row.get(10)?), event))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn revision(at: &Transaction<'_>) -> Result<u64, StateError> {
    Ok(unsigned(at.prepare_cached("SELECT number FROM revision")?.query_row([], |row| row.get(0))?))
}

fn entry_of(row: &Row<'_>) -> rusqlite::Result<(i64, Entry)> {
    let former: Option<String> = row.get(13)?;
    let cause = match row.get::<_, String>(12)?.as_str() {
        "first" => Cause::First,
        "added" => Cause::Added,
        "changed" => Cause::Changed,
        "renamed" => Cause::Renamed { from: former.unwrap_or_default() },
        _ => return Err(broken(12)),
    };
    let basis = row
        .get::<_, Option<String>>(9)?
        .map(|word| Basis::ALL.into_iter().find(|basis| basis.word() == word).ok_or_else(|| broken(9)));
    let entry = Entry {
        id: row.get(1)?,
        key: Key { tenant: row.get(2)?, server: row.get(3)?, kind: kind(row, 4)?, name: row.get(5)? },
        digest: row.get(6)?,
        definition: None,
        bytes: unsigned(row.get(7)?),
        state: state(row, 8)?,
        basis: basis.transpose()?,
        by: row.get(10)?,
        since: unsigned(row.get(11)?),
        cause,
        why: row.get::<_, String>(14)?.split_whitespace().map(str::to_owned).collect(),
        need: row.get(15)?,
        first: unsigned(row.get(16)?),
        last: unsigned(row.get(17)?),
        count: row.get(18)?,
        votes: Vec::new(),
    };
    Ok((row.get(0)?, entry))
}

fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    Kind::parse(row.get_ref(column)?.as_str()?).ok_or_else(|| broken(column))
}

pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    let word = row.get_ref(column)?.as_str()?;
    State::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| broken(column))
}

fn broken(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "word".to_owned(), rusqlite::types::Type::Text)
}

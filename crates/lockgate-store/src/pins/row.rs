//! Writes entries to the file.

use rusqlite::{Row, Transaction, params};

use super::read::state;
use super::{
    Basis, Cause, DEFINITION, DEFINITIONS, Event, HISTORY, Key, Locked, MOST, Seen, State, TEXT, Trust, What,
};
use crate::state::{StateError, cut, fresh, signed, unsigned, voice};

/// Most codes of a reason that are kept.
const CODES: usize = 32;

/// One digest among those of its definition.
pub(super) struct Same {
    pub(super) number: i64,
    pub(super) id: String,
    /// Is it the tenant's own, and not everybody's?
    pub(super) own: bool,
    pub(super) digest: String,
    pub(super) state: State,
    pub(super) last: u64,
    pub(super) need: u8,
}

/// All digests of a definition: those of the tenant, and everybody's.
pub(super) fn same(at: &Transaction<'_>, key: &Key) -> Result<Vec<Same>, StateError> {
    let mut select = at.prepare_cached(
        "SELECT number, id, tenant, digest, state, last, need FROM pins
         WHERE tenant IN (?1, '') AND server = ?2 AND kind = ?3 AND name = ?4 ORDER BY tenant DESC, number",
    )?;
    let rows = select.query_map([&key.tenant, &key.server, key.kind.word(), &key.name], |row| {
        Ok(Same {
            number: row.get(0)?,
            id: row.get(1)?,
            own: row.get::<_, String>(2)? == key.tenant,
            digest: row.get(3)?,
            state: state(row, 4)?,
            last: unsigned(row.get(5)?),
            need: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many digests a server has, and how many bytes of definitions.
pub(super) fn room(at: &Transaction<'_>, tenant: &str, server: &str) -> Result<(u32, u64), StateError> {
    let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM pins WHERE tenant = ?1 AND server = ?2";
    let row = |row: &Row<'_>| Ok((row.get(0)?, unsigned(row.get(1)?)));
    Ok(at.prepare_cached(sql)?.query_row([tenant, server], row)?)
}

/// An entry that is not there yet, as it waits. Says its number, its id, and how many bytes of the definition are kept
/// where `taken` are already.
pub(super) fn insert(
    at: &Transaction<'_>,
    key: &Key,
    seen: &Seen,
    cause: &Cause,
    taken: u64,
    now: u64,
) -> Result<(i64, String, u64), StateError> {
    let id = fresh::<8>("def_")?;
    let length = u64::try_from(seen.definition.len()).unwrap_or(u64::MAX);
    let kept = seen.definition.len() <= DEFINITION && taken.saturating_add(length) <= DEFINITIONS;
    let bytes = if kept { length } else { 0 };
    let former = match cause {
        Cause::Renamed { from } => Some(cut(from, Key::LONGEST)),
        Cause::First | Cause::Added | Cause::Changed => None,
    };
    at.prepare_cached(
        "INSERT INTO pins (id, tenant, server, kind, name, digest, bytes, state, since, cause, former, why, need,
         first, last, count, nameless)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, ?9, ?10, ?11, ?12, ?8, ?8, 1, ?13)",
    )?
    .execute(params![
        id,
        key.tenant,
        key.server,
        key.kind.word(),
        key.name,
        seen.digest,
        signed(bytes),
        signed(now),
        cause.word(),
        former,
        codes(&seen.why),
        seen.approvers.max(1),
        seen.nameless
    ])?;
    let number = at.last_insert_rowid();
    if kept {
        at.prepare_cached("INSERT INTO definitions (pin, text) VALUES (?1, ?2)")?
            .execute(params![number, seen.definition])?;
    }
    Ok((number, id, bytes))
}

/// Counts what was seen again, with what is said of it now. More people may be needed than before, never fewer.
pub(super) fn again(
    at: &Transaction<'_>,
    number: i64,
    seen: Option<&Seen>,
    now: u64,
) -> Result<(), StateError> {
    at.prepare_cached("UPDATE pins SET last = max(last, ?2), count = count + 1 WHERE number = ?1")?
        .execute(params![number, signed(now)])?;
    if let Some(seen) = seen {
        at.prepare_cached("UPDATE pins SET why = ?2, need = max(need, ?3) WHERE number = ?1")?
            .execute(params![number, codes(&seen.why), seen.approvers.max(1)])?;
    }
    Ok(())
}

fn codes(why: &[String]) -> String {
    let codes = why.iter().take(CODES).map(|code| cut(code, 64).replace(' ', "_"));
    codes.collect::<Vec<String>>().join(" ")
}

/// Puts an entry in force for its key, and says which digest was before.
pub(super) fn put_in_force(
    at: &Transaction<'_>,
    number: i64,
    key: &Key,
    basis: Basis,
    by: Option<&str>,
    now: u64,
) -> Result<Option<String>, StateError> {
    let replaced = at
        .prepare_cached(
            "DELETE FROM pins WHERE tenant = ?1 AND server = ?2 AND kind = ?3 AND name = ?4 AND state = 'approved'
             RETURNING digest",
        )?
        .query_map([&key.tenant, &key.server, key.kind.word(), &key.name], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?
        .pop();
    at.prepare_cached(
        "UPDATE pins SET state = 'approved', basis = ?2, by = ?3, since = ?4 WHERE number = ?1",
    )?
    .execute(params![number, basis.word(), by, signed(now)])?;
    Ok(replaced)
}

pub(super) fn refuse(at: &Transaction<'_>, number: i64, by: &str, now: u64) -> Result<(), StateError> {
    at.prepare_cached(
        "UPDATE pins SET state = 'refused', basis = NULL, by = ?2, since = ?3 WHERE number = ?1",
    )?
    .execute(params![number, by, signed(now)])?;
    at.prepare_cached("DELETE FROM votes WHERE pin = ?1")?.execute([number])?;
    Ok(())
}

/// Puts in force what a lock file has, unless it was refused. Says how it stood before.
pub(super) fn lock(
    at: &Transaction<'_>,
    locked: &Locked,
    by: &str,
    now: u64,
) -> Result<Option<State>, StateError> {
    let Locked { key, digest, nameless, definition } = locked;
    let before = same(at, key)?.into_iter().find(|same| same.own && same.digest == *digest);
    let number = match &before {
        Some(Same { state: State::Approved | State::Refused, .. }) => {
            return Ok(before.map(|same| same.state));
        }
        Some(waiting) => waiting.number,
        None => {
            let (count, taken) = room(at, &key.tenant, &key.server)?;
            if count >= MOST {
                return Err(StateError::TooManyPins);
            }
            let seen = Seen {
                kind: key.kind,
                name: key.name.clone(),
                digest: digest.clone(),
                nameless: nameless.clone(),
                definition: definition.clone(),
                trust: Trust::Never,
                cause: Cause::Added,
                why: Vec::new(),
                approvers: 1,
            };
            insert(at, key, &seen, &Cause::Added, taken, now)?.0
        }
    };
    let replaced = put_in_force(at, number, key, Basis::Lock, Some(by), now)?;
    if replaced.is_some() {
        let (key, digest, by) = (key.clone(), digest.clone(), Some(by.to_owned()));
        remember(at, &Event { key, digest, what: What::Locked, replaced, by, why: None, at: now })?;
    }
    Ok(before.map(|same| same.state))
}

/// Writes a yes down, and says how many different people have said so. Who says it again, says it anew.
pub(super) fn vote(
    at: &Transaction<'_>,
    number: i64,
    by: &str,
    why: Option<&str>,
    now: u64,
) -> Result<u8, StateError> {
    at.prepare_cached(
        "INSERT INTO votes (pin, voice, approver, why, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (pin, voice) DO UPDATE SET approver = excluded.approver, why = excluded.why, at = excluded.at",
    )?
    .execute(params![number, voice(by), by, why.map(|why| cut(why, TEXT)), signed(now)])?;
    let count: u32 = at
        .prepare_cached("SELECT count(*) FROM votes WHERE pin = ?1")?
        .query_row([number], |row| row.get(0))?;
    Ok(u8::try_from(count).unwrap_or(u8::MAX))
}

/// Forgets what waits of one definition and is too much: first what nobody has said yes to, and of that what was seen
/// longest ago. Says how many it were.
pub(super) fn prune(at: &Transaction<'_>, key: &Key, most: u32) -> Result<u32, StateError> {
    let mut delete = at.prepare_cached(
        "DELETE FROM pins WHERE number IN (
             SELECT number FROM pins AS one
             WHERE tenant = ?1 AND server = ?2 AND kind = ?3 AND name = ?4 AND state = 'waiting'
             ORDER BY EXISTS (SELECT 1 FROM votes WHERE pin = one.number) DESC, last DESC, number DESC
             LIMIT -1 OFFSET ?5)",
    )?;
    let gone = delete.execute(params![key.tenant, key.server, key.kind.word(), key.name, most])?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

/// Forgets what waits and was last seen before a moment.
pub(super) fn expire(at: &Transaction<'_>, before: u64) -> Result<usize, StateError> {
    Ok(at
        .prepare_cached("DELETE FROM pins WHERE state = 'waiting' AND last < ?1")?
        .execute([signed(before)])?)
}

pub(super) fn remember(at: &Transaction<'_>, event: &Event) -> Result<(), StateError> {
    let key = &event.key;
    at.prepare_cached(
        "INSERT INTO history (tenant, server, kind, name, digest, replaced, what, by, why, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        key.tenant,
        key.server,
        key.kind.word(),
        key.name,
        event.digest,
        event.replaced,
        event.what.word(),
        event.by,
        event.why,
        signed(event.at)
    ])?;
    at.prepare_cached(
        "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE tenant = ?1 AND server = ?2
         ORDER BY id DESC LIMIT -1 OFFSET ?3)",
    )?
    .execute(params![key.tenant, key.server, HISTORY])?;
    Ok(())
}

/// Lets everybody know that something has changed.
pub(super) fn changed(at: &Transaction<'_>) -> Result<(), StateError> {
    at.prepare_cached("UPDATE revision SET number = number + 1")?.execute([])?;
    Ok(())
}

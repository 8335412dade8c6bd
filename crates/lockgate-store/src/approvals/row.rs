//! Entries and votes as they are written in the file.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Answer, Ballot, Entry, Request, Scope, TEXT, Voice, Vote};
use crate::state::{StateError, cut, signed, unsigned, voice};

/// What is written of how an entry stands. What has run out may still be written as waiting or approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Approved,
    Denied,
    Expired,
    Used,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Used => "used",
        }
    }

    pub(super) fn of(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let word: String = row.get(column)?;
        [Self::Waiting, Self::Approved, Self::Denied, Self::Expired, Self::Used]
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| broken(column))
    }
}

/// An entry about the same call, asked about for the same cause.
pub(super) struct Same {
    pub(super) id: String,
    pub(super) state: State,
    pub(super) session: String,
    pub(super) waiting: u32,
    need: u8,
    scope: Option<String>,
}

impl Same {
    /// Is there a yes in it for this call?
    pub(super) fn serves(&self, request: &Request) -> bool {
        self.state == State::Approved
            && self.need >= request.approvers
            && (self.scope.as_deref() != Some("session") || self.session == request.session)
    }
}

/// The word for a scope.
pub(super) fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Once => "once",
        Scope::Session => "session",
        Scope::Value { .. } => "value",
    }
}

fn scope_of(word: &str, until: u64, column: usize) -> rusqlite::Result<Scope> {
    match word {
        "once" => Ok(Scope::Once),
        "session" => Ok(Scope::Session),
        "value" => Ok(Scope::Value { until }),
        _ => Err(broken(column)),
    }
}

fn broken(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "word".to_owned(), rusqlite::types::Type::Text)
}

/// Entries about the same call that stand, newest first. Expects that what has run out is settled: a denial runs
/// out as well.
pub(super) fn same(at: &Transaction<'_>, request: &Request, now: u64) -> Result<Vec<Same>, StateError> {
    let mut select = at.prepare_cached(
        "SELECT id, state, session, waiting, need, scope FROM entries
         WHERE fingerprint = ?1 AND principal = ?2 AND server = ?3 AND tool = ?4 AND rule = ?5 AND origin IS ?6 AND effect = ?8
         AND state IN ('waiting', 'approved', 'denied') AND expires > ?7 ORDER BY rowid DESC",
    )?;
    let call = params![
        request.fingerprint,
        request.principal,
        request.server,
        request.tool,
        request.rule,
        request.origin,
        signed(now),
        request.effect,
    ];
    let rows = select.query_map(call, |row| {
        Ok(Same {
            id: row.get(0)?,
            state: State::of(row, 1)?,
            session: row.get(2)?,
            waiting: row.get(3)?,
            need: row.get(4)?,
            scope: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn insert(at: &Transaction<'_>, id: &str, request: &Request, now: u64) -> Result<(), StateError> {
    at.prepare_cached(
        "INSERT INTO entries (id, session, principal, server, tool, arguments, fingerprint, rule, reason, origin,
         effect, need, created, filed, expires, state, waiting)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 'waiting', 1)",
    )?
    .execute(params![
        id,
        request.session,
        request.principal,
        request.server,
        request.tool,
        request.arguments,
        request.fingerprint,
        request.rule,
        request.reason,
        request.origin,
        request.effect,
        request.approvers,
        signed(request.created),
        signed(now),
        signed(request.expires),
    ])?;
    Ok(())
}

/// One more waits. Where nobody did, the entry moves to the session of the one that does, and a yes that was
/// given for another session is one for the call alone.
pub(super) fn join(at: &Transaction<'_>, same: &Same, request: &Request) -> Result<(), StateError> {
    if same.session != request.session {
        at.prepare_cached("UPDATE votes SET scope = 'once' WHERE entry = ?1 AND scope = 'session'")?
            .execute([&same.id])?;
    }
    at.prepare_cached(
        "UPDATE entries SET waiting = waiting + 1, session = ?2, need = max(need, ?3) WHERE id = ?1",
    )?
    .execute(params![same.id, request.session, request.approvers])?;
    Ok(())
}

/// Writes a vote down. Who says the same again, says it anew.
pub(super) fn count(at: &Transaction<'_>, id: &str, vote: &Vote, now: u64) -> Result<(), StateError> {
    let until = match vote.scope {
        Scope::Value { until } => until,
        Scope::Once | Scope::Session => 0,
    };
    let why = vote.why.as_ref().map(|why| cut(why, TEXT));
    at.prepare_cached(
        "INSERT INTO votes (entry, voice, approver, yes, why, scope, until, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (entry, voice, yes) DO UPDATE
         SET approver = excluded.approver, why = excluded.why, scope = excluded.scope,
         until = excluded.until, at = excluded.at",
    )?
    .execute(params![
        id,
        voice(&vote.approver),
        vote.approver,
        vote.yes,
        why,
        word(vote.scope),
        signed(until),
        signed(now)
    ])?;
    Ok(())
}

/// The votes for yes, one from each voice.
pub(super) fn yes(at: &Transaction<'_>, id: &str) -> Result<Vec<Vote>, StateError> {
    Ok(votes(at, id)?.into_iter().map(|voice| voice.vote).filter(|vote| vote.yes).collect())
}

fn votes(at: &Transaction<'_>, id: &str) -> Result<Vec<Voice>, StateError> {
    let mut select = at.prepare_cached(
        "SELECT approver, yes, why, scope, until, at FROM votes WHERE entry = ?1 ORDER BY id",
    )?;
    let rows = select.query_map([id], voice_of)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How an entry stands.
pub(super) fn ballot(at: &Transaction<'_>, id: &str, now: u64) -> Result<Ballot, StateError> {
    entry(at, id, now)?.map(|entry| entry.ballot).ok_or(StateError::Unknown)
}

pub(super) fn entry(at: &Transaction<'_>, id: &str, now: u64) -> Result<Option<Entry>, StateError> {
    let mut select = at.prepare_cached(
        "SELECT session, principal, server, tool, arguments, fingerprint, rule, reason, origin, effect, need,
         created, expires, state, waiting, scope, uses, used FROM entries WHERE id = ?1",
    )?;
    let found = select.query_row([id], |row| {
        let request = Request {
            session: row.get(0)?,
            principal: row.get(1)?,
            server: row.get(2)?,
            tool: row.get(3)?,
            arguments: row.get(4)?,
            fingerprint: row.get(5)?,
            rule: row.get(6)?,
            reason: row.get(7)?,
            origin: row.get(8)?,
            effect: row.get(9)?,
            approvers: row.get(10)?,
            created: unsigned(row.get(11)?),
            expires: unsigned(row.get(12)?),
        };
        let scope = match row.get::<_, Option<String>>(15)? {
            Some(word) => scope_of(&word, request.expires, 15)?,
            None => Scope::Once,
        };
        let (state, waiting) = (State::of(row, 13)?, row.get(14)?);
        Ok((request, state, waiting, scope, row.get(16)?, row.get::<_, Option<i64>>(17)?))
    });
    let Some((request, state, waiting, scope, uses, last)) = found.optional()? else { return Ok(None) };
    let votes = votes(at, id)?;
    let state = match state {
        State::Waiting | State::Approved if request.expires <= now => State::Expired,
        state @ (State::Waiting | State::Approved | State::Denied | State::Expired | State::Used) => state,
    };
    let yes = || votes.iter().filter(|voice| voice.vote.yes);
    let ballot = match state {
        State::Waiting => {
            let have = u8::try_from(yes().count()).unwrap_or(u8::MAX);
            Ballot::Waiting { have, need: request.approvers }
        }
        State::Approved => {
            Ballot::Approved { by: yes().map(|voice| voice.vote.approver.clone()).collect(), scope }
        }
        State::Denied => {
            let no = votes.iter().rfind(|voice| !voice.vote.yes).map(|voice| voice.vote.clone());
            let no = no.ok_or(StateError::Damaged)?;
            Ballot::Denied { by: no.approver, why: no.why }
        }
        State::Expired => Ballot::Expired,
        State::Used => Ballot::Used,
    };
    let id = id.to_owned();
    Ok(Some(Entry { id, request, ballot, waiting, votes, uses, used: last.map(unsigned) }))
}

/// Votes since the one of this number, with the calls they are about.
pub(super) fn answers(at: &Transaction<'_>, since: u64) -> Result<Vec<(u64, Answer)>, StateError> {
    let mut select = at.prepare_cached(
        "SELECT approver, yes, why, votes.scope, until, at, votes.id, entry, session, server, tool, rule
         FROM votes JOIN entries ON entries.id = entry WHERE votes.id > ?1 ORDER BY votes.id",
    )?;
    let rows = select.query_map([signed(since)], |row| {
        let (id, session, server) = (row.get(7)?, row.get(8)?, row.get(9)?);
        let answer =
            Answer { id, session, server, tool: row.get(10)?, rule: row.get(11)?, voice: voice_of(row)? };
        Ok((unsigned(row.get(6)?), answer))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A vote: approver, yes, why, scope, until and at, in this order.
fn voice_of(row: &Row<'_>) -> rusqlite::Result<Voice> {
    let scope = scope_of(&row.get::<_, String>(3)?, unsigned(row.get(4)?), 3)?;
    let vote = Vote { approver: row.get(0)?, yes: row.get(1)?, why: row.get(2)?, scope };
    Ok(Voice { vote, at: unsigned(row.get(5)?) })
}

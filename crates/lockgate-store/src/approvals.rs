//! Calls that wait for people, what those said, and what became of it.

mod row;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::file::{Format, Writes};
use crate::state::{Database, StateError, check_name, cut, fresh, signed, unsigned, voice};
use row::State;

/// Most calls of one principal that wait at once.
const MOST_WAITING: u32 = 20;
/// Most calls of one principal that are put to people within an hour.
const MOST_IN_AN_HOUR: u32 = 60;
/// Longest time that a call waits, or that a yes to it counts where it was given once. Milliseconds: 7 days.
const LONGEST_WAIT: u64 = 7 * DAY;
/// How long a yes to a session counts. Milliseconds: 12 hours.
const SESSION: u64 = 12 * HOUR;
/// Longest time that a yes to a value counts. Milliseconds: 24 hours.
const LONGEST_VALUE: u64 = DAY;
/// How long history is kept. Milliseconds: 30 days.
const HISTORY: u64 = 30 * DAY;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Most entries in one list.
const MOST_LISTED: i64 = 1_000;
/// Most bytes of the arguments that are kept.
const ARGUMENTS: usize = 16_384;
/// Most bytes of any other text for people that are kept.
const TEXT: usize = 4_096;

const FORMAT: Format = Format {
    application: 0x4c6b_4131,
    pages: 65_536,
    writes: Writes::AtOnce,
    migrations: &["
        CREATE TABLE entries (
            id TEXT PRIMARY KEY, session TEXT NOT NULL, principal TEXT NOT NULL, server TEXT NOT NULL,
            tool TEXT NOT NULL, arguments TEXT NOT NULL, fingerprint TEXT NOT NULL, rule TEXT NOT NULL,
            reason TEXT NOT NULL, origin TEXT, effect TEXT NOT NULL, need INTEGER NOT NULL,
            created INTEGER NOT NULL, filed INTEGER NOT NULL, expires INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'denied', 'expired', 'used')),
            waiting INTEGER NOT NULL, scope TEXT, uses INTEGER NOT NULL DEFAULT 0, used INTEGER
        ) STRICT;
        CREATE INDEX entries_fingerprint ON entries (fingerprint);
        CREATE INDEX entries_principal ON entries (principal, filed);
        CREATE INDEX entries_state ON entries (state, expires);
        CREATE INDEX entries_filed ON entries (filed);
        CREATE TABLE votes (
            id INTEGER PRIMARY KEY, entry TEXT NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
            voice TEXT NOT NULL, approver TEXT NOT NULL, yes INTEGER NOT NULL, why TEXT, scope TEXT NOT NULL,
            until INTEGER NOT NULL, at INTEGER NOT NULL, UNIQUE (entry, voice, yes)
        ) STRICT;
    "],
};

/// Calls that wait for people, what those said, and what became of it: one file, `approvals.db`, that gateways
/// and command lines share.
///
/// * A yes is bound to the very call: the same fingerprint, asked about for the same rule, with values of the
///   same origin.
/// * A yes given once is used once, whoever asks first, among all threads and processes.
/// * A no denies, whatever others said, and also after a yes that was not used yet. The same call is denied
///   without asking again until the entry would have expired.
/// * Nobody counts twice. `local:ann`, `ann` and `Ann` are one voice.
/// * What expired stays expired, also where the clock is set back.
/// * Of one principal, at most 20 calls wait and at most 60 are put to people within an hour: who is asked too
///   often says yes to anything (SAFE-T1403).
/// * What is over is kept for 30 days, with every vote: who, when, why.
///
/// Whoever can write to the file can approve anything: keep the folder to the user that runs the gateway.
///
/// Every change is on the disk before a method returns: some milliseconds. Waits up to two seconds for other
/// processes. The file grows to 256 MiB at most; where it is full, calls that need a yes are refused.
pub struct Approvals(Database);

/// A call that waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The session it came in.
    pub session: String,
    /// Who the agent acts for.
    pub principal: String,
    /// The server it goes to.
    pub server: String,
    /// The tool it calls.
    pub tool: String,
    /// Its arguments, escaped for people. Kept up to 16 KiB.
    pub arguments: String,
    /// Covers principal, server, tool and arguments.
    pub fingerprint: String,
    /// The rule that holds it.
    pub rule: String,
    /// Why it is held, for people. Kept up to 4 KiB.
    pub reason: String,
    /// Where its values came from, for people. Kept up to 4 KiB.
    pub origin: Option<String>,
    /// What the tool does, as the word of `lockgate_model::Effect`.
    pub effect: String,
    /// How many different people must say yes. 0 means 1.
    pub approvers: u8,
    /// When it came. Milliseconds since 1970.
    pub created: u64,
    /// Until when it waits, and until when a yes given once counts. Milliseconds since 1970, at most 7 days from
    /// the filing.
    pub expires: u64,
}

/// A call that was put to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// `apr_` and 16 letters and digits that nobody can guess.
    pub id: String,
    /// How it stands at once. [`Ballot::Approved`]: the call may be sent, now and by this caller.
    pub ballot: Ballot,
}

/// How a call stands with the people asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ballot {
    /// Not enough have said yes.
    Waiting {
        /// How many have.
        have: u8,
        /// How many must.
        need: u8,
    },
    /// It may be sent.
    Approved {
        /// Who said yes.
        by: Vec<String>,
        /// For how many calls.
        scope: Scope,
    },
    /// It may not be sent.
    Denied {
        /// Who said no.
        by: String,
        /// Why.
        why: Option<String>,
    },
    /// Too few said yes in time, or the yes was not used in time.
    Expired,
    /// The yes was used: the call was handed to somebody else who waited for it, or before.
    Used,
}

/// What a yes is for. Always the call with these very arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The call, once.
    Once,
    /// The call, as often as it comes in this session within 12 hours.
    Session,
    /// The call, as often as the principal makes it until a time.
    Value {
        /// Milliseconds since 1970; at most 24 hours away.
        until: u64,
    },
}

/// What somebody says to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who, as proven to whoever hands it in.
    pub approver: String,
    /// Yes or no.
    pub yes: bool,
    /// Why. Kept up to 4 KiB.
    pub why: Option<String>,
    /// What the yes is for. Where people differ, the least counts.
    pub scope: Scope,
}

/// A vote that was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// What was said.
    pub vote: Vote,
    /// When. Milliseconds since 1970.
    pub at: u64,
}

/// Which entries to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Those that wait for people.
    #[default]
    Waiting,
    /// Those of the last 30 days.
    All,
}

/// One call that was put to people, with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The call. `expires` is until when its yes counts, once it has one.
    pub request: Request,
    /// How it stands.
    pub ballot: Ballot,
    /// How many callers wait for it. Those of a process that died still count.
    pub waiting: u32,
    /// What was said, oldest first.
    pub votes: Vec<Voice>,
    /// How many calls were sent with the yes.
    pub uses: u32,
    /// When the last of them was. Milliseconds since 1970.
    pub used: Option<u64>,
}

/// A vote, and the call it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The id of the call's entry.
    pub id: String,
    /// The session it came in.
    pub session: String,
    /// The server it goes to.
    pub server: String,
    /// The tool it calls.
    pub tool: String,
    /// The rule that holds it.
    pub rule: String,
    /// What was said.
    pub voice: Voice,
}

impl Voice {
    /// Is it this person's? Somebody who is known by two names that a system user and a principal commonly share counts
    /// once.
    pub fn is_of(&self, approver: &str) -> bool {
        voice(&self.vote.approver) == voice(approver)
    }
}

impl Approvals {
    /// The name of the file in the folder.
    pub const FILE: &'static str = "approvals.db";

    /// Opens the file in a folder, and makes both where they are missing, for their owner alone.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        Database::open(folder, Self::FILE, &FORMAT).map(Self)
    }

    /// Approvals that end with the process.
    pub fn in_memory() -> Result<Self, StateError> {
        Database::in_memory(&FORMAT).map(Self)
    }

    /// Files a call that waits for people. `now` is the wall clock in milliseconds since 1970.
    ///
    /// The same call that is waiting already in this session, or that nobody waits for any more, is not filed
    /// twice: the entry counts how many wait. One that has a yes that was not used yet uses it, and one that was
    /// denied is denied.
    pub fn file(&self, request: &Request, now: u64) -> Result<Filed, StateError> {
        for (what, name) in [
            ("the session", &request.session),
            ("the principal", &request.principal),
            ("the server", &request.server),
            ("the tool", &request.tool),
            ("the fingerprint", &request.fingerprint),
            ("the rule", &request.rule),
            ("the effect", &request.effect),
        ] {
            check_name(what, name)?;
        }
        let request = &Request {
            arguments: cut(&request.arguments, ARGUMENTS),
            reason: cut(&request.reason, TEXT),
            origin: request.origin.as_ref().map(|origin| cut(origin, TEXT)),
            approvers: request.approvers.max(1),
            expires: request.expires.min(now.saturating_add(LONGEST_WAIT)),
            ..request.clone()
        };
        self.0.write(|at| {
            settle(at, now)?;
            let same = row::same(at, request, now)?;
            if let Some(id) = same.iter().find(|same| same.serves(request)).map(|same| same.id.clone()) {
                let ballot = take(at, &id, now)?;
                return Ok(Filed { id, ballot });
            }
            let stands = same.into_iter().find(|same| match same.state {
                State::Denied => true,
                State::Waiting => same.waiting == 0 || same.session == request.session,
                State::Approved | State::Expired | State::Used => false,
            });
            let id = match stands {
                Some(same) => {
                    if same.state == State::Waiting {
                        row::join(at, &same, request)?;
                    }
                    same.id
                }
                None => enter(at, request, now)?,
            };
            let ballot = row::ballot(at, &id, now)?;
            Ok(Filed { id, ballot })
        })
    }

    /// Counts a vote, and says how the call stands with it: unchanged where the vote comes too late. A yes to
    /// what is approved already changes nothing.
    ///
    /// The caller has made sure who the approver is.
    pub fn vote(&self, id: &str, vote: &Vote, now: u64) -> Result<Ballot, StateError> {
        self.0.write(|at| {
            cast(at, id, vote, now)?;
            row::ballot(at, id, now)
        })
    }

    /// Counts a vote of the one that waits to send the call, and says how it stands with it, as
    /// [`Approvals::standing`] does: nobody else can use the yes in between.
    pub fn vote_and_send(&self, id: &str, vote: &Vote, now: u64) -> Result<Ballot, StateError> {
        self.0.write(|at| {
            cast(at, id, vote, now)?;
            take(at, id, now)
        })
    }

    /// How a call stands, for the one that waits to send it: a yes is used up with this, and
    /// [`Ballot::Approved`] means that the call may be sent, now and by this caller. To look only, use
    /// [`Approvals::show`].
    pub fn standing(&self, id: &str, now: u64) -> Result<Ballot, StateError> {
        match self.0.read(|at| row::ballot(at, id, now))? {
            Ballot::Approved { .. } => self.0.write(|at| take(at, id, now)),
            ballot @ (Ballot::Waiting { .. } | Ballot::Denied { .. } | Ballot::Expired | Ballot::Used) => {
                Ok(ballot)
            }
        }
    }

    /// One caller waits no more. People may still say yes until it expires, so that the call can be made again.
    pub fn withdraw(&self, id: &str, now: u64) -> Result<(), StateError> {
        self.0.write(|at| {
            settle(at, now)?;
            at.execute("UPDATE entries SET waiting = max(waiting - 1, 0) WHERE id = ?1", [id])?;
            Ok(())
        })
    }

    /// The newest 1 000 entries, oldest first.
    pub fn list(&self, filter: Filter, now: u64) -> Result<Vec<Entry>, StateError> {
        let of = match filter {
            Filter::Waiting => "state = 'waiting' AND expires > ?1",
            Filter::All => "?1 = ?1",
        };
        let sql = format!("SELECT id FROM entries WHERE {of} ORDER BY filed DESC, rowid DESC LIMIT ?2");
        self.0.read(|at| {
            let mut select = at.prepare_cached(&sql)?;
            let mut ids = select
                .query_map(params![signed(now), MOST_LISTED], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()?;
            ids.reverse();
            ids.iter().filter_map(|id| row::entry(at, id, now).transpose()).collect()
        })
    }

    /// One entry; `None` where there is none with this id.
    pub fn show(&self, id: &str, now: u64) -> Result<Option<Entry>, StateError> {
        self.0.read(|at| row::entry(at, id, now))
    }

    /// What people have said since the vote of this number, each with its own, oldest first: of the last 30 days. Somebody who
    /// says the same again is not heard twice. Numbers grow from 1, and begin again once every vote is gone.
    pub fn answers_after(&self, number: u64) -> Result<Vec<(u64, Answer)>, StateError> {
        self.0.read(|at| {
            let newest: Option<i64> = at.query_row("SELECT max(id) FROM votes", [], |row| row.get(0))?;
            let since = if newest.is_some_and(|newest| unsigned(newest) < number) { 0 } else { number };
            row::answers(at, since)
        })
    }

    /// Another number whenever another process or thread has changed anything. Takes microseconds.
    pub fn version(&self) -> Result<u64, StateError> {
        self.0.version()
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approvals").finish_non_exhaustive()
    }
}

/// Ends what has expired, for good, and removes history.
fn settle(at: &Transaction<'_>, now: u64) -> Result<(), StateError> {
    at.prepare_cached(
        "UPDATE entries SET state = 'expired' WHERE state IN ('waiting', 'approved') AND expires <= ?1",
    )?
    .execute([signed(now)])?;
    at.prepare_cached(
        "DELETE FROM entries WHERE id IN (SELECT id FROM entries
         WHERE filed < ?1 AND state NOT IN ('waiting', 'approved') ORDER BY filed LIMIT 256)",
    )?
    .execute([signed(now.saturating_sub(HISTORY))])?;
    Ok(())
}

/// Counts a vote, where it does not come too late.
fn cast(at: &Transaction<'_>, id: &str, vote: &Vote, now: u64) -> Result<(), StateError> {
    check_name("the approver", &vote.approver)?;
    settle(at, now)?;
    let (state, effect, need) = at
        .prepare_cached("SELECT state, effect, need FROM entries WHERE id = ?1")?
        .query_row([id], |row| Ok((State::of(row, 0)?, row.get::<_, String>(1)?, row.get(2)?)))
        .optional()?
        .ok_or(StateError::Unknown)?;
    let counts = match state {
        State::Waiting => true,
        State::Approved => !vote.yes,
        State::Denied | State::Expired | State::Used => false,
    };
    if counts && vote.yes {
        check_scope(vote.scope, &effect, now)?;
        row::count(at, id, vote, now)?;
        decide(at, id, need, now)?;
    } else if counts {
        row::count(at, id, vote, now)?;
        at.execute("UPDATE entries SET state = 'denied' WHERE id = ?1", [id])?;
    }
    Ok(())
}

/// Uses a yes, if there is one, and says how the call stood before.
fn take(at: &Transaction<'_>, id: &str, now: u64) -> Result<Ballot, StateError> {
    settle(at, now)?;
    let ballot = row::ballot(at, id, now)?;
    if let Ballot::Approved { scope, .. } = &ballot {
        let next = if *scope == Scope::Once { State::Used } else { State::Approved };
        at.prepare_cached("UPDATE entries SET state = ?2, uses = uses + 1, used = ?3 WHERE id = ?1")?
            .execute(params![id, next.word(), signed(now)])?;
    }
    Ok(ballot)
}

fn enter(at: &Transaction<'_>, request: &Request, now: u64) -> Result<String, StateError> {
    let count = |sql, time| -> Result<u32, StateError> {
        Ok(at.prepare_cached(sql)?.query_row(params![request.principal, signed(time)], |row| row.get(0))?)
    };
    let waiting = count(
        "SELECT count(*) FROM entries WHERE principal = ?1 AND state = 'waiting' AND expires > ?2",
        now,
    )?;
    // What was filed later than now, before the clock was set back, counts as well.
    let filed =
        count("SELECT count(*) FROM entries WHERE principal = ?1 AND filed > ?2", now.saturating_sub(HOUR))?;
    if waiting >= MOST_WAITING || filed >= MOST_IN_AN_HOUR {
        return Err(StateError::TooMany);
    }
    let id = fresh::<16>("apr_")?;
    row::insert(at, &id, request, now)?;
    Ok(id)
}

/// Approves where enough different people have said yes.
fn decide(at: &Transaction<'_>, id: &str, need: u8, now: u64) -> Result<(), StateError> {
    let yes = row::yes(at, id)?;
    if yes.len() < usize::from(need) {
        return Ok(());
    }
    let scope = yes.iter().map(|vote| vote.scope).reduce(least).unwrap_or(Scope::Once);
    let (scope, until) = match scope {
        Scope::Session => (Scope::Session, Some(now.saturating_add(SESSION))),
        Scope::Value { until } if until > now => (scope, Some(until)),
        // The first of several said so long ago that its time has passed.
        Scope::Once | Scope::Value { .. } => (Scope::Once, None),
    };
    at.prepare_cached(
        "UPDATE entries SET state = 'approved', scope = ?2, expires = coalesce(?3, expires) WHERE id = ?1",
    )?
    .execute(params![id, row::word(scope), until.map(signed)])?;
    Ok(())
}

/// What two people have both said yes to.
fn least(one: Scope, other: Scope) -> Scope {
    match (one, other) {
        (Scope::Session, Scope::Session) => Scope::Session,
        (Scope::Value { until: one }, Scope::Value { until: other }) => {
            Scope::Value { until: one.min(other) }
        }
        (Scope::Once | Scope::Session | Scope::Value { .. }, _) => Scope::Once,
    }
}

/// Only what can be changed back, or sends little harm, may be approved for more than one call. A word that is
/// not known here may not.
fn check_scope(scope: Scope, effect: &str, now: u64) -> Result<(), StateError> {
    if scope != Scope::Once && !matches!(effect, "read" | "write" | "egress") {
        return Err(StateError::NoBlanket { effect: effect.to_owned() });
    }
    match scope {
        Scope::Value { until } if until <= now || until - now > LONGEST_VALUE => Err(StateError::Until),
        Scope::Once | Scope::Session | Scope::Value { .. } => Ok(()),
    }
}

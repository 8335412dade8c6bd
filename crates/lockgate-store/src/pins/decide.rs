//! How a definition that was seen stands, and what is done about it.

use rusqlite::Transaction;

use super::row::{self, Same};
use super::{
    AGAIN, Basis, Cause, DAY, Event, Key, LONGEST_WAIT, MOST, MOST_WAITING, Seen, Sighted, State, Trust, What,
};
use crate::state::StateError;

/// Where and when something was seen.
pub(super) struct Place<'a> {
    pub(super) tenant: &'a str,
    pub(super) server: &'a str,
    pub(super) now: u64,
}

/// What is to be done.
enum Act {
    /// Nothing: it stands as it is.
    Stay(Sighted),
    /// It stands as it is, and is counted.
    Count(Sighted, i64),
    /// It comes in force.
    Trust,
    /// It waits, as this.
    Hold(Cause),
}

/// How everything stands, where nothing is to be done.
pub(super) fn look(
    at: &Transaction<'_>,
    place: &Place<'_>,
    seen: &[Seen],
) -> Result<Option<Vec<Sighted>>, StateError> {
    seen.iter()
        .map(|seen| {
            Ok(match act(&row::same(at, &place.key(seen))?, place, seen) {
                Act::Stay(sighted) => Some(sighted),
                Act::Count(..) | Act::Trust | Act::Hold(_) => None,
            })
        })
        .collect()
}

/// Does what is to be done, and says how everything stands then.
pub(super) fn take_in(
    at: &Transaction<'_>,
    place: &Place<'_>,
    seen: &[Seen],
) -> Result<Vec<Sighted>, StateError> {
    let mut changed = row::expire(at, place.now.saturating_sub(LONGEST_WAIT))? > 0;
    let (mut count, mut taken) = row::room(at, place.tenant, place.server)?;
    let mut sighted = Vec::with_capacity(seen.len());
    for seen in seen {
        let key = place.key(seen);
        let (cause, trusted) = match act(&row::same(at, &key)?, place, seen) {
            Act::Stay(known) => {
                sighted.push(known);
                continue;
            }
            Act::Count(known, number) => {
                let waits = matches!(known, Sighted::Waiting { .. }).then_some(seen);
                row::again(at, number, waits, place.now)?;
                sighted.push(known);
                continue;
            }
            Act::Trust => (seen.cause.clone(), true),
            Act::Hold(cause) => (cause, false),
        };
        if !trusted {
            count = count.saturating_sub(row::prune(at, &key, MOST_WAITING - 1)?);
        }
        if count >= MOST {
            sighted.push(Sighted::NoRoom);
            continue;
        }
        let (number, id, bytes) = row::insert(at, &key, seen, &cause, taken, place.now)?;
        (count, taken, changed) = (count + 1, taken + bytes, true);
        if trusted {
            let replaced = row::put_in_force(at, number, &key, Basis::FirstUse, None, place.now)?;
            if replaced.is_some() {
                let (digest, what) = (seen.digest.clone(), What::Trusted);
                row::remember(
                    at,
                    &Event { key, digest, what, replaced, by: None, why: None, at: place.now },
                )?;
            }
            sighted.push(Sighted::Trusted);
        } else {
            sighted.push(Sighted::Waiting { id, new: true });
        }
    }
    if changed {
        row::changed(at)?;
    }
    Ok(sighted)
}

impl Place<'_> {
    fn key(&self, seen: &Seen) -> Key {
        Key {
            tenant: self.tenant.to_owned(),
            server: self.server.to_owned(),
            kind: seen.kind,
            name: seen.name.clone(),
        }
    }

    fn is_past(&self, last: u64, pause: u64) -> bool {
        self.now.saturating_sub(last) >= pause
    }
}

/// The tenant's own come first in `same`.
fn act(same: &[Same], place: &Place<'_>, seen: &Seen) -> Act {
    if !place.key(seen).is_fit() {
        return Act::Stay(Sighted::Unfit);
    }
    let in_force = same.iter().find(|same| same.state == State::Approved);
    if let Some(approved) = in_force.filter(|approved| approved.digest == seen.digest) {
        return if place.is_past(approved.last, DAY) {
            Act::Count(Sighted::Approved, approved.number)
        } else {
            Act::Stay(Sighted::Approved)
        };
    }
    let this = || same.iter().filter(|same| same.digest == seen.digest);
    if this().any(|same| same.state == State::Refused) {
        return Act::Stay(Sighted::Refused);
    }
    if let Some(waiting) = this().find(|same| same.own && same.state == State::Waiting) {
        let sighted = Sighted::Waiting { id: waiting.id.clone(), new: false };
        let stricter = waiting.need < seen.approvers;
        return if stricter || place.is_past(waiting.last, AGAIN) {
            Act::Count(sighted, waiting.number)
        } else {
            Act::Stay(sighted)
        };
    }
    match (seen.trust, in_force) {
        (Trust::First | Trust::Change, None) if same.is_empty() => Act::Trust,
        (Trust::Change, Some(_)) => Act::Trust,
        (_, None) => Act::Hold(seen.cause.clone()),
        (_, Some(_)) => Act::Hold(Cause::Changed),
    }
}

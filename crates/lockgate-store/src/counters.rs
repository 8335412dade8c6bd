//! Counts that outlive the process: what budgets have used up, and how many calls are under way.

mod error;
mod keeper;
mod owner;
mod slots;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use keeper::{Keeper, Wake};
use owner::Owner;
use slots::Slots;

use crate::file::{self, Format, Writes};
use crate::state::signed;

pub use error::CountersError;
pub use slots::Slot;

const FORMAT: Format = Format {
    application: 0x4c6b_4331,
    pages: 65_536,
    writes: Writes::Later,
    migrations: &["
        CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 0), high INTEGER NOT NULL) STRICT;
        INSERT INTO clock (id, high) VALUES (0, 0);
        CREATE TABLE counters (key TEXT PRIMARY KEY, slots BLOB NOT NULL, until INTEGER NOT NULL)
            STRICT, WITHOUT ROWID;
        CREATE INDEX counters_until ON counters (until);
        CREATE TABLE leases (id INTEGER PRIMARY KEY, key TEXT NOT NULL, owner TEXT NOT NULL) STRICT;
        CREATE INDEX leases_key ON leases (key);
    "],
};

/// Longest key. Bytes.
const LONGEST_KEY: usize = 1_024;

/// Counts that outlive the process: what budgets have used up, and how many calls are under way.
///
/// One `SQLite` file, written by one connection a process, and by several processes if need be. A reservation
/// is made before a call is sent and is all or nothing: every limit has room, or nothing is counted.
///
/// What is lost when:
///
/// * A process that ends in any way, `kill -9` among them, loses nothing: the system has what was committed.
///   A call that was under way has been counted once, whether it was sent or not; its place among concurrent
///   calls is free again.
/// * A machine that loses power may forget the counts of the last second or so (of a call whose `reserve`
///   returned, too), never anything older and never part of a call. Waiting for the disk at each call would
///   cost fifteen times as much as the rest, so a thread of its own brings the file to the disk once a second
///   while there are changes.
/// * The file must be on a local disk: `SQLite`'s shared memory and the locks here do not work over a
///   network.
///
/// Time is the wall clock, handed in. Where it goes backwards, counting goes on at the latest time seen:
/// nothing is given back, and after a clock that was far ahead has been set right,
/// [`Counters::forget_counts`] is the way out.
///
/// The file grows to 256 MiB at most; what counts no more is removed about once a minute while there are calls.
/// Where it is full, every reservation is refused.
#[derive(Debug)]
pub struct Counters {
    shared: Arc<Shared>,
    /// Brings the file to the disk and removes what counts no more; none in memory. Ends when dropped.
    _keeper: Option<Keeper>,
}

/// Room that a call needs in one limit.
pub enum Reservation<'a> {
    /// An amount within a window.
    Count {
        /// What is counted together. At most 1 024 bytes.
        key: &'a str,
        /// How much, in a unit of the caller's choice.
        amount: u128,
        /// How much there may be in the window with it, in the same unit.
        at_most: u128,
        /// Where a moment is counted: of the latest of the times seen, which may be later than the one handed
        /// in.
        window: &'a dyn Fn(u64) -> Slot,
    },
    /// One place among the calls that are under way.
    Concurrent {
        /// What is counted together. At most 1 024 bytes.
        key: &'a str,
        /// How many there may be with it.
        at_most: u32,
    },
}

/// A call that may be sent. Hand it back when the call has ended: dropped, it is settled.
#[must_use = "a reservation that is dropped gives its place among concurrent calls up"]
#[derive(Debug)]
pub struct Reserved {
    shared: Arc<Shared>,
    taken: Vec<Taken>,
    leases: Vec<i64>,
}

#[derive(Debug)]
struct Taken {
    key: String,
    at: u64,
    amount: u128,
}

/// The call may not be sent. Nothing was counted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// One of the limits has no room.
    #[error("limit {which} is reached")]
    AtLimit {
        /// Which of the reservations, from 0.
        which: usize,
        /// What counts now, without the call.
        used: u128,
        /// When there will be room if nothing is added, in milliseconds since 1970; `None` where that is not
        /// known (calls at once) or never (an amount above the limit).
        free_at: Option<u64>,
    },
    /// It cannot be told whether there is room.
    #[error(transparent)]
    Failed(CountersError),
}

impl Counters {
    /// Opens the file, or makes it, readable by its owner alone. Brings an older format up to date. Takes a
    /// check of the whole file: milliseconds for the size it usually has.
    pub fn open(path: &Path) -> Result<Self, CountersError> {
        let mut connection = file::open(path, &FORMAT)?;
        let owner = Owner::register(path, &mut connection)?;
        let wake = Arc::new(Wake::default());
        let keeper = Keeper::start(file::open_again(path, &FORMAT)?, Arc::clone(&wake))?;
        let shared = Shared { connection: Mutex::new(Inner { connection, ended: Vec::new() }), owner, wake };
        Ok(Self { shared: Arc::new(shared), _keeper: Some(keeper) })
    }

    /// Counts that end with the process.
    pub fn in_memory() -> Result<Self, CountersError> {
        let connection = Mutex::new(Inner { connection: file::in_memory(&FORMAT)?, ended: Vec::new() });
        let shared = Shared { connection, owner: Owner::none(), wake: Arc::default() };
        Ok(Self { shared: Arc::new(shared), _keeper: None })
    }

    /// Takes room in all the limits, or in none. `clock` is the wall clock in milliseconds since 1970. Two
    /// reservations with one key both count.
    ///
    /// Takes some ten microseconds. Waits for other threads, and up to two seconds for other processes;
    /// nothing else is done while it waits, so that there should not be many processes to one file.
    pub fn reserve(&self, clock: u64, wanted: &[Reservation<'_>]) -> Result<Reserved, Refused> {
        match self.shared.reserve(clock, wanted) {
            Err(Refused::AtLimit { which, .. })
                if matches!(wanted.get(which), Some(Reservation::Concurrent { .. }))
                    && self.shared.sweep()? =>
            {
                self.shared.reserve(clock, wanted)
            }
            result => result,
        }
    }

    /// What counts now under a key.
    pub fn used(&self, clock: u64, key: &str, window: &dyn Fn(u64) -> Slot) -> Result<u128, CountersError> {
        self.shared.write(|transaction| {
            let slot = window(clock.max(high(transaction)?));
            Ok(read(transaction, key)?.used(slot).unwrap_or(u128::MAX))
        })
    }

    /// How many calls are under way under a key, those of processes that have died among them.
    pub fn under_way(&self, key: &str) -> Result<u64, CountersError> {
        self.shared.write(|transaction| Ok(leases(transaction, key)?))
    }

    /// By how much the clock is behind the latest time seen. Milliseconds; a few mean nothing.
    pub fn behind(&self, clock: u64) -> Result<u64, CountersError> {
        self.shared.write(|transaction| Ok(high(transaction)?.saturating_sub(clock)))
    }

    /// Forgets all counts, and the latest time seen. Calls under way stay counted among concurrent ones. For
    /// an operator whose clock was wrong, or who wants to refill every budget.
    pub fn forget_counts(&self) -> Result<(), CountersError> {
        self.shared.write(|transaction| {
            transaction.execute("DELETE FROM counters", [])?;
            transaction.execute("UPDATE clock SET high = 0", [])?;
            Ok(())
        })
    }

    /// Removes counters that count no more, and says how many those were. Done about once a minute by itself.
    pub fn prune(&self) -> Result<usize, CountersError> {
        Ok(keeper::prune(&mut self.shared.lock().connection)?)
    }
}

impl Reserved {
    /// The call was sent, whatever came of it: what it counted stays, its place among concurrent calls is
    /// free.
    pub fn settle(mut self) -> Result<(), CountersError> {
        self.taken.clear();
        self.give_back()
    }

    /// The call was not sent and will not be: all that it counted is given back.
    pub fn release(mut self) -> Result<(), CountersError> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<(), CountersError> {
        let (taken, leases) = (std::mem::take(&mut self.taken), std::mem::take(&mut self.leases));
        if taken.is_empty() && leases.is_empty() {
            return Ok(());
        }
        let done = self.shared.write(|transaction| {
            end(transaction, &leases)?;
            for Taken { key, at, amount } in taken {
                let mut slots = read(transaction, &key)?;
                if slots.take_back(at, amount) {
                    let mut update =
                        transaction.prepare_cached("UPDATE counters SET slots = ?2 WHERE key = ?1")?;
                    update.execute(params![key, slots.encode()])?;
                }
            }
            Ok(())
        });
        if done.is_err() {
            // A place must not stay taken because the disk had a bad moment: the next reservation tries
            // again.
            self.shared.lock().ended.extend(leases);
        }
        done
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.taken.clear();
        // What fails is tried again with the next reservation.
        let _settled = self.give_back();
    }
}

#[derive(Debug)]
struct Shared {
    connection: Mutex<Inner>,
    owner: Owner,
    wake: Arc<Wake>,
}

struct Inner {
    connection: Connection,
    /// Leases of calls that have ended, which could not be removed at the time.
    ended: Vec<i64>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Shared {
    fn reserve(self: &Arc<Self>, clock: u64, wanted: &[Reservation<'_>]) -> Result<Reserved, Refused> {
        let mut reserved = Reserved { shared: Arc::clone(self), taken: Vec::new(), leases: Vec::new() };
        if wanted.is_empty() {
            return Ok(reserved);
        }
        let made = self.write(|transaction| {
            let high = high(transaction)?;
            let now = clock.max(high);
            let (mut taken, mut places) = (Vec::new(), Vec::new());
            for (which, reservation) in wanted.iter().enumerate() {
                match *reservation {
                    Reservation::Count { key, amount, at_most, window } => {
                        taken.push(count(transaction, which, key, amount, at_most, window(now))?);
                    }
                    Reservation::Concurrent { key, at_most } => {
                        places.push(self.lease(transaction, which, key, at_most)?);
                    }
                }
            }
            if now > high {
                let mut update = transaction.prepare_cached("UPDATE clock SET high = ?1")?;
                update.execute([signed(now)])?;
            }
            Ok::<_, Refused>((taken, places))
        });
        (reserved.taken, reserved.leases) = made?;
        Ok(reserved)
    }

    fn lease(&self, at: &Transaction<'_>, which: usize, key: &str, at_most: u32) -> Result<i64, Refused> {
        check(key)?;
        let used = leases(at, key)?;
        if used >= u64::from(at_most) {
            return Err(Refused::AtLimit { which, used: u128::from(used), free_at: None });
        }
        at.prepare_cached("INSERT INTO leases (key, owner) VALUES (?1, ?2)")?
            .execute([key, self.owner.name()])?;
        Ok(at.last_insert_rowid())
    }

    /// Frees the places of processes that have died. Says whether there were any.
    fn sweep(&self) -> Result<bool, CountersError> {
        self.write(|transaction| self.owner.sweep(transaction))
    }

    /// One transaction, alone among threads and processes: all of it, or nothing where it fails.
    fn write<T, E>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<CountersError> + From<rusqlite::Error>,
    {
        let mut inner = self.lock();
        let Inner { connection, ended } = &mut *inner;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        end(&transaction, ended)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        ended.clear();
        drop(inner);
        self.wake.changed();
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked with the lock rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The latest time at which something was counted.
fn high(at: &Transaction<'_>) -> rusqlite::Result<u64> {
    let high: i64 = at.prepare_cached("SELECT high FROM clock")?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(high).unwrap_or(0))
}

fn leases(at: &Transaction<'_>, key: &str) -> rusqlite::Result<u64> {
    let mut select = at.prepare_cached("SELECT count(*) FROM leases WHERE key = ?1")?;
    let count: i64 = select.query_row([key], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

fn end(at: &Transaction<'_>, leases: &[i64]) -> rusqlite::Result<()> {
    for lease in leases {
        at.prepare_cached("DELETE FROM leases WHERE id = ?1")?.execute([lease])?;
    }
    Ok(())
}

fn read(at: &Transaction<'_>, key: &str) -> Result<Slots, CountersError> {
    let mut select = at.prepare_cached("SELECT slots FROM counters WHERE key = ?1")?;
    let slots = select.query_row([key], |row| Ok(Slots::decode(row.get_ref(0)?.as_blob()?))).optional()?;
    match slots {
        None => Ok(Slots::default()),
        Some(slots) => slots.ok_or(CountersError::Damaged),
    }
}

fn count(
    at: &Transaction<'_>,
    which: usize,
    key: &str,
    amount: u128,
    at_most: u128,
    slot: Slot,
) -> Result<Taken, Refused> {
    check(key)?;
    let mut slots = read(at, key)?;
    let used = slots.used(slot);
    if used.and_then(|used| used.checked_add(amount)).is_none_or(|sum| sum > at_most) {
        let free_at = slots.free_at(slot, amount, at_most);
        return Err(Refused::AtLimit { which, used: used.unwrap_or(u128::MAX), free_at });
    }
    let (start, until) = slots.add(slot, amount).ok_or(CountersError::TooManyPieces)?;
    let mut write = at.prepare_cached(
        "INSERT INTO counters (key, slots, until) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET slots = excluded.slots, until = max(until, excluded.until)",
    )?;
    write.execute(params![key, slots.encode(), signed(until)])?;
    Ok(Taken { key: key.to_owned(), at: start, amount })
}

fn check(key: &str) -> Result<(), CountersError> {
    if key.len() > LONGEST_KEY { Err(CountersError::KeyTooLong) } else { Ok(()) }
}

impl From<CountersError> for Refused {
    fn from(error: CountersError) -> Self {
        Self::Failed(error)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

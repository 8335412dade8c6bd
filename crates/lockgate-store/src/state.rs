//! The files of a state folder that people read and write.
//!
//! Unlike counters, what is written here waits for the disk: a yes that was used must stay used when the
//! machine loses power, and a stop must stay in force.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::file::{self, Flaw, Format};

/// Why approvals, stops or pins cannot be read or written, or why they do not take something in. Whoever reports it
/// names the file.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not a database, or a broken one. It is never repaired or replaced by itself: that would forget what
    /// people decided.
    #[error(
        "the file is damaged\n  hint: restore a copy, or remove it; what people decided in it is then forgotten"
    )]
    Damaged,
    /// A database of something else.
    #[error("the file is a database of something else\n  hint: name another folder")]
    Foreign,
    /// Written by a newer version.
    #[error("the file has format {found}, known here are up to {known}\n  hint: use the newer version")]
    Newer {
        /// The format of the file.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The file is as large as it may be, or the disk is full.
    #[error("there is no room for more")]
    Full,
    /// Another process has kept the file locked for two seconds.
    #[error("the file is in use by another process for too long")]
    Busy,
    /// The file system has no shared memory, as those of networks have not.
    #[error("the file is on a file system that it cannot be used on\n  hint: use a local disk")]
    NoLog,
    /// The system has no randomness to make an id of.
    #[error("the system gives no randomness")]
    NoRandomness,
    /// A name that is empty, longer than 1 024 bytes, or holds control characters where people read it.
    #[error("{what} is empty, too long, or holds control characters")]
    Name {
        /// Which name.
        what: &'static str,
    },
    /// No approval has this id, or it was removed with the history.
    #[error(
        "there is no approval with this id\n  hint: `lockgate approvals list --all` shows those there are"
    )]
    Unknown,
    /// The principal has 20 calls waiting, or 60 were put to people within the hour: nobody could look at more
    /// with care (SAFE-T1403).
    #[error("too many calls of this principal wait for people, or were put to them within the hour")]
    TooMany,
    /// A yes to more than one call, where only a yes to one is possible.
    #[error("a call with the effect `{effect}` can only be approved once\n  hint: use the scope `once`")]
    NoBlanket {
        /// The effect of the call.
        effect: String,
    },
    /// A yes until a time that has passed, or that is more than a day away.
    #[error("an approval cannot count until then\n  hint: it may count for up to 24 hours")]
    Until,
    /// 1 000 stops are in force.
    #[error("too many stops are in force\n  hint: stop a whole server, or everything")]
    TooManyStops,
    /// A lock file has more than 20 000 definitions of a server.
    #[error("there are more than 20 000 definitions of one server")]
    TooManyPins,
    /// The file or its folder cannot be used.
    #[error("the file cannot be used: {0}")]
    Io(#[from] io::Error),
    /// Anything else that `SQLite` reports.
    #[error("the file cannot be used: {0}")]
    Database(#[source] rusqlite::Error),
}

/// One file, used by several threads and processes.
pub(crate) struct Database(Mutex<Connection>);

impl Database {
    /// Opens the file of that name in the folder; makes both where they are missing, for their owner alone.
    pub(crate) fn open(folder: &Path, name: &str, format: &Format) -> Result<Self, StateError> {
        make(folder)?;
        Ok(Self(Mutex::new(file::open(&folder.join(name), format)?)))
    }

    pub(crate) fn in_memory(format: &Format) -> Result<Self, StateError> {
        Ok(Self(Mutex::new(file::in_memory(format)?)))
    }

    /// What one moment looks like.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        work(&transaction)
    }

    /// One transaction, alone among threads and processes: all of it, or nothing where it fails.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Another number whenever anything was changed, by this connection or by another.
    pub(crate) fn version(&self) -> Result<u64, StateError> {
        let connection = self.lock();
        let others: u32 = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        Ok((u64::from(others) << 32) | (connection.total_changes() & u64::from(u32::MAX)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked with the lock rolled its transaction back.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Flaw> for StateError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Damaged => Self::Damaged,
            Flaw::Foreign => Self::Foreign,
            Flaw::Newer { found, known } => Self::Newer { found, known },
            Flaw::Full => Self::Full,
            Flaw::Busy => Self::Busy,
            Flaw::NoLog => Self::NoLog,
            Flaw::Io(error) => Self::Io(error),
            Flaw::Database(error) => Self::Database(error),
        }
    }
}

impl From<rusqlite::Error> for StateError {
    fn from(error: rusqlite::Error) -> Self {
        Flaw::from(error).into()
    }
}

/// `SQLite`'s integers have a sign; times beyond theirs are the end of time.
pub(crate) fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// A time as it was written.
pub(crate) fn unsigned(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

/// Is it a name that people can tell from others?
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), StateError> {
    let good = (1..=1_024).contains(&name.len()) && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(StateError::Name { what }) }
}

/// At most so many bytes of a text, with a mark where it was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut short: String =
        text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= most).map(|(_, c)| c).collect();
    short.push('…');
    short
}

/// Who speaks. One person must not count twice for being known here by two names that a system user and a
/// principal commonly share.
pub(crate) fn voice(approver: &str) -> String {
    approver.strip_prefix("local:").unwrap_or(approver).to_lowercase()
}

/// An id: the prefix and that many letters and digits, of 5 random bits each (base 32 of RFC 4648, in lower case).
pub(crate) fn fresh<const DIGITS: usize>(prefix: &str) -> Result<String, StateError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = [0; DIGITS];
    getrandom::fill(&mut bytes).map_err(|_| StateError::NoRandomness)?;
    let digits = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
    Ok(prefix.chars().chain(digits.map(|digit| char::from(*digit))).collect())
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

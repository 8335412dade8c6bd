use crate::file::Flaw;

/// Why counts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CountersError {
    /// Not a database, or a broken one. It is never repaired or replaced by itself: that would refill every
    /// budget.
    #[error(
        "the file of counters is damaged\n  hint: restore a copy, or remove it to start all counts from zero"
    )]
    Damaged,
    /// A database of something else.
    #[error("the file is a database, but not of counters\n  hint: name another file")]
    Foreign,
    /// Written by a newer version.
    #[error(
        "the file of counters has format {found}, known here are up to {known}\n  hint: use the newer version"
    )]
    Newer {
        /// The format of the file.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The file is at 256 MiB, or the disk is full.
    #[error("there is no room for more counters")]
    Full,
    /// Another process has kept the file locked for two seconds.
    #[error("the file of counters is in use by another process for too long")]
    Busy,
    /// The file system has no shared memory, as those of networks have not.
    #[error("the file of counters is on a file system that it cannot be used on\n  hint: use a local disk")]
    NoLog,
    /// Longer than 1 024 bytes.
    #[error("the name of a counter is too long")]
    KeyTooLong,
    /// More than 256 pieces of time, or an amount beyond all sums.
    #[error("a window has too many pieces")]
    TooManyPieces,
    /// The file or its folder cannot be used.
    #[error("the file of counters cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// Anything else that `SQLite` reports.
    #[error("the file of counters cannot be used: {0}")]
    Database(#[source] rusqlite::Error),
}

impl From<Flaw> for CountersError {
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

impl From<rusqlite::Error> for CountersError {
    fn from(error: rusqlite::Error) -> Self {
        Flaw::from(error).into()
    }
}

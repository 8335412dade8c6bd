//! What is written down of each decision, and how.
//!
//! This crate refuses to hold content: a record names things and carries digests of arguments. The arguments themselves
//! are in it only where the operator has said so.
//!
//! Read [`Record`] first, then [`log`].

pub mod log;
mod receipt;
mod record;
mod trace;

pub use receipt::Receipt;
pub use record::{
    Change, Detected, Ending, Figures, Happening, KEPT_ARGUMENTS, LONGEST_WHY, MOST_CHANGES,
    MOST_DESTINATIONS, MOST_DETECTED, MOST_SOURCES, Measure, Outcome, Record, Source, Upstream, VERSION,
    digest, numbered, one_line,
};
pub use trace::Trace;

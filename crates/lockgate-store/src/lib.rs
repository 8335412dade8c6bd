//! What stays on disk: the record of decisions, in files that rotate.
//!
//! This crate refuses to lose a record silently: where the disk is slower than the calls, calls wait.
//!
//! Read [`RecordLog`] first.

mod log;
mod time;

pub use log::{RecordLog, Rotation};
pub use time::rfc3339;

//! What stays on disk: the record of decisions, in files that rotate, and the counts of budgets, in a database.
//!
//! This crate refuses to lose a record silently: where the disk is slower than the calls, calls wait. It refuses a call
//! where it cannot tell whether there is room for it.
//!
//! Read [`RecordLog`] and [`Counters`] first.

mod counters;
mod log;
mod time;

pub use counters::{Counters, CountersError, Refused, Reservation, Reserved, Slot};
pub use log::{RecordLog, Rotation};
pub use time::rfc3339;

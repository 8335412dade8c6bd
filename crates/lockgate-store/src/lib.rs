//! What stays on disk: the record of decisions, in files that rotate, and in databases the counts of budgets, the calls
//! that wait for people, what operators have stopped, what open sessions have read, what people approved for good, and
//! which definitions of servers they approved.
//!
//! This crate refuses to lose a record silently: where the disk is slower than the calls, calls wait. It refuses a call
//! where it cannot tell whether there is room for it.
//!
//! Read [`RecordLog`], [`Counters`] and [`Approvals`] first.

mod approvals;
mod counters;
mod destinations;
mod file;
mod journal;
mod labels;
mod log;
pub mod pins;
mod state;
mod stops;
mod time;
mod vault;

pub use approvals::{Answer, Approvals, Ballot, Entry, Filed, Filter, Request, Scope, Voice, Vote};
pub use counters::{Counters, CountersError, Refused, Reservation, Reserved, Slot};
pub use destinations::{Destination, Destinations};
pub use journal::{Decision, Journal};
pub use labels::{Labelled, Labels};
pub use log::{
    Ahead, Grown, LogError, LogFolder, Noted, RecordLog, RecordsTo, Retention, Rotation, Sign, Signing,
    TreeLog, Witnessed,
};
pub use pins::Pins;
pub use state::StateError;
pub use stops::{Change, Stop, Stops, Target};
pub use time::rfc3339;
pub use vault::{Kept, Vault};

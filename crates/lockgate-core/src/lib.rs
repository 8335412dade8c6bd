//! The state machine of one session: the one door every message passes, in both directions.
//!
//! It refuses to do anything itself. Messages and the time come in as arguments, [`Step`]s go out, and whoever holds
//! it carries them out. It reads no clock, opens no socket and remembers nothing that is not in its session, so any
//! decision can be replayed from a trace.
//!
//! Read [`Core::handle`] and [`Permit`] first.

mod boundary;
mod event;
mod permit;
mod received;

pub use boundary::{Boundary, CrossServer, MayAsk, Server, Wire};
pub use event::{Event, Headers, Outlet, Step};
pub use permit::{Head, Permit, Release, Sent};
pub use received::Received;

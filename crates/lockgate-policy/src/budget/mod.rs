//! Budgets: how often, how much and how many at once; and when an agent or a server is going in circles.
//!
//! All of it is arithmetic: the time comes in as an argument, the counts that must outlive the process are
//! kept by `lockgate-store`. A [`Limit`] says what is counted and for whom; its [`Window`] turns a moment
//! into a [`Slot`], the piece of time a call is counted in; a [`Tally`] adds slots up in memory. [`Loops`]
//! and [`Breaker`] belong to one session and one server and need no disk.
//!
//! In doubt it counts too much, never too little: a limit may refuse a call a little early, and is never
//! passed.

mod amount;
mod breaker;
mod limit;
mod loops;
mod tally;
mod window;

pub use amount::{Amount, BadAmount};
pub use breaker::{Breaker, BreakerRules, Broken, Pass};
pub use limit::{BadLimit, By, Caller, Charge, Limit, Measure};
pub use loops::{CallDigest, Loop, LoopRules, Loops};
pub use tally::{AtLimit, Tally};
pub use window::{BadWindow, Calendar, Slot, Window};

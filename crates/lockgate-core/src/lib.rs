//! The state machine of one session: the one door every message passes, in both directions.
//!
//! It refuses to do anything itself. Messages and the time come in as arguments, [`Step`]s go out, and whoever holds
//! it carries them out. It reads no clock, opens no socket and remembers nothing that is not in its session, so any
//! decision can be replayed from a trace.
//!
//! Read [`Core::handle`] and [`Permit`] first.

mod agent;
mod answer;
mod boundary;
mod catalogue;
mod detect;
mod digest;
mod dispatch;
mod era;
mod event;
mod exchange;
mod fan;
mod form;
mod freezer;
mod greet;
mod handles;
mod headers;
mod hear;
mod hold;
mod intercept;
mod list;
mod locate;
mod marking;
mod measure;
mod merge;
mod names;
mod permit;
mod phase;
mod pin;
mod question;
mod reach;
mod receipt;
mod received;
mod record;
mod reply;
mod reserve;
mod route;
mod seal;
mod send;
mod server;
mod session;
mod stop;
mod suspect;

pub use boundary::{
    Boundary, Described, Desk, Flow, MayAsk, SecretAction, Secrets, Server, Signed, Speaks, Violation, Wire,
};
pub use detect::{
    ByClass, ByLevel, ClassifiedField, CodeArgument, Detect, Handling, Handlings, Shared, Sort, Suppression,
};
pub use event::{Ask, Ballot, Event, Headers, Learn, Outlet, Reach, Step, Token};
pub use intercept::{Intercepted, Matter};
pub use names::exposed_tool;
pub use permit::{Head, Permit, Release, Sent};
pub use pin::{Seen, Sighting};
pub use received::Received;
pub use reserve::{Claim, Room};
pub use session::{Core, Front, Identity, Scope, Tally};
pub use stop::Stops;

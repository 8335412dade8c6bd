//! Where people rule a running Lockgate: they approve or deny held calls and definitions, stop servers and sessions, and look at what is
//! going on, over HTTP on a Unix socket or a loopback address; and a webhook tells them that they are needed.
//!
//! This crate refuses to decide anything. It finds out who is asking, reads what they ask strictly and within limits, and
//! hands it to a [`Desk`], which keeps approvals, pins and stops. It never listens on a public address, never speaks to a
//! server, and never sees a message of an agent. `docs/admin-api.md` is its reference.
//!
//! Alerts go out the same way: a [`Courier`] keeps each on the disk until its [`Channel`] has taken it.
//!
//! Read [`Desk`] and [`Listener`] first, then [`Webhook`] and [`Courier`].

mod channel;
mod check;
mod courier;
mod definition;
mod desk;
mod event;
mod listen;
mod person;
mod post;
mod read;
mod refusal;
mod route;
mod serve;
mod signature;
mod webhook;

pub use channel::{BadMail, BadRoots, BadSyslog, Channel, Mail, Message, Roots, Syslog, Unsent};
pub use courier::{Carried, Courier};
pub use definition::{Answer, Definition, DefinitionId, Pinned, Verdict, Yes};
pub use desk::{
    Approval, ApprovalId, Decision, Desk, DeskError, Order, SafeMode, Scope, Session, State, Stop, Stops,
    Switch, Target, Vote, Voted, Which,
};
pub use event::{Event, Frozen, Quarantined};
pub use listen::{BadListener, Listener};
pub use person::{BadToken, Person, Tokens};
pub use refusal::Refusal;
pub use route::PLACES;
pub use serve::serve;
pub use signature::{SIGNATURE, Signer, TIMESTAMP};
pub use webhook::{BadWebhook, Counts, Webhook};

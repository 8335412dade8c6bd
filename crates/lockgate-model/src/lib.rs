//! The vocabulary of Lockgate: strict MCP messages over borrowed bytes, ids, labels, verdicts and reasons.
//!
//! This crate refuses to guess. A message is either exactly one well-formed JSON-RPC object that every reader reads
//! in the same way, or it is a [`Reason`]. Nothing here decides whether a call may pass, and nothing here does IO.
//!
//! Read [`Message`] and [`Reason`] first.

mod class;
mod definition;
mod effect;
mod hex;
mod id;
mod json;
mod label;
pub mod letter;
mod limits;
mod message;
mod method;
mod pattern;
mod reach;
mod reason;
mod revision;
mod splice;
mod tick;
mod untrusted;
mod verdict;

pub use class::{Class, Classified, Sign};
pub use definition::DefinitionKind;
pub use effect::{Annotations, Effect};
pub use hex::{hex, unhex};
pub use id::{ClientName, ExchangeId, Principal, ServerName, SessionId, ToolName};
pub use json::{Elements, Fields, Inside, Json, Key, Kind, Members, Texts, Visit, quote};
pub use label::{Confidentiality, Integrity, Label, Secrecy, Tier};
pub use limits::Limits;
pub use message::{Body, Message, Params, Side, peek_id};
pub use method::{Direction, METHODS, Method, MethodKind};
pub use pattern::{BadPattern, Pattern};
pub use reach::{Reach, carried};
pub use reason::{Fault, Reason};
pub use revision::{Era, Revision};
pub use splice::Splice;
pub use tick::{Tick, UnixMillis};
pub use untrusted::Untrusted;
pub use verdict::{Evidence, Finding, Phase, Verdict};

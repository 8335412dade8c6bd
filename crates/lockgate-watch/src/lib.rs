//! What is unusual in what is written down, and whom to tell.
//!
//! This crate reads records, and nothing else: no message and no text of a server comes here. It keeps no clock and sends
//! nothing; time is handed in, and what is to be told comes out.
//!
//! Read [`Event`] and [`alert::Alerts`] for what is told, [`behaviour`] for what is unusual.

pub mod alert;
pub mod behaviour;
mod event;

pub use event::{Class, Event, EventName, EventNames, Severity};

//! What is unusual in what is written down, and whom to tell.
//!
//! This crate reads records, and nothing else: no message and no text of a server comes here. It keeps no clock and sends
//! nothing; time is handed in, and what is to be told comes out.
//!
//! Read [`behaviour`] first.

pub mod behaviour;

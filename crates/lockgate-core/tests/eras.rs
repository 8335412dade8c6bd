//! Servers of the other era than the agent's: how it is found out, and what still holds across the bridge.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

#[path = "eras/talk.rs"]
mod talk;

#[path = "eras/decided.rs"]
mod decided;
#[path = "eras/found_out.rs"]
mod found_out;
#[path = "eras/hostile.rs"]
mod hostile;

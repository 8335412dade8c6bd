//! What gives orders to a model, and what does not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails here has found something"
)]

mod hiding;
mod imported;
mod objects;
#[path = "../others/mod.rs"]
mod others;
mod recorded;
mod sentences;

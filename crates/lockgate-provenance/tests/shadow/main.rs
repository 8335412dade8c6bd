//! What is suspicious about definitions, and what is not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails here has found something"
)]

mod documentation;
mod orders;
mod properties;
mod recorded;
mod scenarios;

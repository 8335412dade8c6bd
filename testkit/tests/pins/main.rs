//! What servers say of themselves, pinned: with the gateway as a process, people at the command line, and servers that
//! change what they say while they run, between runs, and one behind the other.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

mod drift;
mod eras;
mod lock;
mod poison;
mod shelf;
mod tenants;

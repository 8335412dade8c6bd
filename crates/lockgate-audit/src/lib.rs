//! What is written down of each decision, and how.
//!
//! This crate refuses to hold content: a record names things and carries digests of arguments, never the arguments.
//!
//! Read [`Record`] first.

mod record;

pub use record::{Happening, Record, VERSION};

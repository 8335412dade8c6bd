//! Finds what is hidden or secret in a text, and takes it out.
//!
//! This crate refuses to decide: it says what stands where and how sure that is, and what follows from it is for others.
//! It never asks whether a credential is in use, and repeats no text that it found.
//!
//! Read [`secrets::Secrets`] and [`redact`] first.

mod known;
mod redact;
pub mod secrets;

pub use known::Known;
pub use redact::{MARK, redact};

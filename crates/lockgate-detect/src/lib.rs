//! Finds what is hidden or secret in a text, and takes it out.
//!
//! This crate refuses to decide: it says what stands where and how sure that is, and what follows from it is for others.
//! It never asks whether a credential is in use, and repeats no text that it found.
//!
//! Read [`secrets::Secrets`] and [`redact`] first.

pub mod attack;
mod blocks;
pub mod class;
mod clues;
pub mod code;
mod heads;
pub mod hidden;
pub mod indicators;
pub mod injection;
mod inspect;
mod known;
mod letters;
mod lexicon;
mod marks;
mod mask;
pub mod media;
mod names;
pub mod personal;
mod redact;
mod rules;
mod runs;
pub mod secrets;
mod shape;
mod spot;
mod sure;
mod table;
mod tags;
mod words;

pub use injection::Judges;
pub use inspect::{Inspector, ObjectReport, Placed, Report};
pub use known::Known;
pub use letters::BASE64;
pub use mask::Mask;
pub use names::names;
pub use redact::{MARK, redact};
pub use spot::{Genre, Level, Spot, Threat};
pub use sure::Sure;

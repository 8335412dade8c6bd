//! What each session has read and from whom, and which call that may not drive.
//!
//! This crate refuses to trust a tool's description of itself: hints from a server may make a tool more dangerous in
//! our eyes, never less.
//!
//! Read [`effect_of`], [`class_of`] and [`judge`] first.

mod class;
mod effect;
mod history;
mod index;
mod judge;
mod keep;
mod leaf;
mod links;
mod list;
mod parts;
mod result;
mod role;
pub mod rule;
mod statement;
mod text;
mod tool;
mod words;

pub use class::{Definition, Said, Signs, class_of};
pub use effect::{effect_of, is_destructive_by_hint};
pub use history::{Grade, History, Speech, Trust};
pub use index::{Capacity, Copied, Found, Index, Origin, Origins, Sighting, Source, Way};
pub use judge::{Call, Cause, Mode, Objection, judge, judge_keeping};
pub use keep::Graded;
pub use leaf::for_each_text;
pub use role::{Properties, Role, Roles};
pub use tool::{is_document, undoable};
pub use words::Words;

//! What each session has read and from whom, and which call that may not drive.
//!
//! This crate refuses to trust a tool's description of itself: hints from a server may make a tool more dangerous in
//! our eyes, never less.
//!
//! Read [`effect_of`], [`class_of`] and [`drives`] first.

mod class;
mod cross;
mod effect;

pub use class::{Definition, Said, Signs, class_of};
pub use cross::drives;
pub use effect::effect_of;

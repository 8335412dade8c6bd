//! What each session has read and from whom, and which call that may not drive.
//!
//! This crate refuses to trust a tool's description of itself: hints from a server may make a tool more dangerous in
//! our eyes, never less.
//!
//! Read [`effect_of`] and [`drives`] first.

mod cross;
mod effect;

pub use cross::drives;
pub use effect::effect_of;

//! Is what a server says of its tools, of its other offers and of itself what was approved?
//!
//! This crate refuses to forget: a definition is either the very one that was approved, up to the ways of writing the same
//! JSON, or it is not, and then it says what is different. It reads no file and asks nobody.
//!
//! Read [`digest()`] and [`Pins::standing`] first.

mod canonical;
mod definition;
pub mod diff;
mod digest;
pub mod lock;
mod number;
mod pinning;
mod pins;
pub mod shadow;
mod value;

pub use canonical::{canonical, jcs_without};
pub use definition::{Kind, Name, digest, nameless, pinned};
pub use digest::Digest;
pub use pinning::{Held, Pinning, Sight, verdict};
pub use pins::{Pins, ServerPins, Standing};

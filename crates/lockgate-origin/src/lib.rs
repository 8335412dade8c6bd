//! Where the program of a server comes from: which package, image or file a configured command would start, in which
//! version and with which bytes, found by reading the disk before anything is run; who answers for it; and whether it is
//! the one that was pinned.
//!
//! This crate runs nothing and guesses nothing: where it cannot tell what a command would start, it says so by name
//! ([`Unresolved`]), and what is pinned and cannot be resolved is not started.
//!
//! Read [`resolve`], [`Origin`] and [`check`] first.

mod attested;
mod cargo;
mod check;
mod found;
mod npm;
mod oci;
mod origin;
mod owner;
mod pypi;
mod read;
mod registry;
mod resolve;
mod script;
mod setting;
mod tree;
mod unresolved;

pub use attested::{Archive, Attestations, Voucher};
pub use check::{Difference, check};
pub use found::{Found, Start};
pub use npm::registry as npm_registry;
pub use origin::{BadOrigin, Kind, Origin};
pub use owner::{Owner, Part};
pub use pypi::{COMPILED, Installed, Untraced, Wheel, index as pypi_index};
pub use resolve::{remote, resolve};
pub use setting::Setting;
pub use tree::Cache;
pub use unresolved::Unresolved;

#[cfg(test)]
mod tests;

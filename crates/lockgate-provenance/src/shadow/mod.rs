//! What is suspicious about a definition, seen from the definition alone and from what other servers offer.
//!
//! This module refuses to guess: it finds names that pass for others, texts that speak of other servers' tools, and marks
//! that no honest definition has. What texts say is read by `lockgate_detect::injection::rules`; what reads like an order and might
//! be a description is not the business of this module.
//!
//! Read [`Index`] and [`Suspicion`] first; `docs/poisoning.md` has every [`Code`].

mod behaviour;
mod code;
mod hidden;
mod host;
mod identity;
mod index;
mod judge;
mod name;
mod orders;

pub use code::{Code, Weight};
pub use host::{Resemblance, resembles};
pub use index::{Index, Offer};
pub use judge::Suspicion;
pub use orders::orders;

//! What is suspicious about a definition, seen from the definition alone and from what other servers offer.
//!
//! This module refuses to guess: it finds names that pass for others, texts that speak of other servers' tools, and marks
//! that no honest definition has. What reads like an order and might be a description is not its business. It knows English
//! phrases only; hidden characters and names it knows in every script.
//!
//! Read [`Index`] and [`Suspicion`] first; `docs/poisoning.md` has every [`Code`].

mod behaviour;
mod code;
mod hidden;
mod host;
mod identity;
mod index;
mod judge;
mod marker;
mod name;
mod phrase;
mod read;
mod text;

pub use code::{Code, Weight};
pub use host::{Resemblance, resembles};
pub use index::{Index, Offer};
pub use judge::Suspicion;

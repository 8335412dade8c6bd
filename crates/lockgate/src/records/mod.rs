//! What can be learned from records: what another policy would have decided, why a request was refused, which rights an
//! agent needs.
//!
//! It refuses to guess: what a record does not hold cannot be told.
//!
//! Read [`Entry`] first.

mod entry;
mod explain;
mod learn;
mod replay;

pub use entry::{Arguments, Entry, History};
pub use explain::{ExplainOptions, explain};
pub use learn::{LearnOptions, learn};
pub use replay::{ReplayOptions, replay};

//! What can be learned from records: what another policy would have decided, why a request was refused, which rights an
//! agent needs.
//!
//! It refuses to guess: what a record does not hold cannot be told.
//!
//! Read [`Entry`] first.

mod chain;
mod entry;
mod explain;
mod flow;
mod learn;
mod replay;
mod values;

pub use entry::{Arguments, Entry, History};
pub(crate) use explain::what;
pub use explain::{ExplainOptions, explain};
pub use flow::{FlowOptions, flow};
pub use learn::{LearnOptions, learn};
pub use replay::{ReplayOptions, replay};
pub use values::{Evidence, Source};

/// Nothing in a file may move a cursor: it could have been written by somebody else.
pub(crate) fn plain(text: &str) -> String {
    lockgate_model::Untrusted::new(text).escaped(2_000)
}

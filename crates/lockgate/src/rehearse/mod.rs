//! Trying a policy without servers: cases beside it, and calls that were recorded.
//!
//! It refuses to decide anything itself. A call goes through the same [`lockgate_core::Core`] as in production, in a
//! session of its own, and the answer is what comes out.
//!
//! Read [`Stage`] first.

mod policy;
mod stage;
mod test;

pub(crate) use policy::read;
pub use policy::{Policy, Unset};
pub use stage::{Call, Outcome, Stage};
pub(crate) use test::count;
pub use test::{TestOptions, test};

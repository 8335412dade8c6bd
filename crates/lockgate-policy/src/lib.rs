//! Who may call what: per server and per tool, from patterns the operator wrote to one answer and the rule that gave it.
//!
//! This crate refuses to guess what a rule means: a pattern that cannot be read is a load error, and of several
//! patterns the order never matters.
//!
//! Read [`Rules`] and [`Action`] first.

pub mod budget;
pub mod intercept;
mod pattern;
mod rules;
mod schema;
pub mod test;

pub use pattern::{BadPattern, Pattern};
pub use rules::{Action, Answer, RuleSet, Rules, Subject};
pub use schema::{BadSchema, Misfit, Schema, Undeclared};

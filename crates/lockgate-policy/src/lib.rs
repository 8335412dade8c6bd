//! Who may call what: per server and per tool, from rules the operator wrote to one answer and the rule that gave it.
//!
//! This crate refuses to guess what a rule means: a rule that cannot be read is a load error, of several rules the order
//! never matters, and what cannot be evaluated is refused.
//!
//! Read [`Rules`] and [`Rule`] first; [`mod@test`] for what rules ask of arguments, [`budget`] for how often and how much,
//! [`Schema`] for the form that arguments must have, [`intercept`] for the files of another gateway.

pub mod budget;
mod classes;
mod hours;
mod index;
pub mod intercept;
mod number;
mod rules;
mod schema;
pub mod test;

pub use classes::{ClassTable, Treatment};
pub use hours::{BadHours, DAYS, Hours};
pub use index::Index;
pub use lockgate_model::{BadPattern, Pattern};
pub use rules::{Action, Answer, Asked, Fallback, Place, Rule, RuleSet, Rules, Subject, Why};
pub use schema::{BadSchema, Misfit, Schema, Undeclared};

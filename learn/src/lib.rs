//! Learns the weights of the classifier in `lockgate-detect`, and measures any finder of injections, source by source.
//!
//! Read [`Row`] and [`Table`] first: a finder is a closure over rows.

mod dice;
mod doc;
mod fit;
mod grammar;
mod interval;
pub mod ours;
mod rows;
mod study;
mod table;

pub use dice::Dice;
pub use interval::Interval;
pub use rows::{Row, read, read_sessions, read_texts};
pub use study::{Study, learn, splits};
pub use table::{Line, Table};

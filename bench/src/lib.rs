//! What the measured things and those that measure them agree on.

pub mod client;
pub mod floor;
pub mod load;
pub mod process;
pub mod report;
pub mod subject;
pub mod text;
pub mod upstream;

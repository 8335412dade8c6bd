//! What a result carries that is not plain text: what it is, what is written in it beside what is seen, and how to take that
//! out. SAFE-MCP T1110 (injection through images and sound).

pub mod mark;
pub mod markup;
pub mod metadata;
mod sniff;
pub mod svg;

pub use sniff::{agrees, allows, sniff};

//! Where the MCP clients of a machine keep their servers, what stands there, and how it is rewritten.
//!
//! It refuses to start or reach anything, and to show a value that may be a secret: such values are [`Secret`]s, without
//! `Debug` of what they hold. A broken file or entry is told and costs no other.
//!
//! Read [`survey()`] and [`edit`] first; [`CLIENTS`] is the table of what is looked at.

mod client;
pub mod diff;
pub mod edit;
mod entry;
mod format;
mod hide;
mod machine;
mod place;
mod program;
mod read;
mod secret;
mod server;
mod survey;
mod tree;
mod write;

pub use client::{CLIENTS, Client, Reached, Scope};
pub use entry::{Route, entry};
pub use format::Format;
pub use hide::Hider;
pub use machine::{Machine, System, VARIABLES};
pub use place::Place;
pub use program::{Kind, Program, Version};
pub use read::{LARGEST, Text, read};
pub use secret::Secret;
pub use server::{Approves, Launch, Server, Variable, Wire};
pub use survey::{Found, Survey, of_file, of_text, survey};
pub use tree::{Fault, Trouble};
pub use write::{WriteError, replace};

//! The composition root: configuration, the event loop, the commands.
//!
//! Read [`command`] for what the program does and [`gateway`] for how the pieces meet.

mod alerts;
mod clients;
pub mod command;
pub mod config;
pub mod demo;
pub mod gateway;
mod import;
mod inspect;
mod lines;
mod log;
pub mod moment;
pub mod operator;
mod pin;
pub mod records;
pub mod rehearse;
pub mod sessions;
mod signing;
mod state;
mod tools;
mod turn;
mod witness;

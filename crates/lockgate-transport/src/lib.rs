//! How Lockgate speaks: stdio children, Streamable HTTP and the older HTTP+SSE to servers, HTTP and stdio to agents.
//!
//! This crate refuses to decide anything about a message. It sends what a [`lockgate_core::Permit`] holds and nothing
//! else, and hands every message it receives to whoever holds the door. What it checks itself is what can only be seen
//! here: the HTTP front's Host, Origin, credentials, types, sizes and times.
//!
//! Read [`http::HttpServer`] and [`front::Handler`] first.

pub mod child;
pub mod event_stream;
mod fetch;
pub mod front;
pub mod http;
pub mod lines;
pub mod pipes;
mod random;
pub mod said;
pub mod sse;
#[cfg(test)]
mod testing;
mod tls;

pub use fetch::{Unfetched, fetch, fetch_as, submit};
pub use random::{key, seal_key, unguessable};
pub use tls::TlsKey;

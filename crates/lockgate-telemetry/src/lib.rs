//! What a running Lockgate tells those who watch it: metrics and health over HTTP for who asks, metrics and traces over
//! OTLP to who is named.
//!
//! This crate refuses to look at messages. It counts records, and what it tells is of a known few: configured names of
//! servers, reasons, methods of the protocol, verdicts, and names of tools that were let through. No text of a server or
//! of an agent, and no more of anything than a limit says.
//!
//! Read [`TABLE`] first, then [`Telemetry`].

mod names;
mod operation;
mod otlp;
mod prometheus;
mod registry;
mod sample;
mod serve;
mod span;
mod start;
mod table;
mod telemetry;

pub use names::MOST_NAMES;
pub use registry::MOST_SERIES;
pub use sample::{Gauges, House, Logged, Notices, Stops};
pub use start::{BadTelemetry, Otlp, Running, Settings, start};
pub use table::{Kind, Label, Metric, TABLE, markdown};
pub use telemetry::{Telemetry, Transport};

//! The protocol of OpenTelemetry, version 1, as protobuf over HTTP. <https://opentelemetry.io/docs/specs/otlp/>
//!
//! Cumulative counts go out once in every interval; spans when there is a batch of them, and at least every five seconds.

mod message;
mod metrics;
mod send;
mod spans;

pub(crate) use metrics::metrics;
pub(crate) use send::{BadTarget, Sender};
pub(crate) use spans::spans;

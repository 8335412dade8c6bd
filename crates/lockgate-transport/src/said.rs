//! What comes from a server that has one stream for everything: a child on pipes, or a stream of events.

use bytes::Bytes;

use crate::event_stream::Ended;

/// What a server says.
#[derive(Debug)]
pub enum Said {
    /// A message.
    Message(Bytes),
    /// The beginning, at most 4 KiB, of a message longer than allowed.
    TooLong(Bytes),
    /// A line of a child's diagnostics. Server text: escape it.
    Diagnostic(String),
    /// The child has ended, with this code, or by a signal. Said once, last.
    Exited(Option<i32>),
    /// The stream of events has ended. Said once, last.
    Closed(Ended),
}

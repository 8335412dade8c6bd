//! Translation between the two eras of MCP: a server of one era serves a session of the other.
//!
//! A bridge stands between a session and one server. What the session sends to the server, decided and in the session's
//! era, goes in; what the server must read comes out. What the server says goes in; what the session reads comes out, as
//! if the server had spoken its era all along. The session sees, decides and labels everything; the bridge decides
//! nothing. It knows no transport: requests are told apart by their exchange, on pipes and over HTTP alike.
//!
//! On the wire a request has the number of its exchange as its id, and the session's own id is restored on the way back.

mod bridge;
mod handshake;
mod message;
mod meta;
mod moment;
mod object;
#[cfg(test)]
mod round_trip;
mod stateless;

use bytes::Bytes;
use lockgate_model::{ExchangeId, Reason};

pub use bridge::Bridge;
pub use handshake::Handshake;
pub use moment::Moment;
pub use stateless::Stateless;

/// What a bridge wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Send this to the server, in the server's era.
    Send {
        /// The exchange that an answer will come in; none for what wants no answer. It is one of the session's, or a new
        /// one for a request of the bridge's own.
        exchange: Option<ExchangeId>,
        /// The method; none for an answer to a question of the server.
        method: Option<&'static str>,
        /// The message.
        message: Bytes,
    },
    /// The server has said this, in the session's era.
    Said {
        /// The session's exchange that it belongs to; none for what belongs to no request.
        exchange: Option<ExchangeId>,
        /// The message.
        message: Bytes,
    },
    /// The server will not answer this exchange of the session.
    Failed {
        /// The exchange.
        exchange: ExchangeId,
        /// Why.
        reason: Reason,
    },
    /// Nobody waits for this exchange of the wire any more: its stream may be closed.
    Abandon {
        /// The exchange.
        exchange: ExchangeId,
    },
    /// What the server says unasked is wanted: over HTTP, its standing stream.
    Listen,
}

/// How much a bridge keeps, and how long. At each bound the outcome has a named reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most requests that wait for a handshake, for the answers of the agent, or for the agent to come back, together.
    /// Default 64; then `too_many_open`.
    pub waiting: usize,
    /// Most questions of the server that wait for one answer of the agent. Default 16; a further one is answered with an
    /// error.
    pub questions: usize,
    /// How long a call waits for the agent to come back with an answer. Milliseconds; default 120 000; then the call is
    /// cancelled at the server.
    pub held: u64,
    /// How long a handshake may take. Milliseconds; default 30 000; then `server_timed_out`.
    pub handshake: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { waiting: 64, questions: 16, held: 120_000, handshake: 30_000 }
    }
}

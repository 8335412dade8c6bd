use bytes::Bytes;
use lockgate_model::{Era, ExchangeId, Reason, Revision};

use crate::{Bounds, Handshake, Moment, Stateless};

/// A bridge of either direction.
#[derive(Debug)]
pub enum Bridge {
    /// The agent is of the stateless era, the server of the handshake era.
    Handshake(Handshake),
    /// The agent is of the handshake era, the server of the stateless era.
    Stateless(Stateless),
}

impl Bridge {
    /// A bridge for an agent of this era, to a server of the other.
    pub fn from(agent: Era, bounds: Bounds) -> Self {
        match agent {
            Era::Modern => Self::Handshake(Handshake::new(bounds)),
            Era::Legacy => Self::Stateless(Stateless::new(bounds)),
        }
    }

    /// A request of the session, with its own id. `method` is one of the session's era.
    pub fn request(
        &mut self,
        exchange: ExchangeId,
        method: &'static str,
        message: &Bytes,
        moment: &mut Moment<'_>,
    ) {
        match self {
            Self::Handshake(bridge) => bridge.request(exchange, method, message, moment),
            Self::Stateless(bridge) => bridge.request(exchange, method, message, moment),
        }
    }

    /// A notification of the session.
    pub fn notification(&mut self, method: &'static str, message: &Bytes, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.notification(method, message, moment),
            Self::Stateless(bridge) => bridge.notification(method, message, moment),
        }
    }

    /// The session answers a question that it was asked on the server's behalf.
    pub fn answer(&mut self, message: &Bytes, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.answer(message, moment),
            Self::Stateless(bridge) => bridge.answer(message, moment),
        }
    }

    /// Nobody waits for this exchange of the session any more.
    pub fn abandon(&mut self, exchange: ExchangeId, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.abandon(exchange, moment),
            Self::Stateless(bridge) => bridge.abandon(exchange, moment),
        }
    }

    /// The server has said this; `exchange` is the one of the wire on whose own stream it came, none on a pipe and on a
    /// standing stream.
    pub fn heard(&mut self, exchange: Option<ExchangeId>, message: &Bytes, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.heard(exchange, message, moment),
            Self::Stateless(bridge) => bridge.heard(exchange, message, moment),
        }
    }

    /// The wire failed: one exchange of it, or all where none is named.
    pub fn failed(&mut self, exchange: Option<ExchangeId>, reason: Reason, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.failed(exchange, reason, moment),
            Self::Stateless(bridge) => bridge.failed(exchange, reason, moment),
        }
    }

    /// The server has forgotten the session in which this was sent. In the stateless era there is none.
    pub fn forgotten(&mut self, exchange: ExchangeId, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.forgotten(exchange, moment),
            Self::Stateless(bridge) => bridge.failed(Some(exchange), Reason::ServerRefused, moment),
        }
    }

    /// Time has passed. To be said at least once a second while [`Bridge::waits`].
    pub fn wake(&mut self, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.wake(moment),
            Self::Stateless(bridge) => bridge.wake(moment),
        }
    }

    /// The server is to do nothing more: what waits for an agent to come back is cancelled. Behind a session of the
    /// handshake era nothing does.
    pub fn stop(&mut self, moment: &mut Moment<'_>) {
        match self {
            Self::Handshake(bridge) => bridge.stop(moment),
            Self::Stateless(_) => {}
        }
    }

    /// Is a message of the server still expected on this exchange of the wire?
    pub fn awaits(&self, exchange: ExchangeId) -> bool {
        match self {
            Self::Handshake(bridge) => bridge.awaits(exchange),
            Self::Stateless(bridge) => bridge.awaits(exchange),
        }
    }

    /// Is there anything that [`Bridge::wake`] may be about?
    pub fn waits(&self) -> bool {
        match self {
            Self::Handshake(bridge) => bridge.waits(),
            Self::Stateless(bridge) => bridge.waits(),
        }
    }

    /// Has the server understood the era that it is spoken to in: has it answered the handshake, or `server/discover`?
    pub fn is_understood(&self) -> bool {
        match self {
            Self::Handshake(bridge) => bridge.is_understood(),
            Self::Stateless(bridge) => bridge.is_understood(),
        }
    }

    /// The revision that is spoken with the server.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Handshake(bridge) => bridge.revision(),
            Self::Stateless(bridge) => bridge.revision(),
        }
    }
}

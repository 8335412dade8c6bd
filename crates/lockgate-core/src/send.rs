//! Phase *send*: a decided message becomes a [`Permit`] or a [`Release`]. No other file makes one.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Revision, ServerName};

use crate::exchange::Outgoing;
use crate::permit::Passage;
use crate::{Core, Head, Outlet, Permit, Release, Sent, Step, Wire};

impl Core {
    pub(crate) fn permit(
        server: &ServerName,
        exchange: Option<ExchangeId>,
        message: Bytes,
        head: Head,
        rule: String,
    ) -> Permit {
        Permit { server: server.clone(), exchange, message, head, rule, passage: Passage::Open }
    }

    /// A decided request. Only here, behind every decision and record, do handles become secrets again.
    pub(crate) fn send(&mut self, exchange: ExchangeId, outgoing: Outgoing) -> Step {
        let Outgoing { server, message, head, rule, rewritten: _ } = self.expand(exchange, outgoing);
        Step::Send(Self::permit(&server, Some(exchange), message, head, rule))
    }

    /// A notification for a server.
    pub(crate) fn notify(
        server: &ServerName,
        method: &'static str,
        message: Bytes,
        revision: Revision,
    ) -> Permit {
        let head = Head {
            sent: Sent::Notification,
            revision,
            method: Some(method),
            name: None,
            parameters: Vec::new(),
        };
        Self::permit(server, None, message, head, "protocol".to_owned())
    }

    /// An answer of our own to a server's question.
    pub(crate) fn answer_server(server: &ServerName, message: Bytes, revision: Revision) -> Step {
        let head = Head { sent: Sent::Answer, revision, method: None, name: None, parameters: Vec::new() };
        Step::Send(Self::permit(server, None, message, head, "protocol".to_owned()))
    }

    pub(crate) fn is_lines(&self, server: &ServerName) -> bool {
        self.boundary.servers.get(server).is_some_and(|server| server.wire == Wire::Lines)
    }

    /// The last word on an exchange.
    pub(crate) fn release(exchange: ExchangeId, message: Bytes, status: u16) -> Step {
        Step::Deliver(Release { to: Outlet::Exchange(exchange), message, status, last: true, gap: None })
    }

    /// Something said before the answer, or apart from any.
    pub(crate) fn tell(to: Outlet, message: Bytes) -> Step {
        Step::Deliver(Release { to, message, status: 200, last: false, gap: None })
    }

    /// A notification or an answer of the agent was taken.
    pub(crate) fn accepted(exchange: ExchangeId) -> Step {
        Self::release(exchange, Bytes::new(), 202)
    }
}

use bytes::Bytes;
use lockgate_model::{ExchangeId, Revision, ServerName};

use crate::Outlet;
use crate::receipt::Gap;

/// Leave to send one message to one server. Only the core makes permits, the message is inside, and a transport sends
/// nothing else: a check that was forgotten is a type error.
#[derive(Debug)]
pub struct Permit {
    pub(crate) server: ServerName,
    pub(crate) exchange: Option<ExchangeId>,
    pub(crate) message: Bytes,
    pub(crate) head: Head,
    pub(crate) rule: String,
    pub(crate) passage: Passage,
}

/// What is known of the era that its server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Not looked at yet.
    #[default]
    Open,
    /// It goes as it is.
    Plain,
    /// It was translated into that era.
    Translated,
}

/// What a transport must know about a message without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What kind of message it is.
    pub sent: Sent,
    /// The revision it is in. 2025-11-25 and older have sessions; before `initialize` is answered it is the one asked
    /// for.
    pub revision: Revision,
    /// The method; none for an answer.
    pub method: Option<&'static str>,
    /// What `Mcp-Name` says: the tool, prompt, address or task, as plain text. Modern requests only.
    pub name: Option<String>,
    /// What `Mcp-Param-…` headers say: header name without the prefix, and plain text. Modern tool calls only.
    pub parameters: Vec<(String, String)>,
}

/// What kind of message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Wants an answer; the permit names its exchange.
    Request,
    /// Wants no answer.
    Notification,
    /// Answers a server's own request.
    Answer,
}

impl Permit {
    /// The server it is for.
    pub fn server(&self) -> &ServerName {
        &self.server
    }

    /// The exchange that the answer belongs to; none for what wants no answer.
    pub fn exchange(&self) -> Option<ExchangeId> {
        self.exchange
    }

    /// The message, byte for byte as it must be sent. On a pipe a line feed between tokens must become a space.
    pub fn message(&self) -> &Bytes {
        &self.message
    }

    /// What a transport must know about it.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Is it for a server of another era than the agent's? Then the stream of its answer outlives the agent's request:
    /// the server may ask something in between, and the agent answers with another request.
    pub fn is_translated(&self) -> bool {
        self.passage == Passage::Translated
    }

    pub(crate) fn plain(self) -> Self {
        Self { passage: Passage::Plain, ..self }
    }

    pub(crate) fn translated(self) -> Self {
        Self { passage: Passage::Translated, ..self }
    }

    /// The rule that allowed it.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

/// Leave to hand one message to the agent. Made by the core alone, like a [`Permit`].
#[derive(Debug)]
pub struct Release {
    pub(crate) to: Outlet,
    pub(crate) message: Bytes,
    pub(crate) status: u16,
    pub(crate) last: bool,
    /// Where a receipt goes, where one is due.
    pub(crate) gap: Option<Gap>,
}

impl Release {
    /// Where it goes.
    pub fn to(&self) -> Outlet {
        self.to
    }

    /// The message; empty where only the HTTP status is an answer.
    pub fn message(&self) -> &Bytes {
        &self.message
    }

    /// The HTTP status, where this is the first thing said on an exchange.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Is the exchange over with this?
    pub fn last(&self) -> bool {
        self.last
    }
}

use std::sync::Arc;

use lockgate_audit::Record;
use lockgate_model::{Effect, Era, ExchangeId, Label, Reason, ServerName, ToolName, UnixMillis};

use lockgate_policy::intercept::Decision;
use lockgate_provenance::Pins;

use crate::{Boundary, Claim, Intercepted, Permit, Received, Release, Room, Sighting, Stops};

/// Something that happened to a session.
#[derive(Debug)]
pub enum Event<'a> {
    /// The agent sent a message. The exchange is a new one from [`crate::Core::open`].
    Agent {
        /// What answers to it will be addressed with.
        exchange: ExchangeId,
        /// The message.
        received: Received<'a>,
        /// What HTTP headers said about it; none on stdio and for revisions that do not use them.
        headers: Option<Headers>,
        /// When it came, for rules that hold at some hours.
        at: UnixMillis,
    },
    /// A server sent a message.
    Server {
        /// The server.
        server: ServerName,
        /// The exchange whose own stream it came on; none on a pipe and on a standing stream.
        exchange: Option<ExchangeId>,
        /// The message.
        received: Received<'a>,
    },
    /// A server failed: one exchange, or all of them where none is named.
    Failed {
        /// The server.
        server: ServerName,
        /// The exchange that will get no answer.
        exchange: Option<ExchangeId>,
        /// Why.
        reason: Reason,
    },
    /// An HTTP server does not know the session any more in which it was sent this (status 404).
    Forgotten {
        /// The server.
        server: ServerName,
        /// The exchange that got no answer.
        exchange: ExchangeId,
        /// Has it been greeted again since the message was sent?
        greeted: bool,
    },
    /// What the counts say to [`Step::Reserve`].
    Reserved {
        /// The exchange that waits for it.
        exchange: ExchangeId,
        /// Is there room?
        room: Room,
    },
    /// What an Intercept policy says to [`Step::Intercept`].
    Intercepted {
        /// The exchange that waits for it.
        exchange: ExchangeId,
        /// What it says.
        decision: Decision,
    },
    /// A held call was put before people outside the client ([`Step::Ask`]).
    Filed {
        /// The exchange that waits.
        exchange: ExchangeId,
        /// What people call it by; or why it could not be put before them.
        reference: Result<String, Reason>,
    },
    /// People have decided about a held call.
    Ballot {
        /// The exchange that waits.
        exchange: ExchangeId,
        /// What they decided.
        ballot: Ballot,
    },
    /// The user has said something, by a way that neither the model nor a server can write to. From now on what was never
    /// seen is held against a call.
    User {
        /// The whole turn.
        words: &'a str,
    },
    /// The principal may use these values, as was approved in an earlier session ([`Step::Learn`]): each with the time it
    /// still counts. Milliseconds.
    Known {
        /// The values, as they stood in the calls.
        values: &'a [(String, u64)],
    },
    /// Earlier sessions of the principal were shown these in place of personal data ([`Step::Keep`]), the oldest first. What
    /// cannot be opened is not known.
    Kept {
        /// The tokens.
        tokens: &'a [Token],
    },
    /// Earlier sessions of the same agent, whose context it may still have, have read this.
    Restored {
        /// Their labels, joined.
        label: &'a Label,
    },
    /// The agent hung up on an exchange.
    Gone {
        /// The exchange.
        exchange: ExchangeId,
        /// Can its answer not reach the agent any more? Else an agent of the handshake era may come back for it.
        lost: bool,
    },
    /// The session has ended: nobody waits for anything that is open. To be said last.
    Over,
    /// Time has passed. To be said at least once a second while requests are open.
    Wake,
    /// The operator stopped something by hand, or let it run again.
    Stopped(Arc<Stops>),
    /// How unusual what the session and its principal did of late is, from 0 to 100. Rules can ask for it.
    Risk(u8),
    /// What is approved of what servers say of themselves, for the session's tenant: at its beginning and whenever it has
    /// changed. None: it cannot be read, and nothing is called until it can.
    Pinned(Option<Arc<Pins>>),
    /// The operator changed the configuration.
    Changed(Arc<Boundary>),
}

/// The MCP headers of an HTTP request, as plain text: percent, base64 and white space already taken off. A header that
/// came twice or could not be decoded is [`Headers::broken`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// `MCP-Protocol-Version`
    pub version: Option<String>,
    /// `Mcp-Method`
    pub method: Option<String>,
    /// `Mcp-Name`
    pub name: Option<String>,
    /// `Mcp-Param-…`: name without the prefix, in lower case, and value.
    pub parameters: Vec<(String, String)>,
    /// One of them came twice or could not be decoded.
    pub broken: bool,
    /// `traceparent`, where it came once. For records alone; nothing is refused for it.
    pub traceparent: Option<String>,
}

/// What must be done now, in order.
#[derive(Debug)]
pub enum Step {
    /// Send to a server.
    Send(Permit),
    /// Hand to the agent.
    Deliver(Release),
    /// Stop waiting for this exchange: close its stream to that server.
    Abandon {
        /// The server.
        server: ServerName,
        /// The exchange.
        exchange: ExchangeId,
        /// Has it been taken over to the era of the server? False only within the core.
        crossed: bool,
    },
    /// Open the standing stream of a server of the handshake era over HTTP, for an agent that has none, and keep it open.
    Listen {
        /// The server.
        server: ServerName,
    },
    /// End the child of a server and start another one for what is sent next. What waits for it goes on waiting.
    Restart {
        /// The server.
        server: ServerName,
    },
    /// It was found out whether a server speaks an era. Tell later sessions with [`crate::Core::know_eras`].
    Era {
        /// The server.
        server: ServerName,
        /// The era.
        era: Era,
        /// Does it?
        speaks: bool,
    },
    /// End the connection to a server, which has broken the protocol too often or must start afresh.
    Disconnect {
        /// The server.
        server: ServerName,
    },
    /// Ask the counts for room, all or nothing, and say what they say with [`Event::Reserved`]. What is taken is given
    /// back, as far as it is about calls at once, when the last word on the exchange has been delivered.
    Reserve {
        /// The exchange that waits for it.
        exchange: ExchangeId,
        /// What it needs.
        claims: Vec<Claim>,
    },
    /// Ask an Intercept policy, with the counts it needs, and say what it says with [`Event::Intercepted`].
    Intercept(Box<Intercepted>),
    /// The call failed: what an Intercept policy counted for it is taken back.
    Refund {
        /// The exchange.
        exchange: ExchangeId,
    },
    /// Put a held call before people outside the client, and say so with [`Event::Filed`], or with [`Event::Ballot`]
    /// where they have decided already.
    Ask(Box<Ask>),
    /// The person in front of the client has answered about a call that was put before others too. Count it, and say so
    /// with [`Event::Ballot`] where that decides.
    Vote {
        /// The exchange.
        exchange: ExchangeId,
        /// Did they approve, and how far?
        yes: Option<Reach>,
    },
    /// Nobody waits for what was put before people any more.
    Withdraw {
        /// The exchange.
        exchange: ExchangeId,
    },
    /// Tell the operator: an agent tried one refused value after the other, and the tool is frozen in its session.
    Alarm {
        /// The server.
        server: ServerName,
        /// The tool, in a form that is safe to print.
        tool: String,
    },
    /// A server says something of itself that is not approved yet. Remember it, and say what is approved then with
    /// [`Event::Pinned`]. Comes before what is delivered of it.
    Sight(Box<Sighting>),
    /// Keep a value for later sessions of the principal, for as long as [`crate::Flow::learned_for`] says, and give it to
    /// them with [`Event::Known`].
    Learn(Box<Learn>),
    /// Keep what tokens of personal data stand for, for as long as [`crate::Boundary::personal_kept_for`] says, and give them to
    /// later sessions of the principal with [`Event::Kept`].
    Keep(Vec<Token>),
    /// Write down.
    Record(Box<Record>),
}

/// A call that waits for people.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The exchange that waits.
    pub exchange: ExchangeId,
    /// The server.
    pub server: ServerName,
    /// The tool, prompt or resource, in a form that is safe to print.
    pub target: String,
    /// The arguments, escaped and cut at 4,000 characters.
    pub arguments: String,
    /// The same for this very call alone: method, server, name and arguments. SHA-256 in hexadecimal.
    pub fingerprint: String,
    /// The rule that asks.
    pub rule: String,
    /// Why.
    pub reason: Reason,
    /// The server whose text stands against the call.
    pub origin: Option<ServerName>,
    /// What the tool does.
    pub effect: Effect,
    /// How many different people must approve.
    pub approvers: u8,
    /// Has the person in front of the client approved already, and how far?
    pub voiced: Option<Reach>,
    /// How long an approval can be given and used. Milliseconds.
    pub valid: u64,
}

/// What stands for personal data, and what it stands for, sealed: only a session of the same principal, at a gateway with the same
/// key, can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What the agent is shown.
    pub handle: String,
    /// The server that gave the data.
    pub server: ServerName,
    /// The data, sealed.
    pub sealed: String,
}

/// A value that a person has approved for later sessions as well, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learn {
    /// The server that was called.
    pub server: ServerName,
    /// The tool, by the server's own name.
    pub tool: ToolName,
    /// The JSON pointer of the argument.
    pub argument: String,
    /// The value. Never longer than what the person was shown.
    pub value: String,
}

/// What people decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ballot {
    /// Enough of them approved: it may be sent, once.
    Approved(Reach),
    /// One of them did not.
    Denied,
    /// Nobody did in time.
    Expired,
}

/// How far a yes to a call reaches that was held for where a value came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// This call alone.
    #[default]
    Once,
    /// What it names as well, in this session, for as long as [`crate::Flow::approved_for`] says.
    Session,
    /// The same in later sessions of the principal.
    Always,
}

impl Reach {
    /// Every reach, the nearest first.
    pub const ALL: [Self; 3] = [Self::Once, Self::Session, Self::Always];

    /// The word in questions and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Session => "session",
            Self::Always => "always",
        }
    }
}

/// Where a message for the agent goes. On stdio it makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlet {
    /// The answer to one request: its own stream.
    Exchange(ExchangeId),
    /// The stream that stands open for what belongs to no request.
    Standing,
}

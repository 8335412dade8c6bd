use std::sync::Arc;

use crate::{Effect, Integrity, Reason, ServerName};

/// Where in the order of a call something was found. The order is written once, in `lockgate-core`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Is it exactly one well-formed message within limits?
    Parse,
    /// Which principal, session, server, tool?
    Identify,
    /// Is the server, and what it says of itself and its tools, what was approved?
    Pin,
    /// Do the arguments have the form that the tool declares?
    Schema,
    /// May this principal call this tool, with these arguments, now, this often?
    Policy,
    /// May what the session has read steer this tool?
    Flow,
    /// Is there anything in what is sent, or in what is answered, that must not pass?
    Detect,
    /// Did the server answer what was asked, within limits?
    Answer,
}

impl Phase {
    /// The word used in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Identify => "identify",
            Self::Pin => "pin",
            Self::Schema => "schema",
            Self::Policy => "policy",
            Self::Flow => "flow",
            Self::Detect => "detect",
            Self::Answer => "answer",
        }
    }
}

/// What is done with a message. Ordered: combining two keeps the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Sent byte for byte.
    Forward,
    /// Sent with a part replaced.
    Rewrite,
    /// Waits for a person.
    Hold,
    /// Not sent.
    Deny,
}

impl Verdict {
    /// The word used in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Rewrite => "rewrite",
            Self::Hold => "hold",
            Self::Deny => "deny",
        }
    }
}

/// What one phase found: the verdict it asks for, why, and by which rule of the operator or built-in rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it was found.
    pub phase: Phase,
    /// What is asked for.
    pub verdict: Verdict,
    /// The fact against the message.
    pub reason: Reason,
    /// The rule that decided, as the operator can find it: `servers.db.tools.drop_*`, `flow.value`, `protocol`.
    pub rule: String,
    /// What of the arguments decided, in words of ours and of the operator: never anything the agent sent.
    pub detail: Option<String>,
    /// What the operator wants the agent to be told.
    pub said: Option<Arc<str>>,
    /// How many different people must approve, where the message is held.
    pub approvers: u8,
    /// What a value needed and had, where the finding is about where a value came from.
    pub evidence: Option<Arc<Evidence>>,
}

/// What stands against one argument of a call. Nothing in it is text of a server or of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The argument, as a JSON pointer (RFC 6901); empty where it is about the call as a whole.
    pub argument: String,
    /// What the tool does.
    pub effect: Effect,
    /// What the argument means.
    pub role: Option<&'static str>,
    /// How much its value would have to be trusted.
    pub need: Integrity,
    /// How much it is; none where it was never seen.
    pub have: Option<Integrity>,
    /// Where the value was seen first: the server, and the number of the exchange.
    pub first: Option<(ServerName, u32)>,
}

impl Finding {
    /// A denial.
    pub fn deny(phase: Phase, reason: Reason, rule: impl Into<String>) -> Self {
        Self {
            phase,
            verdict: Verdict::Deny,
            reason,
            rule: rule.into(),
            detail: None,
            said: None,
            approvers: 1,
            evidence: None,
        }
    }

    /// A wish to ask a person.
    pub fn hold(phase: Phase, reason: Reason, rule: impl Into<String>) -> Self {
        Self {
            phase,
            verdict: Verdict::Hold,
            reason,
            rule: rule.into(),
            detail: None,
            said: None,
            approvers: 1,
            evidence: None,
        }
    }

    /// Keeps the stricter of two, of equals the earlier one, and the larger number of people.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let approvers = self.approvers.max(other.approvers);
        let stricter = if other.verdict > self.verdict { other } else { self };
        Self { approvers, ..stricter }
    }
}

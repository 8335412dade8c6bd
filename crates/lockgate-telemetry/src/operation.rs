//! What requests are told apart by.

use std::borrow::Cow;

use lockgate_audit::{Ending, Outcome, Record};
use lockgate_model::{Reason, Verdict};

use crate::names::Named;

/// What the conventions call something they have no word for.
pub(crate) const OTHER: &str = "_OTHER";

/// Codes of JSON-RPC and of MCP that are told as they are. A server may answer with any other number.
const CODES: [i32; 12] = [
    -32_700, -32_603, -32_602, -32_601, -32_600, -32_042, -32_022, -32_021, -32_020, -32_002, -32_001,
    -32_000,
];

/// What a request is, how far that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    pub(crate) method: Option<&'static str>,
    pub(crate) server: Option<u16>,
    /// What it calls by name, and the number of the name, where it may be told.
    pub(crate) named: Option<(Named, Option<u16>)>,
    pub(crate) error: Option<Error>,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Error {
    /// Lockgate says why.
    Reason(Reason),
    /// The tool says that it failed.
    Tool,
    /// The server answered with this error.
    Code(i32),
    /// The agent did not wait for the answer.
    Ended(Ending),
    /// Anything else.
    Other,
}

impl Error {
    /// Why the agent got nothing it can use.
    pub(crate) fn of_served(record: &Record) -> Option<Self> {
        match record.ended {
            // It was asked for something first, as the protocol has it.
            Some(Ending::InputRequired) => None,
            Some(how) => Some(Self::Ended(how)),
            None if record.verdict == Verdict::Deny => Some(Self::reason(record)),
            None => Self::of_asked(record),
        }
    }

    /// Why the server gave nothing it can use.
    pub(crate) fn of_asked(record: &Record) -> Option<Self> {
        match record.upstream?.outcome {
            Outcome::Result => None,
            Outcome::ToolError => Some(Self::Tool),
            Outcome::Error(code) => Some(if CODES.contains(&code) { Self::Code(code) } else { Self::Other }),
            Outcome::Nothing => Some(record.ended.map_or_else(|| Self::reason(record), Self::Ended)),
        }
    }

    fn reason(record: &Record) -> Self {
        record.finding.as_ref().map_or(Self::Other, |finding| Self::Reason(finding.reason))
    }

    /// The code of the server's error, where that is told.
    pub(crate) fn code(self) -> Option<Cow<'static, str>> {
        matches!(self, Self::Code(_)).then(|| self.text())
    }

    /// The value of `error.type`.
    pub(crate) fn text(self) -> Cow<'static, str> {
        match self {
            Self::Reason(reason) => reason.code().into(),
            Self::Tool => "tool_error".into(),
            Self::Code(code) => code.to_string().into(),
            Self::Ended(how) => how.word().into(),
            Self::Other => OTHER.into(),
        }
    }
}

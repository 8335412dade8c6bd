use lockgate_model::UnixMillis;
use serde::Serialize;

use crate::Person;
use crate::desk::{is_name, millis};

/// A definition's name: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct DefinitionId(String);

impl DefinitionId {
    /// Checks the form. `None` where it is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a server says of one of its tools, prompts or resources, or of itself: one version of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Its name, which means this version of it for good.
    pub id: DefinitionId,
    /// How it stands.
    pub state: Pinned,
    /// Whose pin it is; empty for everybody's.
    pub tenant: String,
    /// The server.
    pub server: String,
    /// The configuration that has the server.
    pub configuration: Option<String>,
    /// What it defines: `tool`, `prompt`, `resource`, `template`, `instructions` or `identity`.
    pub kind: String,
    /// The name of what it defines, in a form that is safe to print; empty for instructions and identity.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// What it was against what was approved: `first`, `added`, `changed` or `renamed`.
    pub cause: String,
    /// Where it was renamed, the name that is approved, in a form that is safe to print.
    pub renamed_from: Option<String>,
    /// Why it is withheld: codes.
    pub why: Vec<String>,
    /// How many different people must say yes.
    pub needed: u8,
    /// Who has said yes so far, the first first.
    pub votes: Vec<Yes>,
    /// Who answered last, or brought the lock file.
    pub by: Option<String>,
    /// Since when it stands so.
    #[serde(serialize_with = "millis")]
    pub since_unix_ms: UnixMillis,
    /// When it was seen first.
    #[serde(serialize_with = "millis")]
    pub first_unix_ms: UnixMillis,
    /// When it was seen last.
    #[serde(serialize_with = "millis")]
    pub last_unix_ms: UnixMillis,
    /// The definition as canonical JSON, in a form that is safe to print. It is the server's words, not Lockgate's. Not in
    /// lists, and not where it is too large to be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The definition in force under the same name, in the same form, where that is another one. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<String>,
}

/// How a definition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pinned {
    /// For people.
    Waiting,
    /// It is in force.
    Approved,
    /// A person refused it.
    Refused,
}

/// One person's yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Yes {
    /// Whose.
    pub approver: String,
    /// Why, in their words; may be empty.
    pub reason: String,
    /// When.
    #[serde(serialize_with = "millis")]
    pub unix_ms: UnixMillis,
}

/// What a person says to a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who.
    pub by: Person,
    /// Yes or no.
    pub answer: Answer,
    /// Why; for a no 1 to 500 characters, for a yes it may be empty. None of them is a control character.
    pub reason: String,
}

/// Is a definition to be in force?
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

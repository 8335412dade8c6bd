use std::future::Future;

use lockgate_model::{Principal, ServerName, SessionId, ToolName, UnixMillis};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Definition, DefinitionId, Person, Verdict};

/// Where approvals, pins and stops are kept. Written by whoever has the store; called by the admin API.
///
/// Each method has 10 s, then the request is answered with `desk_timed_out` and the future is dropped: what was begun
/// must then be either done or not done. Lists come in the
/// desk's order.
pub trait Desk: Send + Sync + 'static {
    /// Approvals, at most `most`.
    fn approvals(
        &self,
        which: Which,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Approval>, DeskError>> + Send;

    /// One approval.
    fn approval(&self, id: ApprovalId) -> impl Future<Output = Result<Approval, DeskError>> + Send;

    /// Counts a person's yes or no, and gives the approval as it then stands: with several approvers needed, one yes
    /// may leave it waiting.
    fn decide(
        &self,
        id: ApprovalId,
        decision: Decision,
    ) -> impl Future<Output = Result<Approval, DeskError>> + Send;

    /// Definitions that are not approved, at most `most`, without their texts.
    fn quarantine(
        &self,
        which: Which,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Definition>, DeskError>> + Send;

    /// One definition, with its text and that of the one in force.
    fn definition(&self, id: DefinitionId) -> impl Future<Output = Result<Definition, DeskError>> + Send;

    /// Counts a person's yes or no, and gives the definition as it then stands: with several approvers needed, one yes
    /// may leave it waiting. [`DeskError::Decided`] where it stood so before.
    fn settle(
        &self,
        id: DefinitionId,
        verdict: Verdict,
    ) -> impl Future<Output = Result<Definition, DeskError>> + Send;

    /// All that is stopped. Not cut: the desk takes in no more stops than can be listed, see [`DeskError::Full`].
    fn stops(&self) -> impl Future<Output = Result<Stops, DeskError>> + Send;

    /// Stops a target. [`Target::All`] is never too much. Where it is stopped already, the stop that stands is given and stays as it is.
    fn stop(&self, target: Target, order: Order) -> impl Future<Output = Result<Stop, DeskError>> + Send;

    /// Lifts the stop of a target and gives it back. [`DeskError::NotFound`] where the target itself is not stopped.
    fn resume(&self, target: Target, order: Order) -> impl Future<Output = Result<Stop, DeskError>> + Send;

    /// Turns safe mode on or off, and gives what is then stopped.
    fn safe_mode(
        &self,
        switch: Switch,
        order: Order,
    ) -> impl Future<Output = Result<Stops, DeskError>> + Send;

    /// Open sessions, at most `most`.
    fn sessions(&self, most: usize) -> impl Future<Output = Result<Vec<Session>, DeskError>> + Send;
}

/// Why a desk does not do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskError {
    /// There is no such approval, definition or stop.
    NotFound,
    /// The approval is decided: approved, denied or used. Or the definition stands so already.
    Decided,
    /// The approval was not answered in time.
    Expired,
    /// This person has answered already; the others that are needed must be different people.
    Voted,
    /// This person may not answer this approval.
    NotAllowed,
    /// The approval cannot be given for that long.
    ScopeNotAllowed,
    /// There are as many stops as can be kept.
    Full,
    /// The store cannot be read or written.
    Unavailable,
}

/// An approval's name: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ApprovalId(String);

impl ApprovalId {
    /// Checks the form. `None` where it is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Is it a name of the form that ids have?
pub(crate) fn is_name(text: &str) -> bool {
    let usable = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(usable)
}

/// Which approvals or definitions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that wait for a person.
    Waiting,
    /// Those that are over or in force, too.
    All,
}

/// A call that is held until people have answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Its name.
    pub id: ApprovalId,
    /// How it stands.
    pub state: State,
    /// The agent's run that made it.
    pub session: String,
    /// Who the agent acts for.
    pub principal: String,
    /// The server it goes to.
    pub server: String,
    /// The tool it calls, in a form that is safe to print.
    pub tool: String,
    /// Its arguments in a form that is safe to print: escaped and cut. They are the agent's words, not Lockgate's.
    /// Never sent to a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Covers principal, server, tool and arguments: the same for the same call only.
    pub fingerprint: String,
    /// The rule that holds it.
    pub rule: String,
    /// Why it is held.
    pub reason: String,
    /// Where its values came from, where that is known.
    pub origin: Option<String>,
    /// What the tool does: the word of a `lockgate_model::Effect`.
    pub effect: String,
    /// How many different people must say yes.
    pub needed: u8,
    /// Who has answered so far, the first first.
    pub votes: Vec<Vote>,
    /// When it was asked for.
    #[serde(serialize_with = "millis")]
    pub created_unix_ms: UnixMillis,
    /// When it expires, where nobody decides it before.
    #[serde(serialize_with = "millis")]
    pub expires_unix_ms: UnixMillis,
}

/// How an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// For people.
    Waiting,
    /// Enough people said yes; the call may be made.
    Approved,
    /// Somebody said no.
    Denied,
    /// Nobody decided it in time.
    Expired,
    /// It was approved, and the call has been made.
    Used,
}

/// One person's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vote {
    /// Whose.
    pub approver: String,
    /// Yes or no.
    pub answer: Voted,
    /// Why, in their words; may be empty.
    pub reason: String,
    /// For how long.
    pub scope: Scope,
    /// When.
    #[serde(serialize_with = "millis")]
    pub unix_ms: UnixMillis,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Voted {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// How far a yes reaches. Always for the call with these very arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// The call, once: `"once"`
    #[default]
    Once,
    /// The call, as often as this session makes it: `"session"`
    Session,
    /// The call, as often as its principal makes it until then: `{"value": {"until_unix_ms": 1790003600000}}`
    Value {
        /// Until when.
        #[serde(serialize_with = "millis", deserialize_with = "moment", rename = "until_unix_ms")]
        until: UnixMillis,
    },
}

/// What a person answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who.
    pub by: Person,
    /// Yes or no.
    pub answer: Voted,
    /// Why; may be empty. At most 500 characters, none of them a control character.
    pub reason: String,
    /// For how long.
    pub scope: Scope,
}

/// Who orders something, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub by: Person,
    /// Why. 1 to 500 characters, none of them a control character.
    pub reason: String,
}

/// What a stop is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Every call of every session: `{"all": true}`
    All,
    /// All of a server: `{"server": "files"}`
    Server(ServerName),
    /// One tool of a server: `{"server": "files", "tool": "write_file"}`
    Tool(ServerName, ToolName),
    /// One agent's run: `{"session": "s-1"}`
    Session(SessionId),
    /// All that is done for somebody: `{"principal": "alice"}`
    Principal(Principal),
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::All => map.serialize_entry("all", &true)?,
            Self::Server(server) => map.serialize_entry("server", server.as_str())?,
            Self::Tool(server, tool) => {
                map.serialize_entry("server", server.as_str())?;
                map.serialize_entry("tool", tool.as_str())?;
            }
            Self::Session(session) => map.serialize_entry("session", session.as_str())?,
            Self::Principal(principal) => map.serialize_entry("principal", principal.as_str())?,
        }
        map.end()
    }
}

/// Something that is stopped: its calls are denied until somebody lifts the stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// What.
    pub target: Target,
    /// By whom.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// Since when.
    #[serde(serialize_with = "millis")]
    pub since_unix_ms: UnixMillis,
}

/// All that is stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stops {
    /// Safe mode, where it is on.
    pub safe_mode: Option<SafeMode>,
    /// Stops, in the desk's order.
    pub stops: Vec<Stop>,
}

/// Safe mode is on: only what reads passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SafeMode {
    /// Who turned it on.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// Since when.
    #[serde(serialize_with = "millis")]
    pub since_unix_ms: UnixMillis,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Its name.
    pub id: String,
    /// Who the agent acts for.
    pub principal: String,
    /// What the agent's program calls itself. A claim, not an identity.
    pub client: Option<String>,
    /// Servers whose text it has read.
    pub origins: Vec<String>,
    /// The lowest integrity of what it has read.
    pub integrity: String,
    /// Calls it has made.
    pub calls: u64,
    /// Calls of those that were denied.
    pub denied: u64,
    /// When it began.
    #[serde(serialize_with = "millis")]
    pub opened_unix_ms: UnixMillis,
    /// When it last sent something.
    #[serde(serialize_with = "millis")]
    pub last_unix_ms: UnixMillis,
}

/// A moment as a number.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
pub(crate) fn millis<S: Serializer>(moment: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(moment.0)
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMillis, D::Error> {
    u64::deserialize(deserializer).map(UnixMillis)
}

use lockgate_model::UnixMillis;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Approval, SafeMode, Stop};

/// Version of an event's shape. Raised when a field changes its meaning; fields may be added without raising it.
const VERSION: u32 = 1;

/// What a webhook is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call waits for people.
    ApprovalWaiting(Approval),
    /// Enough people said yes.
    Approved(Approval),
    /// Somebody said no.
    Denied(Approval),
    /// Nobody decided it in time.
    Expired(Approval),
    /// Something is stopped.
    Stopped(Stop),
    /// A stop is lifted. Its `by` and `reason` are those of whoever lifted it.
    Resumed(Stop),
    /// Safe mode is on.
    SafeModeOn(SafeMode),
    /// Safe mode is off. Its `by` and `reason` are those of whoever turned it off.
    SafeModeOff(SafeMode),
    /// An agent tried one refused value after the other, and the tool is frozen in its session.
    ToolFrozen(Frozen),
    /// Definitions of a server are withheld and wait for people.
    Quarantined(Quarantined),
}

/// A tool that is frozen in one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frozen {
    /// The server.
    pub server: String,
    /// The tool, in a form that is safe to print.
    pub tool: String,
    /// The session, as records show it.
    pub session: String,
    /// Who the agent acts for.
    pub principal: String,
}

/// Definitions of one server that wait for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// The server.
    pub server: String,
    /// What they define, in a form that is safe to print.
    pub definitions: Vec<String>,
}

impl Event {
    /// The word in the event.
    pub fn word(&self) -> &'static str {
        match self {
            Self::ApprovalWaiting(_) => "approval_waiting",
            Self::Approved(_) => "approved",
            Self::Denied(_) => "denied",
            Self::Expired(_) => "expired",
            Self::Stopped(_) => "stop",
            Self::Resumed(_) => "resume",
            Self::SafeModeOn(_) => "safe_mode_on",
            Self::SafeModeOff(_) => "safe_mode_off",
            Self::ToolFrozen(_) => "tool_frozen",
            Self::Quarantined(_) => "quarantined",
        }
    }

    /// The event as it is sent. Never holds arguments: they may be secret, and stay on this machine.
    pub(crate) fn to_json(&self, id: &str, at: UnixMillis) -> String {
        let (name, value) = match self {
            Self::ApprovalWaiting(approval)
            | Self::Approved(approval)
            | Self::Denied(approval)
            | Self::Expired(approval) => {
                ("approval", json!(Approval { arguments: None, ..approval.clone() }))
            }
            Self::Stopped(stop) | Self::Resumed(stop) => ("stop", json!(stop)),
            Self::SafeModeOn(mode) | Self::SafeModeOff(mode) => ("safe_mode", json!(mode)),
            Self::ToolFrozen(frozen) => ("frozen", json!(frozen)),
            Self::Quarantined(quarantined) => ("quarantined", json!(quarantined)),
        };
        let mut event: Value = json!({ "v": VERSION, "id": id, "unix_ms": at.0, "event": self.word() });
        if let Some(event) = event.as_object_mut() {
            event.insert(name.to_owned(), value);
        }
        event.to_string()
    }
}

#[cfg(test)]
mod tests {
    use lockgate_model::ServerName;

    use super::*;
    use crate::Target;

    #[test]
    fn the_documentation_shows_an_event() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/admin-api.md");
        let page = std::fs::read_to_string(page).unwrap();
        let block = page.split_once("```json event\n").unwrap().1.split_once("```").unwrap().0;
        let event = Event::Stopped(Stop {
            target: Target::Server(ServerName::parse("x").unwrap()),
            by: "alice".to_owned(),
            reason: "strange answers".to_owned(),
            since_unix_ms: UnixMillis(1_790_000_000_000),
        });
        let sent: Value =
            serde_json::from_str(&event.to_json("1789990000000-1", UnixMillis(1_790_000_000_005))).unwrap();
        assert_eq!(block.trim_end(), format!("{sent:#}"));
    }
}

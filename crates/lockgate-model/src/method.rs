use crate::Revision;

/// Who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the agent to a server.
    ToServer,
    /// From a server to the agent.
    ToAgent,
    /// Either way.
    Both,
}

/// Does it want an answer?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// Answered with a result or an error.
    Request,
    /// Never answered.
    Notification,
}

/// A method of the protocol: who may send it in which revisions. What is not in [`METHODS`] is refused.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// Does it want an answer?
    pub kind: MethodKind,
    /// Who sends it.
    pub direction: Direction,
    /// The first revision that has it.
    pub since: Revision,
    /// The last revision that has it; none while the newest still does.
    pub until: Option<Revision>,
}

impl Method {
    /// Finds the method that a peer may send in this revision.
    pub fn find(
        name: &str,
        kind: MethodKind,
        direction: Direction,
        revision: Revision,
    ) -> Option<&'static Self> {
        METHODS.iter().find(|method| {
            method.name == name
                && method.kind == kind
                && (method.direction == direction || method.direction == Direction::Both)
                && method.since <= revision
                && method.until.is_none_or(|until| revision <= until)
        })
    }
}

const fn method(
    name: &'static str,
    kind: MethodKind,
    direction: Direction,
    since: Revision,
    until: Option<Revision>,
) -> Method {
    Method { name, kind, direction, since, until }
}

use Direction::{Both, ToAgent, ToServer};
use MethodKind::{Notification, Request};
use Revision::{R2024_11_05, R2025_06_18, R2025_11_25, R2026_07_28};

const LAST_LEGACY: Option<Revision> = Some(R2025_11_25);

/// Every method of every revision, and of the extensions that are carried (`tasks`, `skills`). Checked against the
/// published schemas by a test where the official packages are installed.
pub const METHODS: &[Method] = &[
    // Agent to server.
    method("initialize", Request, ToServer, R2024_11_05, LAST_LEGACY),
    method("server/discover", Request, ToServer, R2026_07_28, None),
    method("tools/list", Request, ToServer, R2024_11_05, None),
    method("tools/call", Request, ToServer, R2024_11_05, None),
    method("resources/list", Request, ToServer, R2024_11_05, None),
    method("resources/templates/list", Request, ToServer, R2024_11_05, None),
    method("resources/read", Request, ToServer, R2024_11_05, None),
    method("resources/directory/read", Request, ToServer, R2026_07_28, None),
    method("resources/subscribe", Request, ToServer, R2024_11_05, LAST_LEGACY),
    method("resources/unsubscribe", Request, ToServer, R2024_11_05, LAST_LEGACY),
    method("prompts/list", Request, ToServer, R2024_11_05, None),
    method("prompts/get", Request, ToServer, R2024_11_05, None),
    method("skills/list", Request, ToServer, R2026_07_28, None),
    method("skills/get", Request, ToServer, R2026_07_28, None),
    method("completion/complete", Request, ToServer, R2024_11_05, None),
    method("logging/setLevel", Request, ToServer, R2024_11_05, LAST_LEGACY),
    method("subscriptions/listen", Request, ToServer, R2026_07_28, None),
    method("tasks/update", Request, ToServer, R2026_07_28, None),
    method("notifications/initialized", Notification, ToServer, R2024_11_05, LAST_LEGACY),
    method("notifications/roots/list_changed", Notification, ToServer, R2024_11_05, LAST_LEGACY),
    // Either way.
    method("ping", Request, Both, R2024_11_05, LAST_LEGACY),
    method("tasks/get", Request, Both, R2025_11_25, LAST_LEGACY),
    method("tasks/get", Request, ToServer, R2026_07_28, None),
    method("tasks/list", Request, Both, R2025_11_25, LAST_LEGACY),
    method("tasks/result", Request, Both, R2025_11_25, LAST_LEGACY),
    method("tasks/cancel", Request, Both, R2025_11_25, LAST_LEGACY),
    method("tasks/cancel", Request, ToServer, R2026_07_28, None),
    method("notifications/cancelled", Notification, Both, R2024_11_05, None),
    method("notifications/progress", Notification, Both, R2024_11_05, LAST_LEGACY),
    method("notifications/progress", Notification, ToAgent, R2026_07_28, None),
    method("notifications/tasks/status", Notification, Both, R2025_11_25, LAST_LEGACY),
    // Server to agent.
    method("sampling/createMessage", Request, ToAgent, R2024_11_05, LAST_LEGACY),
    method("elicitation/create", Request, ToAgent, R2025_06_18, LAST_LEGACY),
    method("roots/list", Request, ToAgent, R2024_11_05, LAST_LEGACY),
    method("notifications/message", Notification, ToAgent, R2024_11_05, None),
    method("notifications/tools/list_changed", Notification, ToAgent, R2024_11_05, None),
    method("notifications/prompts/list_changed", Notification, ToAgent, R2024_11_05, None),
    method("notifications/resources/list_changed", Notification, ToAgent, R2024_11_05, None),
    method("notifications/resources/updated", Notification, ToAgent, R2024_11_05, None),
    method("notifications/elicitation/complete", Notification, ToAgent, R2025_11_25, None),
    method("notifications/subscriptions/acknowledged", Notification, ToAgent, R2026_07_28, None),
    method("notifications/tasks", Notification, ToAgent, R2026_07_28, None),
];

//! May this be called at all? The operator's rules for the server.

use lockgate_model::{Finding, Phase, Reason};
use lockgate_policy::{Action, Answer, Subject};

use super::Call;
use crate::Core;

pub(super) fn check(core: &Core, call: &Call<'_>) -> Option<Finding> {
    let (subject, _) = call.subject?;
    let answer = answer(core, call)?;
    let rule = rule(core, call);
    match (answer.action, subject) {
        (Action::Allow, _) => None,
        (Action::Ask, _) => Some(Finding::hold(Phase::Policy, Reason::ApprovalRequired, rule)),
        (Action::Deny, Subject::Tool) => Some(Finding::deny(Phase::Policy, Reason::ToolDenied, rule)),
        (Action::Deny, Subject::Prompt) => Some(Finding::deny(Phase::Policy, Reason::PromptDenied, rule)),
        (Action::Deny, Subject::Resource) => Some(Finding::deny(Phase::Policy, Reason::ResourceDenied, rule)),
        // What is hidden answers like what is missing.
        (Action::Hide, Subject::Tool) => Some(Finding::deny(Phase::Policy, Reason::UnknownTool, "protocol")),
        (Action::Hide, Subject::Prompt) => {
            Some(Finding::deny(Phase::Policy, Reason::UnknownPrompt, "protocol"))
        }
        (Action::Hide, Subject::Resource) => {
            Some(Finding::deny(Phase::Policy, Reason::UnknownResource, "protocol"))
        }
    }
}

/// The rule that decides, as the operator can find it in the file.
pub(super) fn rule(core: &Core, call: &Call<'_>) -> String {
    let Some((subject, _)) = call.subject else { return "protocol".to_owned() };
    let section = match subject {
        Subject::Tool => "tools",
        Subject::Resource => "resources",
        Subject::Prompt => "prompts",
    };
    match answer(core, call).and_then(|answer| answer.by) {
        Some(pattern) => format!("servers.{}.{section}.{pattern}", call.server),
        None => format!("servers.{}.default", call.server),
    }
}

fn answer<'c>(core: &'c Core, call: &Call<'_>) -> Option<Answer<'c>> {
    let (subject, name) = call.subject?;
    Some(core.boundary.servers.get(call.server)?.rules.decide(subject, name))
}

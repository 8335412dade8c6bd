//! May this be called, with these arguments, now? The operator's rules for the server.

use lockgate_model::{Finding, Phase, Reason};
use lockgate_policy::{Action, Answer, Asked, Fallback, Subject, Why};

use super::{Call, identify};
use crate::Core;

/// What the rules say; nothing where there are none for such a request.
pub(super) fn answer<'c>(core: &'c Core, call: &Call<'_>) -> Option<Answer<'c>> {
    let (subject, name) = call.subject?;
    let rules = &core.boundary.servers.get(call.server)?.rules;
    let class = matches!(rules.default, Fallback::Class(_)).then(|| identify::class(core, call)).flatten();
    Some(rules.decide(subject, name, &Asked { class, ..core.asked(call.arguments) }))
}

pub(super) fn check(call: &Call<'_>, answer: Option<&Answer<'_>>) -> Option<Finding> {
    let (subject, _) = call.subject?;
    let answer = answer?;
    let rule = rule(call, Some(answer));
    let finding = match (answer.action, subject) {
        (Action::Allow, _) => return None,
        (Action::Ask, _) => Finding::hold(Phase::Policy, Reason::ApprovalRequired, rule),
        (Action::Deny, Subject::Tool) if !matches!(answer.why, Why::Action | Why::Class(_)) => {
            Finding::deny(Phase::Policy, Reason::ArgumentDenied, rule)
        }
        (Action::Deny, Subject::Tool) => Finding::deny(Phase::Policy, Reason::ToolDenied, rule),
        (Action::Deny, Subject::Prompt) => Finding::deny(Phase::Policy, Reason::PromptDenied, rule),
        (Action::Deny, Subject::Resource) => Finding::deny(Phase::Policy, Reason::ResourceDenied, rule),
        // What is hidden answers like what is missing, and the operator's words would give it away.
        (Action::Hide, Subject::Tool) => {
            return Some(Finding::deny(Phase::Policy, Reason::UnknownTool, "protocol"));
        }
        (Action::Hide, Subject::Prompt) => {
            return Some(Finding::deny(Phase::Policy, Reason::UnknownPrompt, "protocol"));
        }
        (Action::Hide, Subject::Resource) => {
            return Some(Finding::deny(Phase::Policy, Reason::UnknownResource, "protocol"));
        }
    };
    let detail = (answer.why != Why::Action).then(|| answer.why.to_string());
    Some(Finding { detail, said: answer.on_deny.cloned(), approvers: answer.approvers, ..finding })
}

/// The rule that decides, as the operator can find it in the file.
pub(super) fn rule(call: &Call<'_>, answer: Option<&Answer<'_>>) -> String {
    let Some((subject, _)) = call.subject else { return "protocol".to_owned() };
    let section = match subject {
        Subject::Tool => "tools",
        Subject::Resource => "resources",
        Subject::Prompt => "prompts",
    };
    let server = call.server;
    let key = answer.and_then(|answer| answer.why.key()).map_or_else(String::new, |key| format!(".{key}"));
    match answer.and_then(|answer| answer.by) {
        Some(place) => format!("servers.{server}.{section}.{place}{key}"),
        None => format!("servers.{server}.default{key}"),
    }
}

impl Core {
    /// Who asks, when, and with which arguments.
    pub(crate) fn asked<'a>(&'a self, arguments: Option<lockgate_model::Json<'a>>) -> Asked<'a> {
        Asked { principal: &self.identity.principal, at: self.wall, arguments, class: None }
    }
}

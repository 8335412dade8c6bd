//! What a record says to whom looks for what is unusual.

use lockgate_audit::{Happening, Record};
use lockgate_model::{Effect, Fault, Reason, ServerName, Verdict};

use super::save::key;

/// What has happened.
pub(super) enum Happened<'r> {
    /// The agent asked for something, and it may pass, or waits for a person.
    Called(Call<'r>),
    /// The agent asked for something that it may not have.
    Refused(Call<'r>),
    /// A server answered.
    Answered { call: Call<'r>, failed: bool },
    /// Something that says nothing about behaviour.
    Other,
}

/// What was asked for.
pub(super) struct Call<'r> {
    pub(super) server: &'r ServerName,
    pub(super) of_server: u64,
    /// What it is learned under: the tool; of prompts and resources, which are many, the method.
    pub(super) name: &'r str,
    pub(super) tool: u64,
    /// The tool, prompt or resource.
    pub(super) target: u64,
    /// With these very arguments.
    pub(super) exact: u64,
    pub(super) reaches_outside: bool,
}

/// Reads a record.
pub(super) fn read(record: &Record) -> Happened<'_> {
    let method =
        record.method.filter(|method| matches!(*method, "tools/call" | "prompts/get" | "resources/read"));
    let (Some(method), Some(server)) = (method, &record.server) else { return Happened::Other };
    let target = record.target.as_deref().unwrap_or_default();
    let name = if method == "tools/call" { target } else { method };
    let place = key(&[server.as_str(), method, target]);
    let measure = &record.measure;
    let outward = matches!(measure.effect, Some(Effect::Egress | Effect::Commit | Effect::Grant));
    let call = Call {
        server,
        of_server: key(&[server.as_str()]),
        name,
        tool: key(&[server.as_str(), name]),
        target: place,
        exact: key(&[server.as_str(), method, target, record.arguments.as_deref().unwrap_or_default()]),
        reaches_outside: outward || !measure.destinations.is_empty(),
    };
    let reason = record.finding.as_ref().map(|finding| finding.reason);
    match (record.happening, record.verdict) {
        (Happening::Request | Happening::Approval, Verdict::Deny) => {
            if reason.is_some_and(is_of_the_agent) {
                Happened::Refused(call)
            } else {
                Happened::Other
            }
        }
        (Happening::Request, _) => Happened::Called(call),
        (Happening::Answer, _) => {
            let broken = reason.is_some_and(|reason| reason.fault() == Fault::Server);
            Happened::Answered { call, failed: broken || record.notes.contains(&"failed") }
        }
        (
            Happening::Approval
            | Happening::End
            | Happening::Server
            | Happening::Definition
            | Happening::Configuration
            | Happening::Pin
            | Happening::Stop
            | Happening::Vote
            | Happening::Destination
            | Happening::Token
            | Happening::Incident
            | Happening::Alert
            | Happening::Behaviour
            | Happening::Gateway
            | Happening::Log,
            _,
        ) => Happened::Other,
    }
}

/// Does a refusal say something of what the agent tries? Not where people have stopped everything.
fn is_of_the_agent(reason: Reason) -> bool {
    matches!(reason.fault(), Fault::Agent | Fault::Policy)
        && !matches!(reason, Reason::Stopped | Reason::SafeMode | Reason::ApprovalTimedOut)
}

/// What a server loses of its reputation by a record, in thousandths of a point; and which server.
pub(super) fn lost(record: &Record) -> Option<(&ServerName, u32)> {
    const POINT: u32 = 1_000;
    let finding = record.finding.as_ref();
    let own = record.server.as_ref();
    let injected = record.detected.iter().filter(|detected| detected.class == "injection");
    let injected =
        injected.map(|detected| if detected.level == Some("block") { 15 * POINT } else { 3 * POINT }).max();
    match record.happening {
        // What a server says of itself is another thing, or was never approved.
        Happening::Definition if finding.is_some() => {
            let drifted = finding.is_some_and(|finding| finding.reason == Reason::DefinitionDrift);
            Some((own?, if drifted { 20 * POINT } else { 2 * POINT }))
        }
        Happening::Answer | Happening::Server => {
            let broken = finding.filter(|finding| finding.reason.fault() == Fault::Server);
            let lies = |reason| {
                matches!(
                    reason,
                    Reason::UnexpectedRequest | Reason::ServerBrokeProtocol | Reason::ResultDoesNotFit
                )
            };
            let broken = broken.map(|finding| if lies(finding.reason) { 5 * POINT } else { POINT });
            Some((own?, injected.max(broken)?))
        }
        // A text of theirs was to drive a call.
        Happening::Request if record.verdict == Verdict::Deny => {
            let (server, _) = finding?.evidence.as_ref()?.first.as_ref()?;
            Some((server, 5 * POINT))
        }
        Happening::Request
        | Happening::Approval
        | Happening::End
        | Happening::Definition
        | Happening::Configuration
        | Happening::Pin
        | Happening::Stop
        | Happening::Vote
        | Happening::Destination
        | Happening::Token
        | Happening::Incident
        | Happening::Alert
        | Happening::Behaviour
        | Happening::Gateway
        | Happening::Log => None,
    }
}

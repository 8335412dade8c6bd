//! The phases of a call, each a question with its own file. The order stands here and nowhere else.

mod detect;
mod flow;
mod handle;
mod identify;
mod pin;
mod policy;
mod rules;
mod schema;
mod stop;

pub(crate) use detect::Inspected;
pub(crate) use flow::is_document;
pub(crate) use identify::meaning;
use lockgate_audit::Source;
use lockgate_model::{Effect, Finding, Json, Phase, Reason, ServerName, ToolName, Verdict};
use lockgate_policy::{Action, Subject};

use crate::exchange::{Outgoing, Target};
use crate::{Core, Violation};

/// A request to one server, before it is decided.
pub(crate) struct Call<'c> {
    pub(crate) server: &'c ServerName,
    /// What the operator's rules are asked about, and its name.
    pub(crate) subject: Option<(Subject, &'c str)>,
    /// The tool, where a tool is called.
    pub(crate) tool: Option<&'c ToolName>,
    /// Its arguments.
    pub(crate) arguments: Option<Json<'c>>,
    /// A call that a person has approved is not held again; it can still be denied.
    pub(crate) approved: bool,
}

/// What was decided of a call.
pub(crate) struct Decision<'c> {
    /// The strictest finding of all phases; none where nothing stands against the call.
    pub(crate) finding: Option<Finding>,
    /// What would stand against it if rules were not only observed.
    pub(crate) observed: Option<Finding>,
    /// What the tool does.
    pub(crate) effect: Effect,
    /// The rule that allows it where nothing stands against it.
    pub(crate) rule: String,
    /// Where the values in its arguments came from, where records are kept.
    pub(crate) sources: Vec<Source>,
    /// What was found in its arguments, and what is to be replaced in them.
    pub(crate) inspected: Inspected<'c>,
}

/// Parse has been passed: what could not be read never gets here. Each phase sees the whole call; the strictest finding
/// counts, and of equals the earlier one.
pub(crate) fn decide<'c>(core: &Core, call: &Call<'c>) -> Decision<'c> {
    let effect = identify::effect(core, call);
    let answer = policy::answer(core, call);
    let rule = policy::rule(call, answer.as_ref());
    let inspected = Inspected::default();
    let mut decision =
        Decision { finding: None, observed: None, effect, rule, sources: Vec::new(), inspected };
    let mut sources = Vec::new();
    let mut note = |finding: Option<Finding>| {
        let Some(finding) = finding else { return };
        if finding.verdict == Verdict::Hold && call.approved {
            return;
        }
        let place = if core.only_observes(&finding) { &mut decision.observed } else { &mut decision.finding };
        *place = Some(match place.take() {
            Some(earlier) => earlier.stricter(finding),
            None => finding,
        });
    };
    note(identify::check(core, call));
    note(stop::check(core, call));
    note(pin::check(core, call));
    // What is hidden answers like what is missing, whatever else is wrong with the call.
    let hidden = answer.as_ref().is_some_and(|answer| answer.action == Action::Hide);
    if !hidden {
        note(schema::check(core, call));
    }
    note(policy::check(call, answer.as_ref()));
    note(handle::check(core, call, effect));
    note(flow::check(core, call, effect, &mut sources));
    decision.sources = sources;
    let rules = rules::check(core, call, effect);
    note(rules.against);
    let mut inspected = detect::check(core, call, effect);
    note(inspected.found.against.take());
    decision.inspected = inspected;
    if let Some(logged) = rules.logged {
        decision.observed = Some(match decision.observed.take() {
            Some(earlier) => earlier.stricter(logged),
            None => logged,
        });
    }
    // As many people as the rule wants, whatever the call is held for.
    if let (Some(finding), Some(answer)) = (&mut decision.finding, &answer)
        && finding.verdict == Verdict::Hold
    {
        finding.approvers = finding.approvers.max(answer.approvers);
    }
    decision
}

impl Core {
    /// Is this only written down? Rules are observed where the operator wants that; what the protocol needs, and what was
    /// stopped by hand, always holds.
    pub(crate) fn only_observes(&self, finding: &Finding) -> bool {
        let by_rule =
            matches!(finding.phase, Phase::Pin | Phase::Schema | Phase::Policy | Phase::Flow | Phase::Detect);
        // A rule says itself whether it is only written down.
        let objects = finding.phase == Phase::Flow && !finding.rule.starts_with("rules.");
        let logged = objects && self.boundary.flow.violation == Violation::Log;
        logged
            || self.boundary.observes
                && by_rule
                && !matches!(finding.reason, Reason::Stopped | Reason::SafeMode | Reason::RecordsUnavailable)
    }
}

/// What stops a request of a session, whatever it is about. A handshake and a ping change nothing and pass.
pub(crate) fn stopped(core: &Core, method: &str) -> Option<Finding> {
    stop::general(core).filter(|_| !matches!(method, "initialize" | "ping" | "server/discover"))
}

/// What stops a call of this tool, or a request to this server.
pub(crate) fn stopped_call(
    core: &Core,
    server: &ServerName,
    tool: Option<&(ToolName, Effect)>,
) -> Option<Finding> {
    let call =
        Call { server, subject: None, tool: tool.map(|(tool, _)| tool), arguments: None, approved: false };
    stop::check(core, &call)
}

/// May the agent hear of changes of what stands at this address? Nobody is asked: a stream has no one call to approve.
pub(crate) fn hears_of(core: &Core, server: &ServerName, address: &str) -> Option<Finding> {
    let subject = Some((Subject::Resource, address));
    let finding =
        decide(core, &Call { server, subject, tool: None, arguments: None, approved: false }).finding?;
    Some(match finding.verdict {
        Verdict::Hold => Finding { verdict: Verdict::Deny, reason: Reason::ApprovalUnavailable, ..finding },
        Verdict::Forward | Verdict::Rewrite | Verdict::Deny => finding,
    })
}

/// The same for a message that was decided before and goes out only now. What has changed since counts.
pub(crate) fn decide_again(
    core: &Core,
    target: &Target,
    outgoing: &Outgoing,
    approved: bool,
) -> Option<Finding> {
    let call = Call {
        server: &outgoing.server,
        subject: target.subject.as_ref().map(|(subject, name)| (*subject, name.as_str())),
        tool: target.tool.as_ref().map(|(tool, _)| tool),
        arguments: outgoing.arguments(),
        approved,
    };
    decide(core, &call).finding
}

//! May what this session has read steer this call? (SAFE-T1701)

use std::borrow::Cow;
use std::sync::Arc;

use lockgate_audit::{Happening, MOST_SOURCES, Source, numbered};
use lockgate_flow::{
    self as flow, Cause, Definition, Graded, Mode, Objection, Roles, Trust, is_destructive_by_hint, judge,
    judge_keeping,
};
use lockgate_model::{
    Effect, Evidence, ExchangeId, Finding, Integrity, Phase, Reason, ServerName, Tier, ToolName, Verdict,
};

use super::{Call, identify};
use crate::exchange::{Outgoing, Target};
use crate::record::Note;
use crate::{Core, Reach, Step, Violation};

/// `sources` gets where the values of the call came from, where records are kept.
pub(super) fn check(
    core: &Core,
    call: &Call<'_>,
    effect: Effect,
    sources: &mut Vec<Source>,
) -> Option<Finding> {
    let tool = call.tool?;
    let flow = &core.boundary.flow;
    if core.freezer.is_frozen(call.server, tool, core.now) {
        return Some(Finding::deny(Phase::Flow, Reason::ToolFrozen, "flow.frozen"));
    }
    let server = core.boundary.servers.get(call.server)?;
    let new = server.trust.tier == Tier::Quarantined;
    let keeps = core.boundary.records;
    if flow.mode == Mode::Off && !keeps || !(new || core.history.may_object()) {
        return None;
    }
    let (roles, undoable) = shape(core, call, effect);
    let asked = flow::Call {
        server: call.server,
        trust: &server.trust,
        effect,
        roles: &roles,
        undoable,
        arguments: call.arguments,
    };
    let objection = if keeps {
        let mut kept = Vec::new();
        let objection = judge_keeping(&core.history, &asked, flow.mode, core.now, &mut kept);
        for graded in kept {
            note_sources(core, graded, sources);
        }
        objection?
    } else {
        judge(&core.history, &asked, flow.mode, core.now)?
    };
    Some(finding(core, call, effect, &server.trust, objection))
}

/// Who gave a value: the user, the server it was first seen from, or all it may have been copied from.
fn note_sources(core: &Core, graded: Graded, sources: &mut Vec<Source>) {
    let Graded { argument, grade } = graded;
    let Some(integrity) = grade.integrity else { return };
    let mut note = |server, message| {
        let source = Source { server, message, argument: argument.clone(), integrity };
        if sources.len() < MOST_SOURCES && !sources.contains(&source) {
            sources.push(source);
        }
    };
    match grade.first {
        _ if integrity == Integrity::Endorsed => note(None, None),
        Some((server, message)) => note(Some(server), numbered(message)),
        None => core.history.names(grade.origins).into_iter().for_each(|server| note(Some(server), None)),
    }
}

/// Does a tool that does this return documents?
pub(crate) fn is_document(core: &Core, server: &ServerName, tool: &ToolName, effect: Effect) -> bool {
    let known = identify::meaning(core, server, tool).filter(|meaning| meaning.effect == effect);
    known.map_or_else(|| flow::is_document(tool.as_str(), effect), |meaning| meaning.document)
}

/// What the arguments of a tool mean, and whether its server offers the way back.
pub(super) fn shape<'c>(core: &'c Core, call: &Call<'_>, effect: Effect) -> (Cow<'c, Roles>, bool) {
    let Some(tool) = call.tool else { return (Cow::default(), false) };
    let Some(server) = core.boundary.servers.get(call.server) else { return (Cow::default(), false) };
    let catalogue = core.peers.get(call.server).map(|peer| &peer.catalogue);
    let offered = catalogue.and_then(|catalogue| catalogue.find(tool.as_str()));
    let roles = match (identify::meaning(core, call.server, tool), offered) {
        (Some(meaning), _) if meaning.effect == effect => Cow::Borrowed(&meaning.roles),
        (_, Some(offered)) => Cow::Owned(server.roles(tool, &offered.properties, effect)),
        (_, None) => Cow::default(),
    };
    if effect != Effect::Destructive {
        return (roles, false);
    }
    // To overwrite what the server listed is no more than to write it. The class of the tool stays what the hint made it.
    let hinted = || {
        let definition = offered.map_or_else(Definition::default, |offered| offered.definition);
        server.said(tool).effect.is_none() && is_destructive_by_hint(tool.as_str(), definition)
    };
    let undone = || catalogue.is_some_and(|catalogue| flow::undoable(tool.as_str(), catalogue.names()));
    let undoable = hinted() || undone();
    (roles, undoable)
}

fn finding(core: &Core, call: &Call<'_>, effect: Effect, trust: &Trust, objection: Objection) -> Finding {
    let reason = match objection.cause {
        Cause::Value
        | Cause::Link
        | Cause::Unnamed
        | Cause::Credentials
        | Cause::Quarantined
        | Cause::TooMany => Reason::UntrustedContentReachesSink,
        Cause::Unknown | Cause::Unlisted | Cause::Choice | Cause::Address => Reason::UnknownOrigin,
        Cause::Confidential => Reason::ConfidentialData,
    };
    let rule = objection.cause.rule();
    // Nobody is asked whether confidential text may go where everybody reads it.
    let public = objection.cause == Cause::Confidential && trust.tier <= Tier::Open;
    let finding = match core.boundary.flow.violation {
        Violation::Deny => Finding::deny(Phase::Flow, reason, rule),
        _ if public => Finding::deny(Phase::Flow, reason, rule),
        Violation::Ask | Violation::Log => Finding::hold(Phase::Flow, reason, rule),
    };
    let detail = detail(core, call, &objection);
    let evidence = Evidence {
        argument: objection.argument,
        effect,
        role: objection.role.map(flow::Role::word),
        need: objection.need,
        have: objection.have,
        first: objection.first,
    };
    Finding { detail, evidence: Some(Arc::new(evidence)), ..finding }
}

/// What is wrong, in words of ours. Nothing is said of what is confidential: what is refused would tell what is known.
fn detail(core: &Core, call: &Call<'_>, objection: &Objection) -> Option<String> {
    let argument = match objection.argument.as_str() {
        "" => "an argument".to_owned(),
        pointer => format!("argument `{pointer}`"),
    };
    let from = place(objection.first.as_ref());
    Some(match objection.cause {
        Cause::Value => {
            format!("{argument} takes a value that first appeared {from}, and that the user has not given")
        }
        Cause::Unknown => {
            format!("{argument} takes a value that neither the user nor any server of this session has given")
        }
        Cause::Unlisted => {
            format!(
                "{argument} names something that server `{}` has not listed and the user has not named",
                call.server
            )
        }
        Cause::Choice => {
            format!(
                "{argument} names something of server `{}` that the user has spoken of nothing like",
                call.server
            )
        }
        Cause::Link => format!("{argument} carries a link or an address that first appeared {from}"),
        Cause::Address => format!("{argument} is an address that nobody has given as it is"),
        Cause::Unnamed => {
            format!(
                "this session has read text {}, and the user has not named what this tool would act on",
                readings(core)
            )
        }
        Cause::Credentials => {
            format!("{argument} points at a place where credentials lie, and the user has not named it")
        }
        Cause::Quarantined => {
            format!("server `{}` is not approved yet, and this tool changes something", call.server)
        }
        Cause::TooMany => "there are more values in the arguments than can be looked into".to_owned(),
        Cause::Confidential => return None,
    })
}

/// Where a value was seen first.
pub(super) fn place(first: Option<&(ServerName, u32)>) -> String {
    match first {
        None => "in text of a server of this session".to_owned(),
        Some((server, u32::MAX)) => format!("in what server `{server}` said without being asked"),
        Some((server, 0)) => format!("in what server `{server}` says of its tools"),
        Some((server, number)) => format!("in text of server `{server}` (message {number})"),
    }
}

/// The servers whose text may hold orders, the first few by name.
pub(super) fn readings(core: &Core) -> String {
    let outside = |server: &&ServerName| core.boundary.trust(server).tier.prose() == Integrity::FreeText;
    let names: Vec<_> =
        core.history.label().origins().filter(outside).take(3).map(|name| format!("`{name}`")).collect();
    match names.len() {
        1 => format!("from server {}", names.concat()),
        _ => format!("from servers {}", names.join(", ")),
    }
}

impl Core {
    /// Counts a call that was refused for a value of an argument. Who tries one value after the other is stopped.
    pub(crate) fn count_refusal(
        &mut self,
        exchange: ExchangeId,
        target: &Target,
        finding: &Finding,
        steps: &mut Vec<Step>,
    ) {
        let (Some(evidence), Some(server), Some((tool, _))) =
            (&finding.evidence, &target.server, &target.tool)
        else {
            return;
        };
        let flow = &self.boundary.flow;
        if self.freezer.refused(server, tool, &evidence.argument, flow, self.now) {
            let frozen = Finding::deny(Phase::Flow, Reason::ToolFrozen, "flow.frozen");
            let note = Note::happening(Happening::Request).exchange(exchange).method("tools/call");
            let note = note.target(Some(server), target.shown.as_deref()).finding(frozen, Verdict::Deny);
            let tool = tool.shown().to_owned();
            steps.push(Step::Alarm { server: server.clone(), tool });
            self.note(note, steps);
        }
    }

    /// A person has approved a call. Where they meant more than the call, what it names is endorsed for a while, in this
    /// session.
    pub(crate) fn endorse(&mut self, target: &Target, outgoing: &Outgoing, reach: Reach) {
        let Some((tool, effect)) =
            target.tool.as_ref().filter(|_| reach > Reach::Once && self.boundary.flow.approvals)
        else {
            return;
        };
        let Some(trust) = self.boundary.servers.get(&outgoing.server).map(|server| server.trust.clone())
        else {
            return;
        };
        let asked = Call {
            server: &outgoing.server,
            subject: None,
            tool: Some(tool),
            arguments: outgoing.arguments(),
            approved: true,
        };
        let (roles, undoable) = shape(self, &asked, *effect);
        let roles = roles.into_owned();
        let call = flow::Call {
            server: &outgoing.server,
            trust: &trust,
            effect: *effect,
            roles: &roles,
            undoable,
            arguments: asked.arguments,
        };
        let until = self.now.after_millis(self.boundary.flow.approved_for);
        self.history.approve_call(&call, until);
    }
}

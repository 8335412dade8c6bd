//! The operator's rules over what a session has read, what a call does, and where its arguments come from.

use std::sync::Arc;

use lockgate_flow::rule::{Facts, Matched, Rule, Test, Then};
use lockgate_flow::{self as flow, Role};
use lockgate_model::{Effect, Evidence, Finding, Phase, Reason, Verdict};

use super::flow::{place, readings, shape};
use super::{Call, identify};
use crate::Core;

/// What the rules found.
#[derive(Default)]
pub(super) struct Found {
    /// What stands against the call.
    pub(super) against: Option<Finding>,
    /// What is only written down.
    pub(super) logged: Option<Finding>,
}

/// The strictest of all rules that the call meets.
pub(super) fn check(core: &Core, call: &Call<'_>, effect: Effect) -> Found {
    let mut found = Found::default();
    let rules = &core.boundary.flow.rules;
    let (Some(tool), Some(server)) = (call.tool, core.boundary.servers.get(call.server)) else {
        return found;
    };
    if !rules.iter().any(|rule| rule.is_about(effect)) {
        return found;
    }
    let (meanings, undoable) = shape(core, call, effect);
    let asked = flow::Call {
        server: call.server,
        trust: &server.trust,
        effect,
        roles: &meanings,
        undoable,
        arguments: call.arguments,
    };
    let mut facts = Facts::new(&core.history, &asked, tool.as_str(), core.now);
    // What is not signed is not offered where that is required.
    facts.signed = Some(server.signed.is_some() && core.is_signed(call.server, tool));
    facts.origin_verified = Some(server.origin_verified);
    facts.risk = core.risk;
    if rules.iter().flat_map(Rule::tests).any(|test| matches!(test, Test::Class(_))) {
        facts.class = identify::class(core, call).map(|classified| classified.class);
    }
    for matched in facts.meets(rules) {
        let finding = finding(core, call, effect, &matched);
        let kept = if matched.is_logged() { &mut found.logged } else { &mut found.against };
        *kept = Some(match kept.take() {
            Some(earlier) => earlier.stricter(finding),
            None => finding,
        });
    }
    found
}

fn finding(core: &Core, call: &Call<'_>, effect: Effect, matched: &Matched<'_>) -> Finding {
    let rule = matched.rule;
    let secret = rule.tells_secrets();
    let reason = match () {
        () if secret => Reason::ConfidentialData,
        () if rule.wants_proof() => Reason::ServerUnproven,
        () if rule.is_about_risk() => Reason::UnusualBehaviour,
        () => Reason::DataMayNotFlow,
    };
    let verdict = match rule.then {
        Then::Log | Then::Redact | Then::Handle { .. } => Verdict::Forward,
        Then::Ask => Verdict::Hold,
        Then::Deny => Verdict::Deny,
    };
    let evidence = matched.argument.as_ref().filter(|_| !secret).map(|argument| {
        Arc::new(Evidence {
            argument: argument.pointer.clone(),
            effect,
            role: Some(Role::word(argument.role)),
            need: matched.need(),
            have: argument.grade.integrity,
            first: matched.first().cloned(),
        })
    });
    let finding = Finding::deny(Phase::Flow, reason, format!("rules.{}", rule.name));
    let detail = if secret { None } else { detail(core, call, matched) };
    Finding { verdict, detail, approvers: rule.approvers, evidence, ..finding }
}

/// What the rule saw, in words of ours.
fn detail(core: &Core, call: &Call<'_>, matched: &Matched<'_>) -> Option<String> {
    if matched.rule.wants_proof() {
        return Some(format!("nothing proves where the tools of server `{}` come from", call.server));
    }
    if matched.rule.is_about_risk() {
        // How unusual is not said: who tries would know how far to go.
        return Some("what this session did of late is unusual".to_owned());
    }
    if let Some(argument) = &matched.argument {
        let from = match matched.first() {
            None => "that neither the user nor any server of this session has given".to_owned(),
            Some(first) => format!("that first appeared {}", place(Some(first))),
        };
        return Some(format!("argument `{}` takes a value {from}", argument.pointer));
    }
    core.history.is_tainted().then(|| format!("this session has read text {}", readings(core)))
}

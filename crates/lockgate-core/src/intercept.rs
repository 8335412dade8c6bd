//! Servers whose rules are an Intercept policy: it is asked about every call of a tool, with the counts it needs, before
//! the call goes out.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_model::{ExchangeId, Finding, Phase, Reason, Side, Tick};
use lockgate_policy::intercept::{Decision, Policy};

use crate::exchange::{Outgoing, State};
use crate::{Core, Received, Step};

/// A call that an Intercept policy is asked about.
#[derive(Clone, Debug)]
pub struct Intercepted {
    /// The exchange that waits for it.
    pub exchange: ExchangeId,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The server, for the names of counts.
    pub server: String,
    /// The tool, as its server calls it.
    pub tool: String,
    /// The arguments, where there are some: checked JSON.
    pub arguments: Option<Bytes>,
    /// Has a person approved this very call?
    pub approved: bool,
}

impl Core {
    /// Asks the policy, where the server has one.
    pub(crate) fn intercept(
        &mut self,
        exchange: ExchangeId,
        outgoing: &Outgoing,
        steps: &mut Vec<Step>,
    ) -> bool {
        let Some(policy) =
            self.boundary.servers.get(&outgoing.server).and_then(|server| server.intercept.clone())
        else {
            return false;
        };
        let Some(open) = self.exchanges.get_mut(exchange).filter(|open| open.method == "tools/call") else {
            return false;
        };
        let Some((tool, _)) = &open.target.tool else { return false };
        let received = Received::read(&outgoing.message, Side::Agent, &self.boundary.limits);
        let arguments = received.request().and_then(|(_, _, params)| params.arguments());
        let intercepted = Intercepted {
            exchange,
            policy,
            server: outgoing.server.to_string(),
            tool: tool.as_str().to_owned(),
            arguments: arguments.map(|arguments| outgoing.message.slice_ref(arguments.raw())),
            approved: open.target.approved.is_some(),
        };
        open.state = State::Reserving { outgoing: Box::new(outgoing.clone()), claims: Vec::new() };
        steps.push(Step::Intercept(Box::new(intercepted)));
        true
    }

    /// The policy has answered.
    pub(crate) fn intercepted(
        &mut self,
        exchange: ExchangeId,
        decision: Decision,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let State::Reserving { outgoing, .. } = &open.state else { return };
        let outgoing = Outgoing::clone(outgoing);
        let rule = |name: &str| format!("servers.{}.intercept: {name}", outgoing.server);
        match decision {
            Decision::Allow(reservations) => {
                open.refunds = !reservations.is_empty();
                self.reserve_or_send(exchange, outgoing, now, steps);
            }
            Decision::Deny { rule: name, message } => {
                let finding = Finding::deny(Phase::Policy, Reason::InterceptDenied, rule(&name));
                let finding = Finding { said: Some(message.into()), ..finding };
                self.refuse_or_observe(exchange, outgoing, finding, now, steps);
            }
            Decision::Ask { rule: name, message, timeout } => {
                let finding = Finding::hold(Phase::Policy, Reason::ApprovalRequired, rule(&name));
                let finding = Finding { detail: Some(message), ..finding };
                if self.only_observes(&finding) {
                    return self.refuse_or_observe(exchange, outgoing, finding, now, steps);
                }
                self.hold_open(exchange, outgoing, finding, timeout, now, steps);
            }
        }
    }
}

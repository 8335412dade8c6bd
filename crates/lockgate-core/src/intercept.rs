//! Servers whose rules are an Intercept policy: it is asked about every call of a tool, with the counts it needs, before
//! the call goes out, and about every price that a server asks for one.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, Finding, Json, Kind, Phase, Reason, ServerName, Side, Tick};
use lockgate_policy::intercept::{Amount, Decision, Policy};

use crate::exchange::{Outgoing, State};
use crate::{Core, Outlet, Received, Step};

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

/// A payment that a server asks for before it does a call.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The exchange that waits for it.
    pub exchange: ExchangeId,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The server, for the names of counts.
    pub server: String,
    /// The tool, as its server calls it.
    pub tool: String,
    /// The price; none where the challenge names none, or several.
    pub price: Option<Amount>,
}

/// The error code of a payment challenge.
const PAYMENT_REQUIRED: &[u8] = b"-32042";
/// How deep in a challenge a price is looked for.
const DEEPEST: usize = 6;

impl Core {
    /// Puts the price that a server asks to the policy, before the agent hears of it.
    pub(crate) fn asks_payment(
        &mut self,
        exchange: ExchangeId,
        server: &ServerName,
        (bytes, body): (&Bytes, &Body<'_>),
        outlet: Outlet,
        steps: &mut Vec<Step>,
    ) -> bool {
        let Body::Error { error, .. } = body else { return false };
        if error.get("code").is_none_or(|code| code.raw() != PAYMENT_REQUIRED) {
            return false;
        }
        let Some(policy) = self.boundary.servers.get(server).and_then(|server| server.intercept.clone())
        else {
            return false;
        };
        let Some(open) = self.exchanges.get_mut(exchange).filter(|open| open.method == "tools/call") else {
            return false;
        };
        let Some((tool, _)) = &open.target.tool else { return false };
        let mut prices = Vec::new();
        if let Some(data) = error.get("data") {
            collect_prices(data, DEEPEST, &mut prices);
        }
        prices.dedup();
        let price = match prices.as_slice() {
            [only] => *only,
            _ => None,
        };
        let payment =
            Payment { exchange, policy, server: server.to_string(), tool: tool.as_str().to_owned(), price };
        open.state = State::Pricing { message: bytes.clone(), outlet };
        steps.push(Step::Price(Box::new(payment)));
        true
    }

    /// The policy has answered: the challenge goes to the agent, or the call is refused.
    pub(crate) fn priced(
        &mut self,
        exchange: ExchangeId,
        decision: Decision,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let State::Pricing { message, outlet } = &open.state else { return };
        let (message, outlet) = (message.clone(), *outlet);
        let Some(server) = open.target.server.clone() else { return };
        open.state = State::Waiting { server: server.clone(), resend: None };
        if let Decision::Deny { rule, message: said } | Decision::Ask { rule, message: said, .. } = decision {
            let rule = format!("servers.{server}.intercept: {rule}");
            let finding = Finding::deny(Phase::Policy, Reason::InterceptDenied, rule);
            let finding = Finding { said: Some(said.into()), ..finding };
            if !self.only_observes(&finding) {
                return self.refuse_open(exchange, finding, now, steps);
            }
        }
        let limits = self.boundary.limits;
        let received = Received::read(&message, Side::Server, &limits);
        if let Some(read) = received.message() {
            self.answer(exchange, &server, &message, &read.body, outlet, now, steps);
        }
    }

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
        let arguments = outgoing.arguments();
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

/// Every price that a challenge names; none for one that cannot be read.
fn collect_prices(value: Json<'_>, deepest: usize, prices: &mut Vec<Option<Amount>>) {
    let Some(deeper) = deepest.checked_sub(1) else { return };
    for (key, member) in value.members() {
        if matches!(&*key.text(), "amount" | "price") && !matches!(member.kind(), Kind::Object | Kind::Array)
        {
            let text = member.text().unwrap_or_else(|| String::from_utf8_lossy(member.raw()));
            prices.push(Amount::parse(&text));
        } else {
            collect_prices(member, deeper, prices);
        }
    }
    value.elements().for_each(|element| collect_prices(element, deeper, prices));
}

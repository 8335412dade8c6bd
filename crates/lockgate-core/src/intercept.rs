//! Servers whose rules are an Intercept policy: it is asked about every call of a tool, with the counts it needs, before
//! the call goes out, and about every price that a server asks for one.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, Finding, Json, Kind, Phase, Reason, ServerName, Side, Tick};
use lockgate_policy::intercept::{Amount, Decision, Policy};

use crate::exchange::{Exchange, Outgoing, State};
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
    /// What of it.
    pub matter: Matter,
}

/// What an Intercept policy is asked about a call.
#[derive(Clone, Debug)]
pub enum Matter {
    /// May it be made?
    Call {
        /// The arguments, where there are some: checked JSON.
        arguments: Option<Bytes>,
        /// Has a person approved this very call?
        approved: bool,
    },
    /// May the server ask this price for it? None where the challenge names no price, or several.
    Price(Option<Amount>),
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
        let ask =
            |_: &Exchange| (Matter::Price(price(*error)), State::Pricing { message: bytes.clone(), outlet });
        self.put_to_policy(exchange, server, ask, steps)
    }

    /// Asks the policy, where the server has one.
    pub(crate) fn intercept(
        &mut self,
        exchange: ExchangeId,
        outgoing: &Outgoing,
        steps: &mut Vec<Step>,
    ) -> bool {
        let ask = |open: &Exchange| {
            let arguments = outgoing.arguments().map(|arguments| outgoing.message.slice_ref(arguments.raw()));
            let matter = Matter::Call { arguments, approved: open.target.approved.is_some() };
            (matter, State::Reserving { outgoing: Box::new(outgoing.clone()), claims: Vec::new() })
        };
        self.put_to_policy(exchange, &outgoing.server, ask, steps)
    }

    /// A call of a tool waits from now on for the policy, where its server has one.
    fn put_to_policy(
        &mut self,
        exchange: ExchangeId,
        server: &ServerName,
        ask: impl FnOnce(&Exchange) -> (Matter, State),
        steps: &mut Vec<Step>,
    ) -> bool {
        let policy = self.boundary.servers.get(server).and_then(|server| server.intercept.clone());
        let Some(policy) = policy else { return false };
        let Some(open) = self.exchanges.get_mut(exchange).filter(|open| open.method == "tools/call") else {
            return false;
        };
        let Some((tool, _)) = &open.target.tool else { return false };
        let tool = tool.as_str().to_owned();
        let (matter, state) = ask(open);
        open.state = state;
        let server = server.to_string();
        steps.push(Step::Intercept(Box::new(Intercepted { exchange, policy, server, tool, matter })));
        true
    }

    /// The policy has answered: the call goes on, is refused or held.
    pub(crate) fn intercepted(
        &mut self,
        exchange: ExchangeId,
        decision: Decision,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        if let State::Pricing { message, outlet } = &open.state {
            let (message, outlet) = (message.clone(), *outlet);
            return self.priced(exchange, &message, outlet, decision, now, steps);
        }
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

    /// The policy has answered about a price: the challenge goes to the agent, or the call is refused.
    fn priced(
        &mut self,
        exchange: ExchangeId,
        message: &Bytes,
        outlet: Outlet,
        decision: Decision,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
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
        let received = Received::read(message, Side::Server, &limits);
        if let Some(read) = received.message() {
            self.answer(exchange, &server, message, &read.body, outlet, now, steps);
        }
    }
}

/// The one price that a challenge names.
fn price(error: Json<'_>) -> Option<Amount> {
    let mut prices = Vec::new();
    if let Some(data) = error.get("data") {
        collect_prices(data, DEEPEST, &mut prices);
    }
    prices.dedup();
    if let [only] = prices.as_slice() { *only } else { None }
}

/// Every price that a challenge names; none for one that cannot be read.
fn collect_prices(value: Json<'_>, deepest: usize, prices: &mut Vec<Option<Amount>>) {
    let Some(deeper) = deepest.checked_sub(1) else { return };
    for (key, member) in value.members() {
        if matches!(&*key.text(), "amount" | "price") && !matches!(member.kind(), Kind::Object | Kind::Array)
        {
            let text = member.text().unwrap_or_else(|| member.written().into());
            prices.push(Amount::parse(&text));
        } else {
            collect_prices(member, deeper, prices);
        }
    }
    value.elements().for_each(|element| collect_prices(element, deeper, prices));
}

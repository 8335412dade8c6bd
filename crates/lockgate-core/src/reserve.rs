//! Phase *reserve*, the last before a message is sent: does the server answer at all these days, and is there room in
//! every limit the call counts against? The counts are kept outside; the call waits for what they say.

use std::fmt;

use lockgate_audit::Happening;
use lockgate_model::{ExchangeId, Finding, Json, Phase, Reason, Tick, ToolName, UnixMillis};
use lockgate_policy::budget::{CallDigest, Caller, Charge, Limit, Loops};
use lockgate_policy::test::Selector;
use lockgate_policy::{Place, Rule, Subject};

use crate::exchange::{Outgoing, State, Target};
use crate::record::Note;
use crate::{Core, Step};

/// Room that a call needs in one limit.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The name of the count. No two limits, and no two of those a limit counts apart, share one.
    pub key: String,
    /// How much of it.
    pub charge: Charge,
}

/// What the counts say. A call takes room in all its limits or in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It was taken.
    Taken,
    /// There is none in this one of the claims.
    Full {
        /// Which, from 0.
        which: usize,
        /// When there will be again, as far as can be told.
        free_at: Option<UnixMillis>,
    },
    /// It cannot be told.
    Unknown,
}

impl Core {
    /// A decided request goes out, or waits for room, or is refused: the end of the way for every request of the agent.
    pub(crate) fn go(&mut self, exchange: ExchangeId, outgoing: Outgoing, now: Tick, steps: &mut Vec<Step>) {
        if let Some(finding) = self.circles(exchange, &outgoing, now) {
            return self.refuse_or_observe(exchange, outgoing, finding, now, steps);
        }
        let Some(open) = self.exchanges.get(exchange) else { return };
        if open.method == "tools/call"
            && let Err(broken) =
                self.peer(&outgoing.server).breaker.pass(now).map(|pass| self.keep_pass(exchange, pass))
        {
            let seconds = broken.until.micros_since(now).div_ceil(1_000_000);
            let finding = Finding::deny(Phase::Policy, Reason::CircuitOpen, "breaker");
            let finding = Finding { detail: Some(format!("it is tried again in {seconds} s")), ..finding };
            return self.refuse_open(exchange, finding, now, steps);
        }
        if !self.intercept(exchange, &outgoing, steps) {
            self.reserve_or_send(exchange, outgoing, now, steps);
        }
    }

    /// Takes room in the limits of its rules, or goes out where there are none.
    pub(crate) fn reserve_or_send(
        &mut self,
        exchange: ExchangeId,
        outgoing: Outgoing,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let claims = match self.claims(exchange, &outgoing) {
            Ok(claims) => claims,
            Err(finding) => return self.refuse_or_observe(exchange, outgoing, *finding, now, steps),
        };
        if claims.is_empty() {
            return self.send_off(exchange, outgoing, steps);
        }
        let (full, claims) = claims.into_iter().unzip();
        if let Some(open) = self.exchanges.get_mut(exchange) {
            open.state = State::Reserving { outgoing: Box::new(outgoing), claims: full };
        }
        steps.push(Step::Reserve { exchange, claims });
    }

    /// Has the session made the same calls too often in a row?
    fn circles(&mut self, exchange: ExchangeId, outgoing: &Outgoing, now: Tick) -> Option<Finding> {
        let rules = self.boundary.loops?;
        let open = self.exchanges.get(exchange).filter(|open| open.method == "tools/call")?;
        let (_, name) = open.target.subject.as_ref()?;
        let arguments = outgoing.arguments();
        let call = [outgoing.server.as_str().as_bytes(), name.as_bytes(), arguments.map_or(b"", Json::raw)];
        let digest = CallDigest(crate::digest::bytes(&call.join(&0)));
        let found = self.loops.get_or_insert_with(|| Loops::new(rules)).see(digest, now)?;
        let what = match found.length {
            1 => format!("the same call, {} times in a row", found.times),
            length => format!("the same {length} calls in turn, {} times", found.times),
        };
        let finding = Finding::deny(Phase::Policy, Reason::LoopDetected, "loops");
        Some(Finding { detail: Some(what), ..finding })
    }

    fn keep_pass(&mut self, exchange: ExchangeId, pass: lockgate_policy::budget::Pass) {
        if let Some(open) = self.exchanges.get_mut(exchange) {
            open.pass = Some(pass);
        }
    }

    fn send_off(&mut self, exchange: ExchangeId, outgoing: Outgoing, steps: &mut Vec<Step>) {
        let state = self.waiting(&outgoing);
        let now = self.now;
        if let Some(open) = self.exchanges.get_mut(exchange) {
            open.state = state;
            open.sent.get_or_insert(now);
        }
        steps.push(self.send(exchange, outgoing));
    }

    /// What the call counts against, and what is found where there is no room.
    fn claims(
        &self,
        exchange: ExchangeId,
        outgoing: &Outgoing,
    ) -> Result<Vec<(Finding, Claim)>, Box<Finding>> {
        let none = Ok(Vec::new());
        let Some(open) = self.exchanges.get(exchange) else { return none };
        let Target { subject: Some((Subject::Tool, name)), tool: Some((tool, _)), .. } = &open.target else {
            return none;
        };
        let Some(server) = self.boundary.servers.get(&outgoing.server) else { return none };
        if !server.rules.has_limits() {
            return none;
        }
        let arguments = outgoing.arguments();
        let asked = self.asked(arguments);
        let limits = server.rules.limits(Subject::Tool, name, &asked);
        let claim = |(place, rule, limit): (Place<'_>, &Rule, &Limit)| {
            let at = format!("servers.{}.tools.{place}.limits", outgoing.server);
            let found = |reason, detail| Finding {
                detail: Some(detail),
                said: rule.on_deny.clone(),
                ..Finding::deny(Phase::Policy, reason, at.clone())
            };
            let claim = self.claim(&at, limit, tool, outgoing, arguments);
            let claim = claim.map_err(|detail| Box::new(found(Reason::ArgumentDenied, detail)))?;
            Ok((found(Reason::BudgetExceeded, limit.to_string()), claim))
        };
        limits.into_iter().map(claim).collect()
    }

    fn claim(
        &self,
        rule: &str,
        limit: &Limit,
        tool: &ToolName,
        outgoing: &Outgoing,
        arguments: Option<Json<'_>>,
    ) -> Result<Claim, String> {
        let bad = |why: &dyn fmt::Display| {
            format!("`{}` cannot be added up: {why}", limit.argument().map_or("", Selector::as_str))
        };
        let values = match limit.argument().zip(arguments) {
            Some((argument, arguments)) => argument.values(arguments).map_err(|doubt| bad(&doubt))?,
            None => Vec::new(),
        };
        let charge = limit.charge(values).map_err(|why| bad(&why))?;
        let caller = Caller {
            principal: &self.identity.principal,
            session: &self.identity.session,
            server: &outgoing.server,
            tool,
        };
        Ok(Claim { key: limit.key(rule, caller), charge })
    }

    /// The counts have answered.
    pub(crate) fn reserved(&mut self, exchange: ExchangeId, room: Room, now: Tick, steps: &mut Vec<Step>) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let State::Reserving { outgoing, claims } = &mut open.state else { return };
        let outgoing = Outgoing::clone(outgoing);
        let full = match room {
            Room::Taken => return self.send_off(exchange, outgoing, steps),
            Room::Unknown => Finding::deny(Phase::Policy, Reason::CountersUnavailable, "limits"),
            Room::Full { which, free_at } => {
                let unknown = || Finding::deny(Phase::Policy, Reason::BudgetExceeded, "limits");
                let full = claims.get(which).cloned().unwrap_or_else(unknown);
                let wait = free_at.map(|at| at.0.saturating_sub(self.wall.0).div_ceil(1_000));
                let wait = wait.map_or_else(String::new, |seconds| format!("; room again in {seconds} s"));
                Finding { detail: full.detail.map(|detail| detail + &wait), ..full }
            }
        };
        self.refuse_or_observe(exchange, outgoing, full, now, steps);
    }

    /// Refuses a call on its way, or, where rules are only observed, writes that down and lets it go on.
    pub(crate) fn refuse_or_observe(
        &mut self,
        exchange: ExchangeId,
        outgoing: Outgoing,
        finding: Finding,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        if !self.only_observes(&finding) {
            return self.refuse_open(exchange, finding, now, steps);
        }
        let Some(open) = self.exchanges.get(exchange) else { return };
        self.note(Note::of(Happening::Request, exchange, open).observed(Some(finding)), steps);
        self.send_off(exchange, outgoing, steps);
    }
}

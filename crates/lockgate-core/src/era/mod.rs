//! Servers of the other era than the agent's: between what the session decides and what goes over the wire stands a bridge
//! ([`lockgate_era`]). Nothing else in the core knows of it.

mod doubt;
mod trial;
mod way;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use lockgate_era::{Bounds, Bridge, Moment, Out};
use lockgate_model::{Era, ExchangeId, Reason, Revision, ServerName, Tick, peek_id};

use crate::exchange::params;
use crate::permit::Passage;
use crate::server::unreadable;
use crate::{Core, Head, Permit, Received, Sent, Step, headers};
use doubt::is_error;
use trial::Trial;
pub(crate) use way::Ways;
use way::{Manner, Way};

impl Core {
    /// Servers of which it is known whether they speak an era.
    pub fn know_eras(&mut self, known: impl IntoIterator<Item = ((ServerName, Era), bool)>) {
        self.ways.known.extend(known);
    }

    /// Is something of this server still expected on the stream of this exchange?
    pub fn awaits(&self, server: &ServerName, exchange: ExchangeId) -> bool {
        match self.ways.ways.get(server) {
            Some(Way { manner: Manner::Bridged(bridge), late, .. }) => {
                bridge.awaits(exchange) || late.contains_key(&exchange)
            }
            _ => self.is_open(exchange),
        }
    }

    /// The revision that is spoken with a server.
    pub fn spoken_with(&self, server: &ServerName) -> Option<Revision> {
        self.ways.bridge(server).map(Bridge::revision).or(self.agent.revision)
    }

    pub(crate) fn ways_wait(&self) -> bool {
        self.ways.wait()
    }

    /// How long a bridge to this server waits: for the agent as a held call does, for the server as for an answer.
    fn bounds(&self, server: &ServerName) -> Bounds {
        let usual = Bounds::default();
        let timeout = self.boundary.servers.get(server).map_or(usual.handshake, |server| server.timeout);
        Bounds { held: self.boundary.hold_timeout, handshake: usual.handshake.min(timeout), ..usual }
    }

    fn way(&mut self, server: &ServerName, era: Era) -> &mut Way {
        let known = self.ways.known.get(&(server.clone(), era)).copied();
        let configured = self.boundary.servers.get(server).and_then(|server| server.speaks);
        let speaks = configured.map(|configured| configured.includes(era)).or(known);
        let bounds = self.bounds(server);
        let fresh = || {
            let manner = match speaks {
                None => Manner::Tried(Trial::default()),
                Some(true) => Manner::Same,
                Some(false) => Manner::Bridged(Box::new(Bridge::from(era, bounds))),
            };
            Way { era, manner, late: BTreeMap::new(), doubts: BTreeMap::new(), sure: false, suspect: false }
        };
        let way = self.ways.ways.entry(server.clone()).or_insert_with(fresh);
        if way.era != era {
            // The agent has changed over.
            *way = fresh();
        }
        way
    }

    /// Takes the steps from this one on over to the servers that speak another era.
    pub(crate) fn cross(&mut self, begun: usize, now: Tick, steps: &mut Vec<Step>) {
        if steps.iter().skip(begun).all(|step| self.stays(step)) {
            return;
        }
        let mut work: VecDeque<Step> = steps.drain(begun..).collect();
        while let Some(step) = work.pop_front() {
            if self.stays(&step) {
                steps.push(step);
                continue;
            }
            let mut more = Vec::new();
            if let Step::Send(permit) = step {
                self.send_across(permit, now, &mut more);
            } else if let Step::Abandon { server, exchange, .. } = step {
                self.abandon_across(server, exchange, now, &mut more);
            }
            more.into_iter().rev().for_each(|step| work.push_front(step));
        }
    }

    /// Is this step to be done as it is?
    fn stays(&self, step: &Step) -> bool {
        if let Step::Send(permit) = step {
            permit.passage != Passage::Open || self.ways.is_same(&permit.server, self.ways.era_of(permit))
        } else if let Step::Abandon { server, crossed, .. } = step {
            *crossed || !self.ways.crosses(server)
        } else {
            true
        }
    }

    /// A message that was decided, on its way to a server.
    fn send_across(&mut self, permit: Permit, now: Tick, steps: &mut Vec<Step>) {
        let era = self.ways.era_of(&permit);
        let asks = era == Era::Modern && self.is_lines(&permit.server);
        match &mut self.way(&permit.server, era).manner {
            Manner::Same => steps.push(Step::Send(permit.plain())),
            Manner::Tried(_) => self.try_out(permit, asks, now, steps),
            Manner::Bridged(_) => {
                let server = permit.server.clone();
                self.doubt(&permit);
                self.bridged(&server, now, steps, |bridge, moment| {
                    match (permit.exchange, permit.head.method) {
                        (Some(exchange), Some(method)) => {
                            bridge.request(exchange, method, &permit.message, moment);
                        }
                        (None, Some(method)) => bridge.notification(method, &permit.message, moment),
                        (_, None) => bridge.answer(&permit.message, moment),
                    }
                });
            }
        }
    }

    fn abandon_across(&mut self, server: ServerName, exchange: ExchangeId, now: Tick, steps: &mut Vec<Step>) {
        let way = self.ways.ways.get_mut(&server);
        let late = way.and_then(|way| {
            if let Manner::Tried(trial) = &mut way.manner {
                trial.forget(exchange);
            }
            way.late.remove(&exchange)
        });
        if late.is_some() || self.ways.bridge(&server).is_none() {
            return steps.push(Step::Abandon { server, exchange, crossed: true });
        }
        self.bridged(&server, now, steps, |bridge, moment| bridge.abandon(exchange, moment));
    }

    /// The operator may now say of a server what it speaks. Where nothing is under way that holds at once.
    pub(crate) fn reconsider_ways(&mut self) {
        let servers = &self.boundary.servers;
        self.ways.ways.retain(|server, way| {
            let said = servers.get(server).and_then(|server| server.speaks);
            let same = said.is_none_or(|speaks| speaks.includes(way.era));
            match &way.manner {
                Manner::Tried(trial) => said.is_none() || !trial.is_idle(),
                Manner::Same => same,
                Manner::Bridged(bridge) => said.is_none() || !same || bridge.waits(),
            }
        });
    }

    /// A server was stopped: calls that wait behind a bridge for their agent end as well.
    pub(crate) fn stop_across(&mut self, server: &ServerName, now: Tick, steps: &mut Vec<Step>) {
        self.bridged(server, now, steps, Bridge::stop);
    }

    /// An answer was refused that a server of another era may only have been asked for halfway: it may still wait for the agent
    /// to say something that the agent is not asked.
    pub(crate) fn let_go(&self, server: &ServerName, exchange: ExchangeId, steps: &mut Vec<Step>) {
        if self.ways.crosses(server) {
            steps.push(Step::Abandon { server: server.clone(), exchange, crossed: false });
        }
    }

    /// A server has said something.
    pub(crate) fn hear_across(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        received: &Received<'_>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        match self.ways.ways.get(server).map(|way| &way.manner) {
            None | Some(Manner::Same) => return self.from_server(server, exchange, received, now, steps),
            Some(Manner::Tried(_)) => return self.hear_tried(server, exchange, received, now, steps),
            Some(Manner::Bridged(_)) => {}
        }
        if let Some(exchange) = exchange
            && self.is_late(server, exchange)
        {
            return self.hear_tried(server, Some(exchange), received, now, steps);
        }
        if let Err(reason) = &received.message {
            let reason = unreadable(*reason);
            if let Some(meant) = exchange.or_else(|| ExchangeId::read(peek_id(received.bytes)?)) {
                self.bridged(server, now, steps, |bridge, moment| bridge.failed(Some(meant), reason, moment));
            }
            return self.strike(server, steps);
        }
        self.bridged(server, now, steps, |bridge, moment| bridge.heard(exchange, received.bytes, moment));
    }

    /// A server has failed.
    pub(crate) fn fail_across(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        reason: Reason,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        if !self.ways.crosses(server) {
            return self.failed(server, exchange, reason, now, steps);
        }
        if self.fail_tried(server, exchange, reason, now, steps) {
            return;
        }
        self.bridged(server, now, steps, |bridge, moment| bridge.failed(exchange, reason, moment));
        if exchange.is_none() {
            self.failed(server, None, reason, now, steps);
        }
    }

    /// A server has forgotten the session in which it was sent this.
    pub(crate) fn forgotten_across(
        &mut self,
        server: &ServerName,
        exchange: ExchangeId,
        greeted: bool,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        if self.ways.bridge(server).is_none() {
            return self.forgotten(server, exchange, greeted, now, steps);
        }
        self.bridged(server, now, steps, |bridge, moment| bridge.forgotten(exchange, moment));
    }

    /// Lets time pass for what waits on the way.
    pub(crate) fn wake_ways(&mut self, now: Tick, steps: &mut Vec<Step>) {
        let servers: Vec<_> =
            self.ways.ways.keys().filter(|server| self.ways.crosses(server)).cloned().collect();
        for server in servers {
            self.wake_tried(&server, now, steps);
            self.bridged(&server, now, steps, Bridge::wake);
        }
    }

    /// Has the bridge do something, and does what comes of it.
    fn bridged(
        &mut self,
        server: &ServerName,
        now: Tick,
        steps: &mut Vec<Step>,
        work: impl FnOnce(&mut Bridge, &mut Moment<'_>),
    ) {
        let mut out = Vec::new();
        let Self { ways, next, .. } = self;
        if let Some(Way { manner: Manner::Bridged(bridge), .. }) = ways.ways.get_mut(server) {
            work(bridge, &mut Moment { now, next, out: &mut out });
        }
        if let Some(way) = ways.ways.get_mut(server) {
            way.settle(server, steps);
        }
        let mut failed = false;
        for out in out {
            failed |= matches!(out, Out::Failed { .. });
            match out {
                Out::Send { exchange, method, message } => {
                    steps.extend(self.send_translated(server, exchange, method, message));
                }
                Out::Said { exchange, message } => {
                    let refused = exchange.filter(|_| !self.ways.is_sure(server) && is_error(&message));
                    failed |= refused.is_some();
                    match refused.and_then(|refused| self.take_doubt(server, refused)) {
                        Some((exchange, refusal)) => self.refused(server, exchange, refusal, now, steps),
                        None => self.said_across(server, exchange, &message, now, steps),
                    }
                }
                Out::Failed { exchange, reason } => self.not_understood(server, exchange, reason, now, steps),
                Out::Abandon { exchange } => {
                    steps.push(Step::Abandon { server: server.clone(), exchange, crossed: true });
                }
                Out::Listen => steps.push(Step::Listen { server: server.clone() }),
            }
        }
        // It speaks neither, for now: the next request finds out again.
        if failed
            && let Some(way) = self.ways.ways.get_mut(server)
            && way.is_given_up()
        {
            self.ways.known.remove(&(server.clone(), way.era));
            if way.suspect {
                way.manner = Manner::Same;
                way.doubts.clear();
            } else {
                self.ways.ways.remove(server);
            }
        }
    }

    fn said_across(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        message: &Bytes,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let received = self.read_again(message);
        self.from_server(server, exchange, &received, now, steps);
    }

    /// A translated message on its way out.
    fn send_translated(
        &self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        method: Option<&'static str>,
        message: Bytes,
    ) -> Option<Step> {
        let revision = self.ways.bridge(server)?.revision();
        let sent = match (exchange, method) {
            (Some(_), _) => Sent::Request,
            (None, Some(_)) => Sent::Notification,
            (None, None) => Sent::Answer,
        };
        let (mut name, mut parameters) = (None, Vec::new());
        if revision.era() == Era::Modern
            && let Some(field) = method.and_then(headers::named)
        {
            let params = params(&message)?;
            name = params.text(field).map(std::borrow::Cow::into_owned);
            if method == Some("tools/call") {
                let tool = name.as_deref().map(lockgate_model::ToolName::new);
                parameters = self.mirrored(server, tool.as_ref(), params.arguments());
            }
        }
        let head = Head { sent, revision, method, name, parameters };
        let permit = Self::permit(server, exchange, message, head, "protocol".to_owned());
        Some(Step::Send(permit.translated()))
    }
}

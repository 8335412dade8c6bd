//! The handshake with servers: again for one that was lost or has joined late, and for one that has forgotten us.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Reason, Revision, ServerName, Side, Splice, Tick};

use crate::exchange::{Asker, Outgoing, State};
use crate::fan::NOBODY;
use crate::session::Peer;
use crate::{Core, Received, Step, phase};

/// Pauses before a lost server is greeted again. Milliseconds.
const FIRST_GREETING: u64 = 500;
const LAST_GREETING: u64 = 30_000;

impl Core {
    /// A server of several, of the handshake era, has to be greeted (again): soon, then ever more rarely.
    pub(crate) fn greet_later(&mut self, server: &ServerName, now: Tick) {
        let legacy = self.agent.revision.is_some_and(|revision| revision != Revision::R2026_07_28);
        if !(self.aggregates() && legacy && self.greeting.is_some()) {
            return;
        }
        let peer = self.peer(server);
        if peer.revision.is_none() {
            let pause = peer.greet_at.map_or(FIRST_GREETING, |(_, pause)| (pause * 2).min(LAST_GREETING));
            peer.greet_at = Some((now.after_millis(pause), pause));
        }
    }

    /// A server has answered the handshake.
    pub(crate) fn greeted(&mut self, server: &ServerName, revision: Revision) {
        let peer = self.peer(server);
        peer.revision = Some(revision);
        peer.greet_at = None;
    }

    pub(crate) fn greet(&mut self, now: Tick, steps: &mut Vec<Step>) {
        let due = |peer: &Peer| peer.greet_at.is_some_and(|(at, _)| at <= now);
        let servers: Vec<_> =
            self.peers.iter().filter(|(_, peer)| due(peer)).map(|(server, _)| server.clone()).collect();
        for server in servers {
            self.greet_later(&server, now);
            self.greet_again(&server, now, steps);
        }
    }

    /// Greets a server that was lost or has joined late, in the agent's own words.
    pub(crate) fn greet_again(&mut self, server: &ServerName, now: Tick, steps: &mut Vec<Step>) {
        let Some(greeting) = self.greeting.clone() else { return };
        let received = Received::read(&greeting, Side::Agent, &self.boundary.limits);
        let Some((id, _, _)) = received.request() else { return };
        let part = self.open();
        let mut splice = Splice::new(&greeting);
        splice.replace(id, part.to_string());
        let revision = self.agent.revision.unwrap_or(Revision::R2025_11_25);
        self.ask_part(part, NOBODY, server, "initialize", splice.finish(), revision, false, now, steps);
    }

    /// Waiting for the answer to a message. What may have to be sent again is kept: an HTTP server of the handshake era
    /// may have forgotten its session.
    pub(crate) fn waiting(&self, outgoing: &Outgoing) -> State {
        let sessions = outgoing.head.revision != Revision::R2026_07_28 && !self.is_lines(&outgoing.server);
        let resend = sessions && outgoing.head.method != Some("initialize");
        State::Waiting { server: outgoing.server.clone(), resend: resend.then(|| Box::new(outgoing.clone())) }
    }

    /// A server does not know the session any more in which a request was sent. It is greeted again, once, and the
    /// request is sent again; where it `greeted` us since, at once.
    pub(crate) fn forgotten(
        &mut self,
        server: &ServerName,
        exchange: ExchangeId,
        greeted: bool,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let known = self.greeting.is_some();
        let mut kept = None;
        if let Some(State::Waiting { resend, .. }) =
            self.exchanges.get_mut(exchange).map(|open| &mut open.state)
            && known
        {
            kept = resend.take();
        }
        let Some(outgoing) = kept else {
            self.failed(server, Some(exchange), Reason::UnknownSession, now, steps);
            return self.cannot_return(server, now, steps);
        };
        if let Some(open) = self.exchanges.get_mut(exchange) {
            open.state = State::Returning(outgoing);
        }
        if greeted {
            return self.send_again(exchange, now, steps);
        }
        self.questions.forget(server);
        self.peer(server).revision = None;
        if !self.exchanges.parts_of(NOBODY).iter().any(|part| self.greets(*part, server)) {
            self.greet_again(server, now, steps);
        }
    }

    fn greets(&self, part: ExchangeId, server: &ServerName) -> bool {
        self.exchanges.get(part).is_some_and(|open| open.waits_for() == Some(server))
    }

    /// A server that was greeted again has answered, or has not: what waits for it is sent, or fails.
    pub(crate) fn greeting_over(
        &mut self,
        server: &ServerName,
        revision: Revision,
        failed: Option<Reason>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let returning = self.exchanges.returning(server);
        let Some(reason) = failed else {
            let said = Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
            let revision = self.wire_revision(server, revision);
            steps.push(Step::Send(Self::notify(server, "notifications/initialized", said, revision)));
            for exchange in returning {
                self.send_again(exchange, now, steps);
            }
            return;
        };
        for exchange in &returning {
            self.failed(server, Some(*exchange), reason, now, steps);
        }
        if !returning.is_empty() {
            self.cannot_return(server, now, steps);
        }
    }

    /// A server of several is greeted later; a session that has no other begins afresh.
    fn cannot_return(&mut self, server: &ServerName, now: Tick, steps: &mut Vec<Step>) {
        if self.aggregates() {
            self.peer(server).revision = None;
            self.greet_later(server, now);
        } else {
            steps.push(Step::Disconnect { server: server.clone() });
        }
    }

    /// Sends a request again. What has changed since it was decided counts: the configuration, and what was read.
    fn send_again(&mut self, exchange: ExchangeId, now: Tick, steps: &mut Vec<Step>) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let State::Returning(outgoing) = &open.state else { return };
        let outgoing = Outgoing::clone(outgoing);
        open.state = State::Waiting { server: outgoing.server.clone(), resend: None };
        let target = open.target.clone();
        if matches!(open.asker, Asker::Agent { .. }) {
            let approved = target.approved.is_some();
            if let Some(finding) = phase::decide_again(self, &target, &outgoing, approved) {
                return self.refuse_open(exchange, finding, now, steps);
            }
        }
        steps.push(self.send(exchange, outgoing));
    }
}

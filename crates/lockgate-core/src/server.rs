//! What servers say: answers, notifications, and questions of their own. A server is not the agent's friend: what it
//! may not say is dropped, counted and written down.

use bytes::Bytes;
use lockgate_audit::Happening;
use lockgate_model::{
    Body, Direction, ExchangeId, Finding, Json, Limits, MethodKind, Params, Phase, Reason, Revision,
    ServerName, Side, Splice, Tick, Verdict, peek_id, quote,
};

use crate::exchange::Asker;
use crate::hold::Holds;
use crate::question::Question;
use crate::record::Note;
use crate::{Core, Outlet, Received, Step, names, phase, reply};

/// Where a message of a server came from.
struct Source<'s> {
    server: &'s ServerName,
    /// The exchange whose stream it came on.
    exchange: Option<ExchangeId>,
    bytes: &'s Bytes,
}

impl Core {
    pub(crate) fn from_server(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        received: &Received<'_>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let source = Source { server, exchange, bytes: received.bytes };
        let answers = received.message().and_then(|message| self.answers(&source, &message.body));
        let changed = self.inspect(server, answers, received);
        if let Some(finding) = self.keeps_back(answers, received) {
            return self.keep_back(&source, answers, received, finding, now, steps);
        }
        match changed {
            None => self.said(&source, received, now, steps),
            Some(bytes) => {
                // What stands for what was replaced may be longer than that.
                let changed = self.read_again(&bytes);
                self.said(&Source { bytes: &bytes, ..source }, &changed, now, steps);
            }
        }
    }

    /// A message with nothing left in it that may not be read.
    fn said(&mut self, source: &Source<'_>, received: &Received<'_>, now: Tick, steps: &mut Vec<Step>) {
        let message = match &received.message {
            Ok(message) => message,
            Err(reason) => return self.unreadable(source, *reason, now, steps),
        };
        match &message.body {
            Body::Result { .. } | Body::Error { .. } => self.reply(source, &message.body, now, steps),
            Body::Notification { method, params } => self.notified(source, method, params, now, steps),
            Body::Request { id, method, params } => self.questioned(source, *id, method, params, steps),
        }
    }

    /// What keeps a message back as a whole. A result that a person can be asked about is no such thing.
    fn keeps_back(&mut self, answers: Option<ExchangeId>, received: &Received<'_>) -> Option<Finding> {
        let against = self.found.against.as_ref().filter(|finding| !self.only_observes(finding))?;
        let open = answers.and_then(|exchange| self.exchanges.get(exchange));
        let result = matches!(received.message().map(|message| &message.body), Some(Body::Result { .. }));
        let held = against.verdict == Verdict::Hold
            && result
            && open.is_some_and(|open| self.can_hold_result(open, received.bytes.len()));
        if held { None } else { self.found.against.take() }
    }

    /// A message that does not reach the agent. What waits for it is told so.
    fn keep_back(
        &mut self,
        source: &Source<'_>,
        answers: Option<ExchangeId>,
        received: &Received<'_>,
        finding: Finding,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let finding = Finding { verdict: Verdict::Deny, ..finding };
        let revision = self.revision_of(source);
        match received.message().map(|message| &message.body) {
            Some(Body::Result { .. } | Body::Error { .. }) => match answers {
                Some(exchange) => self.withhold(exchange, source.server, finding, now, steps),
                None => self.drop_for(source, None, finding, steps),
            },
            Some(Body::Request { id, .. }) => {
                let said = Finding::deny(Phase::Detect, finding.reason, "protocol");
                let correlation = self.identity.session.to_string();
                let about =
                    reply::About { shown: None, server: None, correlation: &correlation, withheld: false };
                let message = reply::error(Some(id.raw()), &said, &about);
                self.drop_for(source, None, finding, steps);
                steps.push(Self::answer_server(source.server, message, revision));
            }
            Some(Body::Notification { .. }) | None => self.drop_for(source, None, finding, steps),
        }
    }

    /// Something that is not a message. Where it is plainly meant as an answer, the exchange fails at once instead of
    /// at its time limit; a reply is never sent (rmcp #938: two peers that answer noise with noise never stop).
    fn unreadable(&mut self, source: &Source<'_>, reason: Reason, now: Tick, steps: &mut Vec<Step>) {
        let reason = unreadable(reason);
        let meant = source.exchange.or_else(|| {
            let named = ExchangeId::read(peek_id(source.bytes)?)?;
            (self.exchanges.get(named)?.waits_for() == Some(source.server)).then_some(named)
        });
        match meant {
            Some(exchange) => self.failed(source.server, Some(exchange), reason, now, steps),
            None => self.drop_message(source, None, reason, steps),
        }
        self.strike(source.server, steps);
    }

    /// Reads a message of a server that was admitted as it came and has been changed since, so that it may be longer.
    pub(crate) fn read_again<'m>(&self, message: &'m Bytes) -> Received<'m> {
        let limits = Limits { result_bytes: usize::MAX, ..self.boundary.limits };
        Received::read(message, Side::Server, &limits)
    }

    fn drop_message(
        &self,
        source: &Source<'_>,
        method: Option<&'static str>,
        reason: Reason,
        steps: &mut Vec<Step>,
    ) {
        self.drop_for(source, method, Finding::deny(Phase::Answer, reason, "protocol"), steps);
    }

    fn drop_for(
        &self,
        source: &Source<'_>,
        method: Option<&'static str>,
        finding: Finding,
        steps: &mut Vec<Step>,
    ) {
        let mut note = Note::happening(Happening::Server)
            .server(source.server)
            .found(&self.found)
            .finding(finding, Verdict::Deny);
        if let Some(exchange) = source.exchange {
            note = note.exchange(exchange);
        }
        if let Some(method) = method {
            note = note.method(method);
        }
        self.note(note, steps);
    }

    /// The exchange that waits for this answer of this server.
    fn answers(&self, source: &Source<'_>, body: &Body<'_>) -> Option<ExchangeId> {
        if !matches!(body, Body::Result { .. } | Body::Error { .. }) {
            return None;
        }
        let lines = self.is_lines(source.server);
        let id = Self::answer_id(body);
        let exchange = match (source.exchange, id) {
            // An error without an id, on the stream of one exchange, is about that exchange.
            (Some(exchange), None) => Some(exchange),
            (Some(exchange), Some(id)) => {
                let open = self.exchanges.get(exchange);
                open.is_some_and(|open| open.wire_id(exchange, lines)[..] == *id.raw()).then_some(exchange)
            }
            (None, Some(id)) if lines => ExchangeId::read(id.raw()),
            // A standing stream of HTTP brings late answers under the agent's own id.
            (None, Some(id)) => self.exchanges.by_agent_id(id.raw()),
            (None, None) => None,
        };
        exchange.filter(|exchange| {
            self.exchanges.get(*exchange).is_some_and(|open| open.waits_for() == Some(source.server))
        })
    }

    fn reply(&mut self, source: &Source<'_>, body: &Body<'_>, now: Tick, steps: &mut Vec<Step>) {
        let Some(exchange) = self.answers(source, body) else {
            self.drop_message(source, None, Reason::UnexpectedResponse, steps);
            return self.strike(source.server, steps);
        };
        let lines = self.is_lines(source.server);
        let outlet =
            if source.exchange.is_none() && !lines { Outlet::Standing } else { Outlet::Exchange(exchange) };
        if !self.asks_payment(exchange, source.server, (source.bytes, body), outlet, steps) {
            self.answer(exchange, source.server, source.bytes, body, outlet, now, steps);
        }
    }

    fn revision_of(&self, source: &Source<'_>) -> Revision {
        let open = source.exchange.and_then(|exchange| self.exchanges.get(exchange));
        let settled = self.peers.get(source.server).and_then(|peer| peer.revision);
        open.map(crate::exchange::Exchange::revision)
            .or(settled)
            .or(self.agent.revision)
            .or_else(|| {
                let newest = self.exchanges.waiting_for(source.server).pop()?;
                Some(self.exchanges.get(newest)?.revision())
            })
            .unwrap_or(Revision::R2025_11_25)
    }

    fn notified(
        &mut self,
        source: &Source<'_>,
        method: &str,
        params: &Params<'_>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let revision = self.revision_of(source);
        let Some(method) = Self::method(method, MethodKind::Notification, Direction::ToAgent, revision)
        else {
            self.drop_message(source, None, Reason::UnexpectedNotification, steps);
            return self.strike(source.server, steps);
        };
        let passed = match method {
            "notifications/progress" => self.progress(source, params, now),
            "notifications/cancelled" => self.withdrawn(source, params),
            _ => self.announced(source, method, params, revision, steps),
        };
        match passed {
            Ok(Some(_)) if phase::stopped_call(self, source.server, None).is_some() => {
                self.drop_message(source, Some(method), Reason::Stopped, steps);
            }
            Ok(Some((outlet, message))) => steps.push(Self::tell(outlet, message)),
            Ok(None) => {}
            Err(reason) => {
                self.drop_message(source, Some(method), reason, steps);
                self.strike(source.server, steps);
            }
        }
    }

    /// Progress belongs to an open request that asked for it, and lets it wait longer.
    fn progress(
        &mut self,
        source: &Source<'_>,
        params: &Params<'_>,
        now: Tick,
    ) -> Result<Option<(Outlet, Bytes)>, Reason> {
        let given = params.get("progressToken").ok_or(Reason::UnexpectedNotification)?;
        let lines = self.is_lines(source.server);
        let exchange = match source.exchange {
            Some(exchange) => Some(exchange),
            None if lines => ExchangeId::read(given.raw()),
            None => self.exchanges.by_token(source.server, given.raw()),
        };
        let exchange = exchange.ok_or(Reason::UnexpectedNotification)?;
        let server = source.server;
        let (quiet, _) = self.patience(Some(server), "");
        let open = self.exchanges.get_mut(exchange).filter(|open| open.waits_for() == Some(server));
        let open = open.ok_or(Reason::UnexpectedNotification)?;
        let own = open.agent_token().cloned().ok_or(Reason::UnexpectedNotification)?;
        if !lines && own[..] != *given.raw() {
            return Err(Reason::UnexpectedNotification);
        }
        open.quiet_until = now.after_millis(quiet);
        let said = params.get("message").is_some();
        let mut splice = Splice::new(source.bytes);
        if lines {
            splice.replace(given, own.to_vec());
        }
        let message = if splice.is_empty() { source.bytes.clone() } else { splice.finish() };
        let outlet =
            if source.exchange.is_none() && !lines { Outlet::Standing } else { Outlet::Exchange(exchange) };
        if said {
            self.hear_unasked(server, Some(exchange), params);
        }
        Ok(Some((outlet, message)))
    }

    /// A server takes back a question.
    fn withdrawn(
        &mut self,
        source: &Source<'_>,
        params: &Params<'_>,
    ) -> Result<Option<(Outlet, Bytes)>, Reason> {
        let given = params.get("requestId").ok_or(Reason::UnexpectedNotification)?;
        let known = self.questions.known_as(source.server, given.raw());
        let Some(known) = known else {
            // On the stream of a subscription it means that the subscription ends.
            return Err(Reason::UnexpectedNotification);
        };
        self.questions.answer(&known);
        let mut splice = Splice::new(source.bytes);
        splice.replace(given, known.to_vec());
        Ok(Some((self.outlet(source), splice.finish())))
    }

    /// Everything else a server may announce.
    fn announced(
        &mut self,
        source: &Source<'_>,
        method: &'static str,
        params: &Params<'_>,
        revision: Revision,
        steps: &mut Vec<Step>,
    ) -> Result<Option<(Outlet, Bytes)>, Reason> {
        let server = source.server;
        if method == "notifications/tools/list_changed" {
            self.peer(server).catalogue.outdate();
        }
        if matches!(method, "notifications/message" | "notifications/tasks" | "notifications/tasks/status") {
            self.hear_unasked(server, source.exchange, params);
        }
        let mut splice = Splice::new(source.bytes);
        let mut outlet = self.outlet(source);
        if let Some(given) = params.reserved("subscriptionId") {
            let lines = self.is_lines(server);
            let exchange = match source.exchange {
                Some(exchange) => Some(exchange),
                None if lines => ExchangeId::read(given.raw()),
                None => None,
            };
            let exchange = exchange.ok_or(Reason::UnexpectedNotification)?;
            let open = self.exchanges.get(exchange);
            let open =
                open.filter(|open| open.waits_for() == Some(server) && open.method == "subscriptions/listen");
            let open = open.ok_or(Reason::UnexpectedNotification)?;
            if open.wire_id(exchange, lines)[..] != *given.raw() {
                return Err(Reason::UnexpectedNotification);
            }
            let whole = match open.asker {
                Asker::Part { of } => of,
                Asker::Agent { .. } => exchange,
            };
            if method == "notifications/subscriptions/acknowledged" && whole != exchange {
                let agreed = match params.get("notifications") {
                    Some(agreed) => {
                        let mut sealed = Splice::new(agreed.raw());
                        self.seal_agreed(server, agreed, &mut sealed)?;
                        Some(sealed.finish())
                    }
                    None => None,
                };
                self.part_acknowledged(whole, server, agreed, steps);
                return Ok(None);
            }
            let own = self.exchanges.get(whole).and_then(|open| open.agent_id().cloned());
            let own = own.ok_or(Reason::UnexpectedNotification)?;
            if own[..] != *given.raw() {
                splice.replace(given, own.to_vec());
            }
            outlet = Outlet::Exchange(whole);
        } else if revision == Revision::R2026_07_28
            && !matches!(method, "notifications/message" | "notifications/elicitation/complete")
        {
            // In the stateless era a server speaks only on streams that were asked for.
            return Err(Reason::UnexpectedNotification);
        }
        if self.aggregates()
            && let Some(value) = params.get("uri")
            && let Some(text) = value.text()
        {
            splice.replace(value, quote(&names::exposed_address(server, &text)));
        }
        self.seal_tasks(server, |name| params.get(name), &mut splice)?;
        if let Some(agreed) = params.get("notifications") {
            self.seal_agreed(server, agreed, &mut splice)?;
        }
        let message = if splice.is_empty() { source.bytes.clone() } else { splice.finish() };
        Ok(Some((outlet, message)))
    }

    /// The stream a message belongs on that names no request.
    fn outlet(&self, source: &Source<'_>) -> Outlet {
        let whole = |exchange: ExchangeId| match self.exchanges.get(exchange).map(|open| &open.asker) {
            Some(Asker::Part { of }) => Outlet::Exchange(*of),
            _ => Outlet::Exchange(exchange),
        };
        match source.exchange {
            Some(exchange) => whole(exchange),
            None if self.is_lines(source.server) => {
                self.exchanges.newest_for(source.server).map_or(Outlet::Standing, Outlet::Exchange)
            }
            None => Outlet::Standing,
        }
    }

    /// A server asks the agent for something.
    fn questioned(
        &mut self,
        source: &Source<'_>,
        id: Json<'_>,
        method: &str,
        params: &Params<'_>,
        steps: &mut Vec<Step>,
    ) {
        let revision = self.revision_of(source);
        let server = source.server;
        let known = Self::method(method, MethodKind::Request, Direction::ToAgent, revision);
        if known == Some("ping") {
            steps.push(Self::answer_server(server, reply::empty_result(id.raw()), revision));
            return;
        }
        let refused = match known {
            None => Some(Reason::UnexpectedRequest),
            Some(_) if self.questions.is_full() => Some(Reason::TooManyOpen),
            // The person's answer to it would count as an approval.
            Some(_) if id.text().is_some_and(|id| Holds::is_ours(&id)) => Some(Reason::BadId),
            Some(method) => self.may_ask(server, method).err(),
        };
        let given = source.bytes.slice_ref(id.raw());
        let as_known = if self.aggregates() { self.questions.number(server) } else { given.clone() };
        let refused = refused.or_else(|| self.questions.is_open(&as_known).then_some(Reason::DuplicateId));
        let stopped = phase::stopped_call(self, server, None).map(|finding| finding.reason);
        if let Some(reason) = stopped.or(refused) {
            self.drop_message(source, known, reason, steps);
            if stopped.is_none() {
                self.strike(server, steps);
            }
            let correlation = self.identity.session.to_string();
            let finding = Finding::deny(Phase::Answer, reason, "protocol");
            let about =
                reply::About { shown: None, server: None, correlation: &correlation, withheld: false };
            let message = reply::error(Some(id.raw()), &finding, &about);
            steps.push(Self::answer_server(server, message, revision));
            return;
        }
        let before = self.history.label().clone();
        if known != Some("roots/list") {
            self.hear_unasked(server, source.exchange, params);
        }
        let mut splice = Splice::new(source.bytes);
        if as_known != given {
            splice.replace(id, as_known.to_vec());
        }
        let meta = |name: &str| params.get(name).filter(|_| name == "_meta");
        if let Err(reason) = self.seal_tasks(server, meta, &mut splice) {
            return self.drop_message(source, known, reason, steps);
        }
        // Nothing but the server's own data goes into a question to the model.
        if let Some(context) = params.get("includeContext")
            && context.text().is_some_and(|text| text != "none")
            && self.aggregates()
        {
            splice.replace(context, "\"none\"");
        }
        let message = if splice.is_empty() { source.bytes.clone() } else { splice.finish() };
        let mut note =
            Note::happening(Happening::Server).server(server).labels(&before, self.history.label());
        if let Some(method) = known {
            note = note.method(method);
        }
        self.note(note, steps);
        self.questions.ask(
            as_known,
            Question {
                server: server.clone(),
                id: given,
                revision,
                elicits: known == Some("elicitation/create"),
            },
        );
        steps.push(Self::tell(self.outlet(source), message));
    }
}

/// Why an exchange fails whose answer cannot be read.
pub(crate) fn unreadable(reason: Reason) -> Reason {
    if reason == Reason::ResultTooLarge { reason } else { Reason::ServerBrokeProtocol }
}

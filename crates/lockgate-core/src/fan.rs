//! One question to all servers, and one answer made of theirs.

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_audit::Happening;
use lockgate_model::{
    Body, ExchangeId, Finding, Json, Kind, Label, Params, Phase, Reason, Revision, ServerName, Splice, Tick,
    quote,
};

use crate::agent::Request;
use crate::exchange::{Asker, Exchange, Outgoing, State, Target};
use crate::record::Note;
use crate::{Core, Head, Outlet, Sent, Step, merge, names, phase};

/// The exchange of what is asked for nobody's request. The first real one is 1.
pub(crate) const NOBODY: ExchangeId = ExchangeId(0);

/// Most pages of one server's list that are asked for.
const PAGES: usize = 1_000;

/// How the answers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    Initialize,
    Discover,
    /// A list; the field of the result that holds the entries.
    List(&'static str),
    /// Nothing is in the answers.
    Nothing,
    /// A stream of notifications.
    Listen,
}

/// What the servers have answered so far.
#[derive(Debug)]
pub(crate) struct Fan {
    pub(crate) merge: Merge,
    /// The agent's request.
    pub(crate) message: Bytes,
    pub(crate) answers: BTreeMap<ServerName, Answer>,
}

#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Results as they came.
    pub(crate) result: Option<Bytes>,
    /// Pages of a list as they came. They are read when all servers have answered, so that what one offers can be held
    /// against what the others do, whoever was first.
    pages: Vec<Bytes>,
    /// Entries of a list, rewritten.
    pub(crate) entries: Vec<Vec<u8>>,
    /// It answered with an error, or not at all.
    pub(crate) failed: Option<Reason>,
    /// What it agreed to notify of.
    pub(crate) acknowledged: Option<Bytes>,
}

impl Core {
    pub(crate) fn fan_out(&mut self, request: &Request<'_>, merge: Merge, now: Tick, steps: &mut Vec<Step>) {
        if matches!(merge, Merge::List(_)) && request.params.get("cursor").is_some() {
            let finding = Finding::deny(Phase::Identify, Reason::BadParams, "protocol");
            return self.refuse(request, &Target::default(), finding, steps);
        }
        self.note(Note::request(request), steps);
        if merge == Merge::Initialize {
            self.greeting = Some(request.bytes.clone());
        }
        let fan = Fan { merge, message: request.bytes.clone(), answers: BTreeMap::new() };
        self.insert(request, Target::default(), None, State::Fanned(fan), None, now);
        for server in self.servers() {
            let ready = match merge {
                Merge::Initialize | Merge::Discover => true,
                Merge::List(_) | Merge::Nothing | Merge::Listen => {
                    request.revision == Revision::R2026_07_28 || self.peer(&server).revision.is_some()
                }
            };
            // A handshake changes nothing; anything else is not for a server that is stopped.
            let handshake = matches!(merge, Merge::Initialize | Merge::Discover);
            if !ready || !handshake && phase::stopped_call(self, &server, None).is_some() {
                continue;
            }
            if let Merge::List(_) = merge {
                let params = Some(&request.params);
                self.list_part(
                    request.exchange,
                    &server,
                    request.method,
                    None,
                    params,
                    request.revision,
                    now,
                    steps,
                );
            } else {
                self.copy_part(request, &server, now, steps);
            }
        }
        self.finish_fan(request.exchange, now, steps);
    }

    /// Sends a request of the agent to one of several servers, under a number of our own.
    fn copy_part(&mut self, request: &Request<'_>, server: &ServerName, now: Tick, steps: &mut Vec<Step>) {
        let part = self.open();
        let mut splice = Splice::new(request.bytes);
        splice.replace(request.id, part.to_string());
        let wanted = request.params.get("notifications").and_then(|all| all.get("resourceSubscriptions"));
        if let Some(wanted) = wanted {
            let texts: Vec<_> = wanted.elements().filter_map(Json::text).collect();
            let own = texts.iter().filter_map(|text| names::split_address(text));
            let own: Vec<_> = own.filter(|(owner, _)| owner == server).map(|(_, rest)| quote(rest)).collect();
            splice.replace(wanted, format!("[{}]", own.join(",")));
        }
        if let Some((wanted, own)) = self.open_listened(request, server) {
            splice.replace(wanted, own);
        }
        self.ask_part(
            part,
            request.exchange,
            server,
            request.method,
            splice.finish(),
            request.revision,
            false,
            now,
            steps,
        );
    }

    /// Asks a server for a page of a list, for an exchange of the agent.
    #[expect(clippy::too_many_arguments, reason = "a request is described by all of it")]
    pub(crate) fn list_part(
        &mut self,
        of: ExchangeId,
        server: &ServerName,
        method: &'static str,
        cursor: Option<&[u8]>,
        params: Option<&Params<'_>>,
        revision: Revision,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let part = self.open();
        let message = Self::own_request(part, method, cursor, params, revision);
        self.ask_part(part, of, server, method, message, revision, cursor.is_some(), now, steps);
    }

    #[expect(clippy::too_many_arguments, reason = "a request is described by all of it")]
    pub(crate) fn ask_part(
        &mut self,
        part: ExchangeId,
        of: ExchangeId,
        server: &ServerName,
        method: &'static str,
        message: Bytes,
        revision: Revision,
        further_page: bool,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let (quiet, most) = self.patience(Some(server), method);
        let target = Target { server: Some(server.clone()), further_page, ..Target::default() };
        let wire = self.wire_revision(server, revision);
        let head = Head {
            sent: Sent::Request,
            revision: wire,
            method: Some(method),
            name: None,
            parameters: Vec::new(),
        };
        let outgoing =
            Outgoing { server: server.clone(), message, head, rule: "protocol".to_owned(), rewritten: false };
        let exchange = Exchange {
            echo: None,
            request: None,
            asker: Asker::Part { of },
            method,
            revision,
            target,
            arguments: None,
            label_before: Label::clean(),
            trace: None,
            started: now,
            sent: Some(now),
            quiet_until: now.after_millis(quiet),
            until: now.after_millis(most),
            state: self.waiting(&outgoing),
            pass: None,
            refunds: false,
        };
        self.exchanges.insert(part, exchange);
        steps.push(self.send(part, outgoing));
    }

    /// A server has answered its part, or failed to.
    pub(crate) fn part_answered(
        &mut self,
        part: Exchange,
        server: &ServerName,
        outcome: Result<(&Bytes, &Body<'_>), Reason>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Asker::Part { of } = part.asker else { return };
        let outcome = outcome.and_then(|(bytes, body)| match body {
            Body::Result { result, .. } => Ok((bytes, *result)),
            Body::Request { .. } | Body::Notification { .. } | Body::Error { .. } => {
                Err(Reason::ServerRefused)
            }
        });
        if let Ok((_, result)) = &outcome {
            self.hear_definitions(server, *result);
        }
        let mut answer = Answer::default();
        match outcome {
            Err(reason) => answer.failed = Some(reason),
            Ok((bytes, result)) if crate::list::field(part.method).is_some() => {
                self.announce(server, part.method, result);
                let page = bytes.slice_ref(result.raw());
                let cursor = self.take_page(of, server, &part, page);
                match cursor {
                    Ok(Some(cursor)) => return self.next_page(of, server, &part, &cursor, now, steps),
                    Ok(None) => {}
                    Err(reason) => answer.failed = Some(reason),
                }
            }
            Ok((bytes, result)) => {
                if part.method == "initialize" {
                    let version = result.get("protocolVersion").and_then(Json::text);
                    let version = version.and_then(|text| Revision::parse(&text));
                    match version.filter(|version| *version != Revision::R2026_07_28) {
                        Some(version) => self.greeted(server, version),
                        None => answer.failed = Some(Reason::RevisionNotSupported),
                    }
                }
                let mut splice = Splice::new(result.raw());
                if matches!(part.method, "initialize" | "server/discover") {
                    self.admit_greeting(server, result, &mut splice);
                }
                let unchanged = splice.is_empty();
                answer.result = Some(if unchanged { bytes.slice_ref(result.raw()) } else { splice.finish() });
            }
        }
        if let Some(reason) = answer.failed {
            let finding = Finding::deny(Phase::Answer, reason, "protocol");
            self.note(
                Note::happening(Happening::Answer)
                    .exchange(of)
                    .method(part.method)
                    .server(server)
                    .duration(now.micros_since(part.started))
                    .finding(finding, lockgate_model::Verdict::Deny),
                steps,
            );
        }
        if of == NOBODY && part.method == "initialize" {
            return self.greeting_over(server, part.revision, answer.failed, now, steps);
        }
        if let Some(open) = self.exchanges.get_mut(of) {
            match &mut open.state {
                State::Fanned(fan) => {
                    let slot = fan.answers.entry(server.clone()).or_default();
                    slot.result = answer.result;
                    slot.failed = answer.failed;
                }
                State::Learning { .. } => return self.learned(of, answer.failed, now, steps),
                State::Waiting { .. }
                | State::Reserving { .. }
                | State::Pricing { .. }
                | State::Returning(_)
                | State::Held(_) => {}
            }
        }
        self.finish_fan(of, now, steps);
    }

    /// Keeps a page until all servers have answered, or reads it at once where only one is asked. Gives the cursor of the
    /// next one.
    fn take_page(
        &mut self,
        of: ExchangeId,
        server: &ServerName,
        part: &Exchange,
        page: Bytes,
    ) -> Result<Option<Vec<u8>>, Reason> {
        let Ok(result) = Json::check(&page, usize::MAX) else { return Err(Reason::ServerBrokeProtocol) };
        if let Some(Exchange { state: State::Fanned(fan), .. }) = self.exchanges.get_mut(of) {
            let cursor = crate::list::cursor(result);
            let pages = &mut fan.answers.entry(server.clone()).or_default().pages;
            pages.push(page);
            return Ok(cursor.filter(|_| pages.len() <= PAGES));
        }
        let page = self.read_page(server, part.method, result, part.target.further_page, part.revision)?;
        Ok(page.cursor)
    }

    /// Reads the lists of all servers, the most trusted first.
    fn read_lists(&mut self, method: &'static str, revision: Revision, fan: &mut Fan) {
        let mut servers: Vec<_> =
            fan.answers.iter_mut().filter(|(_, answer)| answer.failed.is_none()).collect();
        servers.sort_by_key(|(server, _)| std::cmp::Reverse(self.boundary.trust(server).tier));
        if method == "tools/list" {
            let pages = servers.iter().map(|(server, answer)| ((*server).clone(), answer.pages.clone()));
            self.listing = pages.collect();
        }
        for (server, answer) in servers {
            for (count, page) in std::mem::take(&mut answer.pages).into_iter().enumerate() {
                let read = Json::check(&page, usize::MAX).map_err(|_| Reason::ServerBrokeProtocol);
                let read =
                    read.and_then(|result| self.read_page(server, method, result, count > 0, revision));
                match read {
                    Ok(page) => answer.entries.extend(page.entries),
                    Err(reason) => answer.failed = Some(reason),
                }
            }
        }
        self.listing.clear();
    }

    fn next_page(
        &mut self,
        of: ExchangeId,
        server: &ServerName,
        part: &Exchange,
        cursor: &[u8],
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        // The fields a modern request must carry are taken from the agent's own request, which is still open.
        let kept = self.exchanges.get(of).and_then(|open| match &open.state {
            State::Learning { message, .. } | State::Fanned(Fan { message, .. }) => Some(message.clone()),
            State::Waiting { .. }
            | State::Reserving { .. }
            | State::Pricing { .. }
            | State::Returning(_)
            | State::Held(_) => None,
        });
        let limits = self.boundary.limits;
        let received =
            kept.as_ref().map(|bytes| crate::Received::read(bytes, lockgate_model::Side::Agent, &limits));
        let params = received.as_ref().and_then(|received| received.request().map(|(_, _, params)| params));
        self.list_part(of, server, part.method, Some(cursor), params.as_ref(), part.revision, now, steps);
    }

    /// The tools of a server are known now, or cannot be known: the call that waited for it is decided.
    fn learned(&mut self, exchange: ExchangeId, failed: Option<Reason>, now: Tick, steps: &mut Vec<Step>) {
        let Some(open) = self.exchanges.close(exchange) else { return };
        let State::Learning { message, headers } = &open.state else { return };
        // One that says all the while that its list has changed is not asked forever.
        if let Some(server) = &open.target.server {
            self.peer(server).catalogue.accept();
        }
        let received = crate::Received::read(message, lockgate_model::Side::Agent, &self.boundary.limits);
        if let Some(reason) = failed {
            let finding = Finding::deny(Phase::Identify, reason, "protocol");
            if let Some((id, _, _)) = received.request() {
                let status = Self::status(finding.reason, open.revision);
                self.refuse_parsed(exchange, Some(&open), id.raw(), status, finding, steps);
            }
            return;
        }
        self.again(exchange, &received, headers.as_ref(), open.revision, open.started, now, steps);
    }

    /// Answers the agent when the last part is in.
    fn finish_fan(&mut self, exchange: ExchangeId, now: Tick, steps: &mut Vec<Step>) {
        if !self.exchanges.parts_of(exchange).is_empty() {
            return self.acknowledge(exchange, steps);
        }
        let Some(mut open) = self.exchanges.close(exchange) else { return };
        if let State::Fanned(fan) = &mut open.state
            && let Merge::List(_) = fan.merge
        {
            self.read_lists(open.method, open.revision, fan);
        }
        let (State::Fanned(fan), Asker::Agent { id, .. }) = (&open.state, &open.asker) else { return };
        let modern = open.revision == Revision::R2026_07_28;
        let good: Vec<_> = fan.answers.iter().filter(|(_, answer)| answer.failed.is_none()).collect();
        let failed = fan.answers.values().find_map(|answer| answer.failed);
        let result = match fan.merge {
            Merge::Initialize | Merge::Discover if good.is_empty() => {
                Err(failed.unwrap_or(Reason::UnknownServer))
            }
            Merge::Listen => Err(failed.unwrap_or(Reason::ServerExited)),
            Merge::Initialize => {
                let revision = good.iter().filter_map(|(server, _)| self.peers.get(*server)?.revision).min();
                let revision = revision.unwrap_or(Revision::R2025_11_25);
                self.agent.revision = Some(revision);
                Ok(merge::initialize(&good, revision))
            }
            Merge::Discover => {
                self.agent.revision = Some(Revision::R2026_07_28);
                Ok(merge::discover(&good))
            }
            Merge::List(field) => Ok(merge::list(field, &good, modern)),
            Merge::Nothing => Ok(merge::nothing(modern)),
        };
        match result {
            Ok(result) => {
                let id = String::from_utf8_lossy(id);
                let message = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}");
                self.note(
                    Note::happening(Happening::Answer)
                        .exchange(exchange)
                        .trace(open.trace)
                        .method(open.method)
                        .duration(now.micros_since(open.started))
                        .last(),
                    steps,
                );
                steps.push(Self::release(exchange, Bytes::from(message), 200));
            }
            Err(reason) => {
                let finding = Finding::deny(Phase::Answer, reason, "protocol");
                let status = Self::status_of_failure(&open, reason);
                self.refuse_parsed(exchange, Some(&open), id, status, finding, steps);
            }
        }
    }

    /// A server has said what it will notify of. Once all have, or failed, the agent is told the sum.
    pub(crate) fn part_acknowledged(
        &mut self,
        of: ExchangeId,
        server: &ServerName,
        agreed: Option<Bytes>,
        steps: &mut Vec<Step>,
    ) {
        if let Some(Exchange { state: State::Fanned(fan), .. }) = self.exchanges.get_mut(of) {
            let slot = fan.answers.entry(server.clone()).or_default();
            slot.acknowledged = Some(agreed.unwrap_or_else(|| Bytes::from_static(b"{}")));
        }
        self.acknowledge(of, steps);
    }

    fn acknowledge(&mut self, exchange: ExchangeId, steps: &mut Vec<Step>) {
        let silent = self.exchanges.parts_of(exchange).into_iter().any(|part| {
            let server = self.exchanges.get(part).and_then(|part| part.waits_for().cloned());
            let fan = self.exchanges.get(exchange).map(|open| &open.state);
            match (server, fan) {
                (Some(server), Some(State::Fanned(fan))) => {
                    fan.answers.get(&server).is_none_or(|answer| answer.acknowledged.is_none())
                }
                _ => true,
            }
        });
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let Asker::Agent { id, .. } = &open.asker else { return };
        let State::Fanned(fan) = &mut open.state else { return };
        if fan.merge != Merge::Listen
            || silent
            || fan.answers.values().all(|answer| answer.acknowledged.is_none())
        {
            return;
        }
        let agreed: Vec<_> = fan
            .answers
            .iter_mut()
            .filter_map(|(server, answer)| Some((server.clone(), answer.acknowledged.take()?)))
            .collect();
        let text = format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{{\"_meta\":{{{}:{}}},\"notifications\":{}}}}}",
            quote("io.modelcontextprotocol/subscriptionId"),
            String::from_utf8_lossy(id),
            merge::agreed(&agreed)
        );
        steps.push(Self::tell(Outlet::Exchange(exchange), Bytes::from(text)));
    }
}

/// Is it an object?
pub(crate) fn object(value: Option<Json<'_>>) -> Option<Json<'_>> {
    value.filter(|value| value.kind() == Kind::Object)
}

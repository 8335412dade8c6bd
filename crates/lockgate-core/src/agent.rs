//! What the agent says: requests, notifications, and answers to what servers asked.

use bytes::Bytes;
use lockgate_audit::{Ending, Happening, Trace};
use lockgate_model::{
    Body, Direction, ExchangeId, Finding, Json, Kind, MethodKind, Params, Phase, Reason, Revision, Splice,
    Tick, Verdict, peek_id, quote,
};

use crate::exchange::{Exchange, Target};
use crate::record::Note;
use crate::session::Front;
use crate::{Core, Head, Headers, Reach, Received, Sent, Step, headers, phase, reply};

/// A request of the agent on its way through the door.
pub(crate) struct Request<'m> {
    pub(crate) exchange: ExchangeId,
    pub(crate) bytes: &'m Bytes,
    pub(crate) id: Json<'m>,
    pub(crate) method: &'static str,
    pub(crate) params: Params<'m>,
    pub(crate) revision: Revision,
    pub(crate) headers: Option<&'m Headers>,
    pub(crate) trace: Option<Trace>,
    /// When it came.
    pub(crate) started: Tick,
}

impl Core {
    pub(crate) fn from_agent(
        &mut self,
        exchange: ExchangeId,
        received: &Received<'_>,
        headers: Option<&Headers>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let message = match &received.message {
            Ok(message) => message,
            Err(reason) => {
                let id = peek_id(received.bytes);
                let finding = Finding::deny(Phase::Parse, *reason, "protocol");
                return self.refuse_message(exchange, id, None, finding, steps);
            }
        };
        match &message.body {
            Body::Request { id, method, params } => {
                let revision = match self.settle(method, params, headers) {
                    Ok(revision) => revision,
                    Err(reason) => {
                        let finding = Finding::deny(Phase::Identify, reason, "protocol");
                        let shown = params.revision().map(|text| text.chars().take(32).collect::<String>());
                        return self.refuse_message(exchange, Some(id.raw()), shown, finding, steps);
                    }
                };
                let known = Self::method(method, MethodKind::Request, Direction::ToServer, revision);
                let Some(method) = known else {
                    let finding = Finding::deny(Phase::Identify, Reason::UnknownMethod, "protocol");
                    let status = Self::status(finding.reason, revision);
                    return self.refuse_parsed(exchange, None, id.raw(), status, finding, steps);
                };
                self.tally.calls += u64::from(method == "tools/call");
                let request = Request {
                    exchange,
                    bytes: received.bytes,
                    id: *id,
                    method,
                    params: *params,
                    revision,
                    headers,
                    trace: self.trace(params, headers),
                    started: now,
                };
                if let Err(reason) = self.room_for(&request) {
                    return self.refuse(
                        &request,
                        &Target::default(),
                        Finding::deny(Phase::Identify, reason, "protocol"),
                        steps,
                    );
                }
                self.route(&request, false, now, steps);
            }
            Body::Notification { method, params } => {
                self.notification(exchange, received.bytes, method, params, headers, steps);
            }
            Body::Result { .. } | Body::Error { .. } => {
                self.answered(exchange, received, &message.body, headers, now, steps);
            }
        }
    }

    /// The revision a request is in, or why it is in none that is spoken here.
    fn settle(
        &self,
        method: &str,
        params: &Params<'_>,
        headers: Option<&Headers>,
    ) -> Result<Revision, Reason> {
        let claimed = headers.is_some_and(headers::claims_modern);
        let carried = params.revision();
        if carried.is_some() || claimed || method == "server/discover" {
            if let Some(headers) = headers
                && (headers.version.is_none()
                    || carried.is_some() && headers.version.as_deref() != carried.as_deref())
            {
                return Err(Reason::HeaderMismatch);
            }
            let carried = carried.ok_or(Reason::MissingMeta)?;
            if Revision::parse(&carried) != Some(Revision::R2026_07_28) {
                return Err(Reason::RevisionNotSupported);
            }
            if let Some(headers) = headers {
                headers::check(headers, method, params)?;
            }
            let capabilities = params.reserved("clientCapabilities");
            if capabilities.is_none_or(|capabilities| capabilities.kind() != Kind::Object) {
                return Err(Reason::MissingMeta);
            }
            return Ok(Revision::R2026_07_28);
        }
        self.settle_legacy(method, params, headers)
    }

    fn settle_legacy(
        &self,
        method: &str,
        params: &Params<'_>,
        headers: Option<&Headers>,
    ) -> Result<Revision, Reason> {
        // A version said twice could be taken for another one by somebody on the way.
        if headers.is_some_and(|headers| headers.broken) {
            return Err(Reason::HeaderMismatch);
        }
        if method == "initialize" {
            if self.agent.revision.is_some() {
                return Err(Reason::AlreadyInitialized);
            }
            let asked = params.text("protocolVersion").and_then(|text| Revision::parse(&text));
            return Ok(asked
                .filter(|asked| *asked != Revision::R2026_07_28)
                .unwrap_or(Revision::R2025_11_25));
        }
        if let Some(version) = headers.and_then(|headers| headers.version.as_deref())
            && Revision::parse(version).is_none()
        {
            return Err(Reason::RevisionNotSupported);
        }
        match self.agent.revision {
            Some(revision) if revision != Revision::R2026_07_28 => Ok(revision),
            _ if method == "ping" => Ok(Revision::R2025_11_25),
            _ => Err(Reason::NotInitialized),
        }
    }

    fn room_for(&self, request: &Request<'_>) -> Result<(), Reason> {
        if self.shares_ids(request.revision) && self.exchanges.by_agent_id(request.id.raw()).is_some() {
            return Err(Reason::DuplicateId);
        }
        if self.exchanges.len() >= self.boundary.open_requests { Err(Reason::TooManyOpen) } else { Ok(()) }
    }

    /// Do all requests of the agent share one numbering? Not over HTTP in the modern era, where each stands alone.
    pub(crate) fn shares_ids(&self, revision: Revision) -> bool {
        self.front == Front::Stdio || revision != Revision::R2026_07_28
    }

    fn notification(
        &mut self,
        exchange: ExchangeId,
        bytes: &Bytes,
        method: &str,
        params: &Params<'_>,
        headers: Option<&Headers>,
        steps: &mut Vec<Step>,
    ) {
        let modern = params.revision().is_some() || headers.is_some_and(headers::claims_modern);
        let revision =
            if modern { Revision::R2026_07_28 } else { self.agent.revision.unwrap_or(Revision::R2025_11_25) };
        let known = Self::method(method, MethodKind::Notification, Direction::ToServer, revision);
        let Some(method) = known else {
            let finding = Finding::deny(Phase::Identify, Reason::UnknownMethod, "protocol");
            return self.refuse_message(exchange, None, None, finding, steps);
        };
        let trace = self.trace(params, headers);
        self.note(Note::happening(Happening::Request).trace(trace).method(method).last(), steps);
        match method {
            "notifications/cancelled" => self.cancelled(bytes, params, revision, steps),
            _ => {
                for server in self.servers() {
                    let ready = self.peers.get(&server).is_some_and(|peer| peer.revision.is_some());
                    let handshake = method == "notifications/initialized";
                    let hears = handshake || phase::stopped_call(self, &server, None).is_none();
                    if hears && (ready || !self.aggregates()) {
                        let permit = Self::notify(&server, method, bytes.clone(), revision);
                        steps.push(Step::Send(permit));
                    }
                }
            }
        }
        steps.push(Self::accepted(exchange));
    }

    fn cancelled(&mut self, bytes: &Bytes, params: &Params<'_>, revision: Revision, steps: &mut Vec<Step>) {
        let Some(id) = params.get("requestId") else { return };
        let Some(open) = self.exchanges.by_agent_id(id.raw()) else { return };
        let waits = self.exchanges.get(open).and_then(|open| open.waits_for().cloned());
        match waits {
            // The server knows the request by the agent's own id, on a session of its own: the word goes as it is, and
            // the answer may still come.
            Some(server) if !self.is_lines(&server) && revision != Revision::R2026_07_28 => {
                let permit = Self::notify(&server, "notifications/cancelled", bytes.clone(), revision);
                if let Some(closed) = self.exchanges.close(open) {
                    self.taken_back(open, &closed, Ending::Cancelled, steps);
                }
                steps.push(Step::Send(permit));
            }
            Some(server) if self.is_lines(&server) => {
                let mut splice = Splice::new(bytes);
                splice.replace(id, open.to_string());
                let permit = Self::notify(&server, "notifications/cancelled", splice.finish(), revision);
                if let Some(closed) = self.exchanges.close(open) {
                    self.taken_back(open, &closed, Ending::Cancelled, steps);
                }
                steps.push(Step::Send(permit));
            }
            _ => self.cancel(open, Ending::Cancelled, steps),
        }
    }

    /// The agent answers what a server asked it.
    fn answered(
        &mut self,
        exchange: ExchangeId,
        received: &Received<'_>,
        body: &Body<'_>,
        headers: Option<&Headers>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        if let Some(version) = headers.and_then(|headers| headers.version.as_deref())
            && Revision::parse(version).is_none()
        {
            let finding = Finding::deny(Phase::Identify, Reason::RevisionNotSupported, "protocol");
            return self.refuse_message(exchange, None, None, finding, steps);
        }
        let id = Self::answer_id(body);
        if let Some(id) = id
            && let Some(held) = self.holds.asked_as(id.raw())
        {
            let yes = match body {
                Body::Result { result, .. } => Reach::chosen(*result),
                Body::Request { .. } | Body::Notification { .. } | Body::Error { .. } => None,
            };
            steps.push(Self::accepted(exchange));
            return self.resolve(held, yes, now, steps);
        }
        let question = id.and_then(|id| self.questions.answer(id.raw()));
        let (Some(id), Some(question)) = (id, question) else {
            let finding = Finding::deny(Phase::Identify, Reason::UnexpectedAnswer, "protocol");
            return self.refuse_message(exchange, None, None, finding, steps);
        };
        if let Some(finding) = phase::stopped_call(self, &question.server, None) {
            return self.refuse_message(exchange, None, None, finding, steps);
        }
        if question.elicits
            && let Body::Result { result, .. } = body
        {
            self.hear_choice(*result);
        }
        let mut splice = Splice::new(received.bytes);
        if id.raw() != &question.id[..] {
            splice.replace(id, question.id.to_vec());
        }
        if let Body::Result { fields, .. } = body {
            match self.open_related(&question.server, fields.get("_meta")) {
                Ok(related) => related.into_iter().for_each(|(given, task)| splice.replace(given, task)),
                Err(reason) => {
                    let finding = Finding::deny(Phase::Identify, reason, "protocol");
                    return self.refuse_message(exchange, None, None, finding, steps);
                }
            }
        }
        let message = if splice.is_empty() { received.bytes.clone() } else { splice.finish() };
        self.note(Note::happening(Happening::Request).server(&question.server), steps);
        let head = Head {
            sent: Sent::Answer,
            revision: question.revision,
            method: None,
            name: None,
            parameters: Vec::new(),
        };
        steps.push(Step::Send(Self::permit(&question.server, None, message, head, "protocol".to_owned())));
        steps.push(Self::accepted(exchange));
    }

    /// Refuses a message that never became a request: on a pipe a notification or an answer gets no reply at all.
    fn refuse_message(
        &mut self,
        exchange: ExchangeId,
        id: Option<&[u8]>,
        shown: Option<String>,
        finding: Finding,
        steps: &mut Vec<Step>,
    ) {
        let unanswerable = id.is_none() && finding.phase != Phase::Parse;
        let correlation = self.correlation(exchange);
        let about = reply::About {
            shown: shown.as_deref(),
            server: None,
            correlation: &correlation,
            withheld: false,
        };
        let message = if unanswerable && self.front == Front::Stdio {
            Bytes::new()
        } else {
            reply::error(id, &finding, &about)
        };
        let status = finding.reason.http_status();
        let note = Note::happening(Happening::Request).exchange(exchange).finding(finding, Verdict::Deny);
        self.note(if unanswerable { note } else { note.last() }, steps);
        steps.push(Self::release(exchange, message, status));
    }

    /// Refuses a request that could be read, and may have been open.
    pub(crate) fn refuse_parsed(
        &mut self,
        exchange: ExchangeId,
        open: Option<&Exchange>,
        id: &[u8],
        status: u16,
        finding: Finding,
        steps: &mut Vec<Step>,
    ) {
        let correlation = self.correlation(exchange);
        let about = reply::About { shown: None, server: None, correlation: &correlation, withheld: false };
        let message = reply::error(Some(id), &finding, &about);
        let note = Note::happening(Happening::Request).exchange(exchange).finding(finding, Verdict::Deny);
        let note = match open {
            Some(open) => {
                let took = self.now.micros_since(open.started);
                note.trace(open.trace).method(open.method).duration(took)
            }
            None => note,
        };
        self.note(note.last(), steps);
        steps.push(Self::release(exchange, message, status));
    }

    /// In the handshake era an HTTP error status says something of the session, so refusals of one request are sent
    /// with 200.
    pub(crate) fn status(reason: Reason, revision: Revision) -> u16 {
        if revision == Revision::R2026_07_28 { reason.http_status() } else { 200 }
    }

    /// Asks a server's list or another thing of our own, in the words of a request of the agent.
    pub(crate) fn own_request(
        id: ExchangeId,
        method: &str,
        cursor: Option<&[u8]>,
        params: Option<&Params<'_>>,
        revision: Revision,
    ) -> Bytes {
        let mut fields = Vec::new();
        if let Some(cursor) = cursor {
            fields.push(format!("\"cursor\":{}", String::from_utf8_lossy(cursor)));
        }
        if revision == Revision::R2026_07_28 {
            let reserved = ["protocolVersion", "clientInfo", "clientCapabilities"];
            let meta: Vec<_> = reserved
                .iter()
                .filter_map(|name| {
                    let value = params?.reserved(name)?;
                    let key = quote(&format!("io.modelcontextprotocol/{name}"));
                    Some(format!("{key}:{}", value.written()))
                })
                .collect();
            fields.push(format!("\"_meta\":{{{}}}", meta.join(",")));
        }
        Bytes::from(format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{{{}}}}}",
            fields.join(",")
        ))
    }
}

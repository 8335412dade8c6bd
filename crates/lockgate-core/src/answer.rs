//! Phases *answer*: what a server returned is learned from, labelled and handed to the agent.

use bytes::Bytes;
use lockgate_audit::{Happening, Outcome};
use lockgate_model::{
    Body, ExchangeId, Fields, Finding, Json, Kind, Label, Phase, Reason, Revision, ServerName, Splice, Tick,
    Verdict, quote,
};

use lockgate_policy::Undeclared;

use crate::detect::is_sealed;
use crate::exchange::{Asker, Exchange};
use crate::record::Note;
use crate::{Core, Outlet, Release, Step, list, names, reply};

impl Core {
    /// An answer to an exchange of the agent or to a question of our own.
    #[expect(clippy::too_many_arguments, reason = "a message is described by all of it")]
    pub(crate) fn answer(
        &mut self,
        exchange: ExchangeId,
        server: &ServerName,
        bytes: &Bytes,
        body: &Body<'_>,
        outlet: Outlet,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(mut open) = self.exchanges.close(exchange) else { return };
        if let Some(pass) = open.pass.take() {
            self.peer(server).breaker.succeeded(pass);
        }
        if open.refunds && is_failure(body) {
            steps.push(Step::Refund { exchange });
        }
        if matches!(open.asker, Asker::Part { .. }) {
            return self.part_answered(open, server, Ok((bytes, body)), now, steps);
        }
        let against = self.found.against.take();
        let before = if self.boundary.records { self.history.label().clone() } else { Label::clean() };
        self.hear_answer(exchange, &open, server, body);
        let mut splice = Splice::new(bytes);
        let checked = match body {
            Body::Result { result, fields, .. } => {
                self.result(exchange, &open, server, (*result, fields), &mut splice, now)
            }
            Body::Request { .. } | Body::Notification { .. } | Body::Error { .. } => Ok(()),
        };
        if let Err(reason) = checked {
            self.failed_open(exchange, &open, server, reason, now, steps);
            return self.let_go(server, exchange, steps);
        }
        // Who was answered in the stateless era has no handshake, whatever it asked first.
        if open.revision == Revision::R2026_07_28 && matches!(body, Body::Result { .. }) {
            self.agent.revision.get_or_insert(Revision::R2026_07_28);
        }
        let id = open.agent_id().cloned().unwrap_or_default();
        match Self::answer_id(body) {
            Some(own) if own.raw() != &id[..] => splice.replace(own, id.to_vec()),
            _ => {}
        }
        let verdict = if self.found.replaced { Verdict::Rewrite } else { Verdict::Forward };
        let message = if splice.is_empty() { bytes.clone() } else { splice.finish() };
        let (observed, held) = match against {
            Some(finding) if self.only_observes(&finding) => (Some(finding), None),
            against => (None, against),
        };
        let note = Note::of(Happening::Answer, exchange, &open)
            .labels(&before, self.history.label())
            .found(&self.found)
            .answered(bytes.len(), is_failure(body))
            .duration(now.micros_since(open.started))
            .upstream(&open, outcome(body), now);
        let note = match &held {
            Some(finding) => note.finding(finding.clone(), Verdict::Hold),
            None => note.verdict(verdict).observed(observed).last(),
        };
        self.note(note, steps);
        let status = status(body, open.revision);
        let release = Release { to: outlet, message, status, last: true, gap: None };
        match held {
            Some(finding) => self.hold_result(exchange, open, release, finding, now, steps),
            None => steps.push(Step::Deliver(release)),
        }
    }

    /// A server has answered, and the agent does not get it.
    pub(crate) fn withhold(
        &mut self,
        exchange: ExchangeId,
        server: &ServerName,
        finding: Finding,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(mut open) = self.exchanges.close(exchange) else { return };
        if let Some(pass) = open.pass.take() {
            self.peer(server).breaker.succeeded(pass);
        }
        let Some(id) = open.agent_id().cloned() else {
            return self.part_answered(open.shell_of_part(), server, Err(finding.reason), now, steps);
        };
        let correlation = self.correlation(exchange);
        let about = reply::About {
            shown: open.target.shown.as_deref(),
            server: Some(server),
            correlation: &correlation,
            withheld: true,
        };
        let (message, status) = if open.method == "tools/call" {
            (reply::tool_refusal(&id, &finding, &about, open.revision), 200)
        } else {
            (reply::error(Some(&id), &finding, &about), Self::status(finding.reason, open.revision))
        };
        self.note(
            Note::of(Happening::Answer, exchange, &open)
                .labels(self.history.label(), self.history.label())
                .found(&self.found)
                .duration(now.micros_since(open.started))
                .upstream(&open, Outcome::Result, now)
                .finding(finding, Verdict::Deny)
                .last(),
            steps,
        );
        steps.push(Self::release(exchange, message, status));
        self.let_go(server, exchange, steps);
    }

    /// Reads a good answer for what the method promises; edits it where the agent must see something else.
    fn result(
        &mut self,
        exchange: ExchangeId,
        open: &Exchange,
        server: &ServerName,
        (result, fields): (Json<'_>, &Fields<'_>),
        splice: &mut Splice<'_>,
        now: Tick,
    ) -> Result<(), Reason> {
        match open.method {
            "initialize" => {
                let version = fields.get("protocolVersion").and_then(Json::text);
                let version = version.and_then(|text| Revision::parse(&text));
                let version = version.filter(|version| *version != Revision::R2026_07_28);
                let version = version.ok_or(Reason::ServerBrokeProtocol)?;
                self.peer(server).revision = Some(version);
                self.agent.revision = Some(version);
                self.admit_greeting(server, result, splice);
            }
            "server/discover" => {
                self.agent.revision = Some(Revision::R2026_07_28);
                self.admit_greeting(server, result, splice);
            }
            "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => {
                let page =
                    self.read_page(server, open.method, result, open.target.further_page, open.revision)?;
                if page.changed
                    && let Some((field, _)) = list::field(open.method)
                    && let Some(array) = fields.get(field)
                {
                    splice.replace(array, [&b"["[..], &page.entries.join(&b","[..]), &b"]"[..]].concat());
                    // What was made for one principal may not be kept for another, whatever the server says.
                    if let Some(cached) = fields.get("cacheScope") {
                        splice.replace(cached, "\"private\"");
                    }
                }
            }
            "tools/call" | "prompts/get" | "resources/read" | "tasks/get" | "tasks/result" => {
                self.asked_for_input(open, server, fields, now)?;
                self.fits(open, server, fields)?;
                if !is_sealed(open) {
                    self.strip_meta(server, fields, splice);
                }
                if open.method == "tools/call" {
                    self.mark(exchange, server, fields, splice);
                }
                self.found.replaced |= !splice.is_empty();
                self.seal_state(exchange, open, server, fields, splice)?;
                self.seal_tasks(server, |name| fields.get(name), splice)?;
                if self.aggregates() {
                    rename(server, fields, splice);
                }
            }
            "tasks/cancel" | "tasks/update" => self.seal_tasks(server, |name| fields.get(name), splice)?,
            "tasks/list" => self.seal_list(server, fields, splice),
            _ => {}
        }
        self.seal_cursor(open, server, fields, splice)
    }

    /// A tool that declares what its results look like must keep to it.
    fn fits(&self, open: &Exchange, server: &ServerName, fields: &Fields<'_>) -> Result<(), Reason> {
        let Some((tool, _)) = open.target.tool.as_ref().filter(|_| open.method == "tools/call") else {
            return Ok(());
        };
        let offered = self.peers.get(server).and_then(|peer| peer.catalogue.find(tool.as_str()));
        let Some(output) = offered.map(|offered| &offered.output).filter(|output| output.is_declared())
        else {
            return Ok(());
        };
        let failed = fields.get("isError").and_then(Json::bool) == Some(true);
        let unfinished = fields.get("resultType").and_then(Json::text).is_some_and(|kind| kind != "complete");
        if failed || unfinished || task_id(fields).is_some() {
            return Ok(());
        }
        let content = fields.get("structuredContent").ok_or(Reason::ResultDoesNotFit)?;
        output.check(Some(content), Undeclared::Allow).map_err(|_| Reason::ResultDoesNotFit)
    }

    /// A result of the stateless era may ask the agent for input: what it asks for must be allowed.
    fn asked_for_input(
        &mut self,
        open: &Exchange,
        server: &ServerName,
        fields: &Fields<'_>,
        now: Tick,
    ) -> Result<(), Reason> {
        // The agent brings the state back: one of ours would stand for an approval that was never asked for.
        let state = fields.get("requestState").and_then(Json::text);
        if state.is_some_and(|state| crate::hold::Holds::is_ours(&state)) {
            return Err(Reason::ServerBrokeProtocol);
        }
        let Some(questions) = fields.get("inputRequests") else { return Ok(()) };
        for (_, question) in questions.members() {
            let method = question.get("method").and_then(Json::text);
            self.may_ask(server, method.as_deref().unwrap_or_default())?;
        }
        if let Some(fingerprint) = &open.target.approved {
            self.holds.go_on(fingerprint.clone(), now.after_millis(self.boundary.hold_timeout));
        }
        Ok(())
    }

    /// May the server ask the agent for this, by the operator's word and the agent's own?
    pub(crate) fn may_ask(&self, server: &ServerName, method: &str) -> Result<(), Reason> {
        let Some(server) = self.boundary.servers.get(server) else { return Err(Reason::UnknownServer) };
        let (allowed, declared) = match method {
            "sampling/createMessage" => (server.may_ask.sampling, self.agent.sampling),
            "elicitation/create" => (server.may_ask.elicitation, self.agent.elicitation),
            "roots/list" => (server.may_ask.roots, self.agent.roots),
            _ => return Err(Reason::UnexpectedRequest),
        };
        match (allowed, declared) {
            (true, true) => Ok(()),
            (false, _) => Err(Reason::ServerMayNotAsk),
            (true, false) => Err(Reason::CapabilityNotDeclared),
        }
    }

    /// A server will not answer: one exchange, or all that wait for it.
    pub(crate) fn failed(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        reason: Reason,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let failed = exchange.map_or_else(|| self.exchanges.waiting_for(server), |exchange| vec![exchange]);
        if exchange.is_none() {
            self.questions.forget(server);
            let peer = self.peer(server);
            peer.catalogue.outdate();
            peer.revision = None;
            self.greet_later(server, now);
        }
        for exchange in failed {
            // What has been answered waits for a person, not for the server.
            if self.exchanges.get(exchange).is_some_and(Exchange::holds_result) {
                continue;
            }
            if let Some(mut open) = self.exchanges.close(exchange) {
                if let Some(pass) = open.pass.take() {
                    self.peer(server).breaker.failed(pass, now);
                }
                if open.refunds {
                    steps.push(Step::Refund { exchange });
                }
                self.failed_open(exchange, &open, server, reason, now, steps);
            }
        }
    }

    /// The HTTP status of a request that its servers have failed. To a probe it is 200: a client falls back on an error
    /// that it can read, and gives up at a status of 500 or more.
    pub(crate) fn status_of_failure(open: &Exchange, reason: Reason) -> u16 {
        if open.method == "server/discover" && reason.http_status() >= 500 {
            200
        } else {
            Self::status(reason, open.revision)
        }
    }

    fn failed_open(
        &mut self,
        exchange: ExchangeId,
        open: &Exchange,
        server: &ServerName,
        reason: Reason,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(id) = open.agent_id().cloned() else {
            return self.part_answered(open.shell_of_part(), server, Err(reason), now, steps);
        };
        let finding = Finding::deny(Phase::Answer, reason, "protocol");
        let correlation = self.correlation(exchange);
        let about =
            reply::About { shown: None, server: Some(server), correlation: &correlation, withheld: false };
        let message = reply::error(Some(&id), &finding, &about);
        let status = Self::status_of_failure(open, reason);
        self.note(
            Note::of(Happening::Answer, exchange, open)
                .labels(&open.label_before, self.history.label())
                .duration(now.micros_since(open.started))
                .upstream(open, Outcome::Nothing, now)
                .finding(finding, Verdict::Deny)
                .last(),
            steps,
        );
        steps.push(Self::release(exchange, message, status));
    }
}

/// The HTTP status that goes with an answer of a server. In the stateless era it follows from the error's code.
fn status(body: &Body<'_>, revision: Revision) -> u16 {
    let Body::Error { error, .. } = body else { return 200 };
    if revision != Revision::R2026_07_28 {
        return 200;
    }
    match error.get("code").map(Json::raw) {
        Some(b"-32601") => 404,
        Some(b"-32020" | b"-32021" | b"-32022" | b"-32700" | b"-32600") => 400,
        _ => 200,
    }
}

/// Gives the addresses of a result the name of their server.
fn rename(server: &ServerName, fields: &Fields<'_>, splice: &mut Splice<'_>) {
    let mut address = |value: Option<Json<'_>>| {
        if let Some(value) = value
            && let Some(text) = value.text()
        {
            splice.replace(value, quote(&names::exposed_address(server, &text)));
        }
    };
    for block in fields.get("content").into_iter().flat_map(Json::elements) {
        match block.get("type").and_then(Json::text).as_deref() {
            Some("resource_link") => address(block.get("uri")),
            Some("resource") => address(block.get("resource").and_then(|resource| resource.get("uri"))),
            _ => {}
        }
    }
    for message in fields.get("messages").into_iter().flat_map(Json::elements) {
        let content = message.get("content").filter(|content| content.kind() == Kind::Object);
        address(content.and_then(|content| content.get("resource")?.get("uri")));
    }
    for content in fields.get("contents").into_iter().flat_map(Json::elements) {
        address(content.get("uri"));
    }
}

/// The task that an answer is or speaks of.
fn task_id<'m>(fields: &Fields<'m>) -> Option<Json<'m>> {
    match fields.get("task") {
        Some(task) => task.get("taskId"),
        None => fields.get("taskId"),
    }
}

/// Did the call come to nothing: an error of the protocol, or of the tool?
fn is_failure(body: &Body<'_>) -> bool {
    matches!(outcome(body), Outcome::Error(_) | Outcome::ToolError)
}

fn outcome(body: &Body<'_>) -> Outcome {
    match body {
        Body::Error { error, .. } => {
            let code = error.get("code").and_then(|code| code.written().parse().ok());
            Outcome::Error(code.unwrap_or(0))
        }
        Body::Result { fields, .. } if fields.get("isError").and_then(Json::bool) == Some(true) => {
            Outcome::ToolError
        }
        Body::Result { .. } | Body::Request { .. } | Body::Notification { .. } => Outcome::Result,
    }
}

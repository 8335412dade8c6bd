//! Where a request of the agent goes, and its way there: locate, decide, send.

use lockgate_audit::Happening;
use lockgate_model::{
    Finding, Json, Kind, Phase, Reason, Revision, ServerName, Splice, Tick, ToolName, Verdict, quote,
};
use lockgate_policy::Subject;

use crate::agent::Request;
use crate::exchange::{Asker, Exchange, Outgoing, State, Target};
use crate::fan::Merge;
use crate::hold::{Holds, fingerprint};
use crate::phase::{Call, decide};
use crate::record::Note;
use crate::seal::Sealed;
use crate::{Core, Head, Scope, Sent, Step, headers, names, reply};

/// How long `server/discover` may take: an old server may not answer it at all, and the agent waits to fall back.
const DISCOVER_MILLIS: u64 = 10_000;

/// The extension that brings tasks to the stateless era (SEP-2663).
pub(crate) const TASKS: &str = "io.modelcontextprotocol/tasks";

/// What a request turned out to be about.
struct Located<'m> {
    server: ServerName,
    subject: Option<(Subject, String)>,
    tool: Option<ToolName>,
    /// Values to replace, for the server to know them.
    edits: Vec<(Json<'m>, String)>,
    shown: String,
    /// The task it is about, as the agent names it and opened.
    task: Option<(Json<'m>, Sealed)>,
}

/// Why a request cannot be located: for good, or until a server's tools are known.
enum Lost {
    Refused(Reason),
    Unlearnt(ServerName),
}

impl Core {
    /// Takes a request that may be made in this revision. `approved`: a person has just said yes to this very call.
    pub(crate) fn route(&mut self, request: &Request<'_>, approved: bool, now: Tick, steps: &mut Vec<Step>) {
        if let Some(finding) = crate::phase::stopped(self, request.method) {
            return self.refuse(request, &Target::default(), finding, steps);
        }
        if let Some(state) = Holds::redeems(&request.params) {
            return self.redeem(request, &state, now, steps);
        }
        if request.revision == Revision::R2026_07_28 {
            self.note_capabilities(request.params.reserved("clientCapabilities"));
        }
        if request.method == "subscriptions/listen"
            && let Some((target, finding)) = self.unheard(request)
        {
            return self.refuse(request, &target, finding, steps);
        }
        let Scope::One(server) = self.scope.clone() else {
            return self.route_among_all(request, approved, now, steps);
        };
        match request.method {
            "ping" if self.agent.revision.is_none() => self.pong(request, steps),
            "initialize" => {
                self.note_capabilities(request.params.get("capabilities"));
                self.pass(request, server, now, steps);
            }
            "tools/call"
            | "prompts/get"
            | "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "resources/directory/read"
            | "completion/complete"
            | "skills/get"
            | "tasks/get"
            | "tasks/update"
            | "tasks/cancel"
            | "tasks/result" => self.aim(request, approved, now, steps),
            _ => self.pass(request, server, now, steps),
        }
    }

    fn route_among_all(&mut self, request: &Request<'_>, approved: bool, now: Tick, steps: &mut Vec<Step>) {
        match request.method {
            "ping" => self.pong(request, steps),
            "initialize" => {
                self.note_capabilities(request.params.get("capabilities"));
                self.fan_out(request, Merge::Initialize, now, steps);
            }
            "server/discover" => self.fan_out(request, Merge::Discover, now, steps),
            "tools/list" => self.fan_out(request, Merge::List("tools"), now, steps),
            "prompts/list" => self.fan_out(request, Merge::List("prompts"), now, steps),
            "resources/list" => self.fan_out(request, Merge::List("resources"), now, steps),
            "resources/templates/list" => self.fan_out(request, Merge::List("resourceTemplates"), now, steps),
            "logging/setLevel" => self.fan_out(request, Merge::Nothing, now, steps),
            "subscriptions/listen" => self.fan_out(request, Merge::Listen, now, steps),
            // Skills and lists of tasks have no form that would tell servers apart.
            "skills/list" | "skills/get" | "tasks/list" => {
                let finding = Finding::deny(Phase::Identify, Reason::UnknownMethod, "protocol");
                self.refuse(request, &Target::default(), finding, steps);
            }
            _ => self.aim(request, approved, now, steps),
        }
    }

    /// What stands against the resources and tasks that a stream is to bring news of.
    fn unheard(&self, request: &Request<'_>) -> Option<(Target, Finding)> {
        if let Err(reason) = self.may_listen(request) {
            return Some((Target::default(), Finding::deny(Phase::Identify, reason, "protocol")));
        }
        let wanted = request.params.get("notifications")?.get("resourceSubscriptions")?;
        let bad = || Finding::deny(Phase::Identify, Reason::BadParams, "protocol");
        if wanted.kind() != Kind::Array {
            return Some((Target::default(), bad()));
        }
        wanted.elements().find_map(|address| {
            let Some(address) = address.text() else { return Some((Target::default(), bad())) };
            let (server, inner) = match &self.scope {
                Scope::One(server) => (server.clone(), &*address),
                // What is of no server is asked of none.
                Scope::All => names::split_address(&address)?,
            };
            let finding = crate::phase::hears_of(self, &server, inner)?;
            let shown = Some(shown(inner, Some(Subject::Resource)));
            Some((Target { server: Some(server), shown, ..Target::default() }, finding))
        })
    }

    fn pong(&mut self, request: &Request<'_>, steps: &mut Vec<Step>) {
        self.note(Note::happening(Happening::Request).exchange(request.exchange).method("ping"), steps);
        steps.push(Self::release(request.exchange, reply::empty_result(request.id.raw()), 200));
    }

    fn note_capabilities(&mut self, capabilities: Option<Json<'_>>) {
        let has = |name: &str| capabilities.is_some_and(|all| all.get(name).is_some());
        self.agent.elicitation = has("elicitation");
        self.agent.sampling = has("sampling");
        self.agent.roots = has("roots");
    }

    /// A request about nothing that rules are written for: handshake, lists, levels, subscriptions.
    fn pass(&mut self, request: &Request<'_>, server: ServerName, now: Tick, steps: &mut Vec<Step>) {
        let further_page = request.params.get("cursor").is_some();
        let target = Target { server: Some(server.clone()), further_page, ..Target::default() };
        if !self.boundary.servers.contains_key(&server) {
            let finding = Finding::deny(Phase::Identify, Reason::UnknownServer, "protocol");
            return self.refuse(request, &target, finding, steps);
        }
        if request.method == "initialize" && !self.is_lines(&server) {
            self.greeting = Some(request.bytes.clone());
        }
        if let Some(finding) = crate::phase::stopped_call(self, &server, None) {
            return self.refuse(request, &target, finding, steps);
        }
        let cursor = self.open_cursor(request.method, &server, None, &request.params);
        let cursor = match cursor {
            Ok(cursor) => cursor,
            Err(reason) => {
                let finding = Finding::deny(Phase::Identify, reason, "protocol");
                return self.refuse(request, &target, finding, steps);
            }
        };
        let edits: Vec<_> = cursor.into_iter().chain(self.open_listened(request, &server)).collect();
        let outgoing = self.outgoing(request, &server, &edits, Vec::new(), "protocol".to_owned());
        self.dispatch(request, target, None, outgoing, None, now, steps);
    }

    /// A request about one tool, prompt, resource or task.
    fn aim(&mut self, request: &Request<'_>, approved: bool, now: Tick, steps: &mut Vec<Step>) {
        let mut located = match self.locate(request) {
            Ok(located) => located,
            Err(Lost::Refused(reason)) => {
                let finding = Finding::deny(Phase::Identify, reason, "protocol");
                return self.refuse(request, &Target::default(), finding, steps);
            }
            Err(Lost::Unlearnt(server)) => return self.learn_first(request, server, now, steps),
        };
        let brought = self.brought_back(request, &mut located);
        let tool = located.tool.as_ref();
        if let (Some(headers), Some(tool)) = (request.headers, tool)
            && request.revision == Revision::R2026_07_28
        {
            let offered = self.peers.get(&located.server).and_then(|peer| peer.catalogue.find(tool.as_str()));
            let mirrors = offered.map_or(&[][..], |offered| &offered.mirrors);
            if let Err(reason) = headers::check_parameters(headers, mirrors, request.params.arguments()) {
                let finding = Finding::deny(Phase::Identify, reason, "protocol");
                return self.refuse(request, &Target::default(), finding, steps);
            }
        }
        let arguments = request.params.arguments();
        let fingerprint =
            || fingerprint(request.method, &located.server, located.subject.as_ref(), &request.params);
        self.hear_user_in(request);
        let round = ["requestState", "inputResponses"].iter().any(|name| request.params.get(name).is_some());
        let reach = self.holds.continues(fingerprint, round, now);
        let approved = approved || reach.is_some();
        let subject = located.subject.as_ref().map(|(subject, name)| (*subject, name.as_str()));
        let call = Call { server: &located.server, subject, tool, arguments, approved };
        let decision = decide(self, &call);
        let target = Target {
            server: Some(located.server.clone()),
            tool: tool.map(|tool| (tool.clone(), decision.effect)),
            subject: located.subject.clone(),
            shown: Some(located.shown.clone()),
            further_page: false,
            approved: approved.then(fingerprint),
            sources: decision.sources,
        };
        match decision.finding {
            Some(finding) if finding.verdict == Verdict::Deny => {
                self.refuse(request, &target, finding, steps);
            }
            held => {
                let spent = brought
                    .and_then(|state| state.map_or(Ok(()), |(given, sealed)| self.spend(given, &sealed)));
                if let Err(reason) = spent {
                    let finding = Finding::deny(Phase::Identify, reason, "protocol");
                    return self.refuse(request, &target, finding, steps);
                }
                let digest = self.digest(arguments);
                let mirrored = self.mirrored(&located.server, tool, arguments);
                let outgoing =
                    self.outgoing(request, &located.server, &located.edits, mirrored, decision.rule);
                if let Some(reach) = reach.filter(|_| held.is_none()) {
                    self.endorse(&target, &outgoing, reach);
                }
                match held {
                    Some(finding) => {
                        self.hold(request, target, digest, &fingerprint(), outgoing, finding, now, steps);
                    }
                    None => self.dispatch(request, target, digest, outgoing, decision.observed, now, steps),
                }
            }
        }
    }

    /// Opens what the request brings back beside its task: state and cursor. The state is spent when the request goes on.
    fn brought_back<'m>(
        &mut self,
        request: &Request<'m>,
        located: &mut Located<'m>,
    ) -> Result<Option<(Json<'m>, Sealed)>, Reason> {
        let (server, subject) = (&located.server, located.subject.as_ref());
        let cursor = self.open_cursor(request.method, server, subject, &request.params)?;
        let state = self.open_state(request.method, request.revision, server, subject, &request.params)?;
        if let Some((given, task)) = &located.task {
            self.recall(task);
            self.know_task(server, *given, task);
        }
        if let Some((given, sealed)) = &state {
            self.recall(sealed);
            located.edits.push((*given, sealed.value.clone()));
        }
        located.edits.extend(cursor);
        Ok(state)
    }

    fn locate<'m>(&self, request: &Request<'m>) -> Result<Located<'m>, Lost> {
        let params = &request.params;
        let (field, subject) = match request.method {
            "tools/call" => ("name", Some(Subject::Tool)),
            "prompts/get" => ("name", Some(Subject::Prompt)),
            "skills/get" => ("name", None),
            "completion/complete" => return self.locate_reference(request),
            "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => {
                return self.locate_task(request);
            }
            _ => ("uri", Some(Subject::Resource)),
        };
        let given = params.get(field).filter(|given| given.text().is_some());
        let given = given.ok_or(Lost::Refused(Reason::BadParams))?;
        let name = given.text().unwrap_or_default();
        if let Scope::One(server) = &self.scope {
            if subject == Some(Subject::Tool) && self.unlearnt(server, &name) {
                return Err(Lost::Unlearnt(server.clone()));
            }
            return Ok(Located {
                server: server.clone(),
                subject: subject.map(|subject| (subject, name.to_string())),
                tool: (subject == Some(Subject::Tool)).then(|| ToolName::new(&name)),
                edits: Vec::new(),
                shown: shown(&name, subject),
                task: None,
            });
        }
        let (server, inner) = match subject {
            Some(Subject::Resource) => {
                names::split_address(&name).ok_or(Lost::Refused(Reason::UnknownResource))?
            }
            Some(Subject::Prompt) | None => {
                names::split_name(&name).ok_or(Lost::Refused(Reason::UnknownPrompt))?
            }
            Some(Subject::Tool) => names::split_name(&name).ok_or(Lost::Refused(Reason::UnknownTool))?,
        };
        if !self.boundary.servers.contains_key(&server) {
            return Err(Lost::Refused(match subject {
                Some(Subject::Tool) => Reason::UnknownTool,
                Some(Subject::Resource) => Reason::UnknownResource,
                Some(Subject::Prompt) | None => Reason::UnknownPrompt,
            }));
        }
        let mut tool = None;
        let mut inner = inner.to_owned();
        if subject == Some(Subject::Tool) {
            let catalogue = self.peers.get(&server).map(|peer| &peer.catalogue);
            match catalogue.and_then(|catalogue| catalogue.behind(&name)) {
                Some(known) => {
                    known.as_str().clone_into(&mut inner);
                    tool = Some(known.clone());
                }
                None if catalogue.is_some_and(crate::catalogue::Catalogue::is_complete) => {
                    return Err(Lost::Refused(Reason::UnknownTool));
                }
                None => return Err(Lost::Unlearnt(server)),
            }
        }
        let edits = vec![(given, quote(&inner))];
        let shown = shown(&inner, subject);
        let subject = subject.map(|subject| (subject, inner));
        Ok(Located { server, subject, tool, edits, shown, task: None })
    }

    fn locate_reference<'m>(&self, request: &Request<'m>) -> Result<Located<'m>, Lost> {
        let reference = request.params.get("ref").ok_or(Lost::Refused(Reason::BadParams))?;
        let (given, subject) = match (reference.get("name"), reference.get("uri")) {
            (Some(name), None) => (name, Subject::Prompt),
            (None, Some(uri)) => (uri, Subject::Resource),
            _ => return Err(Lost::Refused(Reason::BadParams)),
        };
        let name = given.text().ok_or(Lost::Refused(Reason::BadParams))?;
        let (server, inner, edits) = match (&self.scope, subject) {
            (Scope::One(server), _) => (server.clone(), name.to_string(), Vec::new()),
            (Scope::All, Subject::Resource) => {
                let (server, inner) =
                    names::split_address(&name).ok_or(Lost::Refused(Reason::UnknownResource))?;
                (server, inner.to_owned(), vec![(given, quote(inner))])
            }
            (Scope::All, Subject::Prompt | Subject::Tool) => {
                let (server, inner) = names::split_name(&name).ok_or(Lost::Refused(Reason::UnknownPrompt))?;
                (server, inner.to_owned(), vec![(given, quote(inner))])
            }
        };
        let shown = shown(&inner, Some(subject));
        Ok(Located { server, subject: Some((subject, inner)), tool: None, edits, shown, task: None })
    }

    fn locate_task<'m>(&self, request: &Request<'m>) -> Result<Located<'m>, Lost> {
        let declared =
            request.params.reserved("clientCapabilities").and_then(|all| all.get("extensions")?.get(TASKS));
        if request.revision == Revision::R2026_07_28 && declared.is_none() {
            return Err(Lost::Refused(Reason::MissingClientCapability));
        }
        let given = request.params.get("taskId").ok_or(Lost::Refused(Reason::BadParams))?;
        let (server, sealed) = self.open_task(given).map_err(Lost::Refused)?;
        let edits = vec![(given, sealed.value.clone())];
        let task = Some((given, sealed));
        Ok(Located { server, subject: None, tool: None, edits, shown: "task".to_owned(), task })
    }

    /// Is it possible that the server offers this tool and we have not seen its list?
    fn unlearnt(&self, server: &ServerName, tool: &str) -> bool {
        self.boundary.servers.contains_key(server)
            && self
                .peers
                .get(server)
                .is_none_or(|peer| !peer.catalogue.is_complete() && peer.catalogue.find(tool).is_none())
    }

    /// Asks the server for its tools before the call is decided: what a tool does cannot be told without.
    fn learn_first(&mut self, request: &Request<'_>, server: ServerName, now: Tick, steps: &mut Vec<Step>) {
        let target = Target { server: Some(server.clone()), ..Target::default() };
        if let Some(finding) = crate::phase::stopped_call(self, &server, None) {
            return self.refuse(request, &target, finding, steps);
        }
        let state = State::Learning { message: request.bytes.clone(), headers: request.headers.cloned() };
        self.insert(request, target, None, state, None, now);
        self.list_part(
            request.exchange,
            &server,
            "tools/list",
            None,
            Some(&request.params),
            request.revision,
            now,
            steps,
        );
    }

    /// Builds the message as the server must see it.
    fn outgoing(
        &self,
        request: &Request<'_>,
        server: &ServerName,
        edits: &[(Json<'_>, String)],
        parameters: Vec<(String, String)>,
        rule: String,
    ) -> Outgoing {
        let mut splice = Splice::new(request.bytes);
        for (part, text) in edits {
            splice.replace(*part, text.as_str());
        }
        if self.is_lines(server) {
            splice.replace(request.id, request.exchange.to_string());
            if let Some(token) = request.params.meta().and_then(|meta| meta.get("progressToken")) {
                splice.replace(token, request.exchange.to_string());
            }
        }
        let message = if splice.is_empty() { request.bytes.clone() } else { splice.finish() };
        let modern = request.revision == Revision::R2026_07_28;
        let name = headers::named(request.method).filter(|_| modern).and_then(|field| {
            let given = request.params.get(field)?;
            let edited = edits.iter().find(|(part, _)| std::ptr::eq(part.raw(), given.raw()));
            let named = match edited {
                Some((_, text)) => Json::check(text.as_bytes(), 1).ok()?.text()?.into_owned(),
                None => given.text()?.into_owned(),
            };
            Some(named)
        });
        let revision = self.wire_revision(server, request.revision);
        let head = Head { sent: Sent::Request, revision, method: Some(request.method), name, parameters };
        Outgoing { server: server.clone(), message, head, rule }
    }

    /// The revision spoken with a server: what its own handshake settled, else the request's.
    pub(crate) fn wire_revision(&self, server: &ServerName, revision: Revision) -> Revision {
        if revision == Revision::R2026_07_28 {
            return revision;
        }
        self.peers.get(server).and_then(|peer| peer.revision).unwrap_or(revision)
    }

    pub(crate) fn mirrored(
        &self,
        server: &ServerName,
        tool: Option<&ToolName>,
        arguments: Option<Json<'_>>,
    ) -> Vec<(String, String)> {
        let catalogue = self.peers.get(server).map(|peer| &peer.catalogue);
        let offered = tool.and_then(|tool| catalogue?.find(tool.as_str()));
        let mirrors = offered.map_or(&[][..], |offered| &offered.mirrors);
        mirrors.iter().filter_map(|mirror| Some((mirror.header.clone(), mirror.value(arguments)?))).collect()
    }

    /// Opens the exchange; it goes out if there is room.
    #[expect(clippy::too_many_arguments, reason = "a request is described by all of it")]
    pub(crate) fn dispatch(
        &mut self,
        request: &Request<'_>,
        mut target: Target,
        arguments: Option<String>,
        outgoing: Outgoing,
        observed: Option<Finding>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let verdict = if outgoing.message.as_ptr() == request.bytes.as_ptr() {
            Verdict::Forward
        } else {
            Verdict::Rewrite
        };
        self.note(
            Note::happening(Happening::Request)
                .exchange(request.exchange)
                .method(request.method)
                .target(target.server.as_ref(), target.shown.as_deref())
                .arguments(arguments.as_deref())
                .sources(std::mem::take(&mut target.sources))
                .labels(self.history.label(), self.history.label())
                .verdict(verdict)
                .observed(observed),
            steps,
        );
        let state = State::Waiting { server: outgoing.server.clone(), resend: None };
        self.insert(request, target, arguments, state, Some(&outgoing.server.clone()), now);
        self.go(request.exchange, outgoing, now, steps);
    }

    pub(crate) fn insert(
        &mut self,
        request: &Request<'_>,
        target: Target,
        arguments: Option<String>,
        state: State,
        server: Option<&ServerName>,
        now: Tick,
    ) {
        let (quiet, most) = self.patience(server, request.method);
        let token = request.params.meta().and_then(|meta| meta.get("progressToken"));
        let id = request.bytes.slice_ref(request.id.raw());
        if self.shares_ids(request.revision) {
            self.exchanges.take_id(id.clone(), request.exchange);
        }
        let echo = request.params.arguments().filter(|echo| echo.raw().len() <= crate::hear::ECHO);
        let exchange = Exchange {
            asker: Asker::Agent { id, token: token.map(|token| request.bytes.slice_ref(token.raw())) },
            method: request.method,
            revision: request.revision,
            target,
            arguments,
            echo: echo.map(|echo| request.bytes.slice_ref(echo.raw())),
            request: (request.revision == Revision::R2026_07_28).then(|| request.bytes.clone()),
            label_before: self.history.label().clone(),
            started: now,
            quiet_until: now.after_millis(quiet),
            until: now.after_millis(most),
            state,
            pass: None,
            refunds: false,
        };
        self.exchanges.insert(request.exchange, exchange);
    }

    /// How long to wait for an answer: without a sign of progress, and at all. Milliseconds.
    pub(crate) fn patience(&self, server: Option<&ServerName>, method: &str) -> (u64, u64) {
        const FOREVER: u64 = u64::MAX / 2_000;
        if method == "subscriptions/listen" {
            return (FOREVER, FOREVER);
        }
        match server.and_then(|server| self.boundary.servers.get(server)) {
            Some(server) if method == "server/discover" => {
                (DISCOVER_MILLIS.min(server.timeout), DISCOVER_MILLIS)
            }
            Some(server) => (server.timeout, server.deadline),
            // Parts have their own limits, and a held call its own.
            None => (FOREVER, FOREVER),
        }
    }

    /// Says no to a request.
    pub(crate) fn refuse(
        &mut self,
        request: &Request<'_>,
        target: &Target,
        finding: Finding,
        steps: &mut Vec<Step>,
    ) {
        let correlation = self.correlation(request.exchange);
        let about = reply::About {
            shown: target.shown.as_deref(),
            server: target.server.as_ref(),
            correlation: &correlation,
        };
        self.tally.denied += u64::from(request.method == "tools/call");
        self.count_refusal(request.exchange, target, &finding, steps);
        let in_band = request.method == "tools/call" && finding.reason.is_for_the_model();
        let (message, status) = if in_band {
            (reply::tool_refusal(request.id.raw(), &finding, &about, request.revision), 200)
        } else {
            (
                reply::error(Some(request.id.raw()), &finding, &about),
                Self::status(finding.reason, request.revision),
            )
        };
        let digest = self.digest(request.params.arguments());
        self.note(
            Note::happening(Happening::Request)
                .exchange(request.exchange)
                .method(request.method)
                .target(target.server.as_ref(), target.shown.as_deref())
                .arguments(digest.as_deref())
                .sources(target.sources.clone())
                .labels(self.history.label(), self.history.label())
                .finding(finding, Verdict::Deny),
            steps,
        );
        steps.push(Self::release(request.exchange, message, status));
    }
}

/// A name in a form that is safe to print.
fn shown(name: &str, subject: Option<Subject>) -> String {
    match subject {
        Some(Subject::Resource) => lockgate_model::Untrusted::new(name).escaped(200),
        Some(Subject::Tool | Subject::Prompt) | None => ToolName::new(name).shown().to_owned(),
    }
}

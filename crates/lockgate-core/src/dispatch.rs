//! Phase *dispatch*: a decided request is opened as an exchange and goes out, or is refused.

use lockgate_model::{Finding, Json, Revision, ServerName, Splice, Tick, ToolName, Verdict};

use crate::agent::Request;
use crate::catalogue::Mirror;
use crate::exchange::{Asker, Exchange, Outgoing, State, Target, params};
use crate::measure::Said;
use crate::record::Note;
use crate::{Core, Head, Sent, Step, headers, reply};

/// How long `server/discover` may take: an old server may not answer it at all, and the agent waits to fall back.
const DISCOVER_MILLIS: u64 = 10_000;

impl Core {
    /// Builds the message as the server must see it.
    pub(crate) fn outgoing(
        &self,
        request: &Request<'_>,
        server: &ServerName,
        edits: &[(Json<'_>, String)],
        tool: Option<&ToolName>,
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
        // Headers say what the message says.
        // What is replaced in the arguments is replaced in the headers that mirror them.
        let changed =
            if edits.is_empty() || self.mirrors(server, tool).is_empty() { None } else { params(&message) };
        let arguments = changed.as_ref().unwrap_or(&request.params).arguments();
        let parameters = self.mirrored(server, tool, arguments);
        let head = Head { sent: Sent::Request, revision, method: Some(request.method), name, parameters };
        let given = request.params.arguments().map_or(&[][..], Json::raw);
        let rewritten = edits.iter().any(|(part, _)| part.place_in(given).is_some());
        Outgoing { server: server.clone(), message, head, rule, rewritten }
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
        self.mirrors(server, tool)
            .iter()
            .filter_map(|mirror| Some((mirror.header.clone(), mirror.value(arguments)?)))
            .collect()
    }

    fn mirrors(&self, server: &ServerName, tool: Option<&ToolName>) -> &[Mirror] {
        let catalogue = self.peers.get(server).map(|peer| &peer.catalogue);
        let offered = tool.and_then(|tool| catalogue?.find(tool.as_str()));
        offered.map_or(&[][..], |offered| &offered.mirrors)
    }

    /// Opens the exchange; it goes out if there is room.
    #[expect(clippy::too_many_arguments, reason = "a request is described by all of it")]
    pub(crate) fn dispatch(
        &mut self,
        request: &Request<'_>,
        mut target: Target,
        arguments: Option<Box<Said>>,
        outgoing: Outgoing,
        observed: Option<Finding>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let verdict = if outgoing.rewritten { Verdict::Rewrite } else { Verdict::Forward };
        self.note(
            Note::request(request)
                .target(target.server.as_ref(), target.shown.as_deref())
                .arguments(arguments.as_deref())
                .sources(std::mem::take(&mut target.sources))
                .found(&std::mem::take(&mut target.found))
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
        arguments: Option<Box<Said>>,
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
            trace: request.trace,
            started: request.started,
            sent: None,
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
            withheld: false,
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
        let said = self.measured(request.params.arguments(), target);
        self.note(
            Note::request(request)
                .target(target.server.as_ref(), target.shown.as_deref())
                .arguments(said.as_deref())
                .sources(target.sources.clone())
                .found(&target.found)
                .labels(self.history.label(), self.history.label())
                .duration(self.now.micros_since(request.started))
                .finding(finding, Verdict::Deny)
                .last(),
            steps,
        );
        steps.push(Self::release(request.exchange, message, status));
    }
}

//! Phase *record*: what happened, why, by which rule.

use lockgate_audit::{Detected, Ending, Happening, MOST_DETECTED, Outcome, Record, Source, Trace, Upstream};
use lockgate_model::{ExchangeId, Finding, Label, Params, ServerName, Tick, Verdict};

use crate::agent::Request;
use crate::detect::Found;
use crate::exchange::Exchange;
use crate::measure::Said;
use crate::{Core, Headers, Step};

/// What is noted of an answer that says that the request came to nothing.
const FAILED: &str = "failed";

/// A record in the making. It borrows, so that it costs nothing where no records are kept.
pub(crate) struct Note<'n> {
    happening: Happening,
    exchange: Option<ExchangeId>,
    trace: Option<Trace>,
    method: Option<&'static str>,
    server: Option<&'n ServerName>,
    target: Option<&'n str>,
    arguments: Option<&'n Said>,
    result_bytes: Option<u64>,
    sources: Vec<Source>,
    finding: Option<Finding>,
    verdict: Verdict,
    would: Option<Verdict>,
    labels: Option<(&'n Label, &'n Label)>,
    notes: Vec<&'static str>,
    detected: Vec<Detected>,
    score: Option<u8>,
    duration: u64,
    upstream: Option<Upstream>,
    ended: Option<Ending>,
    last: bool,
}

impl<'n> Note<'n> {
    pub(crate) fn happening(happening: Happening) -> Self {
        Self {
            happening,
            exchange: None,
            trace: None,
            method: None,
            server: None,
            target: None,
            arguments: None,
            result_bytes: None,
            sources: Vec::new(),
            finding: None,
            verdict: Verdict::Forward,
            would: None,
            labels: None,
            notes: Vec::new(),
            detected: Vec::new(),
            score: None,
            duration: 0,
            upstream: None,
            ended: None,
            last: false,
        }
    }

    /// Of a request that was read.
    pub(crate) fn request(request: &Request<'_>) -> Self {
        let note = Self::happening(Happening::Request).exchange(request.exchange);
        note.trace(request.trace).method(request.method)
    }

    /// Of an exchange that is open, or was until now.
    pub(crate) fn of(happening: Happening, exchange: ExchangeId, open: &'n Exchange) -> Self {
        let note = Self::happening(happening).exchange(exchange).trace(open.trace).method(open.method);
        note.target(open.target.server.as_ref(), open.target.shown.as_deref())
            .arguments(open.arguments.as_deref())
    }

    pub(crate) fn exchange(mut self, exchange: ExchangeId) -> Self {
        self.exchange = Some(exchange);
        self
    }

    /// The trace of the request.
    pub(crate) fn trace(mut self, trace: Option<Trace>) -> Self {
        self.trace = trace;
        self
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    pub(crate) fn server(mut self, server: &'n ServerName) -> Self {
        self.server = Some(server);
        self
    }

    pub(crate) fn target(mut self, server: Option<&'n ServerName>, shown: Option<&'n str>) -> Self {
        self.server = server;
        self.target = shown;
        self
    }

    pub(crate) fn arguments(mut self, said: Option<&'n Said>) -> Self {
        self.arguments = said;
        self
    }

    /// Of an answer: how long it is, and whether it says that the request came to nothing.
    pub(crate) fn answered(mut self, bytes: usize, failed: bool) -> Self {
        self.result_bytes = u64::try_from(bytes).ok();
        self.notes(failed.then_some(FAILED).into_iter())
    }

    pub(crate) fn sources(mut self, sources: Vec<Source>) -> Self {
        self.sources = sources;
        self
    }

    pub(crate) fn finding(mut self, finding: Finding, verdict: Verdict) -> Self {
        self.finding = Some(finding);
        self.verdict = verdict;
        self
    }

    pub(crate) fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    /// What would have been done if rules were not only observed.
    pub(crate) fn observed(mut self, finding: Option<Finding>) -> Self {
        self.would = finding.as_ref().map(|finding| finding.verdict);
        self.finding = self.finding.or(finding);
        self
    }

    pub(crate) fn labels(mut self, before: &'n Label, after: &'n Label) -> Self {
        self.labels = Some((before, after));
        self
    }

    pub(crate) fn notes(mut self, notes: impl Iterator<Item = &'static str>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// What was found in the message.
    pub(crate) fn found(mut self, found: &Found) -> Self {
        self.detected.clone_from(&found.detected);
        // The worst first: what comes after the most that is kept is left out.
        self.detected.sort_by_key(|detected| (detected.level != Some("block"), *detected));
        self.detected.truncate(MOST_DETECTED);
        self.score = found.score();
        self.notes(found.notes())
    }

    pub(crate) fn duration(mut self, micros: u64) -> Self {
        self.duration = micros;
        self
    }

    /// What the server of an exchange has answered now.
    pub(crate) fn upstream(mut self, open: &Exchange, outcome: Outcome, now: Tick) -> Self {
        self.upstream = open.sent.map(|sent| Upstream { took: now.micros_since(sent), outcome });
        self
    }

    /// The request has ended without an answer.
    pub(crate) fn ended(mut self, how: Ending) -> Self {
        self.ended = Some(how);
        self
    }

    /// It is the last word on a request of the agent.
    pub(crate) fn last(mut self) -> Self {
        self.last = true;
        self
    }
}

impl Core {
    pub(crate) fn correlation(&self, exchange: ExchangeId) -> String {
        format!("{}-{exchange}", self.identity.session)
    }

    /// The trace that a message belongs to: its own word counts, and where it has none, that of its HTTP request. SEP-414.
    pub(crate) fn trace(&self, params: &Params<'_>, headers: Option<&Headers>) -> Option<Trace> {
        if !self.boundary.makes_records() {
            return None;
        }
        let own = params.meta().and_then(|meta| meta.get("traceparent")?.text());
        let own = own.and_then(|text| Trace::parse(&text));
        own.or_else(|| Trace::parse(headers?.traceparent.as_deref()?))
    }

    /// The last record of a request that has ended without an answer; of a part of one there is none.
    pub(crate) fn note_end(&self, exchange: ExchangeId, open: &Exchange, how: Ending, steps: &mut Vec<Step>) {
        if open.agent_id().is_none() {
            return;
        }
        let waited = how == Ending::InputRequired;
        let note = Note::of(Happening::End, exchange, open)
            .labels(self.history.label(), self.history.label())
            .verdict(if waited { Verdict::Hold } else { Verdict::Forward })
            .duration(self.now.micros_since(open.started))
            .ended(how)
            .last();
        // What the server has answered, it was not left with.
        let note =
            if open.waits_for().is_some() { note.upstream(open, Outcome::Nothing, self.now) } else { note };
        self.note(note, steps);
    }

    pub(crate) fn note(&self, note: Note<'_>, steps: &mut Vec<Step>) {
        if !self.boundary.makes_records() {
            return;
        }
        let (label_before, label_after) = note.labels.filter(|_| self.boundary.records).unzip();
        let (arguments, argument_text, mut measure) =
            note.arguments.map_or_else(Default::default, |said| said.of(note.happening));
        measure.result_bytes = note.result_bytes;
        steps.push(Step::Record(Box::new(Record {
            happening: note.happening,
            session: self.identity.session.clone(),
            principal: self.identity.principal.clone(),
            client: self.identity.client.clone(),
            correlation: note
                .exchange
                .map_or_else(|| self.identity.session.to_string(), |exchange| self.correlation(exchange)),
            trace: note.trace,
            method: note.method,
            server: note.server.cloned(),
            target: note.target.map(str::to_owned),
            arguments,
            argument_text,
            measure,
            result: None,
            content: None,
            sources: note.sources,
            changes: Vec::new(),
            verdict: note.verdict,
            would: note.would,
            finding: note.finding,
            label_before: label_before.cloned(),
            label_after: label_after.cloned(),
            notes: note.notes,
            about: None,
            why: None,
            decided: None,
            alert_rule: None,
            figures: None,
            count: None,
            detected: note.detected,
            score: note.score,
            duration: note.duration,
            upstream: note.upstream,
            ended: note.ended,
            last: note.last,
        })));
    }
}

//! Phase *record*: what happened, why, by which rule.

use lockgate_audit::{Happening, Record};
use lockgate_model::{ExchangeId, Finding, Label, ServerName, Verdict};

use crate::{Core, Step};

/// A record in the making.
pub(crate) struct Note {
    happening: Happening,
    exchange: Option<ExchangeId>,
    method: Option<&'static str>,
    server: Option<ServerName>,
    target: Option<String>,
    arguments: Option<String>,
    finding: Option<Finding>,
    verdict: Verdict,
    labels: Option<(Label, Label)>,
    duration: u64,
}

impl Note {
    pub(crate) fn happening(happening: Happening) -> Self {
        Self {
            happening,
            exchange: None,
            method: None,
            server: None,
            target: None,
            arguments: None,
            finding: None,
            verdict: Verdict::Forward,
            labels: None,
            duration: 0,
        }
    }

    pub(crate) fn exchange(mut self, exchange: ExchangeId) -> Self {
        self.exchange = Some(exchange);
        self
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    pub(crate) fn server(mut self, server: &ServerName) -> Self {
        self.server = Some(server.clone());
        self
    }

    pub(crate) fn target(mut self, server: Option<&ServerName>, shown: Option<&str>) -> Self {
        self.server = server.cloned();
        self.target = shown.map(str::to_owned);
        self
    }

    pub(crate) fn arguments(mut self, digest: Option<String>) -> Self {
        self.arguments = digest;
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

    pub(crate) fn labels(mut self, before: Label, after: Label) -> Self {
        self.labels = Some((before, after));
        self
    }

    pub(crate) fn duration(mut self, micros: u64) -> Self {
        self.duration = micros;
        self
    }
}

impl Core {
    pub(crate) fn correlation(&self, exchange: ExchangeId) -> String {
        format!("{}-{exchange}", self.identity.session)
    }

    pub(crate) fn note(&self, note: Note, steps: &mut Vec<Step>) {
        let (label_before, label_after) = note.labels.unzip();
        steps.push(Step::Record(Record {
            happening: note.happening,
            session: self.identity.session.clone(),
            principal: self.identity.principal.clone(),
            client: self.identity.client.clone(),
            correlation: note
                .exchange
                .map_or_else(|| self.identity.session.to_string(), |exchange| self.correlation(exchange)),
            method: note.method,
            server: note.server,
            target: note.target,
            arguments: note.arguments,
            verdict: note.verdict,
            finding: note.finding,
            label_before,
            label_after,
            duration: note.duration,
        }));
    }
}

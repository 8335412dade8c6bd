//! Counting records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use lockgate_audit::Record;
use lockgate_model::{Phase, Reason, ServerName, Verdict};

use crate::names::{Named, Names};
use crate::operation::{Error, OTHER, Operation};
use crate::registry::{Family, Histogram};
use crate::sample::{Labels, Point, Sample, Value, labels};
use crate::span::{About, Role, Spans};
use crate::table::{self, Metric};

/// What a server or an agent is spoken with over: `network.transport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Standard input and output.
    Pipe,
    /// HTTP.
    Tcp,
}

impl Transport {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Tcp => "tcp",
        }
    }
}

/// What is counted. Shared by all that make records.
pub struct Telemetry {
    /// Do agents speak over a pipe?
    piped: AtomicBool,
    state: Mutex<State>,
    pub(crate) spans: Option<Spans>,
    pub(crate) exports: Exports,
    pub(crate) born: SystemTime,
}

/// What became of batches.
#[derive(Default)]
pub(crate) struct Exports {
    pub(crate) metrics: Sent,
    pub(crate) traces: Sent,
}

#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
}

#[derive(Default)]
struct State {
    numbers: BTreeMap<ServerName, u16>,
    servers: Vec<(ServerName, Transport)>,
    names: Names,
    served: Family<Operation, Histogram>,
    asked: Family<Operation, Histogram>,
    decisions: Family<(&'static str, Decision), u64>,
    observed: Family<Decision, u64>,
    findings: Family<(&'static str, &'static str, Option<u16>), u64>,
}

/// What a decision is told apart by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Decision {
    verdict: Verdict,
    found: Option<(Reason, Phase)>,
    server: Option<u16>,
}

/// The number of every server that is not configured.
const STRANGER: u16 = u16::MAX;

impl Telemetry {
    /// Nothing is counted yet. Spans are made of one in `traces` traces, and of those whose senders want it; without a number
    /// none are made. Agents are taken to speak over HTTP.
    pub fn new(traces: Option<u64>) -> Self {
        Self {
            piped: AtomicBool::new(false),
            state: Mutex::default(),
            spans: traces.map(Spans::new),
            exports: Exports::default(),
            born: SystemTime::now(),
        }
    }

    /// What agents speak over.
    pub fn serve_over(&self, transport: Transport) {
        self.piped.store(transport == Transport::Pipe, Ordering::Relaxed);
    }

    /// These servers are configured, beside those that were. Only configured names are told.
    pub fn know(&self, servers: impl IntoIterator<Item = (ServerName, Transport)>) {
        let mut state = lock(&self.state);
        for (server, transport) in servers {
            let next = u16::try_from(state.servers.len()).unwrap_or(STRANGER);
            let number = state.numbers.get(&server).copied().unwrap_or(next);
            if let Some(known) = state.servers.get_mut(usize::from(number)) {
                known.1 = transport;
            } else if number != STRANGER {
                state.numbers.insert(server.clone(), number);
                state.servers.push((server, transport));
            }
        }
    }

    /// Counts a record that is made now.
    pub fn take(&self, record: &Record, now: SystemTime) {
        let mut state = lock(&self.state);
        let number = |server| state.numbers.get(server).copied().unwrap_or(STRANGER);
        let server = record.server.as_ref().map(number);
        let found = record.finding.as_ref().map(|finding| (finding.reason, finding.phase));
        let decision = Decision { verdict: record.verdict, found, server };
        *state.decisions.at((record.happening.word(), decision)) += 1;
        if let Some(verdict) = record.would {
            *state.observed.at(Decision { verdict, ..decision }) += 1;
        }
        for detected in &record.detected {
            *state.findings.at((detected.class, detected.done, server)) += u64::from(detected.count);
        }
        let named = Named::of(record.method).map(|named| {
            let server = server.filter(|server| *server != STRANGER);
            (named, server.and_then(|server| state.names.of(server, named, record)))
        });
        if !record.last && record.upstream.is_none() {
            return;
        }
        let error = Error::of_served(record);
        let operation = Operation { method: record.method, server, named, error };
        let asked = Operation { error: Error::of_asked(record), ..operation };
        if record.last {
            state.served.at(operation).record(record.duration);
        }
        if let Some(upstream) = record.upstream {
            state.asked.at(asked).record(upstream.took);
        }
        let Some(spans) = &self.spans else { return };
        let transport = |role| match role {
            Role::Asked => state.transport(server),
            Role::Served { .. } => self.front(),
        };
        spans.take(record, now, |role| About {
            method: record.method,
            named: named.map(|(named, number)| (named, number.and_then(|number| state.names.name(number)))),
            server: record.server.clone().filter(|_| server != Some(STRANGER)),
            transport: transport(role),
            error: if role == Role::Asked { asked.error } else { operation.error },
            session: record.session.clone(),
            correlation: record.correlation.clone(),
            verdict: record.verdict,
            finding: record.finding.clone(),
        });
    }

    fn front(&self) -> Transport {
        if self.piped.load(Ordering::Relaxed) { Transport::Pipe } else { Transport::Tcp }
    }

    /// What was counted.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        let state = lock(&self.state);
        let mut samples = vec![
            State::family(&table::SERVED, &state.served, |key| state.operation(key, self.front()), histogram),
            State::family(
                &table::ASKED,
                &state.asked,
                |key| state.operation(key, state.transport(key.server)),
                histogram,
            ),
            State::family(
                &table::DECISIONS,
                &state.decisions,
                |(event, decision)| {
                    let mut all = vec![(table::EVENT, (*event).into())];
                    all.append(&mut state.decision(*decision));
                    all
                },
                number,
            ),
            State::family(&table::OBSERVED, &state.observed, |decision| state.decision(*decision), number),
            State::family(
                &table::FINDINGS,
                &state.findings,
                |(class, done, server)| {
                    labels([
                        (table::CLASS, Some((*class).into())),
                        (table::DONE, Some((*done).into())),
                        (table::SERVER, state.server(*server)),
                    ])
                },
                number,
            ),
        ];
        drop(state);
        samples.push(self.exports.sample());
        if let Some(spans) = &self.spans {
            let value = Value::Number(spans.dropped.load(Ordering::Relaxed));
            samples
                .push(Sample { metric: &table::UNSENT, points: vec![Point { labels: Vec::new(), value }] });
        }
        let version = vec![(table::VERSION, env!("CARGO_PKG_VERSION").into())];
        let points = vec![Point { labels: version, value: Value::Number(1) }];
        samples.push(Sample { metric: &table::BUILD, points });
        samples
    }
}

impl State {
    fn family<K: Ord, V: Copy + Default>(
        metric: &'static Metric,
        family: &Family<K, V>,
        labels: impl Fn(&K) -> Labels,
        value: impl Fn(V) -> Value,
    ) -> Sample {
        let overflow = || vec![(table::OVERFLOW, "true".into())];
        let point = |(key, counted): (Option<&K>, &V)| Point {
            labels: key.map_or_else(overflow, &labels),
            value: value(*counted),
        };
        Sample { metric, points: family.all().map(point).collect() }
    }

    fn transport(&self, server: Option<u16>) -> Transport {
        let known = server.and_then(|server| self.servers.get(usize::from(server)));
        known.map_or(Transport::Tcp, |(_, transport)| *transport)
    }

    fn server(&self, number: Option<u16>) -> Option<Cow<'static, str>> {
        let known = self.servers.get(usize::from(number?));
        Some(known.map_or("other".into(), |(server, _)| server.to_string().into()))
    }

    fn operation(&self, key: &Operation, transport: Transport) -> Labels {
        let name = |wanted: Named| {
            let (_, number) = key.named.filter(|(named, _)| *named == wanted)?;
            let name = number.and_then(|number| self.names.name(number));
            Some(name.map_or(Cow::from("other"), |name| name.to_string().into()))
        };
        labels([
            (table::METHOD, Some(key.method.unwrap_or(OTHER).into())),
            (table::OPERATION, (key.method == Some("tools/call")).then_some("execute_tool".into())),
            (table::TOOL, name(Named::Tool)),
            (table::PROMPT, name(Named::Prompt)),
            (table::ERROR, key.error.map(Error::text)),
            (table::TRANSPORT, Some(transport.word().into())),
            (table::SERVER, self.server(key.server)),
        ])
    }

    fn decision(&self, decision: Decision) -> Labels {
        labels([
            (table::VERDICT, Some(decision.verdict.word().into())),
            (table::REASON, decision.found.map(|(reason, _)| reason.code().into())),
            (table::PHASE, decision.found.map(|(_, phase)| phase.word().into())),
            (table::SERVER, self.server(decision.server)),
        ])
    }
}

impl Exports {
    fn sample(&self) -> Sample {
        let all = [("metrics", &self.metrics), ("traces", &self.traces)];
        let outcomes = all.into_iter().flat_map(|(signal, sent)| {
            [(signal, "delivered", &sent.delivered), (signal, "failed", &sent.failed)]
        });
        let point = |(signal, outcome, count): (&'static str, &'static str, &AtomicU64)| Point {
            labels: vec![(table::SIGNAL, signal.into()), (table::OUTCOME, outcome.into())],
            value: Value::Number(count.load(Ordering::Relaxed)),
        };
        // Nobody is sent anything where nothing was.
        let said = |point: &Point| matches!(point.value, Value::Number(count) if count > 0);
        Sample { metric: &table::EXPORTS, points: outcomes.map(point).filter(said).collect() }
    }
}

fn number(count: u64) -> Value {
    Value::Number(count)
}

fn histogram(histogram: Histogram) -> Value {
    Value::Histogram(Box::new(histogram))
}

/// A lock whose holder panicked still guards whole values: a count is added or not.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything there is to tell.
pub(crate) fn all(telemetry: &Telemetry, house: &Arc<dyn crate::House>) -> Vec<Sample> {
    let mut samples = telemetry.samples();
    samples.append(&mut house.gauges().samples());
    // In the order of the table, and nothing of what has not been.
    samples.retain(|sample| !sample.points.is_empty());
    samples.sort_by_key(|sample| table::TABLE.iter().position(|metric| *metric == sample.metric));
    samples
}

#[cfg(test)]
pub(crate) mod tests;

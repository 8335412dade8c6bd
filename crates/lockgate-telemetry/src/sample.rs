//! What is so at one moment: the form in which everything is told.

use std::borrow::Cow;

use crate::registry::Histogram;
use crate::table::{self, Label, Metric};

/// Where all this comes from: the running gateway.
pub trait House: Send + Sync + 'static {
    /// What is so now. Asked by a thread of its own, each time that somebody wants to know.
    fn gauges(&self) -> Gauges;
    /// Does it still move?
    fn is_alive(&self) -> bool;
    /// Why no call would pass now, in words of ours; nothing where calls pass.
    fn unready(&self) -> Vec<&'static str>;
}

/// What is so now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Open sessions.
    pub sessions: usize,
    /// Requests of agents that wait for a server, a list or a limit.
    pub waiting: usize,
    /// Requests of agents that wait for people.
    pub held: usize,
    /// Server programs that run, and open streams of events.
    pub running: usize,
    /// What is stopped by hand.
    pub stops: Stops,
    /// Is the configuration in force the file as it is?
    pub current: bool,
    /// The records, where some are kept.
    pub records: Option<Logged>,
    /// What the webhook was told, where there is one.
    pub notices: Option<Notices>,
}

/// What is stopped by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stops {
    /// Everything.
    pub everything: bool,
    /// Everything that changes something.
    pub safe_mode: bool,
    /// So many servers.
    pub servers: usize,
    /// So many tools.
    pub tools: usize,
    /// So many principals.
    pub principals: usize,
    /// So many sessions.
    pub sessions: usize,
}

/// The records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logged {
    /// Can they be written?
    pub writable: bool,
    /// How many are on their way to the disk.
    pub waiting: u64,
    /// How many the log holds that nobody can quietly change, where there is one.
    pub logged: Option<u64>,
}

/// What became of events for the webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// Taken by the receiver.
    pub delivered: u64,
    /// Dropped, since too many waited.
    pub dropped: u64,
    /// Given up, since the receiver did not take them.
    pub given_up: u64,
}

/// A metric as it stands.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) metric: &'static Metric,
    pub(crate) points: Vec<Point>,
}

#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) labels: Labels,
    pub(crate) value: Value,
}

/// Names with values, in the order of the metric's labels; what is absent is not in it.
pub(crate) type Labels = Vec<(Label, Cow<'static, str>)>;

#[derive(Debug)]
pub(crate) enum Value {
    Number(u64),
    Histogram(Box<Histogram>),
}

/// Only the labels that have a value.
pub(crate) fn labels<const N: usize>(all: [(Label, Option<Cow<'static, str>>); N]) -> Labels {
    all.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
}

impl Gauges {
    /// The metrics that these are.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        let one = |metric, value: usize| Sample { metric, points: vec![point(Vec::new(), value)] };
        let by = |metric, label: Label, values: &[(&'static str, u64)]| Sample {
            metric,
            points: values
                .iter()
                .map(|(word, value)| Point {
                    labels: vec![(label, (*word).into())],
                    value: Value::Number(*value),
                })
                .collect(),
        };
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let Stops { everything, safe_mode, servers, tools, principals, sessions } = self.stops;
        let mut samples = vec![
            one(&table::SESSIONS, self.sessions),
            by(&table::OPEN, table::STATE, &[("held", count(self.held)), ("waiting", count(self.waiting))]),
            one(&table::CHILDREN, self.running),
            by(
                &table::STOPS,
                table::STATE,
                &[
                    ("everything", u64::from(everything)),
                    ("principal", count(principals)),
                    ("safe_mode", u64::from(safe_mode)),
                    ("server", count(servers)),
                    ("session", count(sessions)),
                    ("tool", count(tools)),
                ],
            ),
            one(&table::CURRENT, usize::from(self.current)),
        ];
        if let Some(Logged { writable, waiting, logged }) = self.records {
            samples.push(one(&table::WRITABLE, usize::from(writable)));
            let number = |value| vec![Point { labels: Vec::new(), value: Value::Number(value) }];
            samples.push(Sample { metric: &table::WAITING, points: number(waiting) });
            samples.extend(logged.map(|logged| Sample { metric: &table::LOGGED, points: number(logged) }));
        }
        if let Some(Notices { delivered, dropped, given_up }) = self.notices {
            let values = [("delivered", delivered), ("dropped", dropped), ("given_up", given_up)];
            samples.push(by(&table::NOTICES, table::OUTCOME, &values));
        }
        samples
    }
}

fn point(labels: Labels, value: usize) -> Point {
    Point { labels, value: Value::Number(u64::try_from(value).unwrap_or(u64::MAX)) }
}

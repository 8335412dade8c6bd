//! Every metric there is. What is told, and `docs/metrics.md`, come from here.

use std::fmt::Write;

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from the start of the process.
    Counter,
    /// What is so at the moment.
    Gauge,
    /// How many took how long, from the start of the process.
    Histogram,
}

impl Kind {
    /// The word in the text format of Prometheus.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Something by which a metric is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Its name in OpenTelemetry.
    pub name: &'static str,
    /// What its values are.
    pub meaning: &'static str,
}

/// Something that is measured.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in OpenTelemetry.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its unit, by UCUM: `s`, or what is counted, in braces.
    pub unit: &'static str,
    /// What it is told apart by.
    pub labels: &'static [Label],
    /// What it is, as one sentence.
    pub meaning: &'static str,
}

impl Metric {
    /// The name in the text format of Prometheus: its unit and kind are part of it.
    pub fn prometheus(&self) -> String {
        let unit = if self.unit == "s" { "_seconds" } else { "" };
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", underscored(self.name))
    }
}

/// A name as Prometheus can read it.
pub(crate) fn underscored(name: &str) -> String {
    name.replace('.', "_")
}

macro_rules! labels {
    ($($constant:ident $name:literal $meaning:literal)*) => {
        $(pub(crate) const $constant: Label = Label { name: $name, meaning: $meaning };)*
        /// Every label, in the order of the documentation.
        const LABELS: &[Label] = &[$($constant,)*];
    };
}

labels! {
    METHOD "mcp.method.name" "a method of MCP; `_OTHER` where it is none, or the message could not be read"
    OPERATION "gen_ai.operation.name" "`execute_tool` for a call of a tool, else absent"
    TOOL "gen_ai.tool.name" "the tool of `tools/call`, if it was offered, approved and called before; else `other`"
    PROMPT "gen_ai.prompt.name" "the same of the prompt of `prompts/get`"
    ERROR "error.type" "why it failed, absent where it did not: a reason of Lockgate's, `tool_error`, a code of JSON-RPC, `cancelled`, `abandoned` or `session_over` where nobody waited any more, or `_OTHER`"
    TRANSPORT "network.transport" "`pipe` or `tcp`"
    SERVER "lockgate.server" "a server of the configuration; `other` where it is none of them, absent where there is none"
    EVENT "lockgate.event" "what the record is about, by the word in the record"
    VERDICT "lockgate.verdict" "`forward`, `rewrite`, `hold` or `deny`"
    REASON "lockgate.reason" "a reason of `docs/reasons.md`, absent where there is none"
    PHASE "lockgate.phase" "the phase that found it"
    CLASS "lockgate.class" "what sort of thing was found: `injection`, `personal`, …"
    DONE "lockgate.done" "what was done with it: `flag`, `redact`, …"
    STATE "lockgate.state" "what it is at"
    SIGNAL "lockgate.signal" "`metrics` or `traces`"
    OUTCOME "lockgate.outcome" "what became of it"
    OVERFLOW "otel.metric.overflow" "`true` on the one series that counts what came when there were too many; it has no other label"
    VERSION "service.version" "the version of the program"
}

macro_rules! metrics {
    ($($constant:ident $kind:ident $name:literal $unit:literal [$($label:ident)*] $meaning:literal)*) => {
        $(pub(crate) static $constant: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            labels: &[$($label,)*],
            meaning: $meaning,
        };)*
        /// Every metric, in the order of the documentation.
        pub static TABLE: &[&Metric] = &[$(&$constant,)*];
    };
}

metrics! {
    SERVED Histogram "mcp.server.operation.duration" "s" [METHOD OPERATION TOOL PROMPT ERROR TRANSPORT SERVER]
        "How long a request of an agent took, from when it came to the last word on it; with the time it waited for people."
    ASKED Histogram "mcp.client.operation.duration" "s" [METHOD OPERATION TOOL PROMPT ERROR TRANSPORT SERVER]
        "How long the server took of that, from when the request was sent to it to its answer."
    DECISIONS Counter "lockgate.decisions" "{record}" [EVENT VERDICT REASON PHASE SERVER]
        "Decisions, as they are in the records: a call has at least two, its request and its answer."
    OBSERVED Counter "lockgate.observed" "{record}" [VERDICT REASON PHASE SERVER]
        "Decisions that were only observed (`mode: observe`): the verdict is what would have been done."
    FINDINGS Counter "lockgate.findings" "{finding}" [CLASS DONE SERVER]
        "Things that were found in messages."
    SESSIONS Gauge "lockgate.sessions" "{session}" []
        "Sessions that are open."
    OPEN Gauge "lockgate.requests.open" "{request}" [STATE]
        "Requests of agents that have no answer yet: `waiting` for a server, a list or a limit, or `held` for people."
    CHILDREN Gauge "lockgate.servers.running" "{server}" []
        "Server programs that run, and streams of events that are open."
    STOPS Gauge "lockgate.stops" "{stop}" [STATE]
        "What is stopped by hand: `everything`, `safe_mode`, or how many `server`, `tool`, `principal` and `session`."
    CURRENT Gauge "lockgate.configuration.current" "{file}" []
        "1 where the configuration in force is the file as it is, 0 where the file was changed and refused."
    WRITABLE Gauge "lockgate.records.writable" "{log}" []
        "1 where the log of records can be written, 0 where it cannot and calls are refused."
    WAITING Gauge "lockgate.records.waiting" "{record}" []
        "Records on their way to the disk. At 8192 calls begin to wait."
    LOGGED Gauge "lockgate.records.logged" "{record}" []
        "How long the log is that nobody can quietly change."
    NOTICES Counter "lockgate.notices" "{notice}" [OUTCOME]
        "Events that the webhook was told: `delivered`, or lost as `dropped` or `given_up`."
    EXPORTS Counter "lockgate.otlp.exports" "{export}" [SIGNAL OUTCOME]
        "Batches that were sent over OTLP: `delivered` or `failed`."
    UNSENT Counter "lockgate.otlp.spans.dropped" "{span}" []
        "Spans that nobody will see: 4096 waited, or their batch could not be delivered."
    BUILD Gauge "lockgate.build.info" "{process}" [VERSION]
        "Always 1."
}

/// The upper bounds of the buckets of every histogram, as the conventions have them. Seconds, as they are written.
pub(crate) const BOUNDS: [(&str, f64, u64); 14] = [
    ("0.01", 0.01, 10_000),
    ("0.02", 0.02, 20_000),
    ("0.05", 0.05, 50_000),
    ("0.1", 0.1, 100_000),
    ("0.2", 0.2, 200_000),
    ("0.5", 0.5, 500_000),
    ("1", 1.0, 1_000_000),
    ("2", 2.0, 2_000_000),
    ("5", 5.0, 5_000_000),
    ("10", 10.0, 10_000_000),
    ("30", 30.0, 30_000_000),
    ("60", 60.0, 60_000_000),
    ("120", 120.0, 120_000_000),
    ("300", 300.0, 300_000_000),
];

/// The tables of `docs/metrics.md`.
pub fn markdown() -> String {
    let mut page = "| metric | in Prometheus | kind | unit | labels | meaning |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    for metric in TABLE {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{}`", label.name)).collect();
        let _written = writeln!(
            page,
            "| `{}` | `{}` | {} | `{}` | {} | {} |",
            metric.name,
            metric.prometheus(),
            metric.kind.word(),
            metric.unit,
            labels.join(", "),
            metric.meaning
        );
    }
    page.push_str("\n| label | in Prometheus | values |\n| --- | --- | --- |\n");
    for label in LABELS {
        let _written =
            writeln!(page, "| `{}` | `{}` | {} |", label.name, underscored(label.name), label.meaning);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        let mut names: Vec<_> = TABLE.iter().map(|metric| metric.prometheus()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        for name in TABLE.iter().map(|metric| metric.name).chain(LABELS.iter().map(|label| label.name)) {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b)), "{name}");
        }
        for metric in TABLE {
            assert!(
                metric.meaning.ends_with('.') && !metric.meaning.contains(['\n', '|']),
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn bounds_are_what_they_say() {
        let mut before = 0;
        for (text, seconds, micros) in BOUNDS {
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), seconds.to_bits());
            assert_eq!(
                u64::try_from(std::time::Duration::from_secs_f64(seconds).as_micros()).unwrap(),
                micros
            );
            assert!(micros > before);
            before = micros;
        }
    }
}

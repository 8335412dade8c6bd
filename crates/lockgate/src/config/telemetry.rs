//! `telemetry`: who is told what the gateway does, in numbers. `docs/metrics.md` says what.

use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;

use super::address;
use super::admin::{Admin, Door};
use super::bounds;
use super::error::{At, Report, quoted};
use super::raw::RawSecrets;
use super::read::secrets;
use super::schema;
use super::secret::{Resolver, Secret};
use super::section::Section;
use super::server::headers;

/// Who is told what the gateway does, in numbers: how many requests, how long they took, what was decided, and whether it is
/// well. `docs/metrics.md` says what is told. No text of a message and no secret is ever among it. Read when the gateway starts.
#[derive(JsonSchema)]
#[schemars(rename = "Telemetry", deny_unknown_fields)]
pub(super) struct RawTelemetry {
    /// An address and port where `/metrics`, in the text format of Prometheus, `/healthz` and `/readyz` are read; port 0 takes a
    /// free one. Whoever reaches it may read it, so best an address of this machine: `127.0.0.1:9464`. Never where agents connect.
    #[schemars(with = "Option<String>")]
    listen: Option<At<String>>,
    /// A collector of OpenTelemetry that is sent metrics and traces.
    #[schemars(with = "Option<RawOtlp>")]
    otlp: Option<RawOtlp>,
}

/// A collector of OpenTelemetry (OTLP, protobuf over HTTP).
#[derive(JsonSchema)]
#[schemars(rename = "Otlp", deny_unknown_fields)]
struct RawOtlp {
    /// The address below which `/v1/metrics` and `/v1/traces` are: `https`, or `http` to this machine.
    #[schemars(with = "String")]
    endpoint: Option<At<String>>,
    /// Headers of every request to it, as a token.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Secret>>")]
    headers: Option<At<RawSecrets>>,
    /// How often metrics are sent. Spans are sent at least every 5 seconds.
    #[schemars(with = "Option<schema::Time>")]
    interval: At<u64>,
    /// Are spans sent, one for each request and one for what its server was asked?
    #[schemars(with = "Option<bool>", extend("default" = true))]
    traces: Option<At<bool>>,
    /// Of the traces that begin here, one in so many is sent. Of those that agents began (`traceparent`), those that the agent
    /// keeps.
    #[schemars(with = "Option<schema::Count>")]
    sample_one_in: At<u64>,
}

/// Who is told what the gateway does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// Where it may be read.
    pub listen: Option<SocketAddr>,
    /// Who is sent it.
    pub otlp: Option<Otlp>,
}

/// A collector of OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otlp {
    /// The address: `https`, or `http` to this machine.
    pub endpoint: Secret,
    /// Headers of every request.
    pub headers: Vec<(String, Secret)>,
    /// How often metrics are sent.
    pub interval: Duration,
    /// One in so many traces that begin here is sent; none where no spans are.
    pub traces: Option<u64>,
}

impl RawTelemetry {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            listen: section.text("listen"),
            otlp: section.section("otlp").map(|section| RawOtlp::read(section, report)),
        };
        if !section.has("listen") && !section.has("otlp") {
            let hint = "write `listen: 127.0.0.1:9464`, or `otlp: { endpoint: \"http://127.0.0.1:4318\" }`";
            report.error(section.place(), "`telemetry` tells nobody anything", hint);
        }
        section.close();
        raw
    }

    /// Checks it. `agents` is where agents connect, and `admin` where people rule.
    pub(super) fn check(
        &self,
        agents: Option<SocketAddr>,
        admin: Option<&Admin>,
        notes: &mut Vec<String>,
        resolver: &Resolver<'_>,
    ) -> Telemetry {
        let listen =
            self.listen.as_ref().and_then(|listen| check_listen(listen, agents, admin, resolver.report));
        if let Some(address) = listen.filter(|address| !address.ip().is_loopback()) {
            notes.push(format!("whoever reaches `{address}` may read the metrics: the names of servers and tools are among them"));
        }
        Telemetry { listen, otlp: self.otlp.as_ref().and_then(|raw| raw.check(resolver)) }
    }
}

impl RawOtlp {
    fn read(section: Section<'_>, report: &Report) -> Self {
        if !section.has("endpoint") {
            let hint = "write `endpoint: \"https://…\"`, the address below which `/v1/metrics` is";
            report.error(section.place(), "`telemetry.otlp` has no `endpoint`", hint);
        }
        let raw = Self {
            endpoint: section.text("endpoint"),
            headers: secrets(&section, "headers", report),
            interval: section.measure(&bounds::OTLP_INTERVAL),
            traces: section.switch("traces"),
            sample_one_in: section.measure(&bounds::SAMPLE_ONE_IN),
        };
        if let Some(traces) =
            raw.traces.as_ref().filter(|traces| !traces.value && section.has("sample_one_in"))
        {
            let hint = "remove one of the two";
            report.error(traces.place, "`sample_one_in` has no effect: no traces are sent", hint);
        }
        section.close();
        raw
    }

    fn check(&self, resolver: &Resolver<'_>) -> Option<Otlp> {
        let headers =
            self.headers.as_ref().map_or_else(|| Some(Vec::new()), |all| headers(&all.value, resolver));
        let endpoint = self.endpoint.as_ref()?;
        // It may hold a secret, so that no message shows it.
        let wrong = |what: &str, hint: &str| {
            resolver.report.error(endpoint.place, format!("the address of the collector {what}"), hint);
        };
        let text = resolver.expand(endpoint)?;
        match address::Target::parse(&text) {
            Err((what, hint)) => wrong(what, hint),
            Ok(_) if text.contains('?') => wrong("has a query", "send what it says in `headers`"),
            Ok(target) if !target.encrypted && !target.is_this_machine() => {
                wrong("is not encrypted", "write `https://…`; `http` is for this machine alone");
            }
            Ok(_) => {}
        }
        let traces = self.traces.as_ref().is_none_or(|at| at.value);
        Some(Otlp {
            endpoint: Secret::new(text),
            headers: headers?,
            interval: Duration::from_millis(self.interval.value),
            traces: traces.then_some(self.sample_one_in.value),
        })
    }
}

fn check_listen(
    listen: &At<String>,
    agents: Option<SocketAddr>,
    admin: Option<&Admin>,
    report: &Report,
) -> Option<SocketAddr> {
    let address = match address::listen(&listen.value, "9464") {
        Ok(address) => address,
        Err(hint) => {
            let message = format!("{} is not an address to listen on", quoted(&listen.value));
            report.error(listen.place, message, hint);
            return None;
        }
    };
    let fixed = address.port() != 0;
    let people = admin.is_some_and(|admin| admin.door == Door::Loopback(address));
    if fixed && agents == Some(address) {
        let message = format!("agents connect at `{address}` already");
        report.error(listen.place, message, "write another port: no agent may read how it is watched");
    } else if fixed && people {
        let message = format!("the admin API listens on `{address}` already");
        report.error(listen.place, message, "write another port");
    }
    Some(address)
}

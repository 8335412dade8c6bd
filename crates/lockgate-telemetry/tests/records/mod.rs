//! Records as the gateway makes them.
#![allow(clippy::unwrap_used, dead_code, reason = "each test needs a part of it")]

use lockgate_audit::{Happening, Outcome, Record, Upstream};
use lockgate_model::{Finding, Phase, Principal, Reason, ServerName, SessionId, Verdict};

use super::{Gauges, House, Telemetry, Transport};

/// A record of a call of `read` on `files` by itself.
pub(crate) fn record(happening: Happening) -> Record {
    Record {
        session: SessionId::new("s1"),
        principal: Principal::new("local"),
        correlation: "s1-7".to_owned(),
        method: Some("tools/call"),
        server: ServerName::parse("files"),
        target: Some("read".to_owned()),
        ..Record::of_gateway(happening)
    }
}

/// What is recorded of its answer.
pub(crate) fn answer(took: u64, outcome: Outcome) -> Record {
    let upstream = Some(Upstream { took, outcome });
    Record { duration: took + 1_000, upstream, last: true, ..record(Happening::Answer) }
}

pub(crate) fn telemetry(traces: Option<u64>) -> Telemetry {
    let telemetry = Telemetry::new(traces);
    telemetry.know([(ServerName::parse("files").unwrap(), Transport::Pipe)]);
    telemetry
}

pub(crate) fn denied(reason: Reason, phase: Phase) -> Record {
    let finding = Some(Finding::deny(phase, reason, "rule"));
    Record { verdict: Verdict::Deny, finding, last: true, ..record(Happening::Request) }
}

pub(crate) struct Empty;

impl House for Empty {
    fn gauges(&self) -> Gauges {
        Gauges::default()
    }

    fn is_alive(&self) -> bool {
        true
    }

    fn unready(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

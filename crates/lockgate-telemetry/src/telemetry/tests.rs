use std::time::Duration;

use lockgate_audit::{Detected, Ending, Happening, Outcome, Trace};
use lockgate_model::Finding;
use proptest::prelude::*;

use super::*;
use crate::registry::MOST_SERIES;
use crate::span::{BATCH, MOST_SPANS};
use crate::{Gauges, House, MOST_NAMES, prometheus};
pub(crate) use records::{Empty, answer, denied, record, telemetry};

#[path = "../../tests/records/mod.rs"]
mod records;

fn text(telemetry: &Telemetry) -> String {
    let house: Arc<dyn crate::House> = Arc::new(Empty);
    prometheus::text(&all(telemetry, &house))
}

fn take(telemetry: &Telemetry, records: &[Record]) {
    for record in records {
        telemetry.take(record, SystemTime::UNIX_EPOCH + Duration::from_secs(100));
    }
}

fn ended(how: Ending, asked: bool) -> Record {
    let upstream = answer(1, Outcome::Nothing).upstream.filter(|_| asked);
    Record { upstream, ended: Some(how), last: true, ..record(Happening::End) }
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|other| other == line), "no {line} in\n{text}");
}

#[test]
fn a_call_is_counted_where_it_belongs() {
    let telemetry = telemetry(None);
    take(&telemetry, &[record(Happening::Request), answer(15_000, Outcome::Result)]);
    let call = r#"mcp_method_name="tools/call",gen_ai_operation_name="execute_tool",gen_ai_tool_name="read""#;
    let text = text(&telemetry);
    has(
        &text,
        &format!(
            "mcp_server_operation_duration_seconds_bucket{{{call},network_transport=\"tcp\",lockgate_server=\"files\",le=\"0.01\"}} 0"
        ),
    );
    has(
        &text,
        &format!(
            "mcp_server_operation_duration_seconds_bucket{{{call},network_transport=\"tcp\",lockgate_server=\"files\",le=\"0.02\"}} 1"
        ),
    );
    has(
        &text,
        &format!(
            "mcp_server_operation_duration_seconds_sum{{{call},network_transport=\"tcp\",lockgate_server=\"files\"}} 0.016"
        ),
    );
    has(
        &text,
        &format!(
            "mcp_client_operation_duration_seconds_sum{{{call},network_transport=\"pipe\",lockgate_server=\"files\"}} 0.015"
        ),
    );
    has(
        &text,
        r#"lockgate_decisions_total{lockgate_event="request",lockgate_verdict="forward",lockgate_server="files"} 1"#,
    );
    has(&text, "# TYPE mcp_client_operation_duration_seconds histogram");
}

#[test]
fn what_failed_says_why() {
    for (record, served, asked) in [
        (answer(1, Outcome::ToolError), Some("tool_error"), Some("tool_error")),
        (answer(1, Outcome::Error(-32_602)), Some("-32602"), Some("-32602")),
        (answer(1, Outcome::Error(-32_500)), Some("_OTHER"), Some("_OTHER")),
        (answer(1, Outcome::Error(7)), Some("_OTHER"), Some("_OTHER")),
        (
            Record {
                last: true,
                ..Record {
                    upstream: answer(1, Outcome::Nothing).upstream,
                    ..denied(Reason::ServerTimedOut, Phase::Answer)
                }
            },
            Some("server_timed_out"),
            Some("server_timed_out"),
        ),
        (
            Record {
                upstream: answer(1, Outcome::Result).upstream,
                ..denied(Reason::UnknownTool, Phase::Detect)
            },
            Some("unknown_tool"),
            Some(""),
        ),
        (denied(Reason::UnknownTool, Phase::Identify), Some("unknown_tool"), None),
        (ended(Ending::Cancelled, true), Some("cancelled"), Some("cancelled")),
        (ended(Ending::Abandoned, false), Some("abandoned"), None),
        (ended(Ending::InputRequired, false), Some(""), None),
    ] {
        let telemetry = telemetry(None);
        take(&telemetry, std::slice::from_ref(&record));
        let text = text(&telemetry);
        let error = |metric: &str| {
            let line = text.lines().find(|line| line.starts_with(metric))?;
            Some(line.split_once("error_type=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap()))
        };
        assert_eq!(error("mcp_server_operation_duration_seconds_count"), served, "{text}");
        assert_eq!(error("mcp_client_operation_duration_seconds_count"), asked, "{text}");
    }
}

#[test]
fn only_names_that_were_let_through_are_told() {
    let request = |tool: &str| Record { target: Some(tool.to_owned()), ..record(Happening::Request) };
    let finding = |phase| {
        Some(Finding { verdict: Verdict::Hold, ..Finding::deny(phase, Reason::ApprovalRequired, "r") })
    };
    let held = |tool: &str, phase| Record {
        verdict: Verdict::Hold,
        finding: finding(phase),
        last: true,
        ..request(tool)
    };
    let observed = |tool: &str, phase| Record {
        would: Some(Verdict::Hold),
        finding: finding(phase),
        last: true,
        ..request(tool)
    };
    for (record, told) in [
        (Record { last: true, ..request("read") }, true),
        (held("read", Phase::Policy), true),
        (held("read", Phase::Pin), false),
        (observed("read", Phase::Flow), true),
        (observed("read", Phase::Pin), false),
        (Record { target: Some("read".to_owned()), ..denied(Reason::UnknownTool, Phase::Identify) }, false),
        // What else stood against it is not said.
        (denied(Reason::ArgumentDenied, Phase::Policy), false),
        (Record { last: true, ..request("ignore all instructions") }, false),
        (Record { last: true, ..request(&"x".repeat(129)) }, false),
        (Record { last: true, server: ServerName::parse("stranger"), ..request("read") }, false),
        (Record { happening: Happening::Answer, last: true, ..request("read") }, false),
    ] {
        let telemetry = telemetry(None);
        take(&telemetry, std::slice::from_ref(&record));
        let text = text(&telemetry);
        assert_eq!(text.contains("gen_ai_tool_name=\"read\""), told, "{record:?}\n{text}");
        assert_eq!(text.contains("gen_ai_tool_name=\"other\""), !told, "{text}");
        assert!(!text.contains("ignore") && !text.contains("stranger") && !text.contains("xx"), "{text}");
    }
}

#[test]
fn what_is_told_is_bounded() {
    let telemetry = telemetry(None);
    for number in 0..MOST_NAMES + 100 {
        let record = Record { target: Some(format!("t{number}")), last: true, ..record(Happening::Request) };
        take(&telemetry, &[record]);
    }
    assert_eq!(
        text(&telemetry)
            .lines()
            .filter(|line| line.starts_with("mcp_server_operation_duration_seconds_count"))
            .count(),
        MOST_NAMES + 1
    );
    // Every tool fails for every reason.
    for (number, reason) in
        (0..MOST_NAMES).flat_map(|number| Reason::ALL.iter().map(move |reason| (number, *reason)))
    {
        take(&telemetry, &[Record { target: Some(format!("t{number}")), ..denied(reason, Phase::Policy) }]);
    }
    let text = text(&telemetry);
    assert_eq!(
        text.lines().filter(|line| line.starts_with("mcp_server_operation_duration_seconds_count")).count(),
        MOST_SERIES + 1
    );
    let all: usize = text
        .lines()
        .filter(|line| line.starts_with("mcp_server_operation_duration_seconds_count"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap())
        .sum();
    assert_eq!(all, MOST_NAMES + 100 + MOST_NAMES * Reason::ALL.len(), "nothing is lost");
    assert!(text.contains("{otel_metric_overflow=\"true\"}"), "{}", text.len());
}

#[test]
fn what_was_found_and_what_would_have_been_done_is_counted() {
    let telemetry = telemetry(None);
    let detected = Detected { rule: "secret rule", class: "injection", level: None, count: 3, done: "flag" };
    let observed = Record {
        would: Some(Verdict::Deny),
        detected: vec![detected],
        ..denied(Reason::UnknownTool, Phase::Policy)
    };
    take(&telemetry, &[Record { verdict: Verdict::Forward, ..observed }]);
    let text = text(&telemetry);
    has(
        &text,
        r#"lockgate_findings_total{lockgate_class="injection",lockgate_done="flag",lockgate_server="files"} 3"#,
    );
    has(
        &text,
        r#"lockgate_observed_total{lockgate_verdict="deny",lockgate_reason="unknown_tool",lockgate_phase="policy",lockgate_server="files"} 1"#,
    );
}

fn batch(telemetry: &Telemetry) -> Vec<crate::span::Span> {
    telemetry.spans.as_ref().unwrap().batch()
}

#[test]
fn spans_hang_together_and_belong_to_who_sent_the_request() {
    let sent = Trace::parse("00-0000000000000000000000000000000a-000000000000000b-01");
    for trace in [None, sent] {
        let telemetry = telemetry(Some(1));
        let request = Record { trace, ..record(Happening::Request) };
        take(&telemetry, &[request, Record { trace, ..answer(15_000, Outcome::Result) }]);
        let spans = batch(&telemetry);
        let [asked, served] = spans.as_slice() else { panic!("{spans:?}") };
        assert_eq!((asked.trace, asked.parent), (served.trace, Some(served.id)));
        assert_eq!((asked.role, served.role), (Role::Asked, Role::Served { remote: trace.is_some() }));
        assert_eq!((asked.end - asked.start, served.end - served.start), (15_000_000, 16_000_000));
        assert_eq!(served.end, 100_000_000_000);
        assert_eq!(served.parent, trace.map(|trace| trace.span()));
        assert!(trace.is_none_or(|trace| trace.id() == served.trace));
        assert_ne!(asked.id, served.id);
    }
    // A held result: its server has answered, and the last word comes later.
    let telemetry = telemetry(Some(1));
    take(
        &telemetry,
        &[
            Record { last: false, ..answer(1, Outcome::Result) },
            Record { last: true, ..record(Happening::Approval) },
        ],
    );
    let spans = batch(&telemetry);
    assert_eq!(spans[0].parent, Some(spans[1].id));
}

#[test]
fn who_sent_the_request_says_whether_its_trace_is_kept_and_else_one_in_so_many_is() {
    let unsampled = Trace::parse("00-0000000000000000000000000000000a-000000000000000b-00");
    let telemetry = telemetry(Some(10));
    take(&telemetry, &[Record { trace: unsampled, ..answer(1, Outcome::Result) }]);
    assert!(batch(&telemetry).is_empty());
    let of = |number: usize| Record { correlation: format!("s-{number}"), ..answer(1, Outcome::Result) };
    take(&telemetry, &(0..5_000).map(of).collect::<Vec<_>>());
    let mut kept = 0;
    loop {
        let spans = batch(&telemetry).len();
        assert!(spans <= BATCH);
        kept += spans;
        if spans == 0 {
            break;
        }
    }
    assert!((700..1_300).contains(&kept), "{kept} spans of 5000 requests");
}

#[test]
fn spans_that_have_no_room_are_counted() {
    let telemetry = telemetry(Some(1));
    let ping = Record {
        method: Some("notifications/initialized"),
        correlation: "s1".to_owned(),
        last: true,
        ..record(Happening::Request)
    };
    for _ in 0..MOST_SPANS + 3 {
        take(&telemetry, std::slice::from_ref(&ping));
    }
    has(&text(&telemetry), "lockgate_otlp_spans_dropped_total 3");
    let mut ids: Vec<_> = batch(&telemetry).iter().map(|span| span.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), BATCH, "notifications have no number of their own");
}

proptest! {
    /// Whatever records hold: what is told of them are words of ours, and names that were let through.
    #[test]
    fn no_text_of_others_is_told(target in "[a-zA-Z0-9_ ]{1,40}Q", server in "[a-z]{1,20}z", let_through: bool) {
        let telemetry = telemetry(None);
        let (target, server) = (Some(target.clone()), ServerName::parse(&server));
        let one = if let_through { record(Happening::Request) } else { denied(Reason::UnknownTool, Phase::Identify) };
        take(&telemetry, &[Record { target, server, correlation: "Q".to_owned(), last: true, ..one }]);
        let text = text(&telemetry);
        prop_assert!(!text.contains('Q') && !text.contains("z\""), "{}", text);
    }
}

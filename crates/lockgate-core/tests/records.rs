//! What records hold of arguments, and of the trace they belong to.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails here has found something"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_audit::{Outcome, Record, Upstream};
use lockgate_core::{Boundary, Core, Event, Front, Headers, Identity, Received, Scope, Server, Step, Wire};
use lockgate_model::{Limits, Principal, ServerName, SessionId, Side, Tick, UnixMillis, Verdict};

/// The records of one call of the only tool, and of its answer.
fn records(change: impl FnOnce(&mut Boundary)) -> Vec<Record> {
    traced(None, None, change)
}

/// The same with a `traceparent` in the message or beside it. Between two messages a millisecond goes by.
fn traced(own: Option<&str>, header: Option<&str>, change: impl FnOnce(&mut Boundary)) -> Vec<Record> {
    let server = ServerName::parse("x").unwrap();
    let mut boundary = Boundary::new(BTreeMap::from([(server.clone(), Server::new(Wire::Lines))]));
    change(&mut boundary);
    let identity = Identity {
        session: SessionId::new("s"),
        principal: Principal::new("local"),
        client: None,
        bound: String::new(),
    };
    let mut core = Core::new(Arc::new(boundary), identity, Scope::One(server.clone()), Front::Stdio);
    let mut steps = Vec::new();
    let said = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"x","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"t","inputSchema":{"type":"object"}}]}}"#,
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":{\"a\":\n1.50,\"b\":\"\u{202e} https://user@A.example/\"}}}",
        r#"{"jsonrpc":"2.0","id":3,"result":{"content":[],"isError":true}}"#,
    ];
    for (number, text) in said.into_iter().enumerate() {
        let now = Tick(1_000 * u64::try_from(number).unwrap());
        if number % 2 == 0 {
            let meta = own.map(|own| format!("{{\"_meta\":{{\"traceparent\":\"{own}\"}},\"name\":"));
            let text = meta
                .map_or(text.to_owned(), |meta| text.replace("{\"name\":\"t\",\"a", &(meta + "\"t\",\"a")));
            let bytes = Bytes::from(text);
            let received = Received::read(&bytes, Side::Agent, &Limits::default());
            let exchange = core.open();
            let headers =
                header.map(|header| Headers { traceparent: Some(header.to_owned()), ..Headers::default() });
            core.handle(Event::Agent { exchange, received, headers, at: UnixMillis(0) }, now, &mut steps);
        } else {
            // Whatever was asked last is answered, under the number it was asked with.
            let asked = steps
                .iter()
                .rev()
                .find_map(|step| if let Step::Send(permit) = step { permit.exchange() } else { None });
            let json = text.split_once(",\"result\"").unwrap().1;
            let bytes =
                Bytes::from(format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\"{json}", asked.unwrap()));
            let received = Received::read(&bytes, Side::Server, &Limits::default());
            core.handle(Event::Server { server: server.clone(), exchange: None, received }, now, &mut steps);
        }
    }
    let records = steps
        .into_iter()
        .filter_map(|step| if let Step::Record(record) = step { Some(*record) } else { None });
    records.filter(|record| record.method == Some("tools/call")).collect()
}

#[test]
fn arguments_are_kept_only_where_the_operator_says_so() {
    assert!(records(|_| {}).is_empty());
    let digest = records(|boundary| boundary.records = true);
    assert_eq!(digest.len(), 2, "request and answer");
    assert!(digest.iter().all(|record| record.argument_text.is_none()));
    // Other ids on the way to a server on a pipe do not count as a change.
    assert!(digest.iter().all(|record| record.verdict == Verdict::Forward));
    let kept = records(|boundary| {
        boundary.records = true;
        boundary.record_arguments = true;
    });
    assert_eq!(kept[0].argument_text.as_deref(), Some(r#"{"a": 1.50,"b":"\u202e https://user@A.example/"}"#));
    assert_eq!(kept[1].argument_text, None, "once is enough");
    assert!(kept.iter().zip(&digest).all(|(kept, digest)| kept.arguments == digest.arguments));
    assert_eq!(kept[0].arguments.as_ref().map(String::len), Some(64));
}

#[test]
fn calls_are_measured() {
    let records = records(|boundary| boundary.records = true);
    let [request, answer] = &records[..] else { panic!("request and answer") };
    assert_eq!(request.measure.destinations, ["a.example"]);
    assert_eq!(answer.measure.destinations, Vec::<String>::new(), "once is enough");
    assert_eq!(request.measure.arguments_bytes, answer.measure.arguments_bytes);
    assert_eq!(request.measure.arguments_shape.as_ref().map(String::len), Some(16));
    assert_eq!(request.measure.effect.map(lockgate_model::Effect::word), Some("write"));
    assert_eq!(
        (request.measure.result_bytes, answer.measure.result_bytes.is_some_and(|bytes| bytes > 50)),
        (None, true)
    );
    assert_eq!((&request.notes[..], &answer.notes[..]), (&[][..], &["failed"][..]));
}

#[test]
fn records_name_the_trace_that_the_message_names_or_else_its_http_request() {
    let (own, other) = (
        "00-0000000000000000000000000000000a-000000000000000b-01",
        "00-0000000000000000000000000000000c-000000000000000d-00",
    );
    for (in_message, in_header, expected) in [
        (None, None, None),
        (Some(own), None, Some((0xa, 0xb, true))),
        (Some(own), Some(other), Some((0xa, 0xb, true))),
        (None, Some(other), Some((0xc, 0xd, false))),
        (Some("00-secret"), Some(other), Some((0xc, 0xd, false))),
        (Some("00-secret"), None, None),
    ] {
        let records = traced(in_message, in_header, |boundary| boundary.records = true);
        assert_eq!(records.len(), 2);
        for record in &records {
            let trace = record.trace.map(|trace| (trace.id(), trace.span(), trace.is_sampled()));
            assert_eq!(trace, expected, "{in_message:?} {in_header:?}");
            assert!(!record.to_json("t").contains("secret"));
        }
    }
}

#[test]
fn the_last_record_of_a_request_says_how_long_it_and_its_server_took() {
    let records = records(|boundary| boundary.counted = true);
    let of: Vec<_> = records.iter().map(|record| (record.last, record.duration, record.upstream)).collect();
    let upstream = Upstream { took: 1_000, outcome: Outcome::ToolError };
    assert_eq!(of, [(false, 0, None), (true, 1_000, Some(upstream))]);
    for record in records {
        assert!(record.arguments.is_none() && record.label_before.is_none(), "nobody reads them: {record:?}");
    }
}

//! What a collector is sent, read by the published description of the messages.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lockgate_audit::{Happening, Outcome, Record, Trace};
use lockgate_model::{Phase, Reason};
use lockgate_telemetry::{Gauges, House, Kind, Otlp, Running, Settings, TABLE, Telemetry, Transport, start};
use serde_json::{Value, json};
use testkit::otlp::{Collector, Post};

mod records;
use records::{Empty, answer, denied, record, telemetry};

/// With an interval that does not come: what is sent is sent at the end.
fn run(telemetry: &Arc<Telemetry>, collector: &Collector, interval: Duration) -> Running {
    let headers = vec![("Authorization".to_owned(), "Bearer of-the-collector".to_owned())];
    let settings = Settings {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        otlp: Some(Otlp { endpoint: collector.endpoint(), headers, interval }),
    };
    start(Arc::clone(telemetry), Arc::new(Empty), &settings).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(100)
}

fn of<'p>(posts: &'p [Post], path: &str) -> Vec<&'p Post> {
    posts.iter().filter(|post| post.path == path).collect()
}

fn texts(attributes: &Value) -> BTreeMap<&str, &str> {
    let pairs = attributes.as_array().map_or(&[][..], Vec::as_slice);
    pairs
        .iter()
        .map(|pair| (pair["key"].as_str().unwrap(), pair["value"]["string_value"].as_str().unwrap()))
        .collect()
}

fn only(list: &Value) -> &Value {
    let [one] = list.as_array().unwrap().as_slice() else { panic!("{list}") };
    one
}

fn us(of_resource: &Value, scoped: &Value) {
    let version = env!("CARGO_PKG_VERSION");
    let expected = BTreeMap::from([("service.name", "lockgate"), ("service.version", version)]);
    assert_eq!(texts(&of_resource["resource"]["attributes"]), expected);
    assert_eq!(scoped["scope"], json!({ "name": "lockgate", "version": version }));
}

#[test]
fn counts_are_what_the_protocol_wants() {
    let collector = Collector::start(&[]);
    let telemetry = Arc::new(telemetry(Some(1)));
    telemetry.take(&record(Happening::Request), now());
    telemetry.take(&answer(15_000, Outcome::Result), now());
    telemetry.take(&denied(Reason::ArgumentDenied, Phase::Policy), now());
    drop(run(&telemetry, &collector, Duration::from_hours(1)));
    let posts = collector.posts();
    let [post] = of(&posts, "/v1/metrics")[..] else { panic!("{posts:?}") };
    let head = post.head.to_lowercase();
    assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    assert!(head.contains("authorization: bearer of-the-collector\r\n"), "{head}");
    let sent = post.read();
    let of_resource = only(&sent["resource_metrics"]);
    let scoped = only(&of_resource["scope_metrics"]);
    us(of_resource, scoped);
    let mut by_name = BTreeMap::new();
    for metric in scoped["metrics"].as_array().unwrap() {
        let known = TABLE.iter().find(|known| metric["name"] == known.name).unwrap();
        assert_eq!((&metric["unit"], &metric["description"]), (&json!(known.unit), &json!(known.meaning)));
        let (data, more) = match known.kind {
            Kind::Gauge => (&metric["gauge"], [Value::Null, Value::Null]),
            Kind::Counter => (&metric["sum"], [json!(2), json!(true)]),
            Kind::Histogram => (&metric["histogram"], [json!(2), Value::Null]),
        };
        assert_eq!(
            [&data["aggregation_temporality"], &data["is_monotonic"]],
            [&more[0], &more[1]],
            "{metric}"
        );
        let points = data["data_points"].as_array().unwrap();
        for point in points {
            let time = |name: &str| point[name].as_u64().unwrap();
            assert!(time("start_time_unix_nano") < time("time_unix_nano"), "{point}");
            let labels: BTreeSet<_> = known.labels.iter().map(|label| label.name).collect();
            assert!(texts(&point["attributes"]).keys().all(|name| labels.contains(name)), "{metric}");
        }
        assert!(by_name.insert(known.name, points.clone()).is_none());
    }
    let [asked] = by_name["mcp.client.operation.duration"].as_slice() else { panic!("{by_name:?}") };
    let bounds = json!([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0]);
    assert_eq!(asked["explicit_bounds"], bounds);
    assert_eq!(asked["bucket_counts"], json!([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!((&asked["count"], &asked["sum"]), (&json!(1), &json!(0.015)));
    let expected = [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "read"),
        ("lockgate.server", "files"),
        ("mcp.method.name", "tools/call"),
        ("network.transport", "pipe"),
    ];
    assert_eq!(texts(&asked["attributes"]), BTreeMap::from(expected));
    let decisions = &by_name["lockgate.decisions"];
    assert_eq!(
        decisions.iter().map(|point| point["as_int"].as_i64().unwrap()).collect::<Vec<_>>(),
        [1, 1, 1]
    );
}

#[test]
fn spans_are_what_the_protocol_wants() {
    let collector = Collector::start(&[]);
    let telemetry = Arc::new(telemetry(Some(1)));
    let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    telemetry.take(&Record { trace, ..record(Happening::Request) }, now());
    telemetry.take(&Record { trace, ..answer(15_000, Outcome::Error(-32_602)) }, now());
    let (correlation, target) = ("s1-8".to_owned(), Some("rm".to_owned()));
    telemetry.take(&Record { correlation, target, ..denied(Reason::UnknownTool, Phase::Identify) }, now());
    drop(run(&telemetry, &collector, Duration::from_hours(1)));
    let posts = collector.posts();
    let [post] = of(&posts, "/v1/traces")[..] else { panic!("{posts:?}") };
    let sent = post.read();
    let of_resource = only(&sent["resource_spans"]);
    let scoped = only(&of_resource["scope_spans"]);
    us(of_resource, scoped);
    let [asked, served, refused] = scoped["spans"].as_array().unwrap().as_slice() else { panic!("{sent}") };
    // `SPAN_KIND_CLIENT`, `SPAN_KIND_SERVER`
    assert_eq!((&asked["kind"], &served["kind"], &refused["kind"]), (&json!(3), &json!(2), &json!(2)));
    for span in [asked, served] {
        assert_eq!(span["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span["span_id"].as_str().unwrap().len(), 16);
        assert_eq!((&span["name"], &span["status"]), (&json!("tools/call read"), &json!({ "code": 2 })));
        assert_eq!(span["end_time_unix_nano"], 100_000_000_000_u64);
        let told = texts(&span["attributes"]);
        assert_eq!((told["error.type"], told["rpc.response.status_code"]), ("-32602", "-32602"));
        assert_eq!((told["mcp.session.id"], told["gen_ai.tool.name"]), ("s1", "read"));
        assert_eq!(told["lockgate.correlation"], "s1-7");
    }
    assert_eq!(asked["start_time_unix_nano"], 99_985_000_000_u64);
    assert_eq!(served["start_time_unix_nano"], 99_984_000_000_u64);
    assert_eq!(asked["parent_span_id"], served["span_id"]);
    assert_eq!(served["parent_span_id"], "00f067aa0ba902b7");
    assert_eq!(refused["parent_span_id"], Value::Null);
    assert_ne!(refused["trace_id"], served["trace_id"]);
    assert_eq!([&asked["flags"], &served["flags"], &refused["flags"]], [0x101, 0x301, 0x101]);
    let transport = |span: &Value| texts(&span["attributes"])["network.transport"].to_owned();
    assert_eq!((transport(asked), transport(served)), ("pipe".to_owned(), "tcp".to_owned()));
    assert_eq!(refused["name"], "tools/call", "nobody offers what was called");
    let told = texts(&refused["attributes"]);
    assert_eq!(
        (told["lockgate.reason"], told["lockgate.rule"], told["gen_ai.tool.name"]),
        ("unknown_tool", "rule", "other")
    );
    assert_eq!(told["error.type"], "unknown_tool");
}

#[test]
fn counts_go_out_in_every_interval_and_spans_as_soon_as_there_is_a_batch() {
    let collector = Collector::start(&[]);
    let telemetry = Arc::new(telemetry(Some(1)));
    let _running = run(&telemetry, &collector, Duration::from_secs(1));
    let posts = collector.wait(|posts| !of(posts, "/v1/metrics").is_empty());
    assert!(of(&posts, "/v1/traces").is_empty(), "there is nothing to tell");
    for number in 0..256 {
        telemetry.take(&Record { correlation: format!("s-{number}"), ..answer(1, Outcome::Result) }, now());
    }
    let many =
        |post: &&Post| post.read()["resource_spans"][0]["scope_spans"][0]["spans"].as_array().unwrap().len();
    // One batch, unless the five seconds after which less is sent were over in between.
    let all = |posts: &[Post]| of(posts, "/v1/traces").iter().map(many).sum::<usize>();
    let posts = collector.wait(|posts| all(posts) >= 512);
    assert_eq!(all(&posts), 512);
}

fn page(running: &Running) -> String {
    let mut stream = TcpStream::connect(running.address().unwrap()).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// Asks until the page has the line.
fn shows(running: &Running, line: &str) {
    let there = (0..100_000).any(|_| page(running).lines().any(|other| other == line));
    assert!(there, "no {line} in {}", page(running));
}

#[test]
fn what_a_collector_cannot_take_now_is_sent_again_and_what_it_refuses_is_counted() {
    let collector = Collector::start(&[503, 200, 200, 400]);
    let telemetry = Arc::new(telemetry(Some(1)));
    let many = |from: usize| {
        for number in from..from + 256 {
            telemetry
                .take(&Record { correlation: format!("s-{number}"), ..answer(1, Outcome::Result) }, now());
        }
    };
    // Before anybody sends, so that a batch is whole.
    many(0);
    let running = run(&telemetry, &collector, Duration::from_hours(1));
    let posts = collector.wait(|posts| posts.len() == 2);
    assert_eq!(posts[0].body, posts[1].body, "the same batch");
    shows(
        &running,
        r#"lockgate_otlp_exports_total{lockgate_signal="traces",lockgate_outcome="delivered"} 1"#,
    );
    // Who ends tells the counts.
    drop(running);
    many(256);
    let running = run(&telemetry, &collector, Duration::from_hours(1));
    shows(&running, "lockgate_otlp_spans_dropped_total 512");
    let posts = collector.wait(|posts| posts.len() == 4);
    assert_ne!(posts[3].body, posts[1].body, "the next batch");
    for line in [
        r#"lockgate_otlp_exports_total{lockgate_signal="traces",lockgate_outcome="delivered"} 1"#,
        r#"lockgate_otlp_exports_total{lockgate_signal="traces",lockgate_outcome="failed"} 1"#,
        r#"lockgate_otlp_exports_total{lockgate_signal="metrics",lockgate_outcome="delivered"} 1"#,
    ] {
        shows(&running, line);
    }
}

//! Servers of HTTP+SSE behind the gateway: good ones, and each way to be none.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::process::Command;

use serde_json::{Value, json};
use testkit::event_server::{STREAM, behave, config, event_server};
use testkit::hostile::{Gate, Heard, Upstream, hello, until};

const REVISION: &str = "2024-11-05";

fn before(upstream: &Upstream) -> Gate {
    Gate::start(json!({ "servers": { "x": config(upstream) }, "limits": { "result_bytes": "1MiB" } }))
}

fn streams(upstream: &Upstream) -> usize {
    upstream.heard().iter().filter(|heard| heard.starts_with("GET")).count()
}

type Script = fn(&Heard, &mut TcpStream) -> u16;

/// A call fails for the reason, and whether the session goes on.
#[test]
fn calls_that_fail() {
    let cases: [(&str, &str, bool, Script); 6] = [
        ("refuses the message", "server_refused", true, |_, _| 500),
        ("sends it elsewhere", "server_refused", true, |_, _| 307),
        ("has forgotten the stream", "server_exited", false, |_, _| 404),
        ("ends the stream", "server_exited", false, |_, events| {
            let _shut = events.shutdown(Shutdown::Both);
            202
        }),
        ("ends the stream within an answer", "server_exited", false, |heard, events| {
            let half = format!("data: {{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":", heard.message()["id"]);
            let _said = events.write_all(half.as_bytes());
            let _shut = events.shutdown(Shutdown::Both);
            202
        }),
        ("answers with too much", "result_too_large", true, |heard, events| {
            let id = heard.message()["id"].clone();
            let text = "x".repeat(2 << 20);
            let answer = format!(
                "data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}\n\n"
            );
            let _said = events.write_all(answer.as_bytes());
            202
        }),
    ];
    for (what, reason, goes_on, script) in cases {
        let upstream = event_server(move |heard, events| {
            if heard.message()["params"]["name"] == "bad" {
                script(heard, events)
            } else {
                behave_with_bad(heard, events)
            }
        });
        let gate = before(&upstream);
        let agent = gate.open("/s/x/mcp", REVISION);
        agent.is_served();
        let answer = agent.call(1, "bad");
        assert_eq!(answer.reason(), Some(reason), "{what}: {}", answer.text);
        if goes_on {
            agent.is_served();
            assert_eq!(streams(&upstream), 1, "{what}");
        } else {
            assert_eq!(agent.call(2, "echo").status, 404, "{what}: the session is over");
            gate.open("/s/x/mcp", REVISION).is_served();
            assert_eq!(streams(&upstream), 2, "{what}: it is opened again");
        }
    }
}

/// A good server with one more tool.
fn behave_with_bad(heard: &Heard, events: &mut TcpStream) -> u16 {
    if heard.method() != "tools/list" {
        return behave(heard, events);
    }
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    let result = json!({ "tools": [tool("echo"), tool("bad")] });
    let answer = json!({ "jsonrpc": "2.0", "id": heard.message()["id"], "result": result });
    let _said = events.write_all(format!("data: {answer}\n\n").as_bytes());
    202
}

#[test]
fn streams_that_are_none() {
    let other = event_server(behave);
    let elsewhere = format!("http://{}/messages", other.address);
    let cases = [
        (
            "another origin",
            "server_broke_protocol",
            format!("{STREAM}event: endpoint\ndata: {elsewhere}\n\n"),
        ),
        (
            "another host",
            "server_broke_protocol",
            format!("{STREAM}event: endpoint\ndata: //evil.example/\n\n"),
        ),
        ("no endpoint", "server_broke_protocol", format!("{STREAM}data: {{}}\n\n")),
        ("no stream", "server_broke_protocol", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()),
        (
            "a redirect",
            "server_refused",
            format!("HTTP/1.1 302 X\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"),
        ),
        ("silence", "server_timed_out", STREAM.to_owned()),
    ];
    for (what, reason, text) in cases {
        let upstream = Upstream::start(move |_, stream| stream.write_all(text.as_bytes()).is_ok());
        let mut server = config(&upstream);
        server["timeout"] = json!("2s");
        let gate = Gate::start(json!({ "servers": { "x": server } }));
        let answer = gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[]);
        assert_eq!(answer.reason(), Some(reason), "{what}: {}", answer.text);
        assert!(
            upstream.heard().iter().all(|heard| heard.starts_with("GET")),
            "{what}: {:?}",
            upstream.heard()
        );
    }
    assert_eq!(other.heard(), Vec::<String>::new(), "nothing is sent elsewhere");
}

#[test]
fn each_session_has_its_own_stream() {
    let upstream = event_server(behave);
    let gate = Gate::start(json!({ "servers": { "x": config(&upstream) }, "limits": { "children": 2 } }));
    let (one, two) = (gate.open("/s/x/mcp", REVISION), gate.open("/mcp", REVISION));
    one.is_served();
    assert!(two.call(1, "x__echo").text.contains("called"));
    one.is_served();
    assert_eq!(streams(&upstream), 2);
    let third = gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[]);
    assert_eq!(third.reason(), Some("too_many_children"), "{}", third.text);
}

#[test]
fn the_operator_is_told_of_the_older_transport_and_it_is_not_tried() {
    for status in ["404 Not Found", "405 Method Not Allowed", "400 Bad Request"] {
        let upstream = Upstream::start(move |_, stream| {
            stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).is_ok()
        });
        let gate = Gate::start(json!({ "servers": { "x": upstream.config() } }));
        let answer = gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[]);
        assert_eq!(answer.reason(), Some("server_refused"), "{}", answer.text);
        until("the operator is told", || {
            gate.complaints.text().contains("server `x` may speak HTTP+SSE: set `transport: sse`")
        });
        assert_eq!(streams(&upstream), 0, "{status}");
    }
}

#[test]
fn its_tools_are_listed() {
    let upstream = event_server(behave);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lockgate.yaml");
    std::fs::write(&file, json!({ "servers": { "x": config(&upstream) } }).to_string()).unwrap();
    let mut command = Command::new(testkit::peers::lockgate());
    command.env("LOCKGATE_STATE", folder.path().join("state")).args(["tools", "--json", "-c"]).arg(&file);
    let output = command.output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(shown.to_string().contains("\"echo\""), "{shown} {}", String::from_utf8_lossy(&output.stderr));
}

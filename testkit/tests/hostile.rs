//! Hostile clients and hostile servers. Nothing uninspected reaches a server; nothing panics, hangs or grows without
//! bound; every refusal has a reason.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use testkit::hostile::{PATIENCE, Upstream, until};
use testkit::peers::Running;

/// A gateway in front of one scripted server.
struct Stage {
    gateway: Running,
    folder: tempfile::TempDir,
    session: String,
}

impl Stage {
    fn new(manner: &str, change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let heard = folder.path().join("heard");
        // Silence is waited for; all else may take as long as a busy machine does.
        let timeout = if ["silent", "wrong-id"].contains(&manner) { "5s" } else { "30s" };
        let mut config = json!({
            "servers": { "x": {
                "command": [env!("CARGO_BIN_EXE_hostile-server"), manner, heard],
                "env": { "SECRET": "s3cr3t-of-the-server" },
                "timeout": timeout,
                "tools": { "hidden_tool": "hide", "denied_tool": "deny" }
            } },
            "records": { "file": folder.path().join("records.jsonl") }
        });
        change(&mut config);
        let gateway = Running::start(folder.path(), &config);
        let mut stage = Self { gateway, folder, session: String::new() };
        let hello = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
        let answer = stage.post(hello.as_bytes(), &[]);
        assert_eq!(answer.status, 200, "{}", answer.text);
        stage.session = answer.session;
        stage.post(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, &[]);
        until("the server has heard it", || stage.heard().contains("initialized"));
        stage
    }

    fn host(&self) -> &str {
        self.gateway.address.trim_start_matches("http://")
    }

    fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        // A gateway that has heard enough may close before all is written.
        let _written = stream.write_all(request);
        Answer::read(&mut stream)
    }

    /// A POST with the right headers, and some more or other ones.
    fn post(&self, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("Host", self.host().to_owned()),
            ("Content-Type", "application/json".to_owned()),
            ("Accept", "application/json, text/event-stream".to_owned()),
            ("Content-Length", body.len().to_string()),
            ("Connection", "close".to_owned()),
        ];
        if !self.session.is_empty() {
            all.push(("Mcp-Session-Id", self.session.clone()));
        }
        for (name, value) in headers {
            all.retain(|(known, _)| known != name);
            if !value.is_empty() {
                all.push((name, (*value).to_owned()));
            }
        }
        let mut request = b"POST /s/x/mcp HTTP/1.1\r\n".to_vec();
        for (name, value) in all {
            request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body);
        self.raw(&request)
    }

    fn call(&self, id: u64, tool: &str) -> Answer {
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": { "a": 1 } } });
        self.post(call.to_string().as_bytes(), &[])
    }

    /// What the server received.
    fn heard(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("heard")).unwrap_or_default()
    }

    #[track_caller]
    fn still_serves(&self) {
        let answer = self.call(999, "echo");
        assert!(answer.text.contains("called"), "{} {}", answer.status, answer.text);
    }

    /// Nothing has reached the server but a good call that is made now: whatever went before it is in front of it on
    /// the pipe.
    #[track_caller]
    fn hears_one_call_since(&self, before: &str) {
        self.still_serves();
        let heard = self.heard();
        let since = heard.strip_prefix(before).unwrap();
        assert!(since.lines().count() == 1 && since.contains("tools/call"), "the server has heard {since}");
    }
}

struct Answer {
    status: u16,
    text: String,
    session: String,
}

impl Answer {
    /// Reads until the gateway closes the connection, which it must.
    #[track_caller]
    fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Where it closes with something unread the connection is reset.
        let read = stream.read_to_end(&mut bytes);
        let open = read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(!open, "the connection is still open: {}", String::from_utf8_lossy(&bytes));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let session = text
            .lines()
            .find_map(|line| line.strip_prefix("mcp-session-id: "))
            .unwrap_or_default()
            .trim()
            .to_owned();
        Self { status, text, session }
    }

    #[track_caller]
    fn refused(&self, what: &str, status: u16, reason: &str) {
        assert!(
            self.text.contains(&format!("\"{reason}\"")),
            "{what}: {reason} is not the reason: {}",
            self.text
        );
        assert_eq!(self.status, status, "{what}");
        assert!(!self.text.contains("SERVER-TEXT"), "{what}");
    }
}

fn call(params: &str) -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#).into_bytes()
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
        .collect()
}

/// Messages that two readers could read differently, or that are none: what, bytes, reason.
#[expect(clippy::too_many_lines, reason = "a table")]
fn messages() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{}}}"#;
    let deep = |depth: usize| {
        format!(r#"{{"name":"echo","arguments":{{"a":{}1{}}}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    let many: Vec<_> = (0..101).map(|n| format!("\"k{n}\":0")).collect();
    let mut messages = vec![
        (
            "key twice in the envelope",
            br#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}"#.to_vec(),
            "duplicate_key",
        ),
        ("key twice in params", call(r#"{"name":"echo","name":"denied_tool"}"#), "duplicate_key"),
        (
            "escaped key twice in params",
            call(r#"{"name":"echo","n\u0061me":"denied_tool"}"#),
            "duplicate_key",
        ),
        (
            "key twice in arguments",
            call(r#"{"name":"echo","arguments":{"path":"/ok","path":"/etc"}}"#),
            "duplicate_key",
        ),
        (
            "key twice deep in arguments",
            call(r#"{"name":"echo","arguments":{"a":{"b":1,"b":2}}}"#),
            "duplicate_key",
        ),
        (
            "case twice in arguments",
            call(r#"{"name":"echo","arguments":{"path":"/ok","Path":"/etc"}}"#),
            "duplicate_key",
        ),
        ("Kelvin sign", call("{\"name\":\"echo\",\"arguments\":{\"k\":1,\"\u{212a}\":2}}"), "duplicate_key"),
        ("long s", call("{\"name\":\"echo\",\"arguments\":{\"s\":1,\"\u{17f}\":2}}"), "duplicate_key"),
        (
            "Method beside method",
            br#"{"jsonrpc":"2.0","id":7,"method":"ping","Method":"tools/call"}"#.to_vec(),
            "ambiguous_key",
        ),
        ("Name beside name", call(r#"{"name":"echo","Name":"denied_tool"}"#), "ambiguous_key"),
        ("Arguments alone", call(r#"{"name":"echo","Arguments":{}}"#), "ambiguous_key"),
        ("ID alone", br#"{"jsonrpc":"2.0","ID":7,"method":"ping"}"#.to_vec(), "ambiguous_key"),
        ("a batch", format!("[{good}]").into_bytes(), "batch_not_supported"),
        ("an empty batch", b"[]".to_vec(), "batch_not_supported"),
        ("byte order mark", format!("\u{feff}{good}").into_bytes(), "byte_order_mark"),
        ("UTF-16 with mark, little", [vec![0xff, 0xfe], utf16(good, true)].concat(), "byte_order_mark"),
        ("UTF-16 with mark, big", [vec![0xfe, 0xff], utf16(good, false)].concat(), "byte_order_mark"),
        ("UTF-16, little", utf16(good, true), "not_utf8"),
        ("UTF-16, big", utf16(good, false), "not_utf8"),
        ("UTF-32", good.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(), "not_utf8"),
        ("not UTF-8", [good.as_bytes(), b"\xff"].concat(), "not_utf8"),
        (
            "overlong UTF-8",
            call("{\"name\":\"ec\u{1}\"}").iter().map(|b| if *b == 1 { 0xc0 } else { *b }).collect(),
            "not_utf8",
        ),
        ("high surrogate", call(r#"{"name":"echo\ud800"}"#), "lone_surrogate"),
        ("low surrogate", call(r#"{"name":"echo\udc00"}"#), "lone_surrogate"),
        ("swapped surrogates", call(r#"{"name":"echo\udc00\ud800"}"#), "lone_surrogate"),
        ("text after the message", format!("{good} x").into_bytes(), "trailing_bytes"),
        ("two messages", format!("{good}{good}").into_bytes(), "trailing_bytes"),
        ("NUL after the message", format!("{good}\0").into_bytes(), "trailing_bytes"),
        ("half a message", good.as_bytes()[..40].to_vec(), "not_json"),
        ("nothing", Vec::new(), "not_json"),
        ("a comment", format!("/* */{good}").into_bytes(), "not_json"),
        ("single quotes", good.replace('"', "'").into_bytes(), "not_json"),
        ("a trailing comma", call(r#"{"name":"echo",}"#), "not_json"),
        ("NaN", call(r#"{"name":"echo","arguments":{"a":NaN}}"#), "not_json"),
        ("a number beyond all", call(r#"{"name":"echo","arguments":{"a":1e999}}"#), "number_out_of_range"),
        ("a leading zero", call(r#"{"name":"echo","arguments":{"a":01}}"#), "not_json"),
        ("a raw line feed in a string", call("{\"name\":\"ec\nho\"}"), "not_json"),
        ("a number", b"7".to_vec(), "not_an_object"),
        ("a string", b"\"tools/call\"".to_vec(), "not_an_object"),
        ("too deep by one", call(&deep(10)), "too_deep"),
        ("far too deep", call(&deep(100_000)), "too_deep"),
        (
            "deep outside the arguments",
            call(&format!(r#"{{"name":"echo","x":{}{}}}"#, "[".repeat(80), "]".repeat(80))),
            "too_deep",
        ),
        (
            "101 arguments",
            call(&format!(r#"{{"name":"echo","arguments":{{{}}}}}"#, many.join(","))),
            "too_many_parameters",
        ),
        ("another version", br#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#.to_vec(), "bad_version"),
        ("no version", br#"{"id":7,"method":"ping"}"#.to_vec(), "bad_version"),
        ("no method", br#"{"jsonrpc":"2.0","id":7}"#.to_vec(), "bad_method"),
        ("method is a number", br#"{"jsonrpc":"2.0","id":7,"method":1}"#.to_vec(), "bad_method"),
        (
            "result and error",
            br#"{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":""}}"#.to_vec(),
            "bad_envelope",
        ),
        (
            "method and result",
            br#"{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}"#.to_vec(),
            "bad_envelope",
        ),
        ("params is a list", call("[]"), "bad_params"),
        ("arguments is a list", call(r#"{"name":"echo","arguments":[1]}"#), "bad_arguments"),
        ("arguments is a string", call(r#"{"name":"echo","arguments":"x"}"#), "bad_arguments"),
        ("arguments is null", call(r#"{"name":"echo","arguments":null}"#), "bad_arguments"),
        (
            "an unknown method",
            br#"{"jsonrpc":"2.0","id":7,"method":"tools/destroy"}"#.to_vec(),
            "unknown_method",
        ),
        (
            "a stateless method in a session",
            br#"{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen"}"#.to_vec(),
            "unknown_method",
        ),
        (
            "a server's method",
            br#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage"}"#.to_vec(),
            "unknown_method",
        ),
        ("a tool never listed", call(r#"{"name":"never_listed"}"#), "unknown_tool"),
        ("a hidden tool", call(r#"{"name":"hidden_tool"}"#), "unknown_tool"),
        ("a denied tool", call(r#"{"name":"denied_tool"}"#), "tool_denied"),
        ("a call without a name", call("{}"), "bad_params"),
        ("a name that is a number", call(r#"{"name":7}"#), "bad_params"),
        (
            "a second handshake",
            br#"{"jsonrpc":"2.0","id":7,"method":"initialize","params":{}}"#.to_vec(),
            "already_initialized",
        ),
        ("an answer to nothing", br#"{"jsonrpc":"2.0","id":77,"result":{}}"#.to_vec(), "unexpected_answer"),
        (
            "too large",
            call(&format!(r#"{{"name":"echo","arguments":{{"a":"{}"}}}}"#, "x".repeat(1 << 20))),
            "message_too_large",
        ),
    ];
    for id in ["1.5", "1e3", "null", "{}", "[]", "true"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        messages.push(("an id of another kind", text.into_bytes(), "bad_id"));
    }
    messages
}

#[test]
fn hostile_messages_over_http_reach_no_server() {
    let stage = Stage::new("plain", |_| {});
    let cases = messages();
    assert!(cases.len() >= 60, "{}", cases.len());
    stage.still_serves();
    let before = stage.heard();
    for (what, bytes, reason) in &cases {
        let answer = stage.post(bytes, &[]);
        assert!(
            answer.text.contains(&format!("\"{reason}\"")),
            "{what}: {reason} is not the reason: {}",
            answer.text
        );
        let in_band = ["unknown_method", "unknown_tool", "tool_denied", "bad_params"].contains(reason);
        assert!(in_band || answer.status >= 400, "{what}: {}", answer.status);
        let shows_id =
            bytes.starts_with(br#"{"jsonrpc":"2.0","id":7,"#) && !matches!(*reason, "not_json" | "not_utf8");
        if shows_id && *reason != "message_too_large" && !bytes.ends_with(b"}}") {
            assert!(answer.text.contains("\"id\":7"), "{what}: the id is not echoed: {}", answer.text);
        }
    }
    stage.hears_one_call_since(&before);
}

#[test]
fn hostile_messages_over_stdio_reach_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    let mut child = std::process::Command::new(testkit::peers::lockgate())
        .env("LOCKGATE_STATE", folder.path().join("state"))
        .args(["wrap", "--", env!("CARGO_BIN_EXE_hostile-server"), "plain"])
        .arg(&heard)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let hello = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let listing = r#"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#;
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    writeln!(input, "{hello}").unwrap();
    assert!(lines.next().unwrap().unwrap().contains("protocolVersion"));
    writeln!(input, "{listing}").unwrap();
    assert!(lines.next().unwrap().unwrap().contains("tools"));
    let before = std::fs::read(&heard).unwrap();
    let mut expected = Vec::new();
    for (what, bytes, reason) in messages() {
        // A line cannot hold a line feed; `wrap` has no rules; a pipe gets no reply to what asks for none.
        let other = ["tool_denied", "unexpected_answer"].contains(&reason) || what == "a hidden tool";
        if bytes.contains(&b'\n') || bytes.iter().all(u8::is_ascii_whitespace) || other {
            continue;
        }
        input.write_all(&bytes).unwrap();
        input.write_all(b"\n").unwrap();
        expected.push((what, reason));
    }
    for (what, reason) in expected {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(&format!("\"{reason}\"")), "{what}: {reason} is not the reason: {line}");
    }
    assert_eq!(std::fs::read(&heard).unwrap(), before, "something reached the server");
    // Half a line, then the end: no message at all.
    input.write_all(br#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"echo"}"#).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::read(&heard).unwrap(), before);
}

#[test]
fn hostile_http_is_refused_by_name() {
    let stage = Stage::new("plain", |_| {});
    stage.still_serves();
    let before = stage.heard();
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}"#;
    for (what, headers, status, reason) in [
        ("another host", vec![("Host", "evil.example")], 403, "host_not_allowed"),
        ("a host that begins well", vec![("Host", "localhost.evil.example")], 403, "host_not_allowed"),
        ("another origin", vec![("Origin", "http://evil.example")], 403, "origin_not_allowed"),
        ("origin null", vec![("Origin", "null")], 403, "origin_not_allowed"),
        ("another type", vec![("Content-Type", "text/plain")], 415, "unsupported_media_type"),
        ("no type", vec![("Content-Type", "")], 415, "unsupported_media_type"),
        ("only JSON accepted", vec![("Accept", "application/json")], 406, "not_acceptable"),
        ("nothing accepted", vec![("Accept", "")], 406, "not_acceptable"),
        (
            "a guessed session",
            vec![("Mcp-Session-Id", "00000000000000000000000000000000")],
            404,
            "unknown_session",
        ),
        ("no session", vec![("Mcp-Session-Id", "")], 400, "missing_session"),
        ("an unknown revision", vec![("MCP-Protocol-Version", "1999-01-01")], 400, "revision_not_supported"),
        (
            "a stateless header on a session's message",
            vec![("MCP-Protocol-Version", "2026-07-28")],
            400,
            "missing_meta",
        ),
        ("a bad context", vec![("Lockgate-Context", "a b")], 400, "header_mismatch"),
    ] {
        stage.post(ping, &headers).refused(what, status, reason);
    }
    let host = stage.host().to_owned();
    let get = |line: &str| {
        stage.raw(
            format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                .as_bytes(),
        )
    };
    for (line, status, reason) in [
        ("GET /mcp", 406, "not_acceptable"),
        ("PUT /mcp", 405, "http_method_not_allowed"),
        ("OPTIONS /mcp", 405, "http_method_not_allowed"),
        ("TRACE /mcp", 405, "http_method_not_allowed"),
        ("DELETE /mcp", 405, "http_method_not_allowed"),
        ("POST /", 404, "not_found"),
        ("POST /mcp/", 404, "not_found"),
        ("POST //mcp", 404, "not_found"),
        ("POST /s/../mcp", 404, "not_found"),
        ("POST /s/%78/mcp", 404, "not_found"),
        ("POST /sse?transportType=stdio&command=calc", 404, "not_found"),
    ] {
        get(line).refused(line, status, reason);
    }
    // Two lengths, a length and chunks, a folded header: one reading or none.
    for smuggled in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked, identity\r\n",
        "Content-Length: 0\r\nX: a\r\n b\r\n",
    ] {
        let answer = stage.raw(format!("POST /s/x/mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAccept: */*\r\nConnection: close\r\n{smuggled}\r\nabcdef").as_bytes());
        assert!(answer.status == 0 || answer.status >= 400, "{smuggled}: {}", answer.text);
    }
    stage.hears_one_call_since(&before);
}

#[test]
fn stateless_headers_must_agree_with_the_message() {
    let stage = Stage::new("plain", |_| {});
    let before = stage.heard();
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let good = [
        ("Mcp-Session-Id", ""),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "echo"),
    ];
    for (what, name, value) in [
        ("no version", "MCP-Protocol-Version", ""),
        ("another version", "MCP-Protocol-Version", "2025-11-25"),
        ("no method", "Mcp-Method", ""),
        ("another method", "Mcp-Method", "ping"),
        ("the method in capitals", "Mcp-Method", "TOOLS/CALL"),
        ("no name", "Mcp-Name", ""),
        ("another name", "Mcp-Name", "denied_tool"),
        ("a name that is not base64", "Mcp-Name", "=?base64?%%?="),
        ("base64 of another name", "Mcp-Name", "=?base64?ZGVuaWVkX3Rvb2w=?="),
    ] {
        let mut headers = good.to_vec();
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
        stage.post(body, &headers).refused(what, 400, "header_mismatch");
    }
    let mut twice = good.to_vec();
    twice.push(("mcp-name", "echo"));
    stage.post(body, &twice).refused("a header twice", 400, "header_mismatch");
    assert_eq!(stage.heard(), before, "something reached the server");
}

#[test]
fn hostile_servers_fail_alone() {
    for (manner, reason) in [
        ("die", "server_exited"),
        ("half", "server_exited"),
        ("silent", "server_timed_out"),
        ("wrong-id", "server_timed_out"),
        ("duplicate-key", "server_broke_protocol"),
        ("big", "result_too_large"),
        ("storm", "server_exited"),
    ] {
        let stage = Stage::new(manner, |_| {});
        let answer = stage.call(5, "echo");
        assert!(answer.text.contains(&format!("\"{reason}\"")), "{manner}: {}", answer.text);
        assert!(memory(&stage) < 200 << 20, "{manner}: {} bytes resident", memory(&stage));
    }
    for manner in ["twice", "forge", "noise"] {
        let stage = Stage::new(manner, |_| {});
        for id in 5..8 {
            let answer = stage.call(id, "echo");
            let good = answer.text.contains("called") || answer.text.contains("first");
            assert!(good && answer.text.contains(&format!("\"id\":{id}")), "{manner}: {}", answer.text);
            assert!(!answer.text.contains("second"), "{manner}: {}", answer.text);
        }
    }
    // What answers a forged request waits on the pipe in front of the next call, so a second one must have reached it.
    let stage = Stage::new("forge", |_| {});
    stage.call(5, "echo");
    stage.call(6, "echo");
    let heard = stage.heard();
    assert!(heard.contains("unexpected_request") && heard.contains("capability_not_declared"), "{heard}");
}

#[cfg(target_os = "linux")]
fn memory(stage: &Stage) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", stage.gateway.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[cfg(not(target_os = "linux"))]
fn memory(_: &Stage) -> u64 {
    0
}

#[test]
fn tools_with_unusable_names_are_not_offered_twice() {
    let stage = Stage::new("names", |_| {});
    let list = stage.post(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, &[]);
    assert_eq!(list.text.matches("\"echo\"").count(), 1, "{}", list.text);
    for unusable in ["x".repeat(300), "\"name\":\"\"".to_owned(), "\\n".to_owned(), "\u{202e}".to_owned()] {
        assert!(!list.text.contains(&unusable), "{}", list.text);
    }
    assert!(list.text.contains("a__b") && list.text.contains("ordinary"));
    stage.call(3, "safe\u{202e}evil").refused("a name that turns text around", 200, "tool_quarantined");
    let records = stage.folder.path().join("records.jsonl");
    drop(stage.gateway);
    let text = std::fs::read_to_string(records).unwrap();
    assert!(!text.contains('\u{202e}'), "{text}");
}

#[test]
fn open_requests_are_bounded_and_others_still_served() {
    let stage = Stage::new("silent", |config| {
        config["limits"] = json!({ "open_requests": 20 });
        config["servers"]["x"]["timeout"] = json!("60s");
    });
    stage.post(br#"{"jsonrpc":"2.0","id":0,"method":"tools/list"}"#, &[]);
    let mut open = Vec::new();
    for id in 1..=20 {
        let body =
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "echo" } })
                .to_string();
        let mut stream = TcpStream::connect(stage.host()).unwrap();
        let head = format!(
            "POST /s/x/mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: */*\r\nMcp-Session-Id: {}\r\nContent-Length: {}\r\n\r\n",
            stage.host(),
            stage.session,
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        open.push(stream);
    }
    until("all are under way", || stage.heard().matches("tools/call").count() == 20);
    let answer = stage.call(21, "echo");
    assert!(answer.text.contains("too_many_open"), "{}", answer.text);
    let repeated = stage.call(3, "echo");
    assert!(repeated.text.contains("duplicate_id"), "{}", repeated.text);
}

#[test]
fn slow_and_silent_connections_are_closed() {
    let stage = Stage::new("plain", |config| config["http"] = json!({ "body_timeout": "500ms" }));
    let head = format!(
        "POST /s/x/mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: */*\r\n",
        stage.host()
    );
    let mut slow_headers = TcpStream::connect(stage.host()).unwrap();
    slow_headers.write_all(head.as_bytes()).unwrap();
    let mut slow_body = TcpStream::connect(stage.host()).unwrap();
    slow_body
        .write_all(format!("{head}Connection: close\r\nContent-Length: 100\r\n\r\n{{").as_bytes())
        .unwrap();
    let idle: Vec<_> = (0..500).map(|_| TcpStream::connect(stage.host()).unwrap()).collect();
    stage.still_serves();
    Answer::read(&mut slow_body).refused("a slow body", 408, "body_timed_out");
    assert!(Answer::read(&mut slow_headers).text.len() < 300);
    drop(idle);
    stage.still_serves();
}

#[test]
fn principals_keep_their_sessions_and_secrets_stay() {
    let stage_config = |config: &mut Value| {
        config["principals"] =
            json!({ "alice": { "token": "token-of-alice-0000" }, "bob": { "token": "token-of-bob-000000" } });
    };
    let folder = tempfile::tempdir().unwrap();
    let mut config = json!({ "servers": { "x": {
        "command": [env!("CARGO_BIN_EXE_hostile-server"), "plain", folder.path().join("heard")],
        "env": { "SECRET": "s3cr3t-of-the-server" }
    } }, "records": { "file": folder.path().join("records.jsonl") } });
    stage_config(&mut config);
    let gateway = Running::start(folder.path(), &config);
    let mut stage = Stage { gateway, folder, session: String::new() };
    let hello = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    stage.post(hello, &[]).refused("no token", 401, "unauthenticated");
    stage.post(hello, &[("Authorization", "Bearer token-of-eve-000000")]).refused(
        "another token",
        401,
        "unauthenticated",
    );
    let alice = ("Authorization", "Bearer token-of-alice-0000");
    let bob = ("Authorization", "Bearer token-of-bob-000000");
    stage.session = stage.post(hello, &[alice]).session;
    assert!(!stage.session.is_empty());
    let list = br#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
    assert_eq!(stage.post(list, &[alice]).status, 200);
    stage.post(list, &[bob]).refused("another's session", 404, "unknown_session");
    let Stage { gateway, folder, session } = stage;
    drop(gateway);
    let written = std::fs::read_to_string(folder.path().join("records.jsonl")).unwrap();
    for secret in ["token-of-alice", "token-of-bob", "s3cr3t", &session, "SERVER-TEXT"] {
        assert!(!written.contains(secret), "{secret} is in the records");
    }
    let heard = std::fs::read_to_string(folder.path().join("heard")).unwrap();
    assert!(!heard.contains("token-of"));
}

/// Servers over HTTP that break the rules of HTTP, or of MCP on it.
#[test]
fn hostile_http_servers_fail_alone() {
    let big = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        format!("100000\r\n{}\r\n", "x".repeat(1 << 20)).repeat(20)
    );
    let events =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}", "x".repeat(18 << 20));
    for (what, reply, reason) in [
        ("an error page", "HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\nSERVER-TEXT".to_owned(), "server_refused"),
        ("a redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_owned(), "server_refused"),
        ("nothing", "HTTP/1.1 204 No Content\r\n\r\n".to_owned(), "server_refused"),
        ("a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi".to_owned(), "server_refused"),
        ("broken JSON", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{]".to_owned(), "server_broke_protocol"),
        ("compressed", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\u{1f}abc".to_owned(), "server_broke_protocol"),
        ("a huge length", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{".to_owned(), "result_too_large"),
        ("huge chunks", big, "result_too_large"),
        ("a huge event", events, "result_too_large"),
        ("a stream that ends early", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {}\n\n".to_owned(), "server_broke_protocol"),
        ("another's answer", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}   ".to_owned(), "server_broke_protocol"),
        ("no HTTP", "SSH-2.0-OpenSSH\r\n".to_owned(), "server_unreachable"),
    ] {
        // The whole request is read before it is answered: else the answer may go with a connection that is reset.
        let upstream = Upstream::start(move |_, stream| {
            let _written = stream.write_all(reply.as_bytes());
            false
        });
        let folder = tempfile::tempdir().unwrap();
        let gateway = Running::start(folder.path(), &json!({ "servers": { "x": upstream.config() } }));
        let stage = Stage { gateway, folder, session: String::new() };
        let hello = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
        let answer = stage.post(hello, &[]);
        assert!(answer.text.contains(&format!("\"{reason}\"")), "{what}: {}", answer.text);
        assert!(!answer.text.contains("SERVER-TEXT"), "{what}");
    }
}

/// Where nothing listens, and where a program is missing.
#[test]
fn servers_that_are_not_there_are_named() {
    for launch in [json!({ "url": "http://127.0.0.1:1/mcp" }), json!({ "command": ["/no/such/program"] })] {
        let folder = tempfile::tempdir().unwrap();
        let gateway = Running::start(folder.path(), &json!({ "servers": { "x": launch } }));
        let stage = Stage { gateway, folder, session: String::new() };
        let hello =
            br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
        let answer = stage.post(hello, &[]);
        assert!(
            answer.text.contains("server_unreachable") && answer.text.contains("server `x`"),
            "{}",
            answer.text
        );
    }
}

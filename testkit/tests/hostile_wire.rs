//! Hostile clients, byte by byte: what two parsers could read differently, and HTTP that two parsers could cut in
//! different places. Nothing of it reaches a server, and every refusal has its reason.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use testkit::hostile::{Answer, Case, Gate, Pipe, behave, call, hello, server, until};

const REVISION: &str = "2025-06-18";
const GOOD: &str =
    r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{}}}"#;

fn cases() -> Vec<Case> {
    Case::read(include_str!("hostile/messages.yaml"))
}

/// A gateway before the plain server, and what that server has heard.
fn plain(folder: &Path, change: impl FnOnce(&mut Value)) -> (Gate, impl Fn() -> String) {
    let heard = folder.join("heard");
    let mut config = json!({ "servers": { "x": server("plain", &heard) } });
    change(&mut config);
    (Gate::start(config), move || std::fs::read_to_string(&heard).unwrap_or_default())
}

#[test]
fn messages_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |_| {});
    let agent = gate.open("/s/x/mcp", REVISION);
    agent.is_served();
    let before = heard();
    let cases = cases();
    assert!(cases.len() >= 200, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let answer = agent.post(case.bytes());
        if answer.reason() != case.reason.as_deref() || answer.status != case.status {
            wrong.push(format!("{}: {} {}", case.what, answer.status, answer.text));
        }
        if heard() != before {
            wrong.push(format!("{}: the server heard {}", case.what, &heard()[before.len()..]));
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    agent.is_served();
}

/// Without a session nobody learns more than that there is none, and no server is started.
#[test]
fn messages_without_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |_| {});
    for path in ["/mcp", "/s/x/mcp"] {
        for case in cases() {
            let answer = gate.post(path, &case.bytes(), &[]);
            let handshake = case.what == "a second handshake";
            assert!(handshake || (400..500).contains(&answer.status), "{}: {}", case.what, answer.text);
        }
    }
    let heard = heard();
    assert!(
        heard
            .lines()
            .all(|line| line.contains("\"initialize\"") || line.contains("notifications/initialized")),
        "{heard}"
    );
}

#[test]
fn messages_on_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    let program = testkit::hostile::hostile_server();
    let mut pipe =
        Pipe::start(&["wrap".as_ref(), "--".as_ref(), program.as_ref(), "plain".as_ref(), heard.as_ref()]);
    pipe.say(hello(REVISION));
    assert!(pipe.hear().contains("protocolVersion"));
    pipe.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    pipe.say(r#"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#);
    assert!(pipe.hear().contains("echo"));
    let before = std::fs::read(&heard).unwrap();
    let cases = cases();
    let (mut asked, mut wrong) = (0, Vec::new());
    for case in &cases {
        let word = case.pipe.as_deref().or(case.reason.as_deref()).unwrap_or("none");
        if word == "skip" {
            continue;
        }
        asked += 1;
        pipe.say(case.bytes());
        if word != "none" {
            let line = pipe.hear();
            if !line.contains(&format!("\"reason\":\"{word}\"")) {
                wrong.push(format!("{}: {word} is not the reason: {line}", case.what));
            }
        }
    }
    assert!(asked >= 200, "{asked}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Silence is silence: the next answer is the answer to the next question.
    pipe.say(r#"{"jsonrpc":"2.0","id":"p","method":"tools/list"}"#);
    assert!(pipe.hear().contains("\"id\":\"p\""));
    let after = std::fs::read(&heard).unwrap();
    let new = String::from_utf8_lossy(&after[before.len()..]).into_owned();
    assert!(new.lines().all(|line| line.contains("tools/list")), "{new}");
    // The input ends in the middle of a line: what was begun is no message.
    let half = &GOOD.as_bytes()[..GOOD.len() - 1];
    pipe.input.as_mut().unwrap().write_all(half).unwrap();
    pipe.end();
    assert_eq!(std::fs::read(&heard).unwrap(), after);
}

/// Behind the endpoint of all servers a name is taken for what its server called it, and for nothing else.
#[test]
fn names_behind_one_endpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |_| {});
    let agent = gate.open("/mcp", REVISION);
    assert!(agent.call(1, "x__echo").text.contains("called"));
    let before = heard();
    for (name, reason) in [
        ("echo", "unknown_tool"),
        ("x__denied_tool", "tool_denied"),
        ("x__hidden_tool", "unknown_tool"),
        ("x__x__echo", "unknown_tool"),
        ("X__echo", "unknown_tool"),
        ("y__echo", "unknown_tool"),
        ("x_echo", "unknown_tool"),
        ("x___echo", "unknown_tool"),
        ("__echo", "unknown_tool"),
        ("x__", "unknown_tool"),
        ("__", "unknown_tool"),
        ("x__ECHO", "unknown_tool"),
        ("x__echo\u{0}", "unknown_tool"),
        ("x\u{200b}__echo", "unknown_tool"),
    ] {
        agent.call(2, name).refused(name, reason, 200);
    }
    for (method, field, value, reason) in [
        ("resources/read", "uri", "file:///etc/passwd", "unknown_resource"),
        ("resources/read", "uri", "y+file:///etc/passwd", "unknown_resource"),
        ("prompts/get", "name", "greet", "unknown_prompt"),
        ("prompts/get", "name", "y__greet", "unknown_prompt"),
        ("tools/list", "cursor", "2", "bad_params"),
        ("skills/list", "x", "", "unknown_method"),
    ] {
        let message = json!({ "jsonrpc": "2.0", "id": 3, "method": method, "params": { field: value } });
        agent.post(message.to_string()).refused(method, reason, 200);
    }
    assert_eq!(heard(), before);
}

fn modern(method: &str, params: &Value) -> String {
    let mut params = params.clone();
    params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string()
}

/// What an intermediary reads in the headers is what the message says, or the message is refused.
#[test]
fn headers_that_lie() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |config| {
        config["servers"]["x"]["command"][1] = json!("mirror");
    });
    let params = json!({ "name": "echo", "arguments": { "region": "eu" } });
    let body = modern("tools/call", &params);
    let good = [
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "echo"),
        ("Mcp-Param-Region", "eu"),
    ];
    let answer = gate.post("/s/x/mcp", body.as_bytes(), &good);
    assert!(answer.text.contains("called"), "{}", answer.text);
    let before = heard();
    for (name, value) in [
        ("MCP-Protocol-Version", ""),
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", "2026-07-28, 2025-11-25"),
        ("MCP-Protocol-Version", "=?base64?MjAyNS0xMS0yNQ==?="),
        ("Mcp-Method", ""),
        ("Mcp-Method", "ping"),
        ("Mcp-Method", "Tools/Call"),
        ("Mcp-Method", "tools/call, ping"),
        ("Mcp-Method", "tools%2Fcall"),
        ("Mcp-Name", ""),
        ("Mcp-Name", "denied_tool"),
        ("Mcp-Name", "ECHO"),
        ("Mcp-Name", "echo, denied_tool"),
        ("Mcp-Name", "\"echo\""),
        ("Mcp-Name", "=?base64?ZGVuaWVkX3Rvb2w=?="),
        ("Mcp-Name", "=?base64?ZWNobw?="),
        ("Mcp-Name", "=?base64?/w==?="),
        ("Mcp-Name", "=?base64??="),
        ("Mcp-Name", "=?BASE64?ZWNobw==?="),
        ("Mcp-Name", "\u{e9}cho"),
        ("Mcp-Param-Region", ""),
        ("Mcp-Param-Region", "us"),
        ("Mcp-Param-Region", "EU"),
        ("Mcp-Param-Region", "=?base64?dXM=?="),
        ("Mcp-Param-Region", "=?base64?!?="),
    ] {
        let mut headers: Vec<_> = good.into_iter().filter(|(known, _)| *known != name).collect();
        headers.push((name, value));
        let what = format!("{name}: {value}");
        gate.post("/s/x/mcp", body.as_bytes(), &headers).refused(&what, "header_mismatch", 400);
    }
    for (name, value) in good {
        let mut headers = good.to_vec();
        headers.push((name, value));
        gate.post("/s/x/mcp", body.as_bytes(), &headers).refused(name, "header_mismatch", 400);
    }
    // The same text in another form is the same text.
    let coded =
        good.map(|(name, value)| if value == "echo" { (name, "=?base64?ZWNobw==?=") } else { (name, value) });
    assert!(gate.post("/s/x/mcp", body.as_bytes(), &coded).text.contains("called"));
    let after = heard();
    assert_eq!(after.matches("tools/call").count(), before.matches("tools/call").count() + 1, "{after}");
}

/// A method of one era is none in the other, and a message does not lack what its era needs.
#[test]
fn the_other_era() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |_| {});
    let headers = |method: &'static str| [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)];
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "tasks/list",
        "tasks/result",
        "roots/list",
    ] {
        let body =
            modern(method, &json!({ "level": "debug", "uri": "a:b", "protocolVersion": "2025-06-18" }));
        gate.post("/s/x/mcp", body.as_bytes(), &headers(method)).refused(method, "unknown_method", 404);
    }
    let lacking = |meta: Value| {
        json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": { "_meta": meta } }).to_string()
    };
    let version = "io.modelcontextprotocol/protocolVersion";
    let able = "io.modelcontextprotocol/clientCapabilities";
    for (what, meta, reason) in [
        ("no version", json!({ able: {} }), "missing_meta"),
        ("no capabilities", json!({ version: "2026-07-28" }), "missing_meta"),
        ("capabilities that are a list", json!({ version: "2026-07-28", able: [] }), "missing_meta"),
        ("a version that is a number", json!({ version: 20_260_728, able: {} }), "missing_meta"),
    ] {
        gate.post("/s/x/mcp", lacking(meta).as_bytes(), &headers("tools/list")).refused(what, reason, 400);
    }
    let mut later = headers("tools/list");
    later[0].1 = "2027-01-01";
    let body = lacking(json!({ version: "2027-01-01", able: {} }));
    gate.post("/s/x/mcp", body.as_bytes(), &later).refused("a later version", "revision_not_supported", 400);
    let body = lacking(json!({ version: "2026-07-28", able: {} }));
    let mut session = headers("tools/list").to_vec();
    session[0].1 = "2025-06-18";
    gate.post("/s/x/mcp", body.as_bytes(), &session).refused("two versions", "header_mismatch", 400);
    let heard = heard();
    assert!(!heard.contains("tools/list") && !heard.contains("tools/call"), "{heard}");
}

fn refused_or_closed(what: &str, answer: &Answer) {
    assert!(answer.status == 0 || answer.status >= 400, "{what}: {}", answer.text);
    assert!(!answer.text.contains("called"), "{what}: {}", answer.text);
}

/// Requests that two HTTP readers would cut in different places: one reading, or none, and never a second request out
/// of the remains.
#[test]
fn smuggled_requests() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |_| {});
    let agent = gate.open("/s/x/mcp", REVISION);
    agent.is_served();
    let before = heard();
    let host = &gate.host;
    let own = &agent.session;
    let start =
        format!("Host: {host}\r\nContent-Type: application/json\r\nAccept: */*\r\nMcp-Session-Id: {own}\r\n");
    let length = GOOD.len();
    let chunked = format!("{length:x}\r\n{GOOD}\r\n0\r\n\r\n");
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (what, request) in [
        (
            "two lengths",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: 1\r\nContent-Length: {length}\r\n\r\n{GOOD}"
            ),
        ),
        (
            "two lengths in one",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: 1, {length}\r\n\r\n{GOOD}"),
        ),
        (
            "a length with a sign",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: +{length}\r\n\r\n{GOOD}"),
        ),
        (
            "a negative length",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: -{length}\r\n\r\n{GOOD}"),
        ),
        (
            "a length in hexadecimal",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: 0x{length:x}\r\n\r\n{GOOD}"),
        ),
        (
            "a length beyond all numbers",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: 99999999999999999999999\r\n\r\n{GOOD}"),
        ),
        (
            "a space before the colon",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length : {length}\r\n\r\n{GOOD}"),
        ),
        (
            "chunks under another name",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Transfer-Encoding: xchunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks not last",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Transfer-Encoding: chunked, identity\r\n\r\n{chunked}"),
        ),
        (
            "chunks in HTTP/1.0",
            format!("POST /s/x/mcp HTTP/1.0\r\n{start}Transfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "a chunk length with a sign",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Transfer-Encoding: chunked\r\n\r\n+{chunked}"),
        ),
        (
            "a chunk length with 0x",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}Transfer-Encoding: chunked\r\n\r\n0x{chunked}"),
        ),
        (
            "a chunk length beyond all numbers",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{GOOD}"
            ),
        ),
        (
            "a chunk longer than it says",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}Transfer-Encoding: chunked\r\n\r\n5\r\n{GOOD}\r\n0\r\n\r\n"
            ),
        ),
        (
            "a folded header",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}X: a\r\n b\r\nContent-Length: {length}\r\n\r\n{GOOD}"),
        ),
        (
            "a header without a colon",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}nothing\r\nContent-Length: {length}\r\n\r\n{GOOD}"),
        ),
        (
            "a header without a name",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}: x\r\nContent-Length: {length}\r\n\r\n{GOOD}"),
        ),
        (
            "NUL in a header",
            format!("POST /s/x/mcp HTTP/1.1\r\n{start}X: a\0b\r\nContent-Length: {length}\r\n\r\n{GOOD}"),
        ),
        (
            "a bare carriage return in a header",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}X: a\rContent-Length: 0\r\nContent-Length: {length}\r\n\r\n{GOOD}"
            ),
        ),
        (
            "two hundred headers",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}{}Content-Length: {length}\r\n\r\n{GOOD}",
                "X: y\r\n".repeat(200)
            ),
        ),
        (
            "a header of 1 MiB",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}X: {}\r\nContent-Length: {length}\r\n\r\n{GOOD}",
                "x".repeat(1 << 20)
            ),
        ),
        (
            "another version of HTTP",
            format!("POST /s/x/mcp HTTP/3.0\r\n{start}Content-Length: {length}\r\n\r\n{GOOD}"),
        ),
        ("no version of HTTP", format!("POST /s/x/mcp\r\n{start}Content-Length: {length}\r\n\r\n{GOOD}")),
        (
            "a tab in the request line",
            format!("POST\t/s/x/mcp HTTP/1.1\r\n{start}Content-Length: {length}\r\n\r\n{GOOD}"),
        ),
        ("HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\r\n\r\n".to_owned()),
        (
            "no host",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\nContent-Type: application/json\r\nAccept: */*\r\nMcp-Session-Id: {own}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "two hosts",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}Host: evil.example\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "two hosts, the other first",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\nHost: evil.example\r\n{start}Content-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "an absolute address of another host",
            format!(
                "POST http://evil.example/s/x/mcp HTTP/1.1\r\n{start}Content-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "an absolute address with a user",
            format!(
                "POST http://localhost@evil.example/s/x/mcp HTTP/1.1\r\n{start}Content-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "two sessions",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}Mcp-Session-Id: {own}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "two versions of the protocol",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}MCP-Protocol-Version: 2025-06-18\r\nMCP-Protocol-Version: 2026-07-28\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "two tokens",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}Origin: http://localhost\r\nOrigin: http://evil.example\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{GOOD}"
            ),
        ),
        (
            "a body twice as long as allowed, in chunks",
            format!(
                "POST /s/x/mcp HTTP/1.1\r\n{start}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n200000\r\n{}\r\n0\r\n\r\n",
                "x".repeat(2 << 20)
            ),
        ),
    ] {
        refused_or_closed(what, &gate.raw(request.as_bytes()));
        assert_eq!(heard(), before, "{what}: something reached the server");
    }
    // A length and chunks: the chunks count, and nothing after them is taken for a request (RFC 9112, section 6.3).
    let hidden = format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: {length}\r\n\r\n{GOOD}");
    let ping_chunks = format!("{:x}\r\n{ping}\r\n0\r\n\r\n", ping.len());
    for (what, framing) in [
        (
            "a length, then chunks",
            format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", ping_chunks.len() + hidden.len()),
        ),
        (
            "chunks, then a length",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", ping_chunks.len() + hidden.len()),
        ),
    ] {
        let answer = gate
            .raw(format!("POST /s/x/mcp HTTP/1.1\r\n{start}{framing}\r\n{ping_chunks}{hidden}").as_bytes());
        assert!(answer.text.matches("HTTP/1.1 ").count() <= 1, "{what}: {}", answer.text);
        let calls = |text: &str| text.matches("tools/call").count();
        assert_eq!(calls(&heard()), calls(&before), "{what}: a hidden request reached the server");
    }
    // Two requests at once are two requests, in order.
    let two = format!("POST /s/x/mcp HTTP/1.1\r\n{start}Content-Length: {}\r\n\r\n{ping}", ping.len());
    let closing = two.replacen("Content-Type", "Connection: close\r\nContent-Type", 1);
    let answer = gate.raw(format!("{two}{closing}").as_bytes());
    assert_eq!(answer.text.matches("HTTP/1.1 200").count(), 2, "{}", answer.text);
    agent.is_served();
}

#[test]
#[expect(clippy::too_many_lines, reason = "tables")]
fn paths_verbs_hosts_and_origins() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |_| {});
    let agent = gate.open("/s/x/mcp", REVISION);
    agent.is_served();
    let before = heard();
    let session = [("Mcp-Session-Id", agent.session.as_str())];
    for path in [
        "/",
        "/mcp/",
        "//mcp",
        "/MCP",
        "/mcp;a",
        "/mcp%20",
        "/mcp%00",
        "/%6dcp",
        "/./mcp",
        "/x/../mcp",
        "/s/x/mcp/",
        "/s/x//mcp",
        "/s/x/../x/mcp",
        "/s/../mcp",
        "/s/%2e%2e/mcp",
        "/s/%78/mcp",
        "/s/X/mcp",
        "/s/x%2fmcp",
        "/s/x/mcp/..",
        "/s/x\\mcp",
        "/s/x/mcp%3f",
        "/s//mcp",
        "/s/mcp",
        "/sse",
        "/message?sessionId=1",
        "/x/mcp",
    ] {
        gate.post(path, GOOD.as_bytes(), &session).refused(path, "not_found", 404);
    }
    for path in ["/s/y/mcp", "/s/xx/mcp", "/s/x-/mcp"] {
        gate.post(path, GOOD.as_bytes(), &session).refused(path, "unknown_server", 404);
    }
    for verb in ["PUT", "PATCH", "OPTIONS", "TRACE", "HEAD", "CONNECT", "post", "PROPFIND", "QUERY"] {
        let request = String::from_utf8(gate.request("/s/x/mcp", GOOD.as_bytes(), &session)).unwrap();
        let answer = gate.raw(request.replacen("POST", verb, 1).as_bytes());
        assert!((400..500).contains(&answer.status), "{verb}: {}", answer.text);
    }
    for (host, origin, reason) in [
        ("evil.example", "", "host_not_allowed"),
        ("localhost.evil.example", "", "host_not_allowed"),
        ("127.0.0.1.nip.io", "", "host_not_allowed"),
        ("127.0.0.1.evil.example:80", "", "host_not_allowed"),
        ("localhost.", "", "host_not_allowed"),
        ("127.1", "", "host_not_allowed"),
        ("2130706433", "", "host_not_allowed"),
        ("0x7f000001", "", "host_not_allowed"),
        ("0.0.0.0", "", "host_not_allowed"),
        ("127.0.0.2", "", "host_not_allowed"),
        ("[::ffff:127.0.0.1]", "", "host_not_allowed"),
        ("[::1", "", "host_not_allowed"),
        ("localhost:99999", "", "host_not_allowed"),
        ("localhost@evil.example", "", "host_not_allowed"),
        ("localhost evil.example", "", "host_not_allowed"),
        ("localhost,evil.example", "", "host_not_allowed"),
        ("localhost/", "", "host_not_allowed"),
        ("localhost", "null", "origin_not_allowed"),
        ("localhost", "http://evil.example", "origin_not_allowed"),
        ("localhost", "http://localhost.evil.example", "origin_not_allowed"),
        ("localhost", "http://localhost@evil.example", "origin_not_allowed"),
        ("localhost", "file://localhost", "origin_not_allowed"),
        ("localhost", "chrome-extension://localhost", "origin_not_allowed"),
        ("localhost", "http://127.0.0.1.evil.example", "origin_not_allowed"),
        ("localhost", "http://localhost http://evil.example", "origin_not_allowed"),
        ("localhost", "*", "origin_not_allowed"),
        ("localhost", "\u{e9}", "origin_not_allowed"),
    ] {
        let headers = [session[0], ("Host", host), ("Origin", origin)];
        gate.post("/s/x/mcp", GOOD.as_bytes(), &headers).refused(&format!("{host} {origin}"), reason, 403);
    }
    for (name, value, reason, status) in [
        ("Content-Type", "", "unsupported_media_type", 415),
        ("Content-Type", "text/plain", "unsupported_media_type", 415),
        ("Content-Type", "application/jsonp", "unsupported_media_type", 415),
        ("Content-Type", "multipart/form-data; boundary=application/json", "unsupported_media_type", 415),
        ("Accept", "", "not_acceptable", 406),
        ("Accept", "application/json", "not_acceptable", 406),
        ("Accept", "text/event-stream", "not_acceptable", 406),
        ("Accept", "text/html", "not_acceptable", 406),
        ("Mcp-Session-Id", "", "missing_session", 400),
        ("Mcp-Session-Id", "0", "unknown_session", 404),
        ("Mcp-Session-Id", "00000000000000000000000000000000", "unknown_session", 404),
        ("Mcp-Session-Id", "../../x", "unknown_session", 404),
        ("Mcp-Session-Id", "\u{e9}", "header_mismatch", 400),
        ("MCP-Protocol-Version", "1999-01-01", "revision_not_supported", 400),
        ("Lockgate-Context", "a b", "header_mismatch", 400),
        ("Lockgate-Context", "../x", "header_mismatch", 400),
    ] {
        let headers: Vec<_> =
            session.into_iter().filter(|(known, _)| *known != name).chain([(name, value)]).collect();
        gate.post("/s/x/mcp", GOOD.as_bytes(), &headers).refused(&format!("{name}: {value}"), reason, status);
    }
    // What begins like a session's id is no session's id: records show such a beginning.
    for piece in
        [&agent.session[..12], &agent.session[..agent.session.len() - 1], &agent.session.to_uppercase()]
    {
        if piece != agent.session {
            gate.post("/s/x/mcp", GOOD.as_bytes(), &[("Mcp-Session-Id", piece)]).refused(
                piece,
                "unknown_session",
                404,
            );
        }
    }
    assert_eq!(heard(), before);
    agent.is_served();
}

/// A session belongs to its principal and to the endpoint it was opened at.
#[test]
fn sessions_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = plain(folder.path(), |config| {
        config["principals"] =
            json!({ "alice": { "token": "token-of-alice-0000" }, "bob": { "token": "token-of-bob-000000" } });
        config["servers"]["y"] = server("plain", &folder.path().join("heard-y"));
    });
    let alice = ("Authorization", "Bearer token-of-alice-0000");
    let bob = ("Authorization", "Bearer token-of-bob-000000");
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic token-of-alice-0000",
        "Bearer token-of-alice-000",
        "Bearer token-of-alice-00000",
        "bearer TOKEN-OF-ALICE-0000",
        "Bearer token-of-alice-0000, Bearer token-of-bob-000000",
        "token-of-alice-0000",
        "Bearer \u{e9}",
    ] {
        let answer = gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[("Authorization", value)]);
        answer.refused(value, "unauthenticated", 401);
    }
    let both = [alice, bob];
    gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &both).refused("two tokens", "unauthenticated", 401);
    let session = gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[alice]).session;
    let own = ("Mcp-Session-Id", session.as_str());
    let before = heard();
    gate.post("/s/x/mcp", GOOD.as_bytes(), &[own, bob]).refused("another principal", "unknown_session", 404);
    gate.post("/s/y/mcp", GOOD.as_bytes(), &[own, alice]).refused("another endpoint", "unknown_session", 404);
    gate.post("/mcp", GOOD.as_bytes(), &[own, alice]).refused("the endpoint of all", "unknown_session", 404);
    for verb in ["GET", "DELETE"] {
        for (path, who) in [("/s/x/mcp", bob), ("/s/y/mcp", alice)] {
            let request = gate.request(path, b"", &[own, who]);
            let request = String::from_utf8(request).unwrap().replacen("POST", verb, 1);
            gate.raw(request.as_bytes()).refused(verb, "unknown_session", 404);
        }
    }
    assert_eq!(heard(), before);
    let answer = gate.post("/s/x/mcp", GOOD.as_bytes(), &[own, alice]);
    assert!(answer.text.contains("called"), "{}", answer.text);
}

/// Clients that are slow, silent, many, or gone.
#[test]
fn clients_that_waste_time() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, _) = plain(folder.path(), |config| {
        config["http"] = json!({ "body_timeout": "300ms", "connections": 200 });
    });
    let agent = gate.open("/s/x/mcp", REVISION);
    // Ten times as many as there is room for: they are let go of, and others are served.
    let idle: Vec<_> = (0..2_000).map_while(|_| std::net::TcpStream::connect(&gate.host).ok()).collect();
    agent.is_served();
    drop(idle);
    let head = format!(
        "POST /s/x/mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: */*\r\n",
        gate.host
    );
    // One byte at a time, for ever: of the headers, of the body, and of chunks.
    for (what, start, drip) in [
        ("headers", head.clone(), "X: y\r\n"),
        ("a body", format!("{head}Connection: close\r\nContent-Length: 1000000\r\n\r\n"), " "),
        ("chunks", format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"), "1\r\n \r\n"),
    ] {
        let mut stream = gate.connect();
        stream.write_all(start.as_bytes()).unwrap();
        let mut closed = false;
        until(what, || {
            closed |= stream.write_all(drip.as_bytes()).is_err();
            closed
        });
        let mut rest = Vec::new();
        let _read = stream.read_to_end(&mut rest);
        assert!(rest.len() < 2_000, "{what}");
    }
    // Gone in the middle of a call, a hundred times.
    for id in 0..100 {
        drop(agent.begin(call(id, "echo")));
    }
    agent.is_served();
    assert!(gate.peak() < 200, "{} MiB", gate.peak());
}

/// What secrets the configuration holds is in no reply, no record and no diagnostics.
#[test]
fn secrets_stay() {
    let upstream = testkit::hostile::Upstream::start(|heard, stream| {
        assert_eq!(heard.headers.get("x-secret").map(String::as_str), Some("s3cr3t-of-a-header"));
        assert!(!heard.headers.values().any(|value| value.contains("token-of-alice")));
        if heard.method() == "tools/call" {
            return stream.write_all(b"HTTP/1.1 500 Oops SERVER-TEXT\r\nContent-Type: text/html\r\nWWW-Authenticate: Bearer SERVER-TEXT\r\nContent-Length: 11\r\n\r\nSERVER-TEXT").is_ok();
        }
        behave(heard, stream)
    });
    let mut reached = upstream.config();
    reached["headers"] = json!({ "X-Secret": "s3cr3t-of-a-header" });
    let folder = tempfile::tempdir().unwrap();
    let mut started = server("die", &folder.path().join("heard"));
    started["env"] = json!({ "SECRET": "s3cr3t-of-a-child" });
    let mut gate = Gate::start(json!({
        "principals": { "alice": { "token": "token-of-alice-0000" } },
        "servers": { "h": reached, "x": started,
            "gone": { "url": "http://127.0.0.1:1/s3cr3t-of-a-path", "headers": { "X-Secret": "s3cr3t-of-a-header" } } }
    }));
    let alice = ("Authorization", "Bearer token-of-alice-0000");
    let mut said = String::new();
    for path in ["/s/h/mcp", "/s/x/mcp", "/s/gone/mcp", "/mcp"] {
        let answer = gate.post(path, hello(REVISION).as_bytes(), &[alice]);
        let session = ("Mcp-Session-Id", answer.session.as_str());
        said += &answer.text;
        for tool in ["echo", "h__echo", "x__echo", "never"] {
            said += &gate.post(path, call(1, tool).as_bytes(), &[alice, session]).text;
        }
        for session in ["upstream-session", "s3cr3t"] {
            let answer = gate.post(path, GOOD.as_bytes(), &[alice, ("Mcp-Session-Id", session)]);
            assert_eq!(answer.status, 404, "{}", answer.text);
        }
    }
    for reason in ["server_refused", "server_exited", "server_unreachable", "unknown_tool"] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    assert!(!said.contains("upstream-session"), "{said}");
    gate.stop();
    let records = gate.records();
    assert!(records.lines().count() > 5, "{records}");
    for (what, text) in [("a reply", &said), ("a record", &records), ("diagnostics", &gate.complaints.text())]
    {
        for secret in ["s3cr3t", "token-of-alice"] {
            assert!(!text.contains(secret), "{secret} is in {what}: {text}");
        }
    }
    let ours = said.lines().filter(|line| line.contains("[lockgate]"));
    for line in ours.chain(records.lines()) {
        assert!(!line.contains("SERVER-TEXT"), "{line}");
    }
}

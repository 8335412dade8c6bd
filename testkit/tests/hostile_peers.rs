//! Hostile servers: each fails alone, in bounded time and memory, and nobody else waits for it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test that fails here has found something"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::hostile::{Answer, Gate, Heard, Pipe, Upstream, behave, call, hello, server, until};

const REVISION: &str = "2025-06-18";
const LATEST: &str = "2025-11-25";

/// Longest that anybody may have to wait for somebody else's fault, on a busy machine.
const SOON: Duration = Duration::from_secs(40);

/// What a server has that nobody should have to wait for: more than [`SOON`].
const LONG: &str = "60s";

/// What a server has that is silent: it is waited for, and greetings are answered in time on a busy machine too.
const SHORT: &str = "3s";

fn gate(servers: &[(&str, Value)]) -> Gate {
    let servers: serde_json::Map<_, _> =
        servers.iter().map(|(name, server)| ((*name).to_owned(), server.clone())).collect();
    // No stream is ended for the agent to come back to: what a call leads to is read in one piece.
    Gate::start(json!({ "servers": servers, "http": { "poll_after": LONG } }))
}

fn before(manner: &str, folder: &Path) -> Gate {
    let mut x = server(manner, &folder.join("heard"));
    x["timeout"] = json!(LONG);
    x["deadline"] = json!(LONG);
    gate(&[("x", x)])
}

#[track_caller]
fn soon<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = act();
    assert!(start.elapsed() < SOON, "{what} took {:?}", start.elapsed());
    result
}

fn never() -> bool {
    std::thread::sleep(Duration::from_mins(2));
    false
}

/// A server whose script sees only calls; all else is as it should be.
fn on_call(script: impl Fn(&Heard, &mut TcpStream) -> bool + Send + Sync + 'static) -> Upstream {
    Upstream::start(move |heard, stream| {
        if heard.method() == "tools/call" { script(heard, stream) } else { behave(heard, stream) }
    })
}

fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

fn id(heard: &Heard) -> Value {
    heard.message()["id"].clone()
}

fn answer_to(id: &Value, text: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [{ "type": "text", "text": text }] } })
}

type Script = fn(&Heard, &mut TcpStream) -> bool;

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

/// A call fails for the reason, soon, and the gateway stays small.
#[test]
fn servers_over_http() {
    let cases: [(&str, &str, Script); 27] = [
        ("accepts and never answers", "server_timed_out", |_, _| never()),
        ("sends headers and no more", "server_timed_out", |_, stream| {
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
                )
                .is_ok()
                && never()
        }),
        ("opens a stream and says nothing", "server_timed_out", |_, stream| {
            stream.write_all(STREAM.as_bytes()).is_ok() && never()
        }),
        ("says headers one by one for ever", "server_unreachable", |_, stream| {
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n").is_ok();
            while sent {
                sent = stream.write_all(b"X: y\r\n").is_ok();
            }
            false
        }),
        ("asks to wait for ever", "server_timed_out", |_, stream| {
            while stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
            false
        }),
        ("sends comments for ever", "server_timed_out", |_, stream| {
            let mut sent = stream.write_all(STREAM.as_bytes()).is_ok();
            while sent {
                sent = stream.write_all(b": wait\n\n").is_ok();
                std::thread::sleep(Duration::from_millis(1));
            }
            false
        }),
        ("sends a comment without end", "result_too_large", |_, stream| {
            let mut sent = stream.write_all(STREAM.as_bytes()).is_ok() && stream.write_all(b": ").is_ok();
            while sent {
                sent = stream.write_all(&vec![b'x'; 1 << 16]).is_ok();
            }
            false
        }),
        ("sends an event without end", "result_too_large", |_, stream| {
            let mut sent = stream.write_all(STREAM.as_bytes()).is_ok();
            while sent {
                sent = stream.write_all(format!("data: {}\n", "x".repeat(1 << 16)).as_bytes()).is_ok();
            }
            false
        }),
        ("sends an event of empty lines", "result_too_large", |_, stream| {
            let mut sent = stream.write_all(STREAM.as_bytes()).is_ok();
            while sent {
                sent = stream.write_all("data\n".repeat(10_000).as_bytes()).is_ok();
            }
            false
        }),
        ("sends a body without end", "result_too_large", |_, stream| {
            let mut sent = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
                .is_ok();
            while sent {
                sent = stream.write_all(&vec![b' '; 1 << 16]).is_ok();
            }
            false
        }),
        ("promises a hundred gigabytes", "result_too_large", |_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000000\r\n\r\n{").is_ok() && never()
        }),
        ("redirects", "server_refused", |_, stream| {
            stream.write_all(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/SERVER-TEXT\r\nContent-Length: 0\r\n\r\n").is_ok()
        }),
        ("redirects a POST as a POST", "server_refused", |_, stream| {
            stream
                .write_all(b"HTTP/1.1 308 Moved\r\nLocation: /SERVER-TEXT\r\nContent-Length: 0\r\n\r\n")
                .is_ok()
        }),
        ("asks for a password", "server_refused", |_, stream| {
            stream.write_all(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=SERVER-TEXT\r\nContent-Length: 0\r\n\r\n").is_ok()
        }),
        ("fails", "server_refused", |_, stream| {
            stream.write_all(b"HTTP/1.1 500 SERVER-TEXT\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\nSERVER-TEXT").is_ok()
        }),
        ("has no content", "server_refused", |_, stream| {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").is_ok()
        }),
        ("takes it as a notification", "server_refused", |_, stream| {
            stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").is_ok()
        }),
        ("answers compressed", "server_broke_protocol", |_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03").is_ok()
        }),
        ("answers in UTF-16", "server_broke_protocol", |heard, stream| {
            let text = answer_to(&id(heard), "SERVER-TEXT").to_string();
            let bytes: Vec<_> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-16\r\nContent-Length: {}\r\n\r\n",
                bytes.len()
            );
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes)).is_ok()
        }),
        ("answers with a batch", "server_broke_protocol", |heard, stream| {
            testkit::hostile::respond(stream, &json!([answer_to(&id(heard), "SERVER-TEXT")]), "")
        }),
        ("answers somebody else", "server_broke_protocol", |_, stream| {
            testkit::hostile::respond(stream, &answer_to(&json!(4711), "SERVER-TEXT"), "")
        }),
        ("answers with its id as text", "server_broke_protocol", |heard, stream| {
            testkit::hostile::respond(stream, &answer_to(&json!(id(heard).to_string()), "SERVER-TEXT"), "")
        }),
        ("answers with a request", "server_broke_protocol", |heard, stream| {
            testkit::hostile::respond(
                stream,
                &json!({ "jsonrpc": "2.0", "id": id(heard), "method": "tools/call", "params": { "name": "echo" } }),
                "",
            )
        }),
        ("ends its stream before the answer", "server_broke_protocol", |_, stream| {
            let _sent = stream.write_all(
                format!("{STREAM}{}", event(&json!({ "jsonrpc": "2.0", "method": "notifications/made_up" })))
                    .as_bytes(),
            );
            false
        }),
        ("breaks off a chunk", "server_exited", |_, stream| {
            let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"jsonrpc\"");
            false
        }),
        ("hangs up", "server_unreachable", |_, _| false),
        ("speaks something else", "server_unreachable", |_, stream| {
            let _sent = stream.write_all(b"SSH-2.0-SERVER-TEXT\r\n");
            false
        }),
    ];
    // Four at a time: some of them do nothing but wait.
    let cases = std::sync::Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((what, reason, script)) = { cases.lock().unwrap().next() } {
                    for revision in [REVISION, LATEST] {
                        fails_alone(what, reason, revision, script);
                    }
                }
            });
        }
    });
}

fn fails_alone(what: &str, reason: &str, revision: &str, script: Script) {
    let upstream = on_call(script);
    let mut config = upstream.config();
    config["timeout"] = json!(if reason == "server_timed_out" { SHORT } else { LONG });
    config["deadline"] = json!(LONG);
    let folder = tempfile::tempdir().unwrap();
    let lines = reason == "result_too_large" && what.contains("empty lines");
    let gate = Gate::start(json!({
        "servers": { "h": config, "x": server("plain", &folder.path().join("heard")) },
        "limits": { "result_bytes": if lines { "1MiB" } else { "16MiB" } }
    }));
    let agent = gate.open("/s/h/mcp", revision);
    let other = gate.open("/s/x/mcp", revision);
    let answer = soon(what, || agent.call(5, "echo"));
    assert_eq!(answer.reason(), Some(reason), "{what} {revision}: {}", answer.text);
    assert!(answer.text.contains("\"id\":5"), "{what} {revision}: {}", answer.text);
    assert_eq!(answer.text.matches("\"jsonrpc\"").count(), 1, "{what} {revision}: {}", answer.text);
    assert!(!answer.text.contains("SERVER-TEXT"), "{what} {revision}: {}", answer.text);
    assert!(gate.peak() < 200, "{what} {revision}: {} MiB", gate.peak());
    soon(what, || other.is_served());
    assert!(upstream.heard().iter().all(|heard| !heard.starts_with("GET")), "{:?}", upstream.heard());
}

/// A server that takes a notification, or the end of a session, and never says so: nobody waits for it for long.
#[test]
fn servers_that_never_acknowledge() {
    let upstream = Upstream::start(|heard, stream| {
        if heard.verb != "POST" || heard.message().get("id").is_none() {
            never()
        } else {
            behave(heard, stream)
        }
    });
    let mut config = upstream.config();
    config["timeout"] = json!(SHORT);
    let folder = tempfile::tempdir().unwrap();
    let plain = server("plain", &folder.path().join("heard"));
    let mut gate =
        Gate::start(json!({ "servers": { "h": config, "x": plain }, "limits": { "session_idle": "3s" } }));
    let agent = soon("the end of the handshake", || gate.open("/s/h/mcp", REVISION));
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    soon("a notification", || agent.post(cancel));
    let answer = soon("a call", || agent.call(1, "echo"));
    assert!(answer.text.contains("called"), "{}", answer.text);
    let all = soon("a handshake with all", || gate.open("/mcp", REVISION));
    let answer = soon("a call of another", || all.call(1, "x__echo"));
    assert!(answer.text.contains("called"), "{}", answer.text);
    let listen = gate.request("/mcp", b"", &[("Mcp-Session-Id", &all.session)]);
    let listen = String::from_utf8(listen).unwrap().replacen("POST", "GET", 1);
    let mut stream = gate.connect();
    stream.write_all(listen.as_bytes()).unwrap();
    let mut start = [0; 12];
    soon("a standing stream of all", || stream.read_exact(&mut start).unwrap());
    assert_eq!(&start, b"HTTP/1.1 200");
    drop(stream);
    // The sessions are left alone and end; time goes on for everybody else.
    let deletes = || upstream.heard().iter().filter(|heard| heard.starts_with("DELETE")).count();
    until("idle sessions are ended", || deletes() >= 1);
    let silent = gate.open("/s/x/mcp", REVISION);
    soon("another session", || silent.is_served());
    let end =
        String::from_utf8(gate.request("/s/x/mcp", b"", &[("Mcp-Session-Id", &silent.session)])).unwrap();
    soon("the end of another session", || gate.raw(end.replacen("POST", "DELETE", 1).as_bytes()));
    gate.open("/s/h/mcp", REVISION);
    assert!(gate.stop() < SOON);
}

/// Time does not stand still for others while one session's end, or one agent's stream, is stuck.
#[test]
fn time_goes_on_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let stuck =
        Upstream::start(|heard, stream| if heard.verb == "DELETE" { never() } else { behave(heard, stream) });
    // Answers on a stream with more than anybody's buffers hold, and never comes to the end.
    let chatty = on_call(|_, stream| {
        let said = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x".repeat(100_000) } });
        let mut sent = stream.write_all(STREAM.as_bytes()).is_ok();
        while sent {
            sent = stream.write_all(event(&said).as_bytes()).is_ok();
        }
        false
    });
    let mut silent = server("silent", &folder.path().join("heard"));
    silent["timeout"] = json!(SHORT);
    let mut chatty_config = chatty.config();
    chatty_config["timeout"] = json!(SHORT);
    let gate = Gate::start(json!({
        "servers": { "stuck": stuck.config(), "chatty": chatty_config, "silent": silent },
        "limits": { "session_idle": "3s" }
    }));
    let deaf = gate.open("/s/chatty/mcp", REVISION);
    // This agent asks and never reads.
    let unread = deaf.begin(call(1, "echo"));
    gate.open("/s/stuck/mcp", REVISION);
    until("the idle session is ended", || stuck.heard().iter().any(|heard| heard.starts_with("DELETE")));
    let agent = gate.open("/s/silent/mcp", REVISION);
    let answer = soon("a silent server", || agent.call(1, "echo"));
    assert_eq!(answer.reason(), Some("server_timed_out"), "{}", answer.text);
    // Long enough for the unread call to be overdue: that, too, is nobody else's business.
    for round in 0..2 {
        let agent = gate.open("/s/silent/mcp", REVISION);
        let answer = soon("a silent server", || agent.call(round, "echo"));
        assert_eq!(answer.reason(), Some("server_timed_out"), "{}", answer.text);
    }
    drop(unread);
    assert!(gate.peak() < 200, "{} MiB", gate.peak());
}

/// A stream that goes on after its answer is closed.
#[test]
fn streams_without_end_are_closed() {
    let (closed, closings) = std::sync::mpsc::channel();
    let closed = std::sync::Mutex::new(closed);
    let upstream = Upstream::start(move |heard, stream| {
        if heard.method() != "tools/call" && heard.method() != "tools/list" {
            return behave(heard, stream);
        }
        let result = json!({ "tools": [{ "name": "echo", "inputSchema": {} }], "content": [{ "type": "text", "text": "called" }] });
        let answer = json!({ "jsonrpc": "2.0", "id": id(heard), "result": result });
        let more = answer_to(&json!(4711), "SERVER-TEXT");
        let mut sent = stream.write_all(format!("{STREAM}{}", event(&answer)).as_bytes()).is_ok();
        while sent {
            sent = stream.write_all(event(&more).as_bytes()).is_ok();
        }
        let _told = closed.lock().unwrap().send(heard.method());
        false
    });
    for (path, tool, revision) in [
        ("/s/h/mcp", "echo", REVISION),
        ("/s/h/mcp", "echo", LATEST),
        ("/mcp", "h__echo", REVISION),
        ("/mcp", "h__echo", LATEST),
    ] {
        let gate = gate(&[("h", upstream.config())]);
        let agent = gate.open(path, revision);
        let answer = soon("the answer", || agent.call(1, tool));
        assert!(
            answer.text.contains("called") && !answer.text.contains("SERVER-TEXT"),
            "{path}: {}",
            answer.text
        );
        let mut ended = vec![];
        for _ in 0..2 {
            ended.push(
                closings
                    .recv_timeout(SOON)
                    .unwrap_or_else(|_| panic!("{path} {revision}: open after {ended:?}")),
            );
        }
    }
}

/// What servers on pipes may not say is not heard, and what they say too much of is not kept.
#[test]
fn servers_on_pipes() {
    for manner in ["meddle", "changes", "asks", "flood"] {
        for revision in [REVISION, LATEST] {
            let folder = tempfile::tempdir().unwrap();
            let gate = before(manner, folder.path());
            let agent = gate.open("/s/x/mcp", revision);
            for id in 10..13 {
                let answer = soon(manner, || agent.call(id, "echo"));
                let good = answer.text.contains("called") && answer.text.contains(&format!("\"id\":{id}"));
                let end = answer.text.get(answer.text.len().saturating_sub(600)..).unwrap_or_default();
                assert!(good, "{manner} {revision}: {} {end}", answer.status);
                assert!(!answer.text.contains("SERVER-TEXT"), "{manner}: {:.3000}", answer.text);
            }
            assert!(gate.peak() < 200, "{manner} {revision}: {} MiB", gate.peak());
        }
    }
}

/// Two million members are two million keys to check: memory for them is bounded.
#[test]
fn answers_of_tiny_members() {
    let folder = tempfile::tempdir().unwrap();
    let gate = before("tiny-members", folder.path());
    let agent = gate.open("/s/x/mcp", REVISION);
    let answer = soon("a wide answer", || agent.call(1, "echo"));
    assert!(answer.text.contains("\"id\":1"));
    assert!(gate.peak() < 200, "{} MiB", gate.peak());
}

/// A storm of answers that nobody asked for ends the server and its session; a new session begins afresh.
#[test]
fn a_storm_ends_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let gate = before("storm", folder.path());
    let agent = gate.open("/s/x/mcp", REVISION);
    let answer = soon("a storm", || agent.call(1, "echo"));
    assert_eq!(answer.reason(), Some("server_exited"), "{}", answer.text);
    // The server has forgotten the handshake; to go on without one would be another protocol.
    agent.call(2, "echo").refused("after the storm", "unknown_session", 404);
    until("a new session", || gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[]).status == 200);
    let heard = std::fs::read_to_string(folder.path().join("heard")).unwrap();
    assert_eq!(heard.matches("tools/call").count(), 1, "{heard}");
}

/// Two tools under one name behind one endpoint: nobody would know which is meant.
#[test]
fn tools_that_take_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let exposed = |digest: &str| {
        let mut x = server("same-names", &folder.path().join("heard"));
        x["env"] = json!({ "DIGEST": digest });
        let gate = gate(&[("x", x)]);
        let agent = gate.open("/mcp", REVISION);
        let list = agent.post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        let (_, list) = list.text.split_once("\r\n\r\n").unwrap();
        let list: Value = serde_json::from_str(list).unwrap();
        let names = list["result"]["tools"].as_array().unwrap().iter();
        names.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let honest = exposed("0");
    assert_eq!(honest.len(), 3, "{honest:?}");
    let digest = honest[0].strip_prefix("x__a_b_").unwrap();
    let forged = exposed(digest);
    assert_eq!(forged, [honest[0].clone(), "x__echo".to_owned()]);
}

/// Answers to calls that were taken back: their connections end, and nothing is kept of them.
#[test]
fn calls_that_are_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    for revision in [REVISION, LATEST] {
        let mut x = server("silent", &folder.path().join("heard"));
        x["timeout"] = json!(LONG);
        let gate = gate(&[("x", x)]);
        let agent = gate.open("/s/x/mcp", revision);
        let cancel = |id: u64| {
            let message = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
            assert_eq!(agent.post(message.to_string()).status, 202);
        };
        let heard = || std::fs::read_to_string(folder.path().join("heard")).unwrap_or_default();
        let calls = heard().matches("tools/call").count();
        let mut open = agent.begin(call(1, "echo"));
        until("the call is made", || heard().matches("tools/call").count() > calls);
        cancel(1);
        let answer = soon("the end of a call taken back", || Answer::read(&mut open));
        assert!(answer.status == 202 || answer.status == 200, "{}", answer.text);
        assert!(!answer.text.contains("jsonrpc"), "{}", answer.text);
    }
}

/// Far more requests than may be open, on one pipe: those are refused, and the others are answered.
#[test]
fn ten_thousand_open_requests() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lockgate.yaml");
    let mut silent = server("silent", &folder.path().join("silent"));
    // The first must not be given up, and make room, before the last is said.
    silent["timeout"] = json!("10s");
    let servers =
        json!({ "servers": { "silent": silent, "x": server("plain", &folder.path().join("plain")) } });
    std::fs::write(&config, servers.to_string()).unwrap();
    let mut pipe = Pipe::start(&["stdio".as_ref(), "-c".as_ref(), config.as_ref()]);
    pipe.say(hello(REVISION));
    assert!(pipe.hear().contains("protocolVersion"));
    pipe.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    pipe.say(r#"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#);
    assert!(pipe.hear().contains("x__echo"));
    for id in 0..10_000 {
        pipe.say(call(id, "silent__echo"));
    }
    let (mut refused, mut late, mut other) = (0, 0, 0);
    for _ in 0..10_000 {
        let line = pipe.hear();
        refused += usize::from(line.contains("\"too_many_open\""));
        late += usize::from(line.contains("\"server_timed_out\""));
        other += usize::from(!line.contains("\"reason\""));
    }
    assert!(refused >= 9_000 && late == 256 && other == 0, "{refused} {late} {other}");
    pipe.say(call(10_001, "x__echo"));
    assert!(pipe.hear().contains("called"));
    assert!(pipe.peak() < 200, "{} MiB", pipe.peak());
    pipe.end();
}

/// A server that stops reading: what is for other servers does not wait behind what is for it.
#[test]
fn a_server_that_stops_reading() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lockgate.yaml");
    let mut deaf = server("deaf", &folder.path().join("deaf"));
    deaf["timeout"] = json!(LONG);
    let servers = json!({ "servers": { "deaf": deaf, "x": server("plain", &folder.path().join("plain")) } });
    std::fs::write(&config, servers.to_string()).unwrap();
    let mut pipe = Pipe::start(&["stdio".as_ref(), "-c".as_ref(), config.as_ref()]);
    pipe.say(hello(REVISION));
    assert!(pipe.hear().contains("protocolVersion"));
    pipe.say(r#"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#);
    assert!(pipe.hear().contains("deaf__echo"));
    let long = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "deaf__echo", "arguments": { "a": "x".repeat(500_000) } } });
    for id in 0..8 {
        let mut long = long.clone();
        long["id"] = json!(id);
        pipe.say(long.to_string());
    }
    pipe.say(call(100, "x__echo"));
    let line = soon("a call of another server", || pipe.hear());
    assert!(line.contains("called"), "{line}");
    assert!(pipe.peak() < 200, "{} MiB", pipe.peak());
}

/// A server that forgets its sessions: it is greeted again, once, and the call is made again (MCP, session management).
#[test]
fn a_server_that_forgets_its_session() {
    for (path, tool) in [("/s/h/mcp", "echo"), ("/mcp", "h__echo")] {
        for revision in [REVISION, LATEST] {
            let greetings = AtomicUsize::new(0);
            let forgets = AtomicUsize::new(0);
            let upstream = Upstream::start(move |heard, stream| {
                let session = heard.headers.get("mcp-session-id").map(String::as_str);
                let known = format!("session-{}", greetings.load(SeqCst));
                match heard.method().as_str() {
                    "initialize" => {
                        assert_eq!(session, None);
                        let number = greetings.fetch_add(1, SeqCst) + 1;
                        let result = json!({ "protocolVersion": revision, "capabilities": { "tools": {} }, "serverInfo": { "name": "u", "version": "1" } });
                        let header = format!("Mcp-Session-Id: session-{number}\r\n");
                        testkit::hostile::respond(
                            stream,
                            &json!({ "jsonrpc": "2.0", "id": id(heard), "result": result }),
                            &header,
                        )
                    }
                    // The second and the third call find that the session is gone; the third time it stays gone.
                    "tools/call"
                        if forgets.fetch_add(1, SeqCst) % 7 == 1
                            || session != Some(known.as_str())
                            || heard.message().to_string().contains("gone") =>
                    {
                        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").is_ok()
                    }
                    _ => behave(heard, stream),
                }
            });
            let gate = gate(&[("h", upstream.config())]);
            let agent = gate.open(path, revision);
            let initialize =
                || upstream.heard().iter().filter(|heard| heard.contains("\"initialize\"")).count();
            for call in 1..5 {
                let answer = soon("a call", || agent.call(call, tool));
                assert!(answer.text.contains("called"), "{path} {revision} {call}: {}", answer.text);
            }
            assert_eq!(initialize(), 2, "{path} {revision}");
            let initialized =
                upstream.heard().iter().filter(|heard| heard.contains("notifications/initialized")).count();
            assert_eq!(initialized, 2, "{path} {revision}: {:?}", upstream.heard());
            let gone = json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": { "name": tool, "arguments": { "x": "gone" } } });
            let answer = soon("a call that stays refused", || agent.post(gone.to_string()));
            assert_eq!(answer.reason(), Some("unknown_session"), "{path} {revision}: {}", answer.text);
            let calls = upstream.heard().iter().filter(|heard| heard.contains("gone")).count();
            assert_eq!(calls, 2, "{path} {revision}: it is sent again once");
        }
    }
}

/// More sessions than there is room for: what has been at rest longest makes room, and nobody is locked out.
#[test]
fn more_sessions_than_there_is_room_for() {
    let folder = tempfile::tempdir().unwrap();
    let x = server("plain", &folder.path().join("heard"));
    let gate = Gate::start(json!({ "servers": { "x": x }, "limits": { "sessions": 4 } }));
    let first = gate.open("/s/x/mcp", REVISION);
    let others: Vec<_> = (0..4).map(|_| gate.open("/s/x/mcp", REVISION)).collect();
    first.call(1, "echo").refused("the one longest at rest", "unknown_session", 404);
    for other in &others {
        other.is_served();
    }
}

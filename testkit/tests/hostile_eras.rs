//! Hostile peers where agent and server are of different eras: nothing uninspected reaches a server, nothing hangs or
//! grows, every refusal has its reason, and others do not notice.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test that fails here has found something"
)]

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testkit::hostile::{Agent, Answer, Gate, Heard, Upstream, behave, call, respond, server, until};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

fn taken(stream: &mut TcpStream) -> bool {
    stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").is_ok()
}

fn elicitation(id: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": {
        "message": "which?", "requestedSchema": { "type": "object", "properties": {} } } })
}

fn answer_to(id: &Value, text: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [{ "type": "text", "text": text }] } })
}

/// A server behind the gateway, with a plain one beside it.
fn gate(upstream: &Upstream, speaks: &str, change: impl FnOnce(&mut Value)) -> (Gate, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = upstream.config();
    config["speaks"] = json!(speaks);
    let mut all = json!({ "servers": { "h": config, "x": server("plain", &folder.path().join("heard")) } });
    change(&mut all);
    (Gate::start(all), folder)
}

/// A stateless client: a principal's token, or none, and the run it is of.
#[derive(Clone, Copy)]
struct Client<'g> {
    gate: &'g Gate,
    token: &'static str,
    context: &'static str,
}

impl<'g> Client<'g> {
    fn of(gate: &'g Gate) -> Self {
        Self { gate, token: "", context: "run" }
    }

    fn request(&self, method: &str, mut params: Value) -> Vec<u8> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} } });
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let message = json!({ "jsonrpc": "2.0", "id": 5, "method": method, "params": params });
        let bearer = if self.token.is_empty() { String::new() } else { format!("Bearer {}", self.token) };
        let headers = [
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", method),
            ("Mcp-Name", &name),
            ("Lockgate-Context", self.context),
            ("Authorization", &bearer),
        ];
        self.gate.request("/s/h/mcp", message.to_string().as_bytes(), &headers)
    }

    fn ask(&self, method: &str, params: Value) -> Answer {
        self.gate.raw(&self.request(method, params))
    }

    fn call(&self, more: &Value) -> Answer {
        let mut params = json!({ "name": "echo", "arguments": { "a": 1 } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask("tools/call", params)
    }
}

/// What a client brings back to a result that asks for input.
fn retry(asked: &Answer) -> Value {
    let message = json_of(asked);
    let result = &message["result"];
    assert_eq!(result["resultType"], "input_required", "{}", asked.text);
    let keys = result["inputRequests"].as_object().unwrap().keys();
    let yes = json!({ "action": "accept", "content": {} });
    let answers: serde_json::Map<_, _> = keys.map(|key| (key.clone(), yes.clone())).collect();
    json!({ "requestState": result["requestState"], "inputResponses": answers })
}

/// The message of an answer, whole or on a stream.
fn json_of(answer: &Answer) -> Value {
    let line = answer.text.lines().rev().map(|line| line.trim_start_matches("data: "));
    line.filter_map(|line| serde_json::from_str(line).ok()).find(Value::is_object).unwrap_or_default()
}

/// What is heard by a call on its open stream, and by what is posted while it is.
type Script = fn(&Value, &mut TcpStream, &Open);

/// Streams of calls that a server of the handshake era has not ended.
type Open = Mutex<Vec<(Value, TcpStream)>>;

/// A server of the handshake era that opens a stream for each call, and answers it when its question is answered.
fn asking(on_call: Script) -> Upstream {
    let open = Arc::<Open>::default();
    Upstream::start(move |heard, stream| {
        let message = heard.message();
        match heard.method().as_str() {
            "tools/call" => {
                let written = stream.write_all(STREAM.as_bytes()).is_ok();
                on_call(&message["id"], stream, &open);
                // Closed by whoever answers.
                std::mem::forget(stream.try_clone());
                written
            }
            "" if heard.verb == "POST" => {
                let waiting = open.lock().unwrap().pop();
                if let Some((id, mut stream)) = waiting {
                    let said =
                        answer_to(&id, if message["result"].is_object() { "called" } else { "refused" });
                    let _answered = stream.write_all(event(&said).as_bytes());
                }
                taken(stream)
            }
            _ => behave(heard, stream),
        }
    })
}

/// Asks, and waits for the answer.
fn asks(id: &Value, stream: &mut TcpStream, open: &Open) {
    let _asked = stream.write_all(event(&elicitation(&json!(format!("q{id}")))).as_bytes());
    open.lock().unwrap().push((id.clone(), stream.try_clone().unwrap()));
}

#[track_caller]
fn asked_once(upstream: &Upstream, method: &str, times: usize) {
    let heard = upstream.heard();
    let pattern = format!("\"method\":\"{method}\"");
    assert_eq!(heard.iter().filter(|heard| heard.contains(&pattern)).count(), times, "{heard:#?}");
}

/// A state is good once, for the request that it was given to, of whom it was given to.
#[test]
fn states_of_others() {
    let upstream = asking(asks);
    let (gate, _folder) = gate(&upstream, "legacy", |config| {
        config["principals"] =
            json!({ "alice": { "token": "token-of-alice-0000" }, "bob": { "token": "token-of-bob-000000" } });
    });
    let alice = Client { gate: &gate, token: "token-of-alice-0000", context: "run" };
    let first = alice.call(&json!({}));
    let good = retry(&first);
    for (what, who) in [
        ("another principal", Client { token: "token-of-bob-000000", ..alice }),
        ("another run", Client { context: "other", ..alice }),
    ] {
        assert_eq!(who.call(&good).reason(), Some("foreign_state"), "{what}");
    }
    let mut changed = good.clone();
    changed["arguments"] = json!({ "a": 2 });
    assert_eq!(alice.call(&changed).reason(), Some("foreign_state"));
    for state in [
        json!("1.1"),
        json!("lockgate-state-"),
        json!(""),
        json!(format!("{}A", good["requestState"].as_str().unwrap())),
    ] {
        let mut forged = good.clone();
        forged["requestState"] = state;
        assert_eq!(alice.call(&forged).reason(), Some("foreign_state"), "{forged}");
    }
    asked_once(&upstream, "tools/call", 1);
    assert!(!upstream.heard().iter().any(|heard| heard.contains("accept")));
    let answer = alice.call(&good);
    assert!(answer.text.contains("called"), "{}", answer.text);
    asked_once(&upstream, "tools/call", 1);
    assert!(alice.call(&good).reason().is_some(), "a state is good once");
    asked_once(&upstream, "tools/call", 1);
}

/// Many clients that never come back: what they hold is bounded, and others are served.
#[test]
fn held_calls_are_bounded() {
    let upstream = asking(asks);
    let (gate, _folder) = gate(&upstream, "legacy", |_| {});
    let client = Client::of(&gate);
    let other = gate.open("/s/x/mcp", "2025-06-18");
    let (mut held, mut refused) = (0, 0);
    for _ in 0..1_000 {
        let answer = client.call(&json!({}));
        match answer.reason() {
            None => held += usize::from(json_of(&answer)["result"]["resultType"] == "input_required"),
            Some("too_many_open") => refused += 1,
            // A server that fails again and again is left alone.
            reason => assert_eq!(reason, Some("circuit_open"), "{}", answer.text),
        }
    }
    assert!(held == 64 && refused > 0, "{held} {refused}");
    until("they are taken back at the server", || {
        upstream.heard().iter().filter(|heard| heard.contains("notifications/cancelled")).count() == refused
    });
    other.is_served();
    assert!(gate.peak() < 200, "{} MiB", gate.peak());
}

/// A server that asks though it may not: the call fails, and is taken back at the server.
#[test]
fn servers_that_may_not_ask() {
    let upstream = asking(asks);
    let (gate, _folder) = gate(&upstream, "legacy", |config| {
        config["servers"]["h"]["may_ask"] = json!([]);
    });
    for taken_back in 1..=3 {
        let answer = Client::of(&gate).call(&json!({}));
        assert_eq!(answer.reason(), Some("server_may_not_ask"), "{}", answer.text);
        let heard =
            || upstream.heard().iter().filter(|heard| heard.contains("notifications/cancelled")).count();
        until("it is taken back", || heard() == taken_back);
    }
}

/// Who hangs up while Lockgate waits for the server takes the call back; who hangs up when asked may come back.
#[test]
fn hanging_up_and_coming_back() {
    let upstream = asking(|id, stream, open| {
        if open.lock().unwrap().len() == 1 {
            asks(id, stream, open);
        } else {
            open.lock().unwrap().push((id.clone(), stream.try_clone().unwrap()));
        }
    });
    let (gate, _folder) = gate(&upstream, "legacy", |_| {});
    let client = Client::of(&gate);
    let mut stream = gate.connect();
    let call = client.request("tools/call", json!({ "name": "echo", "arguments": {} }));
    assert!(client.ask("tools/list", json!({})).text.contains("echo"));
    stream.write_all(&call).unwrap();
    until("the call is under way", || upstream.heard().iter().any(|heard| heard.contains("tools/call")));
    drop(stream);
    until("it is taken back", || {
        upstream.heard().iter().any(|heard| heard.contains("notifications/cancelled"))
    });
    let asked = client.call(&json!({}));
    let answer = client.call(&retry(&asked));
    assert!(answer.text.contains("called"), "{}", answer.text);
}

/// What servers of the handshake era do in a call: the answer that the client gets, or the reason.
#[test]
fn servers_of_old() {
    let cases: [(&str, &str, Script); 8] = [
        ("answers twice", "\"first\"", |id, stream, _| {
            let both = [event(&answer_to(id, "first")), event(&answer_to(id, "SERVER-TEXT"))].concat();
            let _said = stream.write_all(both.as_bytes());
        }),
        ("answers another call", "server_broke_protocol", |_, stream, _| {
            let _said = stream.write_all(event(&answer_to(&json!(4711), "SERVER-TEXT")).as_bytes());
            let _closed = stream.shutdown(std::net::Shutdown::Both);
        }),
        ("answers garbage", "server_broke_protocol", |_, stream, _| {
            let _said = stream.write_all(b"data: {\"SERVER-TEXT\n\n");
        }),
        ("answers a batch", "server_broke_protocol", |id, stream, _| {
            let _said = stream.write_all(event(&json!([answer_to(id, "SERVER-TEXT")])).as_bytes());
        }),
        ("asks under one id twice", "input_required", |id, stream, _| {
            let twice = event(&elicitation(&json!("q"))).repeat(2);
            let _said = stream.write_all(twice.as_bytes());
            let _ = id;
        }),
        ("asks for what nobody has", "\"asked\"", |id, stream, _| {
            for method in ["tools/call", "initialize", "made/up", "sampling/createMessage", "roots/list"] {
                let asked = json!({ "jsonrpc": "2.0", "id": method, "method": method, "params": {} });
                let _said = stream.write_all(event(&asked).as_bytes());
            }
            let _said = stream.write_all(event(&answer_to(id, "asked")).as_bytes());
        }),
        ("floods", "\"flooded\"", |id, stream, _| {
            let log = json!({ "jsonrpc": "2.0", "method": "notifications/message",
                "params": { "level": "info", "data": "x".repeat(1_000) } });
            let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress",
                "params": { "progressToken": id, "progress": 1 } });
            let changed = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
            let all = [event(&log), event(&progress), event(&changed)].concat();
            for _ in 0..10_000 {
                if stream.write_all(all.as_bytes()).is_err() {
                    return;
                }
            }
            let _said = stream.write_all(event(&answer_to(id, "flooded")).as_bytes());
        }),
        ("says what it may not", "\"said\"", |id, stream, _| {
            for method in ["notifications/initialized", "notifications/cancelled", "notifications/made_up"] {
                let said = json!({ "jsonrpc": "2.0", "method": method, "params": { "requestId": id } });
                let _said = stream.write_all(event(&said).as_bytes());
            }
            let _said = stream.write_all(event(&answer_to(id, "said")).as_bytes());
        }),
    ];
    for (what, expected, script) in cases {
        let upstream = asking(script);
        let (gate, _folder) = gate(&upstream, "legacy", |_| {});
        let other = gate.open("/s/x/mcp", "2025-06-18");
        let answer = Client::of(&gate).call(&json!({}));
        assert!(answer.text.contains(expected), "{what}: {}", answer.text);
        assert!(!answer.text.contains("SERVER-TEXT"), "{what}: {}", answer.text);
        assert_eq!(answer.text.matches("\"jsonrpc\"").count(), 1, "{what}: {}", answer.text);
        other.is_served();
        assert!(gate.peak() < 200, "{what}: {} MiB", gate.peak());
        asked_once(&upstream, "initialize", 1);
    }
}

/// Who never answers the handshake, or refuses it: the call fails with its reason, in time.
#[test]
fn servers_that_do_not_shake_hands() {
    type Behaviour = fn(&Heard, &mut TcpStream) -> bool;
    let cases: [(&str, &str, Behaviour); 4] = [
        ("never answers", "server_timed_out", |_, _| {
            std::thread::sleep(std::time::Duration::from_mins(2));
            false
        }),
        ("refuses", "handshake_refused", |heard, stream| {
            respond(
                stream,
                &json!({ "jsonrpc": "2.0", "id": heard.message()["id"], "error": { "code": -1, "message": "SERVER-TEXT" } }),
                "",
            )
        }),
        ("is of no era", "handshake_refused", |heard, stream| {
            respond(
                stream,
                &json!({ "jsonrpc": "2.0", "id": heard.message()["id"], "result": { "protocolVersion": "2026-07-28" } }),
                "",
            )
        }),
        ("hangs up", "server_unreachable", |_, _| false),
    ];
    for (what, reason, script) in cases {
        let upstream = Upstream::start(move |heard, stream| {
            if heard.method() == "initialize" { script(heard, stream) } else { behave(heard, stream) }
        });
        let (gate, _folder) =
            gate(&upstream, "legacy", |config| config["servers"]["h"]["timeout"] = json!("3s"));
        for _ in 0..2 {
            let answer = Client::of(&gate).call(&json!({}));
            assert_eq!(answer.reason(), Some(reason), "{what}: {}", answer.text);
            assert!(!answer.text.contains("SERVER-TEXT"), "{what}: {}", answer.text);
        }
        assert!(!upstream.heard().iter().any(|heard| heard.contains("tools/")), "{what}");
    }
}

/// On its standing stream a server asks while no call is open: it is refused, each time, and nobody is asked.
#[test]
fn questions_that_no_call_led_to() {
    let standing = Arc::<Mutex<Option<TcpStream>>>::default();
    let kept = Arc::clone(&standing);
    let upstream = Upstream::start(move |heard, stream| {
        if heard.verb != "GET" {
            return behave(heard, stream);
        }
        *kept.lock().unwrap() = stream.try_clone().ok();
        stream.write_all(STREAM.as_bytes()).is_ok()
    });
    let (gate, _folder) = gate(&upstream, "legacy", |_| {});
    let client = Client::of(&gate);
    assert!(client.call(&json!({})).text.contains("called"));
    until("it is listened to", || standing.lock().unwrap().is_some());
    let mut stream = standing.lock().unwrap().take().unwrap();
    for id in 0..500 {
        stream.write_all(event(&elicitation(&json!(id))).as_bytes()).unwrap();
    }
    let refused = || upstream.heard().iter().filter(|heard| heard.contains("no call is open")).count();
    until("each is refused", || refused() == 500);
    assert!(client.call(&json!({})).text.contains("called"));
}

/// A server that answers on streams, and so says on one that it is of the other era.
#[test]
fn a_server_that_answers_on_streams() {
    let upstream = Upstream::start(|heard, stream| {
        let message = heard.message();
        if message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].is_null() {
            return behave(heard, stream);
        }
        let error =
            json!({ "jsonrpc": "2.0", "id": message["id"], "error": { "code": -32_601, "message": "no" } });
        let _said = stream.write_all([STREAM, &event(&error)].concat().as_bytes());
        false
    });
    let folder = tempfile::tempdir().unwrap();
    let plain = server("plain", &folder.path().join("heard"));
    let gate = Gate::start(json!({ "servers": { "h": upstream.config(), "x": plain } }));
    let client = Client::of(&gate);
    let answer = client.ask("tools/list", json!({}));
    assert!(answer.text.contains("echo"), "{}", answer.text);
    assert!(client.call(&json!({})).text.contains("called"));
}

/// What a server does to a client of the handshake era: the reason of the refusal.
#[test]
fn servers_without_a_handshake() {
    let asked = |kind: &str| {
        json!({ "resultType": "input_required", "requestState": "s", "inputRequests": { "q": {
        "method": kind, "params": {} } } })
    };
    let cases = [
        ("asks for nothing", json!({ "resultType": "input_required" }), "server_broke_protocol"),
        (
            "asks for ever",
            json!({ "resultType": "input_required", "requestState": "s" }),
            "server_broke_protocol",
        ),
        ("asks for a call", asked("tools/call"), "server_broke_protocol"),
        ("asks for what is unknown", asked("made/up"), "server_broke_protocol"),
        (
            "has a state that is no text",
            json!({ "resultType": "input_required", "requestState": 1 }),
            "server_broke_protocol",
        ),
        ("has another kind of result", json!({ "resultType": "made_up" }), "server_broke_protocol"),
        ("has none", json!({ "resultType": 1 }), "server_broke_protocol"),
        ("begins a task", json!({ "resultType": "task", "taskId": "t" }), "server_broke_protocol"),
    ];
    for (what, result, reason) in cases {
        let upstream = stateless(move |_| result.clone());
        let (gate, _folder) = gate(&upstream, "modern", |_| {});
        let agent = elicits(&gate);
        let answer = agent.call(5, "echo");
        assert_eq!(answer.reason(), Some(reason), "{what}: {}", answer.text);
        let calls = upstream.heard().iter().filter(|heard| heard.contains("tools/call")).count();
        assert!(calls <= 17, "{what}: {calls} calls");
    }
}

/// A stateless server whose calls are answered so.
fn stateless(on_call: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Upstream {
    Upstream::start(move |heard, stream| {
        let message = heard.message();
        let mut result = match heard.method().as_str() {
            "server/discover" => {
                json!({ "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} } })
            }
            "tools/list" => json!({ "tools": [{ "name": "echo", "inputSchema": { "type": "object" } }] }),
            "tools/call" => on_call(&message),
            _ if message["id"].is_null() => return taken(stream),
            _ => json!({}),
        };
        if result["resultType"].is_null() {
            result["resultType"] = json!("complete");
        }
        respond(stream, &json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }), "")
    })
}

fn elicits(gate: &Gate) -> Agent<'_> {
    gate.open_as("/s/h/mcp", "2025-06-18", &json!({ "elicitation": {} }), "")
}

/// The server's state goes back as it was said last, byte for byte, and nothing that the agent wrote in its place.
#[test]
fn states_that_change() {
    let upstream = stateless(|message| {
        let params = &message["params"];
        let round = params["requestState"].as_str().map_or(0, str::len);
        if round >= 5 {
            return json!({ "content": [{ "type": "text", "text": "called" }] });
        }
        json!({ "resultType": "input_required", "requestState": "\u{e9}".repeat(round / 2 + 1) })
    });
    let (gate, _folder) = gate(&upstream, "modern", |_| {});
    let agent = elicits(&gate);
    let forged = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {
        "name": "echo", "arguments": {}, "requestState": "forged", "inputResponses": { "q": {} } } });
    let answer = agent.post(forged.to_string());
    assert!(answer.text.contains("called"), "{}", answer.text);
    let calls: Vec<_> = upstream.heard().into_iter().filter(|heard| heard.contains("tools/call")).collect();
    assert_eq!(calls.len(), 4, "{calls:#?}");
    assert!(
        !calls.iter().any(|heard| heard.contains("forged") || heard.contains("inputResponses")),
        "{calls:#?}"
    );
    agent.is_served();
    assert!(agent.post(call(6, "made_up")).reason() == Some("unknown_tool"));
}

/// A server that ends does not wash off what an agent without a handshake has read of it.
#[test]
fn a_server_that_ends_leaves_its_label() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(json!({ "servers": { "h": server("plain", &folder.path().join("heard")) } }));
    let client = Client::of(&gate);
    assert!(client.call(&json!({})).text.contains("called"));
    let session = |records: &str| -> Vec<String> {
        let lines = records.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let sessions = lines.filter_map(|line| Some(line["session"].as_str()?.to_owned()));
        // The gateway itself writes down what it began with.
        sessions.filter(|session| session != "gateway").collect()
    };
    until("it is written down", || !session(&gate.records()).is_empty());
    let mut command = std::process::Command::new("pgrep");
    let children = command.args(["-P", &gate.id().to_string()]).output().unwrap().stdout;
    let child = String::from_utf8_lossy(&children).trim().to_owned();
    assert!(!child.is_empty() && !child.contains('\n'), "{child}");
    assert!(std::process::Command::new("kill").args(["-9", &child]).status().unwrap().success());
    until("it ended", || gate.complaints.text().contains("server `h` ended"));
    until("it is served again", || client.call(&json!({})).text.contains("called"));
    until("that is written down", || session(&gate.records()).len() > 3);
    let mut sessions = session(&gate.records());
    sessions.dedup();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
}

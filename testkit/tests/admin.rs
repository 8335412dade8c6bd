//! The admin API and the webhook, with the gateway as a process.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_store::Pins;
use lockgate_store::pins::{Cause, Kind, Pinned, Seen, Trust};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::hostile::{Answer, Gate, Pipe, Upstream, call, hello, respond, server, until};

const REVISION: &str = "2025-06-18";
const ANN: &str = "token-of-ann-0123456789";
const BOB: &str = "token-of-bob-0123456789";
const SECRET: &str = "secret-of-the-webhook-01";

/// A gateway whose tool `echo` is under this rule, if any, and people at this door.
fn gate(state: &Path, rule: &Value, admin: &Value, approvals: &Value) -> Gate {
    let mut x = server("plain", &state.join("heard"));
    if !rule.is_null() {
        x["tools"] = json!({ "echo": rule });
    }
    x["effects"] = json!({ "echo": "write" });
    let mut s = server("silent", &state.join("silent"));
    s["timeout"] = json!("2m");
    Gate::start(
        json!({ "servers": { "x": x, "s": s }, "state": state, "admin": admin, "approvals": approvals,
        "hold_timeout": "60s" }),
    )
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

fn at_a_port() -> Value {
    json!({ "listen": "127.0.0.1:0", "tokens": { "ann": ANN, "bob": BOB } })
}

/// Somebody who asks the admin API.
enum Person<'p> {
    Socket(&'p Path),
    Token(String, &'static str),
}

impl<'p> Person<'p> {
    fn with(gate: &Gate, token: &'static str) -> Self {
        let address = || {
            let text = gate.complaints.text();
            let (_, rest) = text.split_once("people rule this gateway at http://")?;
            Some(rest.split_once('\n')?.0.to_owned())
        };
        until("the admin API listens", || address().is_some());
        Self::Token(address().unwrap(), token)
    }

    fn at(socket: &'p Path) -> Self {
        until("the admin API listens", || UnixStream::connect(socket).is_ok());
        Self::Socket(socket)
    }

    fn ask(&self, verb: &str, path: &str, body: &Value) -> (u16, Value) {
        let (token, body) = match self {
            Self::Socket(_) => (String::new(), body.to_string()),
            Self::Token(_, token) => (format!("Authorization: Bearer {token}\r\n"), body.to_string()),
        };
        let request = format!(
            "{verb} {path} HTTP/1.1\r\nHost: localhost\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answer = String::new();
        match self {
            Self::Socket(path) => {
                let mut stream = UnixStream::connect(path).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                stream.read_to_string(&mut answer).unwrap();
            }
            Self::Token(address, _) => {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                stream.read_to_string(&mut answer).unwrap();
            }
        }
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    #[track_caller]
    fn does(&self, verb: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(verb, path, body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    #[track_caller]
    fn is_refused(&self, verb: &str, path: &str, body: &Value, code: &str) {
        let (_, answer) = self.ask(verb, path, body);
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }

    /// The path of the call that waits, once one does.
    fn waiting(&self) -> String {
        let mut id = None;
        until("a call waits", || {
            id = self.get("/v1/approvals")["approvals"][0]["id"].as_str().map(str::to_owned);
            id.is_some()
        });
        format!("/v1/approvals/{}", id.unwrap())
    }
}

#[test]
fn a_held_call_is_answered_over_the_socket() {
    let state = tempfile::tempdir().unwrap();
    let gate = gate(state.path(), &json!("ask"), &json!({}), &json!({}));
    let socket = state.path().join("admin.sock");
    let person = Person::at(&socket);
    let agent = gate.open("/s/x/mcp", REVISION);
    assert_eq!(person.get("/v1/approvals"), json!({ "approvals": [], "more": false }));
    let mut open = agent.begin(call(1, "echo"));
    let path = person.waiting();
    let approval = person.get(&path);
    assert_eq!(approval["state"], "waiting");
    assert_eq!(approval["rule"], "servers.x.tools.echo");
    // To look is not to take.
    assert_eq!(person.get(&path), approval);
    let approved = person.does("POST", &format!("{path}/approve"), &json!({ "reason": "planned" }));
    assert_eq!(approved["state"], "approved");
    assert_eq!(approved["votes"][0]["reason"], "planned");
    assert!(approved["votes"][0]["approver"].as_str().unwrap().starts_with("local:"), "{approved}");
    let answer = Answer::read(&mut open);
    assert!(answer.text.contains("called"), "{}", answer.text);
    assert_eq!(person.get(&path)["state"], "used");
    for answer in ["approve", "deny"] {
        person.is_refused("POST", &format!("{path}/{answer}"), &json!({}), "already_decided");
    }
    person.is_refused("POST", "/v1/approvals/apr_none/approve", &json!({}), "not_found");
    assert_eq!(person.get("/v1/approvals")["approvals"], json!([]));
    assert_eq!(person.get("/v1/approvals?all=true")["approvals"][0]["state"], "used");
}

#[test]
fn a_held_call_is_answered_over_tcp_by_whoever_has_a_token() {
    let state = tempfile::tempdir().unwrap();
    let gate = gate(state.path(), &json!("ask"), &at_a_port(), &json!({}));
    let agent = gate.open("/s/x/mcp", REVISION);
    let ann = Person::with(&gate, ANN);
    let stranger = Person::with(&gate, "token-of-nobody-0123456789");
    let mut open = agent.begin(call(1, "echo"));
    let path = ann.waiting();
    stranger.is_refused("POST", &format!("{path}/approve"), &json!({}), "unauthenticated");
    let too_long = json!({ "scope": { "value": { "until_unix_ms": 1 } } });
    ann.is_refused("POST", &format!("{path}/approve"), &too_long, "scope_not_allowed");
    let approved = ann.does("POST", &format!("{path}/approve"), &json!({}));
    assert_eq!(approved["votes"][0]["approver"], "ann");
    let answer = Answer::read(&mut open);
    assert!(answer.text.contains("called"), "{}", answer.text);
    let mut open = agent.begin(call(2, "echo"));
    let path = ann.waiting();
    let denied = ann.does("POST", &format!("{path}/deny"), &json!({ "reason": "not now" }));
    assert_eq!(denied["state"], "denied");
    let answer = Answer::read(&mut open);
    assert_eq!(answer.reason(), Some("approval_declined"), "{}", answer.text);
    ann.is_refused("POST", &format!("{path}/approve"), &json!({}), "already_decided");
}

#[test]
fn two_people_are_two_tokens() {
    let state = tempfile::tempdir().unwrap();
    let rule = json!({ "action": "ask", "approvers": 2 });
    let gate = gate(state.path(), &rule, &at_a_port(), &json!({}));
    let agent = gate.open("/s/x/mcp", REVISION);
    let (ann, bob) = (Person::with(&gate, ANN), Person::with(&gate, BOB));
    let mut open = agent.begin(call(1, "echo"));
    let approve = format!("{}/approve", ann.waiting());
    assert_eq!(ann.does("POST", &approve, &json!({}))["state"], "waiting");
    ann.is_refused("POST", &approve, &json!({}), "already_voted");
    ann.is_refused("POST", &approve, &json!({ "approver": "bob" }), "approver_mismatch");
    let heard = || std::fs::read_to_string(state.path().join("heard")).unwrap();
    assert!(!heard().contains("tools/call"));
    assert_eq!(bob.does("POST", &approve, &json!({}))["state"], "approved");
    let answer = Answer::read(&mut open);
    assert!(answer.text.contains("called"), "{}", answer.text);
    assert_eq!(heard().matches("tools/call").count(), 1);
}

/// What a server says of a tool, in a version of it.
fn version(number: u8, trust: Trust) -> Seen {
    Seen {
        kind: Kind::Tool,
        name: "echo".to_owned(),
        digest: format!("sha256:{}", format!("{number:02x}").repeat(32)),
        nameless: None,
        definition: format!("{{\"description\":\"\u{202e}{number}\"}}"),
        trust,
        cause: Cause::Changed,
        why: vec!["definition_drift".to_owned()],
        approvers: 2,
    }
}

#[test]
fn definitions_are_approved_and_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pins = Pins::open(folder.path()).unwrap();
    for (number, trust) in [(1, Trust::First), (2, Trust::Never), (3, Trust::Never)] {
        pins.sight("acme", "y", &[version(number, trust)], u64::from(number)).unwrap();
    }
    let gate = gate(folder.path(), &Value::Null, &at_a_port(), &json!({}));
    let (ann, bob) = (Person::with(&gate, ANN), Person::with(&gate, BOB));
    let listed = ann.get("/v1/quarantine");
    let ids: Vec<&str> =
        listed["quarantine"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    let [newer, older] = ids.as_slice() else { panic!("{listed}") };
    assert_eq!(ann.get("/v1/quarantine?all=true")["quarantine"].as_array().unwrap().len(), 3);

    let (newer, older) = (format!("/v1/quarantine/{newer}"), format!("/v1/quarantine/{older}"));
    let shown = ann.get(&newer);
    assert_eq!(shown["text"], "{\"description\":\"\\u{202e}3\"}");
    assert_eq!(shown["in_force"], "{\"description\":\"\\u{202e}1\"}");
    let (yes, no) = (json!({ "answer": "approve" }), json!({ "answer": "reject", "reason": "odd" }));
    assert_eq!(ann.does("POST", &newer, &yes)["state"], "waiting");
    ann.is_refused("POST", &newer, &yes, "already_voted");
    assert_eq!(bob.does("POST", &newer, &yes)["state"], "approved");
    bob.is_refused("POST", &newer, &yes, "already_decided");
    assert_eq!(bob.does("POST", &older, &no)["state"], "refused");
    bob.is_refused("POST", &older, &no, "already_decided");
    bob.is_refused("POST", "/v1/quarantine/def_unknown", &yes, "not_found");
    let known = pins.known("acme").unwrap();
    let digests = |of: &[Pinned]| of.iter().map(|one| one.digest.clone()).collect::<Vec<_>>();
    assert_eq!(digests(&known.approved), [version(3, Trust::Never).digest]);
    assert_eq!(digests(&known.refused), [version(2, Trust::Never).digest]);
    assert_eq!(pins.history().unwrap().last().unwrap().by.as_deref(), Some("bob"));
}

#[test]
fn a_user_is_one_person_at_the_socket_and_on_the_command_line() {
    let state = tempfile::tempdir().unwrap();
    let rule = json!({ "action": "ask", "approvers": 2 });
    let gate = gate(state.path(), &rule, &json!({}), &json!({}));
    let socket = state.path().join("admin.sock");
    let person = Person::at(&socket);
    let agent = gate.open("/s/x/mcp", REVISION);
    let _open = agent.begin(call(1, "echo"));
    let path = person.waiting();
    let voted = Command::new(testkit::peers::lockgate())
        .args(["approvals", "approve", path.rsplit('/').next().unwrap(), "--state"])
        .arg(state.path())
        .status();
    assert!(voted.unwrap().success());
    person.is_refused("POST", &format!("{path}/approve"), &json!({}), "already_voted");
    assert_eq!(person.get(&path)["votes"].as_array().unwrap().len(), 1);
    assert_eq!(person.does("POST", &format!("{path}/deny"), &json!({}))["state"], "denied");
}

#[test]
fn what_is_stopped_is_stopped_when_the_answer_comes() {
    let state = tempfile::tempdir().unwrap();
    let gate = gate(state.path(), &Value::Null, &at_a_port(), &json!({}));
    let ann = Person::with(&gate, ANN);
    let slow = gate.open("/s/s/mcp", REVISION);
    let agent = gate.open("/s/x/mcp", REVISION);
    assert!(agent.call(1, "echo").text.contains("called"));
    let mut open = slow.begin(call(1, "echo"));
    until("the call is under way", || {
        std::fs::read_to_string(state.path().join("silent")).unwrap_or_default().contains("tools/call")
    });
    let stop = json!({ "target": { "server": "s" }, "reason": "a test" });
    let stopped = ann.does("POST", "/v1/stops", &stop);
    assert_eq!((&stopped["by"], &stopped["target"]), (&json!("ann"), &json!({ "server": "s" })));
    let answer = Answer::read(&mut open);
    assert_eq!(answer.reason(), Some("stopped"), "{}", answer.text);
    assert!(agent.call(2, "echo").text.contains("called"), "another server goes on");
    for number in 0..5 {
        let (id, one) =
            (10 + 2 * number, json!({ "target": { "server": "x", "tool": "echo" }, "reason": "a test" }));
        ann.does("POST", "/v1/stops", &one);
        assert_eq!(agent.call(id, "echo").reason(), Some("stopped"));
        ann.does("DELETE", "/v1/stops", &one);
        assert!(agent.call(id + 1, "echo").text.contains("called"));
    }
    assert_eq!(ann.get("/v1/stops")["stops"], json!([stopped]));
    assert_eq!(ann.does("POST", "/v1/stops", &stop), stopped, "it stays as it is");
    assert_eq!(ann.does("DELETE", "/v1/stops", &stop), stopped);
    ann.is_refused("DELETE", "/v1/stops", &stop, "not_found");

    let on = ann.does("POST", "/v1/safe-mode", &json!({ "on": true, "reason": "an alert" }));
    assert_eq!((&on["safe_mode"]["by"], &on["safe_mode"]["reason"]), (&json!("ann"), &json!("an alert")));
    assert_eq!(agent.call(30, "echo").reason(), Some("safe_mode"));
    let off = ann.does("POST", "/v1/safe-mode", &json!({ "on": false, "reason": "over" }));
    assert_eq!(off, json!({ "safe_mode": null, "stops": [] }));
    assert!(agent.call(31, "echo").text.contains("called"));
    // A file counts as well, and is listed.
    std::fs::write(state.path().join("STOP"), "").unwrap();
    assert_eq!(ann.get("/v1/stops")["stops"][0]["by"], "the file STOP");
}

#[test]
fn sessions_are_listed_and_stopped() {
    let state = tempfile::tempdir().unwrap();
    let gate = gate(state.path(), &Value::Null, &at_a_port(), &json!({}));
    let ann = Person::with(&gate, ANN);
    let (one, other) = (gate.open("/s/x/mcp", REVISION), gate.open("/s/x/mcp", REVISION));
    assert!(one.call(1, "echo").text.contains("called"));
    assert!(other.call(1, "echo").text.contains("called"));
    // The order is by milliseconds.
    let then = now();
    until("a millisecond has passed", || now() > then);
    assert!(one.call(2, "denied_tool").reason().is_some());
    let sessions = ann.get("/v1/sessions");
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2, "{sessions}");
    let first = &sessions["sessions"][0];
    assert_eq!(
        (&first["calls"], &first["denied"]),
        (&json!(2), &json!(1)),
        "the last used first: {sessions}"
    );
    assert_eq!(first["origins"], json!(["x"]));
    assert_eq!(first["principal"], "local");
    assert!(
        first["client"].is_string() && first["opened_unix_ms"].as_u64() <= first["last_unix_ms"].as_u64()
    );
    let stop = json!({ "target": { "session": first["id"] }, "reason": "a test" });
    ann.does("POST", "/v1/stops", &stop);
    assert_eq!(one.call(3, "echo").reason(), Some("stopped"));
    assert!(other.call(2, "echo").text.contains("called"));
}

type Notices = Arc<Mutex<Vec<(BTreeMap<String, String>, Vec<u8>)>>>;

/// Who takes events.
fn receiver() -> (Upstream, Notices) {
    let notices = Notices::default();
    let kept = Arc::clone(&notices);
    let upstream = Upstream::start(move |heard, stream| {
        kept.lock().unwrap().push((heard.headers.clone(), heard.body.clone()));
        respond(stream, &json!({}), "")
    });
    (upstream, notices)
}

fn words(notices: &Notices) -> Vec<(String, Value)> {
    let notices = notices.lock().unwrap();
    let events = notices.iter().map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap());
    events.map(|event| (event["event"].as_str().unwrap().to_owned(), event)).collect()
}

/// HMAC-SHA256 (RFC 2104), for keys shorter than a block.
fn hmac(key: &[u8], message: &[u8]) -> String {
    let pad = |with: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap();
    outer.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[test]
fn a_webhook_is_told() {
    let state = tempfile::tempdir().unwrap();
    let (upstream, notices) = receiver();
    let url = format!("http://{}/hook", upstream.address);
    let approvals = json!({ "webhook": { "url": url, "secret": SECRET } });
    let mut gate = gate(state.path(), &json!("ask"), &at_a_port(), &approvals);
    let agent = gate.open("/s/x/mcp", REVISION);
    let ann = Person::with(&gate, ANN);
    for (id, answer) in [(1, "approve"), (2, "deny")] {
        let mut open = agent.begin(call(id, "echo"));
        let path = ann.waiting();
        ann.does("POST", &format!("{path}/{answer}"), &json!({}));
        Answer::read(&mut open);
    }
    let stop = json!({ "target": { "server": "x" }, "reason": "a test" });
    ann.does("POST", "/v1/stops", &stop);
    ann.does("DELETE", "/v1/stops", &json!({ "target": { "server": "x" }, "reason": "over" }));
    // Whoever stops it elsewhere is heard of as well.
    let elsewhere = |arguments: &[&str]| {
        let mut command = Command::new(testkit::peers::lockgate());
        assert!(command.args(arguments).arg("--state").arg(state.path()).status().unwrap().success());
    };
    elsewhere(&["safe-mode", "on", "--reason", "elsewhere"]);
    until("safe mode is told", || words(&notices).iter().any(|(word, _)| word == "safe_mode_on"));
    elsewhere(&["safe-mode", "off"]);
    until("its end is told", || words(&notices).iter().any(|(word, _)| word == "safe_mode_off"));
    let told: Vec<String> = words(&notices).into_iter().map(|(word, _)| word).collect();
    let expected = [
        "approval_waiting",
        "approved",
        "approval_waiting",
        "denied",
        "stop",
        "resume",
        "safe_mode_on",
        "safe_mode_off",
    ];
    assert_eq!(told, expected);
    let events = words(&notices);
    assert_eq!(events[1].1["approval"]["votes"][0]["approver"], "ann");
    assert_eq!(events[4].1["stop"]["reason"], "a test");
    assert_eq!((&events[5].1["stop"]["by"], &events[5].1["stop"]["reason"]), (&json!("ann"), &json!("over")));
    for (headers, body) in notices.lock().unwrap().iter() {
        let text = String::from_utf8_lossy(body);
        assert!(!text.contains("arguments"), "{text}");
        let signed = [headers["lockgate-timestamp"].as_bytes(), b".", body].concat();
        assert_eq!(headers["lockgate-signature"], format!("v1={}", hmac(SECRET.as_bytes(), &signed)));
    }
    // What was told last still goes out at the end.
    ann.does("POST", "/v1/stops", &stop);
    gate.stop();
    assert_eq!(words(&notices).last().unwrap().0, "stop");
}

#[test]
fn a_webhook_that_takes_nothing_is_complained_about() {
    let state = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n").is_ok()
    });
    let approvals =
        json!({ "webhook": { "url": format!("http://{}/", upstream.address), "secret": SECRET } });
    let gate = gate(state.path(), &json!("ask"), &at_a_port(), &approvals);
    let ann = Person::with(&gate, ANN);
    ann.does("POST", "/v1/safe-mode", &json!({ "on": true, "reason": "a test" }));
    until("the operator is told", || gate.complaints.text().contains("the webhook has not taken 1 events"));
    assert_eq!(upstream.heard().len(), 1);
}

#[test]
fn a_webhook_is_told_of_calls_that_nobody_waits_for_any_more() {
    let file = tempfile::tempdir().unwrap();
    for takes in [true, false] {
        let state = file.path().join(takes.to_string());
        std::fs::create_dir(&state).unwrap();
        let notices = Notices::default();
        let kept = Arc::clone(&notices);
        let upstream = Upstream::start(move |heard, stream| {
            kept.lock().unwrap().push((heard.headers.clone(), heard.body.clone()));
            let no = b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n";
            if takes { respond(stream, &json!({}), "") } else { stream.write_all(no).is_ok() }
        });
        let url = format!("http://{}/hook", upstream.address);
        let approvals = json!({ "wait": false, "webhook": { "url": url, "secret": SECRET } });
        let gate = gate(&state, &json!("ask"), &json!({}), &approvals);
        let answer = gate.open("/s/x/mcp", REVISION).call(1, "echo");
        assert_eq!(answer.reason(), Some("approval_pending"), "{}", answer.text);
        let told = || words(&notices).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
        until("the call is told", || told() == ["approval_waiting"]);
        let complaints = || gate.complaints.text().matches("the webhook has not taken 1 events").count();
        until("what is lost is said", || takes || complaints() == 1);
        let id = words(&notices)[0].1["approval"]["id"].as_str().unwrap().to_owned();
        let approve = ["approvals", "approve", id.as_str()];
        let mut command = Command::new(testkit::peers::lockgate());
        assert!(command.args(approve).arg("--state").arg(&state).status().unwrap().success());
        until("its approval is told", || told() == ["approval_waiting", "approved"]);
        until("what is lost is said again", || takes || complaints() == 2);
        assert!(!state.join("stops.db").exists());
    }
}

#[test]
fn gateways_on_pipes_share_one_socket() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("lockgate.yaml");
    let mut x = server("plain", &state.path().join("heard"));
    x["tools"] = json!({ "echo": "ask" });
    let config = json!({ "servers": { "x": x }, "state": state.path(), "admin": {}, "approvals": {} });
    std::fs::write(&file, config.to_string()).unwrap();
    let start = || {
        Pipe::start(&["stdio".as_ref(), "--server".as_ref(), "x".as_ref(), "-c".as_ref(), file.as_os_str()])
    };
    let mut first = start();
    let socket = state.path().join("admin.sock");
    let person = Person::at(&socket);
    let mut second = start();
    until("the second gateway says so", || second.complaints.text().contains("goes on without an admin API"));
    assert!(!first.complaints.text().contains("goes on without"));
    // A call of the second is answered at the socket of the first.
    second.say(hello(REVISION));
    second.hear();
    second.say(call(1, "echo"));
    let path = person.waiting();
    person.does("POST", &format!("{path}/approve"), &json!({}));
    assert!(second.hear().contains("called"));
    assert_eq!(person.get("/v1/sessions")["sessions"].as_array().unwrap().len(), 1);
    // The socket goes with its owner, and is free for the next.
    first.end();
    assert!(!socket.exists());
    let mut third = start();
    let person = Person::at(&socket);
    assert_eq!(person.get("/healthz"), json!({ "status": "ok" }));
    second.end();
    assert!(socket.exists());
    third.end();
}

#[test]
fn a_socket_that_was_left_behind_is_replaced_and_another_file_is_not() {
    let state = tempfile::tempdir().unwrap();
    let socket = state.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let gate = gate(state.path(), &json!("ask"), &json!({}), &json!({}));
    assert_eq!(Person::at(&socket).get("/healthz"), json!({ "status": "ok" }));
    drop(gate);
    std::fs::write(&socket, "mine").unwrap();
    let file = state.path().join("lockgate.yaml");
    let config = json!({ "servers": { "x": { "command": ["true"] } }, "state": state.path(), "admin": {} });
    std::fs::write(&file, config.to_string()).unwrap();
    let mut gateway = Command::new(testkit::peers::lockgate());
    let ended = gateway.args(["run", "--listen", "127.0.0.1:0", "-c"]).arg(&file).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("something that is not a socket has the socket's path"), "{said}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "mine");
}

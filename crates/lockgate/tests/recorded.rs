//! What is on record, end to end: every request that was begun ends with one record, and what people decide and are told of is
//! in the log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails here has found something"
)]

mod shell;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use shell::{command, install, printed};
use tempfile::TempDir;
use testkit::hostile::{Gate, call, until};

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// A server that answers everything but calls of `slow`.
const CASES: [&str; 4] = [
    r#"*'"initialize"'*) result='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"notes","version":"1"}}'"#,
    r#"*'"tools/list"'*) result='{"tools":[{"name":"search","inputSchema":{"type":"object"}},{"name":"slow","inputSchema":{"type":"object"}}]}'"#,
    r#"*'"slow"'*) continue"#,
    r#"*) result='{"content":[{"type":"text","text":"found"}]}'"#,
];

fn folder(more: Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let server = folder.path().join("notes-server");
    install(&server, &shell::server("", &CASES));
    let mut config = json!({
        "state": "state",
        "flow": { "mode": "off" },
        "records": { "folder": "log" },
        "servers": { "notes": { "command": [server], "tools": { "asked": "ask" } } },
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    std::fs::write(folder.path().join("lockgate.yaml"), config.to_string()).unwrap();
    folder
}

/// The records of the log, as they are.
fn log(at: &Path) -> Vec<Value> {
    let (text, code) = printed(command(at, "lockgate").args(["log", "search", "--json"]));
    assert_eq!(code, 0, "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'r>(records: &'r [Value], event: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["event"] == event).collect()
}

/// How each call ended, by its correlation: the words of all its records.
fn calls(records: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in records.iter().filter(|record| record["method"] == "tools/call") {
        let word = record["ended"].as_str().or(record["event"].as_str()).unwrap();
        calls.entry(record["correlation"].as_str().unwrap().to_owned()).or_default().push(word.to_owned());
    }
    calls
}

#[test]
fn a_call_that_is_taken_back_or_left_open_has_a_last_record() {
    let folder = folder(json!({}));
    let mut gateway = command(folder.path(), "lockgate")
        .arg("stdio")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut agent = gateway.stdin.take().unwrap();
    let mut answers = BufReader::new(gateway.stdout.take().unwrap()).lines();
    let mut say = |message: Value| writeln!(agent, "{message}").unwrap();
    let client = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let ask = |id: u64, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    say(ask(1, "initialize", client));
    answers.next().unwrap().unwrap();
    say(ask(2, "tools/list", json!({})));
    answers.next().unwrap().unwrap();
    say(ask(3, "tools/call", json!({ "name": "notes__slow", "arguments": {} })));
    say(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 3 } }));
    say(ask(4, "tools/call", json!({ "name": "notes__search", "arguments": {} })));
    answers.next().unwrap().unwrap();
    say(ask(
        6,
        "tools/call",
        json!({ "name": "notes__search", "arguments": { "text": "x".repeat(5 << 20) } }),
    ));
    let refused = answers.next().unwrap().unwrap();
    assert!(refused.contains("message_too_large"), "{refused}");
    say(ask(5, "tools/call", json!({ "name": "notes__slow", "arguments": {} })));
    drop(agent);
    assert!(gateway.wait().unwrap().success());
    let records = log(folder.path());
    let ended: Vec<_> = calls(&records).into_values().collect();
    assert_eq!(ended, [["request", "cancelled"], ["request", "answer"], ["request", "session_over"]]);
    let refused: Vec<_> = records.iter().filter(|record| record["reason"] == "message_too_large").collect();
    assert!(matches!(refused[..], [one] if one["verdict"] == "deny"), "{refused:?}");
    for end in of(&records, "end") {
        assert!(end["duration_us"].as_u64().unwrap() > 0 && end["upstream_us"].as_u64().is_some(), "{end}");
        assert_eq!(end["arguments_sha256"].as_str().map(str::len), Some(64));
    }
}

/// A server over HTTP that answers everything but calls.
fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    port
}

fn serve(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(found) = line.to_lowercase().strip_prefix("content-length: ") {
                length = found.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let result = match message["method"].as_str() {
            Some("initialize") => {
                json!({ "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "x", "version": "1" } })
            }
            Some("tools/list") => {
                json!({ "tools": [{ "name": "slow", "inputSchema": { "type": "object" } }] })
            }
            Some("tools/call") => {
                // Until the gateway hangs up.
                let _gone = stream.read(&mut [0; 1]);
                return;
            }
            _ => Value::Null,
        };
        let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string();
        let head = if result.is_null() {
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
        } else {
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
                answer.len()
            )
        };
        if stream.get_mut().write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn a_call_whose_agent_hangs_up_has_a_last_record() {
    let gate = Gate::start(json!({
        "flow": { "mode": "off" },
        "servers": { "x": { "url": format!("http://127.0.0.1:{}/mcp", silent()), "timeout": "10m" } },
    }));
    let agent = gate.open("/s/x/mcp", "2025-06-18");
    agent.post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    let held = agent.begin(call(7, "slow"));
    let all = || gate.records().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>();
    until("the call is on its way", || calls(&all()).len() == 1);
    drop(held);
    until("its end is on record", || calls(&all()).values().any(|words| words.len() > 1));
    let ended: Vec<_> = calls(&all()).into_values().collect();
    assert_eq!(ended, [["request", "abandoned"]]);
}

#[test]
fn what_people_decide_is_in_the_log_once() {
    let folder = folder(json!({ "alerts": { "channels": { "local": { "file": "alerts.jsonl" } } } }));
    let at = folder.path();
    let run = |arguments: &[&str]| {
        let (text, code) = printed(command(at, "lockgate").args(arguments));
        assert_eq!(code, 0, "{text}");
        text
    };
    let mut gateways: Vec<_> = (0..2)
        .map(|_| {
            command(at, "lockgate").arg("stdio").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let started = || of(&log(at), "gateway").len() == 2;
    until("both gateways run", || at.join("log/checkpoint").exists() && started());
    run(&["stop", "--session", "abcdefabcdef", "--reason", "odd calls"]);
    until("the stop is on record", || of(&log(at), "stop").len() == 1);
    run(&["resume", "--session", "abcdefabcdef"]);
    until("that it was lifted, too", || of(&log(at), "stop").len() == 2);
    let opened = run(&["incident", "open", "--reason", "mail is odd", "--stop", "server:notes", "--json"]);
    let incident: Value = serde_json::from_str(&opened).unwrap();
    until("the incident is on record", || of(&log(at), "incident").len() == 1);
    for gateway in &mut gateways {
        drop(gateway.stdin.take());
        assert!(gateway.wait().unwrap().success());
    }
    // While none runs, and with one that starts then.
    run(&["incident", "close", incident["id"].as_str().unwrap(), "--note", "nothing to it"]);
    let mut last = command(at, "lockgate").arg("stdio").stdin(Stdio::piped()).spawn().unwrap();
    until("what was decided meanwhile is on record", || of(&log(at), "incident").len() == 2);
    drop(last.stdin.take());
    assert!(last.wait().unwrap().success());

    let records = log(at);
    let told = |event: &str| -> Vec<(Value, Value, Value)> {
        let told = of(&records, event);
        told.iter().map(|one| (one["notes"].clone(), one["target"].clone(), one["why"].clone())).collect()
    };
    let why = format!("incident {}: mail is odd", incident["id"].as_str().unwrap());
    assert_eq!(
        told("stop"),
        [
            (json!(["set"]), json!("session"), json!("odd calls")),
            (json!(["lifted"]), json!("session"), Value::Null),
            (json!(["set"]), json!("server"), json!(why)),
            (json!(["lifted"]), json!("server"), Value::Null),
        ]
    );
    assert_eq!(
        told("incident"),
        [
            (json!(["opened"]), Value::Null, json!("mail is odd")),
            (json!(["closed"]), Value::Null, json!("nothing to it")),
        ]
    );
    assert!(
        of(&records, "incident")
            .iter()
            .all(|one| one["about"] == incident["id"] && one["principal"] != "gateway")
    );

    // Whom it was told to is on record as well, and what was told leads to the record.
    let alerts = std::fs::read_to_string(at.join("alerts.jsonl")).unwrap();
    let alerts: Vec<Value> = alerts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // What was told last may wait on the disk for the next gateway.
    assert!(!alerts.is_empty());
    for alert in &alerts {
        let own: Vec<_> =
            of(&records, "alert").into_iter().filter(|record| record["about"] == alert["id"]).collect();
        let [record] = own[..] else { panic!("{alert} is in {own:?}") };
        assert_eq!(record["notes"], json!([alert["alert"], alert["severity"]]));
        assert_eq!(record["alert_rule"], alert["alert_rule"]);
    }
    let mut ids: Vec<_> = of(&records, "alert").iter().map(|one| one["about"].to_string()).collect();
    assert!(ids.len() < 30, "of an alert no alert is made: {ids:?}");
    let many = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), many);
    let (timeline, _) = printed(command(at, "lockgate").args(["log", "timeline", "abcdefabcdef"]));
    assert!(timeline.contains("set of session, by") && timeline.contains(": odd calls"), "{timeline}");
}

#[test]
fn the_documentation_has_every_event() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/log.md");
    let written = std::fs::read_to_string(page).unwrap();
    let (_, rest) = written.split_once("<!-- events -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- end -->\n").unwrap();
    let listed: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let all: Vec<_> =
        lockgate_audit::Happening::ALL.into_iter().map(lockgate_audit::Happening::word).collect();
    assert_eq!(listed, all);
    let (help, _) = printed(command(Path::new("."), "lockgate").args(["log", "search", "--help"]));
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(all.iter().all(|word| help.contains(word)), "{help}");
}

#[test]
fn a_changed_file_says_who_is_told_and_who_watches_and_what_must_wait() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let config = |channel: &str, more: Value| {
        let mut config = json!({
            "servers": { "notes": { "command": [LOCKGATE, "demo-server", "web"] } },
            "alerts": {
                "channels": { "local": { "file": channel } },
                "rules": { "stops": { "on": ["stop_set"] } },
            },
            "records": { "folder": at.join("log") },
        });
        for (key, value) in more.as_object().unwrap() {
            match value.as_object() {
                Some(members) if config[key].is_object() => {
                    members.iter().for_each(|(name, value)| config[key][name] = value.clone());
                }
                _ => config[key] = value.clone(),
            }
        }
        config
    };
    let gate = Gate::start_in(at, config("one.jsonl", json!({})));
    let stop = |server: &str| {
        let (text, code) =
            printed(command(at, "lockgate").args(["stop", "--server", server, "--reason", "drill"]));
        assert_eq!(code, 0, "{text}");
    };
    let told = |file: &str, server: &str| {
        std::fs::read_to_string(at.join(file))
            .is_ok_and(|text| text.contains(&format!("\"server\":\"{server}\"")))
    };
    stop("one");
    until("the first channel is told", || told("one.jsonl", "one"));
    let published = at.join("published");
    let mut other =
        config("two.jsonl", json!({ "records": { "publish": { "file": published } }, "admin": {} }));
    other["records"]["file"] = json!(at.join("records.jsonl"));
    std::fs::write(at.join("lockgate.yaml"), other.to_string()).unwrap();
    until("it is in force", || {
        gate.complaints.text().contains("is in force, but `admin` only from the next start on")
    });
    stop("two");
    until("the second channel is told", || told("two.jsonl", "two"));
    assert!(!told("one.jsonl", "two") && !told("two.jsonl", "one"));
    until("a checkpoint is published", || published.exists());
    other["alerts"] = Value::Null;
    other.as_object_mut().unwrap().remove("alerts");
    std::fs::write(at.join("lockgate.yaml"), other.to_string()).unwrap();
    until("that is in force, too", || gate.complaints.text().matches("is in force").count() == 2);
    stop("three");
    until("it is on record", || {
        gate.records().lines().any(|line| line.contains("\"event\":\"stop\"") && line.contains("\"three\""))
    });
    assert!(!told("two.jsonl", "three"));
}

#[test]
fn what_is_approved_while_no_gateway_runs_is_in_the_log_once() {
    let folder = folder(json!({}));
    let at = folder.path();
    let offered = |gateways: u32| {
        for _ in 0..gateways {
            let mut agent = testkit::agent::Agent::start(command(at, "lockgate").arg("stdio"));
            agent.ask("tools/list", json!({}));
            agent.end();
        }
    };
    offered(1);
    let before = of(&log(at), "pin").len();
    let pins = lockgate_store::Pins::open(&at.join("state")).unwrap();
    let all = pins.list(lockgate_store::pins::Filter::All, None).unwrap();
    pins.reject(&all[0].id, "local:ann", None, 1_000).unwrap();
    drop(pins);
    offered(3);
    let records = log(at);
    let refused: Vec<_> =
        of(&records, "pin").into_iter().filter(|pin| pin["principal"] == "local:ann").collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["decided"], "1970-01-01T00:00:01.000000Z");
    assert_eq!(of(&records, "pin").len(), before + 1, "nothing is written down twice");
}

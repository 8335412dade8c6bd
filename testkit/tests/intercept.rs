//! Intercept policies in front of a running server: what they say, and what they count.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_store::{Approvals, Filter, Scope, Vote};
use serde_json::json;
use testkit::hostile::{Gate, Heard, Upstream, behave, respond, until};

const REVISION: &str = "2025-06-18";

/// Milliseconds.
const DAY: u64 = 86_400_000;

const POLICY: &str = r#"
version: "1"
hide: [secret]
default: deny
tools:
  echo:
    rules:
      - name: no shouting
        conditions: [{ path: args.text, op: regex, value: "^[^A-Z]*$" }]
        on_deny: Speak softly.
      - name: often
        rate_limit: 3/day
  pay:
    rules:
      - name: cap
        conditions: [{ path: state.pay.spent, op: lte, value: 10 }]
        state: { counter: spent, window: day, increment_from: args.amount }
  danger:
    rules: [{ name: never, action: deny }]
  paid:
    rules: [{ name: purse, spend: { per_call: 0.50, daily: 1.00 } }]
  ask:
    rules: [{ name: a person, action: require_approval, approval_timeout: 30m }]
"#;

fn upstream() -> Upstream {
    Upstream::start(|heard: &Heard, stream| {
        let id = heard.message()["id"].clone();
        match heard.method().as_str() {
            "tools/list" => {
                let tool = |name: &&str| json!({ "name": name, "inputSchema": { "type": "object" } });
                let tools: Vec<_> =
                    ["echo", "pay", "danger", "ask", "secret", "other", "paid"].iter().map(tool).collect();
                respond(stream, &json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": tools } }), "")
            }
            "tools/call" if heard.message()["params"]["name"] == "paid" => {
                let data =
                    json!({ "challenges": [{ "amount": heard.message()["params"]["arguments"]["price"] }] });
                let error = json!({ "code": -32042, "message": "Payment Required", "data": data });
                respond(stream, &json!({ "jsonrpc": "2.0", "id": id, "error": error }), "")
            }
            "tools/call" if heard.message().to_string().contains("fails") => {
                let result = json!({ "content": [], "isError": true });
                respond(stream, &json!({ "jsonrpc": "2.0", "id": id, "result": result }), "")
            }
            _ => behave(heard, stream),
        }
    })
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn gate(upstream: &Upstream, state: &Path) -> Gate {
    // What is counted by the day begins anew at midnight.
    until("the day lasts for a while", || now() % DAY < DAY - 30_000);
    let file = state.join("policy.yaml");
    std::fs::write(&file, POLICY).unwrap();
    let mut config = upstream.config();
    config["intercept"] = json!(file);
    Gate::start(json!({ "servers": { "h": config }, "state": state }))
}

#[test]
fn a_policy_says_and_counts_what_it_always_did() {
    let (upstream, state) = (upstream(), tempfile::tempdir().unwrap());
    let gate = gate(&upstream, state.path());
    let agent = gate.open("/s/h/mcp", REVISION);
    let list = agent.post(r#"{"jsonrpc":"2.0","id":0,"method":"tools/list"}"#).text;
    assert!(list.contains("\"danger\"") && !list.contains("\"secret\""), "{list}");
    for (tool, arguments, said) in [
        ("echo", r#"{"text":"one"}"#, "called"),
        ("echo", r#"{"text":"LOUD"}"#, "[INTERCEPT POLICY DENIED] Speak softly."),
        ("echo", "{}", "[INTERCEPT POLICY DENIED] Speak softly."),
        ("danger", "{}", "[INTERCEPT POLICY DENIED] Denied by rule \\\"never\\\""),
        ("other", "{}", "[INTERCEPT POLICY DENIED] Tool \\\"other\\\" is not permitted by policy"),
        // What fails is not counted.
        ("echo", r#"{"text":"fails"}"#, "isError"),
        ("echo", r#"{"text":"two"}"#, "called"),
        ("echo", r#"{"text":"three"}"#, "called"),
        (
            "echo",
            r#"{"text":"four"}"#,
            "[INTERCEPT POLICY DENIED] Rate limit of 3 per day reached. Try again later.",
        ),
        ("pay", r#"{"amount":6}"#, "called"),
        ("pay", r#"{"amount":6}"#, "[INTERCEPT POLICY DENIED]"),
        ("pay", r#"{"amount":-100}"#, "[INTERCEPT POLICY DENIED]"),
        ("pay", r#"{"amount":3.5}"#, "called"),
        ("pay", r#"{"amount":0.75}"#, "[INTERCEPT POLICY DENIED]"),
        ("pay", r#"{"amount":0.5}"#, "called"),
    ] {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
        );
        let answer = agent.post(&call);
        assert!(answer.text.contains(said), "{tool} {arguments}: {}", answer.text);
    }
    let calls = upstream.heard().iter().filter(|heard| heard.contains("tools/call")).count();
    assert_eq!(calls, 7, "{:?}", upstream.heard());
}

#[test]
fn an_approval_is_something_to_come_back_for() {
    let (upstream, state) = (upstream(), tempfile::tempdir().unwrap());
    let gate = gate(&upstream, state.path());
    let agent = gate.open("/s/h/mcp", REVISION);
    assert_eq!(agent.call(1, "ask").reason(), Some("approval_pending"));
    let approvals = Approvals::open(state.path()).unwrap();
    let now = now();
    let mut id = None;
    until("it is filed", || {
        id = approvals.list(Filter::Waiting, now).unwrap().pop().map(|entry| entry.id);
        id.is_some()
    });
    let vote = Vote { approver: "ann".to_owned(), yes: true, why: None, scope: Scope::Once };
    approvals.vote(&id.unwrap(), &vote, now).unwrap();
    let answer = agent.call(2, "ask");
    assert!(answer.text.contains("called"), "{}", answer.text);
    assert_eq!(agent.call(3, "ask").reason(), Some("approval_pending"));
}

/// What reached the server past the original. Nothing of it may.
#[test]
fn the_known_ways_past_a_policy_are_closed() {
    let (upstream, state) = (upstream(), tempfile::tempdir().unwrap());
    let gate = gate(&upstream, state.path());
    let agent = gate.open("/s/h/mcp", REVISION);
    let danger =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger","arguments":{}}}"#;
    let utf16: Vec<u8> = danger.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let before = upstream.heard().len();
    let ways: Vec<(&str, Vec<u8>)> = vec![
        ("arguments that are an array", danger.replace("{}", "[]").into_bytes()),
        ("arguments that are a text", danger.replace("{}", "\"x\"").into_bytes()),
        ("a name twice but for case", danger.replace("\"name\"", "\"Name\":\"echo\",\"name\"").into_bytes()),
        (
            "a method twice but for case",
            danger.replace("\"params\"", "\"Method\":\"ping\",\"params\"").into_bytes(),
        ),
        ("a batch", format!("[{danger}]").into_bytes()),
        ("a byte order mark", [&b"\xef\xbb\xbf"[..], danger.as_bytes()].concat()),
        ("UTF-16", [&b"\xff\xfe"[..], &utf16].concat()),
        (
            "no arguments where a rule wants them",
            danger.replace("danger", "echo").replace(",\"arguments\":{}", "").into_bytes(),
        ),
    ];
    for (way, message) in ways {
        let answer = agent.post(&message);
        assert!(answer.reason().is_some(), "{way}: {}", answer.text);
    }
    for (header, value) in [("Origin", "http://evil.example"), ("Host", "evil.example")] {
        let answer =
            gate.post("/s/h/mcp", danger.as_bytes(), &[("Mcp-Session-Id", &agent.session), (header, value)]);
        assert_eq!(answer.status, 403, "{header}: {}", answer.text);
    }
    let heard = upstream.heard();
    assert!(heard.iter().skip(before).all(|heard| !heard.contains("tools/call")), "{heard:?}");
    // The same on a pipe, where the original never looked into arrays.
    let file = state.path().join("policy.yaml");
    let log = state.path().join("log");
    let program = testkit::hostile::hostile_server();
    let mut pipe = testkit::hostile::Pipe::start(&[
        "wrap".as_ref(),
        "-c".as_ref(),
        file.as_ref(),
        "--".as_ref(),
        program.as_ref(),
        "plain".as_ref(),
        log.as_ref(),
    ]);
    pipe.say(testkit::hostile::hello(REVISION));
    assert!(pipe.hear().contains("protocolVersion"));
    pipe.say(format!("[{danger}]"));
    assert!(pipe.hear().contains("batch_not_supported"));
    pipe.say(danger.replace("\"id\":1", "\"id\":2"));
    let answer = pipe.hear();
    assert!(answer.contains("denied") || answer.contains("unknown_tool"), "{answer}");
    assert!(!std::fs::read_to_string(&log).unwrap().contains("danger"));
}

#[test]
fn a_price_is_looked_at_before_the_agent_hears_of_it() {
    let (upstream, state) = (upstream(), tempfile::tempdir().unwrap());
    let gate = gate(&upstream, state.path());
    let agent = gate.open("/s/h/mcp", REVISION);
    for (price, passes) in [
        ("0.40", true),
        ("\"0.40\"", true),
        ("0.60", false),
        ("-1", false),
        ("null", false),
        ("\"a lot\"", false),
        ("0.30", false),
        ("0.20", true),
        ("0.01", false),
    ] {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"paid","arguments":{{"price":{price}}}}}}}"#
        );
        let answer = agent.post(&call).text;
        let said = if passes { "-32042" } else { "[INTERCEPT POLICY DENIED] Spend limit exceeded for purse" };
        assert!(answer.contains(said), "{price}: {answer}");
    }
}

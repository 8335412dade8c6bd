//! Calls that wait for people, and what is stopped by hand: with the gateway as a process, and people who use the same
//! folder as the command line does.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_store::{Approvals, Ballot, Filter, Scope, StateError, Stops, Target, Vote};
use serde_json::{Value, json};
use testkit::hostile::{Answer, Gate, Upstream, behave, call, hello, server, until};

const REVISION: &str = "2025-06-18";

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A gateway whose tool `echo` asks, with the state in a folder that outlives it.
fn gate(state: &Path, rule: &Value, approvals: &Value) -> Gate {
    let mut x = server("plain", &state.join("heard"));
    x["tools"] = json!({ "echo": rule });
    Gate::start(
        json!({ "servers": { "x": x }, "state": state, "approvals": approvals, "hold_timeout": "60s" }),
    )
}

/// What waits, once something does.
fn waiting(state: &Path) -> String {
    let approvals = Approvals::open(state).unwrap();
    let mut id = None;
    until("a call waits", || {
        id = approvals.list(Filter::Waiting, now()).unwrap().pop().map(|entry| entry.id);
        id.is_some()
    });
    id.unwrap()
}

fn vote(state: &Path, id: &str, who: &str, yes: bool, scope: Scope) -> Result<Ballot, StateError> {
    let vote = Vote { approver: who.to_owned(), yes, why: Some("a test".to_owned()), scope };
    Approvals::open(state).unwrap().vote(id, &vote, now())
}

#[test]
fn a_held_call_is_made_once_somebody_approves() {
    let state = tempfile::tempdir().unwrap();
    let gate = gate(state.path(), &json!("ask"), &json!({}));
    let agent = gate.open("/s/x/mcp", REVISION);
    let mut open = agent.begin(call(1, "echo"));
    let id = waiting(state.path());
    let entry = Approvals::open(state.path()).unwrap().show(&id, now()).unwrap().unwrap();
    assert_eq!((entry.request.server.as_str(), entry.request.tool.as_str()), ("x", "echo"));
    assert_eq!(entry.request.rule, "servers.x.tools.echo");
    vote(state.path(), &id, "ann", true, Scope::Once).unwrap();
    let answer = Answer::read(&mut open);
    assert!(answer.text.contains("called") && answer.text.contains("\"id\":1"), "{}", answer.text);
    // Once means once.
    let mut again = agent.begin(call(2, "echo"));
    let id = waiting(state.path());
    vote(state.path(), &id, "ann", false, Scope::Once).unwrap();
    let answer = Answer::read(&mut again);
    assert_eq!(answer.reason(), Some("approval_declined"), "{}", answer.text);
}

#[test]
fn an_approval_for_the_session_is_for_these_arguments() {
    let state = tempfile::tempdir().unwrap();
    let mut x = server("plain", &state.path().join("heard"));
    x["tools"] = json!({ "echo": "ask" });
    x["effects"] = json!({ "echo": "write" });
    let config = json!({ "servers": { "x": x }, "state": state.path(), "approvals": { "wait": false } });
    let gate = Gate::start(config);
    let agent = gate.open("/s/x/mcp", REVISION);
    let say = |id: u64, text: &str| {
        let params = json!({ "name": "echo", "arguments": { "text": text } });
        agent
            .post(json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string())
    };
    assert_eq!(say(1, "one").reason(), Some("approval_pending"));
    let id = waiting(state.path());
    vote(state.path(), &id, "ann", true, Scope::Session).unwrap();
    for id in 2..5 {
        let answer = say(id, "one");
        assert!(answer.text.contains("called"), "{}", answer.text);
    }
    assert_eq!(say(5, "two").reason(), Some("approval_pending"));
}

#[test]
fn two_different_people() {
    let state = tempfile::tempdir().unwrap();
    let gate = gate(state.path(), &json!({ "action": "ask", "approvers": 2 }), &json!({}));
    let agent = gate.open("/s/x/mcp", REVISION);
    let mut open = agent.begin(call(1, "echo"));
    let id = waiting(state.path());
    for _ in 0..2 {
        let ballot = vote(state.path(), &id, "ann", true, Scope::Once).unwrap();
        assert_eq!(ballot, Ballot::Waiting { have: 1, need: 2 });
    }
    let heard = || std::fs::read_to_string(state.path().join("heard")).unwrap();
    assert!(!heard().contains("tools/call"));
    vote(state.path(), &id, "bob", true, Scope::Once).unwrap();
    let answer = Answer::read(&mut open);
    assert!(answer.text.contains("called"), "{}", answer.text);
    assert_eq!(heard().matches("tools/call").count(), 1);
}

#[test]
fn a_client_that_cannot_wait_comes_back() {
    let state = tempfile::tempdir().unwrap();
    let gate = gate(state.path(), &json!("ask"), &json!({ "wait": false }));
    let agent = gate.open("/s/x/mcp", REVISION);
    let answer = agent.call(1, "echo");
    let id = waiting(state.path());
    assert_eq!(answer.reason(), Some("approval_pending"), "{}", answer.text);
    assert!(answer.text.contains(&format!("lockgate approvals approve {id}")), "{}", answer.text);
    vote(state.path(), &id, "ann", true, Scope::Once).unwrap();
    let answer = agent.call(2, "echo");
    assert!(answer.text.contains("called"), "{}", answer.text);
    assert_eq!(agent.call(3, "echo").reason(), Some("approval_pending"));
}

#[test]
fn a_held_call_outlives_the_gateway() {
    let state = tempfile::tempdir().unwrap();
    let mut first = gate(state.path(), &json!("ask"), &json!({}));
    let agent = first.open("/s/x/mcp", REVISION);
    let _open = agent.begin(call(1, "echo"));
    let id = waiting(state.path());
    first.stop();
    vote(state.path(), &id, "ann", true, Scope::Once).unwrap();
    let second = gate(state.path(), &json!("ask"), &json!({}));
    let agent = second.open("/s/x/mcp", REVISION);
    let answer = agent.call(1, "echo");
    assert!(answer.text.contains("called"), "{}", answer.text);
}

#[test]
fn nobody_answers_in_time() {
    let state = tempfile::tempdir().unwrap();
    let mut x = server("plain", &state.path().join("heard"));
    x["tools"] = json!({ "echo": "ask" });
    let config =
        json!({ "servers": { "x": x }, "state": state.path(), "approvals": {}, "hold_timeout": "1s" });
    let gate = Gate::start(config);
    let answer = gate.open("/s/x/mcp", REVISION).call(1, "echo");
    assert_eq!(answer.reason(), Some("approval_timed_out"), "{}", answer.text);
    assert!(!std::fs::read_to_string(state.path().join("heard")).unwrap().contains("tools/call"));
}

#[test]
fn what_is_stopped_by_hand_stops_at_once() {
    let state = tempfile::tempdir().unwrap();
    let silent = server("silent", &state.path().join("silent"));
    let plain = server("plain", &state.path().join("plain"));
    let mut config = json!({ "servers": { "s": silent, "x": plain }, "state": state.path() });
    config["servers"]["s"]["timeout"] = json!("2m");
    config["servers"]["x"]["effects"] = json!({ "echo": "write" });
    let gate = Gate::start(config.clone());
    let slow = gate.open("/s/s/mcp", REVISION);
    let agent = gate.open("/s/x/mcp", REVISION);
    agent.is_served();
    let mut open = slow.begin(call(1, "echo"));
    until("the call is under way", || {
        std::fs::read_to_string(state.path().join("silent")).unwrap_or_default().contains("tools/call")
    });
    let stops = Stops::open(state.path()).unwrap();
    stops.stop(&Target::Server("s".to_owned()), "ann", "a test", now()).unwrap();
    let answer = Answer::read(&mut open);
    assert_eq!(answer.reason(), Some("stopped"), "{}", answer.text);
    assert!(answer.text.contains("stops.server"), "{}", answer.text);
    until("the server is told", || {
        std::fs::read_to_string(state.path().join("silent")).unwrap().contains("notifications/cancelled")
    });
    agent.is_served();
    stops.stop(&Target::SafeMode, "ann", "a test", now()).unwrap();
    until("safe mode is seen", || agent.call(2, "echo").reason() == Some("safe_mode"));
    // A gateway that starts now starts stopped.
    let second = Gate::start(config);
    assert_eq!(second.open("/s/x/mcp", REVISION).call(1, "echo").reason(), Some("safe_mode"));
    stops.resume(&Target::SafeMode, "ann", now()).unwrap();
    until("safe mode is over", || agent.call(3, "echo").text.contains("called"));
    std::fs::write(state.path().join("STOP"), "").unwrap();
    until("the file is seen", || agent.call(4, "echo").reason() == Some("stopped"));
    std::fs::remove_file(state.path().join("STOP")).unwrap();
    until("the file is gone", || agent.call(5, "echo").text.contains("called"));
    std::process::Command::new("kill").args(["-USR1", &gate.id().to_string()]).status().unwrap();
    until("the signal is heard", || agent.call(6, "echo").reason() == Some("stopped"));
    assert_eq!(stops.list().unwrap().iter().filter(|stop| stop.target == Target::Everything).count(), 1);
}

/// Whoever looks at what is stopped must not keep it from others.
#[test]
fn a_session_that_begins_hides_no_stop_from_others() {
    let state = tempfile::tempdir().unwrap();
    let config =
        json!({ "servers": { "x": server("plain", &state.path().join("heard")) }, "state": state.path() });
    let gate = Gate::start(config);
    let agent = gate.open("/s/x/mcp", REVISION);
    let stops = Stops::open(state.path()).unwrap();
    let target = Target::Server("x".to_owned());
    for number in 0..4 {
        stops.stop(&target, "ann", "a test", now()).unwrap();
        let _other = gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[]);
        until("the stop is seen", || agent.call(2 * number, "echo").reason() == Some("stopped"));
        stops.resume(&target, "ann", now()).unwrap();
        let _other = gate.post("/s/x/mcp", hello(REVISION).as_bytes(), &[]);
        until("its end is seen", || agent.call(2 * number + 1, "echo").reason() != Some("stopped"));
    }
}

#[test]
fn a_limit_holds_for_all_gateways_of_a_folder() {
    let state = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(behave);
    let mut config = upstream.config();
    config["tools"] = json!({ "echo": { "limits": ["5/hour"], "on_deny": "Five an hour." } });
    let config = json!({ "servers": { "h": config }, "state": state.path() });
    let gates = [Gate::start(config.clone()), Gate::start(config)];
    let agents: Vec<_> = gates.iter().map(|gate| gate.open("/s/h/mcp", REVISION)).collect();
    let mut reasons = vec![];
    for id in 0..4 {
        for agent in &agents {
            reasons.push(agent.call(id, "echo").reason().map(str::to_owned));
        }
    }
    let refused = reasons.iter().filter(|reason| reason.as_deref() == Some("budget_exceeded")).count();
    assert_eq!((refused, reasons.iter().filter(|reason| reason.is_none()).count()), (3, 5), "{reasons:?}");
    let calls = upstream.heard().iter().filter(|heard| heard.contains("tools/call")).count();
    assert_eq!(calls, 5);
    let refused = agents[0].call(9, "echo");
    assert!(refused.text.contains("The operator says: Five an hour."), "{}", refused.text);
    assert!(refused.text.contains("servers.h.tools.echo.limits"), "{}", refused.text);
}

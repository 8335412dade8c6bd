//! Rules that are only observed, and sessions that go in circles.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use serde_json::json;
use testkit::hostile::{Gate, server, until};

const REVISION: &str = "2025-06-18";

#[test]
fn what_is_only_observed_passes_and_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let mut x = server("plain", &folder.path().join("heard"));
    x["tools"] = json!({
        "echo": { "require": { "text": "never" }, "limits": ["1/hour"] },
        "denied_tool": "deny",
        "hidden_tool": "hide",
    });
    let state = folder.path().join("state");
    let gate = Gate::start(json!({ "servers": { "x": x }, "mode": "observe", "state": state }));
    let agent = gate.open("/s/x/mcp", REVISION);
    let list = agent.post(r#"{"jsonrpc":"2.0","id":0,"method":"tools/list"}"#).text;
    assert!(list.contains("hidden_tool"), "{list}");
    for (id, tool) in [(1, "echo"), (2, "echo"), (3, "denied_tool"), (4, "hidden_tool")] {
        let answer = agent.call(id, tool);
        assert!(answer.text.contains("called"), "{tool}: {}", answer.text);
    }
    // What nobody offers is not let through by looking away.
    assert_eq!(agent.call(5, "no_such_tool").reason(), Some("unknown_tool"));
    let would = |reason: &str| {
        let records = gate.records();
        let mut lines = records.lines().filter(|line| line.contains("\"would\":\"deny\""));
        lines.any(|line| line.contains(reason) && !line.contains("\"verdict\":\"deny\""))
    };
    for reason in ["argument_denied", "budget_exceeded", "tool_denied", "unknown_tool"] {
        until(reason, || would(reason));
    }
}

#[test]
fn circles_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let x = server("plain", &folder.path().join("heard"));
    let gate = Gate::start(json!({ "servers": { "x": x }, "loops": { "at_most": 3 } }));
    let agent = gate.open("/s/x/mcp", REVISION);
    let say = |text: &str| {
        let params = json!({ "name": "echo", "arguments": { "text": text } });
        let call = json!({ "jsonrpc": "2.0", "id": text, "method": "tools/call", "params": params });
        agent.post(call.to_string()).reason().map(str::to_owned)
    };
    for (text, reason) in
        [("a", None), ("a", None), ("a", None), ("a", Some("loop_detected")), ("b", None), ("a", None)]
    {
        assert_eq!(say(text).as_deref(), reason, "{text}");
    }
    let other = gate.open("/s/x/mcp", REVISION);
    other.is_served();
    let ping_pong: Vec<_> = ["x", "y"].iter().cycle().take(8).map(|text| say(text)).collect();
    assert_eq!(ping_pong.iter().filter(|reason| reason.is_some()).count(), 1, "{ping_pong:?}");
}

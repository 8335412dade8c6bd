//! What a gateway has sealed, another one of the same state folder opens, for the same run of the same agent.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::net::TcpStream;
use std::path::Path;

use serde_json::json;
use testkit::hostile::{Answer, Gate, Heard, Upstream, respond};

fn gate(upstream: &Upstream, state: &Path) -> Gate {
    Gate::start(json!({ "servers": { "x": upstream.config() }, "state": state }))
}

/// A list of endless pages, of which each names the cursor that it was asked for with.
fn pages(heard: &Heard, stream: &mut TcpStream) -> bool {
    let message = heard.message();
    let page = message["params"]["cursor"].as_str().unwrap_or("first").to_owned();
    let result = json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
        "tools": [], "nextCursor": "own-2", "_meta": { "page": page } });
    respond(stream, &json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }), "")
}

fn list(gate: &Gate, path: &str, context: &str, cursor: Option<&str>) -> Answer {
    let mut params = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "1" } } });
    if let Some(cursor) = cursor {
        params["cursor"] = json!(cursor);
    }
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params });
    let mut headers = vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")];
    if !context.is_empty() {
        headers.push(("Lockgate-Context", context));
    }
    gate.post(path, message.to_string().as_bytes(), &headers)
}

fn cursor_of(answer: &Answer) -> String {
    let (_, rest) = answer.text.split_once("\"nextCursor\":\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn a_seal_outlives_the_gateway_for_the_run_that_it_was_given_to() {
    let (state, upstream) = (tempfile::tempdir().unwrap(), Upstream::start(pages));
    let mut first = gate(&upstream, state.path());
    let named = cursor_of(&list(&first, "/s/x/mcp", "run-7", None));
    let unnamed = cursor_of(&list(&first, "/s/x/mcp", "", None));
    first.stop();
    let second = gate(&upstream, state.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = gate(&upstream, elsewhere.path());
    for (what, gate, path, context, cursor, opens) in [
        ("the run by its header", &second, "/s/x/mcp", "run-7", &named, true),
        ("the run by its path", &second, "/c/run-7/s/x/mcp", "", &named, true),
        ("both", &second, "/c/run-7/s/x/mcp", "run-7", &named, true),
        ("another run", &second, "/c/run-8/s/x/mcp", "", &named, false),
        ("no run", &second, "/s/x/mcp", "", &named, false),
        ("the client's name", &second, "/s/x/mcp", "", &unnamed, true),
        ("a run, for the client's name", &second, "/s/x/mcp", "t", &unnamed, false),
        ("another folder", &foreign, "/s/x/mcp", "run-7", &named, false),
        ("what the server said", &second, "/s/x/mcp", "run-7", &"own-2".to_owned(), false),
    ] {
        let answer = list(gate, path, context, Some(cursor));
        assert_eq!(answer.text.contains("\"page\":\"own-2\""), opens, "{what}: {}", answer.text);
        assert_eq!(answer.reason(), (!opens).then_some("bad_cursor"), "{what}: {}", answer.text);
    }
    let two = list(&second, "/c/run-7/s/x/mcp", "run-8", None);
    assert_eq!(two.reason(), Some("header_mismatch"), "{}", two.text);
    assert_eq!(std::fs::read(state.path().join("seal.key")).unwrap().len(), 32);
}

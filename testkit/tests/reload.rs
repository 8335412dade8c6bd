//! A changed configuration is in force at once; a bad one changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::hostile::{PATIENCE, until};
use testkit::peers::Running;

fn post(gateway: &Running, session: &str, body: &Value) -> String {
    let host = gateway.address.trim_start_matches("http://");
    let body = body.to_string();
    let session = if session.is_empty() { String::new() } else { format!("Mcp-Session-Id: {session}\r\n") };
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST /s/x/mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAccept: */*\r\nConnection: close\r\n{session}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn rules_change_at_once_and_errors_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    let config = |rule: &str| {
        json!({ "servers": { "x": {
            "command": [env!("CARGO_BIN_EXE_hostile-server"), "plain", heard],
            "tools": { "hidden_tool": rule }
        } } })
    };
    let gateway = Running::start(folder.path(), &config("ask"));
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
    let answer = post(&gateway, "", &hello);
    let session =
        answer.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap().trim().to_owned();
    let call =
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "hidden_tool" } });
    let says = |what: &str| post(&gateway, &session, &call).contains(what);
    assert!(says("approval_unavailable"));
    let file = folder.path().join("lockgate.yaml");
    std::fs::write(&file, config("deny").to_string()).unwrap();
    until("a call is denied", || says("tool_denied"));
    std::fs::write(&file, "servers: {x: {command: [a], tols: {}}}").unwrap();
    // The bad file is noticed within half a second; the good one behind it proves that it was passed over.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        assert!(says("tool_denied"), "a bad file changed something");
    }
    std::fs::write(&file, config("hide").to_string()).unwrap();
    until("the tool is hidden", || says("unknown_tool"));
}

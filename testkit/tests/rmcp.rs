//! The Rust SDK's client through Lockgate.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::process::Stdio;

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use serde_json::json;
use testkit::peers::{lockgate, peers, server};

#[tokio::test]
async fn the_rust_client_lists_and_calls() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lockgate.yaml");
    let config = json!({ "state": folder.path().join("state"), "servers": {
        "every": { "command": server(&peers, "mcp-server-everything", &["stdio"]), "tools": { "get-env": "deny" } },
        "memory": {
            "command": server(&peers, "mcp-server-memory", &[]),
            "env": { "MEMORY_FILE_PATH": folder.path().join("memory.json") }
        }
    } });
    std::fs::write(&file, config.to_string()).unwrap();
    let mut child = tokio::process::Command::new(lockgate())
        .args(["stdio", "-c"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let client = ().serve(pipes).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert!(names.contains(&"every__echo") && names.contains(&"memory__read_graph"), "{names:?}");
    let call = |name: &'static str, arguments: serde_json::Value| {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        client.call_tool(CallToolRequestParams::new(name).with_arguments(arguments))
    };
    let echo = call("every__echo", json!({ "message": "from rust" })).await.unwrap();
    assert!(serde_json::to_string(&echo).unwrap().contains("Echo: from rust"));
    let denied = call("every__get-env", json!({})).await.unwrap();
    assert_eq!(denied.is_error, Some(true));
    assert!(serde_json::to_string(&denied).unwrap().contains("tool_denied"));
    assert!(call("every__no-such-tool", json!({})).await.is_err());
    client.cancel().await.unwrap();
}

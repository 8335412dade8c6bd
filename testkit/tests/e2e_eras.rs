//! Real clients of one era and real servers of the other, and Lockgate between them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::path::Path;

use serde_json::{Value, json};
use testkit::eras::{Listening, of_all_eras, only, reference, script, with};
use testkit::peers::{Running, inspector, peers, python, repository, server, typescript, wrapped};

/// Everything that `server-everything` can do. What a client of either era makes of it is the same.
fn everything() -> Value {
    json!([
        ["tools"],
        ["call", "echo", { "message": "hello ✓" }],
        ["call", "get-structured-content", { "location": "New York" }],
        ["call", "get-tiny-image", {}],
        ["call", "get-roots-list", {}],
        ["answer", "accept"],
        ["call", "trigger-elicitation-request", {}],
        ["answer", "decline"],
        ["call", "trigger-elicitation-request", {}],
        ["call", "trigger-sampling-request", { "prompt": "x", "maxTokens": 10 }],
        ["call", "trigger-long-running-operation", { "duration": 0.2, "steps": 3 }],
        ["resources"],
        ["read", "demo://resource/static/document/features.md"],
        ["log", "debug"],
        ["call", "toggle-simulated-logging", {}],
        ["watch", "demo://resource/dynamic/text/1", "toggle-subscriber-updates", {}],
        ["prompts"],
        ["prompt", "args-prompt", { "city": "Ulm" }],
    ])
}

/// Everything that the reference server can do in the stateless era.
fn all_of_reference() -> Value {
    json!([
        ["tools"],
        ["call", "test_simple_text", {}],
        ["call", "test_multiple_content_types", {}],
        ["call", "echo", { "deep": [{ "a": null }, "✓"] }],
        ["call", "test_error_handling", {}],
        ["answer", "decline"],
        ["call", "test_elicitation", { "message": "who?" }],
        ["answer", "accept"],
        ["call", "test_elicitation", { "message": "who?" }],
        ["call", "test_input_required_result_multi_round", {}],
        ["call", "test_input_required_result_multiple_inputs", {}],
        ["call", "test_sampling", { "prompt": "x" }],
        ["call", "test_input_required_result_list_roots", {}],
        ["call", "test_tool_with_progress", {}],
        ["log", "info"],
        ["call", "test_tool_with_logging", {}],
        ["resources"],
        ["read", "test://static-text"],
        ["watch", "tools", "test_trigger_tool_change", {}],
        ["prompts"],
        ["prompt", "test_prompt_with_arguments", { "arg1": "a", "arg2": "b" }],
        ["prompt", "test_input_required_result_prompt", {}],
    ])
}

/// Without what belongs to one era or one session, and without how often a server logs or asks for roots, which it does of
/// its own accord as well: but that it did stays.
fn comparable(mut steps: Vec<Value>) -> Vec<Value> {
    for step in &mut steps {
        for part in ["result", "read", "prompt"] {
            if let Some(part) = step.get_mut(part).and_then(Value::as_object_mut) {
                part.retain(|name, _| {
                    !["_meta", "resultType", "ttlMs", "cacheScope"].contains(&name.as_str())
                });
            }
        }
        if let Some(text) = step.pointer_mut("/result/content/0/text")
            && let Some((before, _)) = text.as_str().unwrap().split_once(" for session ")
        {
            *text = json!(before);
        }
        if step.get("connected").is_some() {
            *step = json!("connected");
        }
        for seen in ["/seen/log", "/seen/roots"] {
            if let Some(count) = step.pointer_mut(seen) {
                *count = json!(count.as_u64() > Some(0));
            }
        }
    }
    steps
}

/// A client was told the same, step by step, whatever was between.
#[track_caller]
fn same(through: Vec<Value>, direct: &[Value], what: &str) {
    let through = comparable(through);
    for (through, direct) in through.iter().zip(direct) {
        assert_eq!(through, direct, "{what}");
    }
    assert_eq!(through.len(), direct.len(), "{what}");
}

fn connected(steps: &[Value]) -> &Value {
    &steps[0]["connected"]
}

/// The gateway's address of the one server, in a session of its own.
fn at(gateway: &Running, run: &str, server: &str) -> [String; 1] {
    [format!("{}/c/{run}/s/{server}/mcp", gateway.address)]
}

#[test]
fn stateless_clients_use_all_of_a_server_of_the_handshake_era() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let command = server(&peers, "mcp-server-everything", &["stdio"]);
    let http = Listening::start(&server(&peers, "mcp-server-everything", &["streamableHttp"]));
    let config = json!({ "servers": { "pipe": { "command": command }, "http": { "url": http.url } } });
    let gateway = Running::start(folder.path(), &config);
    let direct = python(&peers, "legacy", &everything(), &command);
    assert_eq!(connected(&direct), "2025-11-25");
    let direct = comparable(direct);
    assert_eq!(direct.last().unwrap()["seen"]["log"], true);
    for (server, mode) in [("pipe", "2026-07-28"), ("pipe", "auto"), ("http", "2026-07-28"), ("http", "auto")]
    {
        let through = python(&peers, mode, &everything(), &at(&gateway, mode, server));
        assert_eq!(connected(&through), "2026-07-28", "{server} {mode}");
        same(through, &direct, &format!("{server} {mode}"));
    }
}

#[test]
fn handshake_clients_use_all_of_a_stateless_server() {
    let Some(peers) = peers() else { return };
    let Some(reference) = reference() else { return };
    let folder = tempfile::tempdir().unwrap();
    let command = only("modern", &with(&reference, &["--stdio"]));
    let both = Listening::start(&with(&reference, &["--port", "0"]));
    let http = Listening::only("modern", &both);
    let config = json!({ "servers": { "pipe": { "command": command }, "http": { "url": http.url } } });
    let gateway = Running::start(folder.path(), &config);
    let direct = python(&peers, "2026-07-28", &all_of_reference(), &command);
    assert_eq!(connected(&direct), "2026-07-28");
    let direct = comparable(direct);
    for (server, mode, revision) in [
        ("pipe", "legacy", "2025-11-25"),
        ("http", "legacy", "2025-11-25"),
        ("pipe", "auto", "2026-07-28"),
        ("http", "auto", "2026-07-28"),
    ] {
        let through = python(&peers, mode, &all_of_reference(), &at(&gateway, mode, server));
        assert_eq!(connected(&through), revision, "{server} {mode}");
        same(through, &direct, &format!("{server} {mode}"));
    }
}

#[test]
fn wrap_translates_as_well() {
    let Some(peers) = peers() else { return };
    let Some(reference) = reference() else { return };
    let state = tempfile::tempdir().unwrap();
    let old = server(&peers, "mcp-server-everything", &["stdio"]);
    let new = only("modern", &with(&reference, &["--stdio"]));
    for (command, steps, own, other) in
        [(&old, everything(), "legacy", "2026-07-28"), (&new, all_of_reference(), "2026-07-28", "legacy")]
    {
        let direct = comparable(python(&peers, own, &steps, command));
        same(python(&peers, other, &steps, &wrapped(state.path(), command)), &direct, other);
    }
}

#[test]
fn a_server_of_both_eras_is_spoken_to_as_the_client_speaks() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let fast = server(&peers, "python", &[&script("peers/servers/fast.py")]);
    let gateway = Running::start(folder.path(), &json!({ "servers": { "fast": { "command": fast } } }));
    let steps = json!([["tools"], ["call", "add", { "a": 2, "b": 3 }], ["call", "count", {}], ["read", "demo://note"]]);
    for (mode, version) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        let said = python(&peers, mode, &steps, &at(&gateway, mode, "fast"));
        assert_eq!(connected(&said), version);
        assert_eq!(said[1]["tools"], json!(["add", "count"]));
        assert_eq!(said[2]["result"]["structuredContent"], json!({ "result": 5 }), "{mode}");
        assert_eq!(said[3]["result"]["structuredContent"], json!({ "result": "counted" }), "{mode}");
        assert_eq!(said[4]["read"]["contents"][0]["text"], "a note", "{mode}");
        assert_eq!(said[5]["seen"]["progress"], 3, "{mode}");
    }
}

/// What the clients in TypeScript do: with a server of the handshake era, with a stateless one, with one of both.
fn typed(repository: &Path) -> [(&'static str, Value, &'static [&'static str]); 3] {
    let every = json!([
        ["tools"],
        ["answer", "accept"],
        ["call", "trigger-elicitation-request", {}],
        ["call", "trigger-long-running-operation", { "duration": 0.2, "steps": 3 }],
        ["read", "demo://resource/static/document/features.md"],
        ["watch", "demo://resource/dynamic/text/1", "toggle-subscriber-updates", {}],
    ]);
    let reference = json!([
        ["tools"],
        ["answer", "accept"],
        ["call", "test_input_required_result_request_state", {}],
        ["call", "test_tool_with_progress", {}],
        ["read", "test://static-text"],
        ["watch", "tools", "test_trigger_tool_change", {}],
    ]);
    let git = json!([["tools"], ["call", "git_log", { "repo_path": repository }]]);
    [
        (
            "every",
            every,
            &["User provided", "Long running operation completed", "Everything Server", "dynamic/text/1"],
        ),
        (
            "ref",
            reference,
            &["state-ok", "progress done", "content of the static text", "\"changed\":\"tools\""],
        ),
        ("git", git, &["first"]),
    ]
}

#[test]
fn clients_in_typescript_and_the_inspector_use_servers_of_any_era() {
    let Some(peers) = peers() else { return };
    let Some(reference) = reference() else { return };
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let config = of_all_eras(&peers, &reference, &repository);
    let gateway = Running::start(folder.path(), &config);
    for (server, steps, expected) in typed(&repository) {
        for (mode, era) in [("v1", "legacy"), ("default", "legacy"), ("auto", "modern")] {
            let [address] = at(&gateway, mode, server);
            let said = typescript(&peers, mode, &steps, &address);
            assert_eq!(said[0]["era"], era, "{server} {mode}");
            let text = json!(said).to_string();
            assert!(!text.contains("\"error\":"), "{server} {mode}: {text}");
            for expected in expected {
                assert!(text.contains(expected), "{server} {mode}: {expected} in {text}");
            }
            if server != "git" {
                assert_eq!(said.last().unwrap()["seen"]["progress"], 3, "{server} {mode}: {text}");
            }
        }
    }
    let [address] = at(&gateway, "inspector", "ref");
    let call = ["--method", "tools/call", "--tool-name", "echo", "--tool-arg", "text=seen"];
    assert_eq!(inspector(&peers, &address, &call)["structuredContent"]["text"], "seen");
    let tools = inspector(&peers, &address, &["--method", "tools/list"]);
    assert!(tools["tools"].as_array().unwrap().len() > 20, "{tools}");
    let read = ["--method", "resources/read", "--uri", "test://static-text"];
    assert!(inspector(&peers, &address, &read)["contents"][0]["text"].is_string());
}

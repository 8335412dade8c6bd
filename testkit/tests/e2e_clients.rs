//! A client's file, rewritten by `lockgate connect`, and a real client that does what stands there.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::peers::{lockgate, peers, python, repository, results, server};

fn run(home: &Path, arguments: &[&str]) -> (String, i32) {
    let mut command = Command::new(lockgate());
    command.args(arguments).current_dir(home).env("HOME", home).env_remove("CLAUDE_CONFIG_DIR");
    let output = command.env("LOCKGATE_STATE", home.join("state")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{errors}");
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn scanned_written_connected_used_and_disconnected() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let repository = repository(home);
    let entry = |name: &str, arguments: &[&str]| {
        let command = server(&peers, name, arguments);
        json!({ "type": "stdio", "command": command[0], "args": command[1..], "env": { "MODE": "fixture" } })
    };
    let git = entry("mcp-server-git", &["--repository", &repository.to_string_lossy()]);
    let file = home.join(".claude.json");
    let text = format!(
        "{:#}\n",
        json!({ "mcpServers": { "git": git, "every": entry("mcp-server-everything", &["stdio"]) } })
    );
    std::fs::write(&file, &text).unwrap();

    let (out, _) = run(home, &["scan", "--start", "--json", "--client", "claude-code"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    let servers = report["files"][0]["servers"].as_array().unwrap();
    let tools: Vec<usize> =
        servers.iter().map(|server| server["tools"].as_array().map_or(0, Vec::len)).collect();
    assert!(tools.iter().all(|count| *count >= 10), "{tools:?}");

    let (_, code) = run(home, &["init"]);
    assert_eq!(code, 0);
    let (out, code) = run(home, &["connect", "claude-code"]);
    assert_eq!(code, 0, "{out}");
    let made: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let entry = &made["mcpServers"]["lockgate"];
    let text_of = |value: &Value| value.as_str().unwrap().to_owned();
    // As the client starts it, with the environment of the entry.
    let mut command = vec!["env".to_owned(), format!("LOCKGATE_STATE={}", home.join("state").display())];
    command.extend(
        entry["env"].as_object().unwrap().iter().map(|(name, value)| format!("{name}={}", text_of(value))),
    );
    command.push(text_of(&entry["command"]));
    command.extend(entry["args"].as_array().unwrap().iter().map(text_of));
    let steps = json!([["tools"], ["call", "git__git_log", { "repo_path": repository }], ["call", "every__echo", { "message": "hello" }]]);
    let through = python(&peers, "legacy", &steps, &command);
    let results = results(&through);
    assert_eq!(results.len(), 2, "{through:?}");
    assert!(
        results[0].to_string().contains("first") && results[1].to_string().contains("hello"),
        "{through:?}"
    );

    let (out, code) = run(home, &["disconnect", "claude-code"]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

//! What a running gateway learns of behaviour, and what rules do with it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// A server in a few lines of shell.
const SERVER: &str = r#"#!/bin/sh
while read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    [ -n "$id" ] || continue
    case "$line" in
    *'"initialize"'*) result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"notes","version":"1.2.0"}}' ;;
    *'"tools/list"'*) result='{"tools":[{"name":"search","description":"Searches the notes.","inputSchema":{"type":"object","properties":{"text":{"type":"string"}}}}]}' ;;
    *) result='{"content":[{"type":"text","text":"found"}]}' ;;
    esac
    printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
"#;

fn folder(behaviour: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let server = folder.path().join("notes-server");
    std::fs::write(&server, SERVER).unwrap();
    std::fs::set_permissions(&server, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = json!({
        "behaviour": behaviour,
        "rules": [{ "name": "odd", "when": { "session.risk": ">= 20" }, "then": "deny" }],
        "servers": { "notes": { "command": [server], "tier": "core" } },
    });
    std::fs::write(folder.path().join("lockgate.yaml"), config.to_string()).unwrap();
    folder
}

fn command(at: &Path) -> Command {
    let mut command = Command::new(LOCKGATE);
    command.current_dir(at).env("LOCKGATE_STATE", at.join("state")).env_remove("LOCKGATE_ENVIRONMENT");
    command
}

fn behaviour(at: &Path, arguments: &[&str]) -> (String, i32) {
    let output = command(at).arg("behaviour").args(arguments).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (text, output.status.code().unwrap())
}

/// An agent and its gateway.
struct Agent(Child, ChildStdin, BufReader<ChildStdout>, u64);

impl Agent {
    fn start(at: &Path) -> Self {
        let mut run = command(at);
        let run = run.arg("stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = run.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut agent = Self(child, input, BufReader::new(output), 0);
        let client = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
        agent.ask("initialize", client);
        writeln!(agent.1, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).unwrap();
        agent.ask("tools/list", json!({}));
        agent
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.3 += 1;
        writeln!(self.1, "{}", json!({ "jsonrpc": "2.0", "id": self.3, "method": method, "params": params }))
            .unwrap();
        loop {
            let mut line = String::new();
            assert!(self.2.read_line(&mut line).unwrap() > 0, "the gateway has ended");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == self.3 {
                return answer;
            }
        }
    }

    /// Was it refused, and what was said?
    fn search(&mut self, text: &str) -> (bool, String) {
        let answer =
            self.ask("tools/call", json!({ "name": "notes__search", "arguments": { "text": text } }));
        (answer["result"]["isError"] == true, answer.to_string())
    }

    /// Ends in good order; what it said to the operator.
    fn end(self) -> String {
        let Self(child, input, ..) = self;
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn a_loop_raises_the_risk_and_a_rule_acts_on_it() {
    let folder = folder(&json!({ "repeats": 7 }));
    let at = folder.path();
    let mut agent = Agent::start(at);
    for number in 0..7 {
        assert!(!agent.search("the same").0, "call {number}");
    }
    let (refused, said) = agent.search("another");
    assert!(refused && said.contains("unusual_behaviour") && said.contains("rules.odd"), "{said}");
    let told = agent.end();
    assert!(told.contains("unusual (loop): the same call of \"search\" 7 times in ten minutes"), "{told}");
    assert!(!told.contains("the same call of \"search\" 8"), "told once: {told}");
    let (shown, code) = behaviour(at, &["--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(code, 0);
    assert_eq!(shown["principals"][0]["principal"], "local");
    assert_eq!(shown["principals"][0]["risk"], 20);
    assert_eq!(shown["servers"][0], json!({ "server": "notes", "reputation": 100, "calls_a_minute": 7 }));
    assert_eq!(shown["tools"][0]["tool"], "search");
    assert_eq!(shown["tools"][0]["shapes"], 1);
    let (shown, _) = behaviour(at, &[]);
    assert!(shown.starts_with("principal local: risk 20\n"), "{shown}");
    // A restart does not forget.
    let mut agent = Agent::start(at);
    assert!(agent.search("something else").0);
    agent.end();
}

#[test]
fn what_cannot_be_read_is_left_as_it_is() {
    let folder = folder(&json!({ "enabled": true }));
    let at = folder.path();
    assert_eq!(behaviour(at, &[]).1, 0, "nothing was learned yet");
    let file = at.join("state/behaviour.state");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "something else").unwrap();
    let mut agent = Agent::start(at);
    assert!(!agent.search("a").0);
    let told = agent.end();
    assert!(told.contains("learning begins anew, and what is learned is not kept"), "{told}");
    assert_eq!(std::fs::read(&file).unwrap(), b"something else");
    let (said, code) = behaviour(at, &["--json"]);
    assert_eq!(code, 2);
    assert!(said.ends_with("it is not what was learned, or is of another version\n"), "{said}");
    std::fs::remove_file(&file).unwrap();
    Agent::start(at).end();
    let mut agent = Agent::start(at);
    agent.search("a");
    agent.end();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

//! Secrets behind handles with real processes: nothing that the gateway writes holds one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::process::Command;

use serde_json::{Value, json};
use testkit::agent::Agent;

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// A server that gives a token, and repeats whatever it is told. What it hears goes to its file.
const SERVER: &str = r#"
while read -r line; do
    id=${line#*\"id\":}; id=${id%%,*}; id=${id%%\}*}
    echo "$line" >> "$HEARD"
    say() { echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"resultType\":\"complete\",$1}}"; }
    text() { say "\"content\":[{\"type\":\"text\",\"text\":\"$1\"}]"; }
    case $line in
        *'"initialize"'*) say '"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}';;
        *'"tools/list"'*) say '"tools":[{"name":"get","inputSchema":{"type":"object"}},{"name":"write_note","inputSchema":{"type":"object"}}],"ttlMs":0,"cacheScope":"private"';;
        *'"get"'*) text "the token is $TOKEN";;
        *'"write_note"'*) told=${line#*\"a\":\"}; text "noted ${told%%\"*}";;
    esac
done"#;

struct Session {
    agent: Agent,
    modern: bool,
}

impl Session {
    fn ask(&mut self, method: &str, mut params: Value) -> Value {
        if self.modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        self.agent.ask(method, params)["result"].take()
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> String {
        let result = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

#[test]
fn nothing_that_is_written_holds_a_secret() {
    for modern in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let token = ["glpat", "-", "Qm4Tr8kZ2wLx9VbN7cYd"].concat();
        let server = |name: &str| {
            let heard = folder.path().join(name);
            json!({
                "command": ["sh", "-c", SERVER.replace('$', "$$")],
                "env": { "TOKEN": token, "HEARD": heard },
            })
        };
        let config = json!({
            "servers": { "files": server("files"), "other": server("other") },
            "records": { "file": "records.jsonl", "arguments": true },
            "flow": { "mode": "off" },
            "state": folder.path().join("state"),
        });
        let file = folder.path().join("lockgate.yaml");
        std::fs::write(&file, config.to_string()).unwrap();
        let agent = Agent::open(Command::new(LOCKGATE).args(["stdio", "-c"]).arg(&file));
        let mut session = Session { agent, modern };
        if !modern {
            session.agent.shake_hands();
        }
        session.ask("tools/list", json!({}));
        let shown = session.call("files__get", &json!({}));
        let handle = shown.strip_prefix("the token is ").unwrap().to_owned();
        assert!(handle.starts_with("lockgate-secret-gitlab_pat-"), "{shown}");
        let echoed = session.call("files__write_note", &json!({"a": format!("login {handle}")}));
        assert_eq!(echoed, format!("noted login {handle}"));
        let refused = session.call("other__write_note", &json!({ "a": handle }));
        assert!(refused.contains("may not go there"), "{refused}");

        let told = session.agent.heard().to_owned();
        let complaints = session.agent.end();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(read("files").contains(&format!("login {token}")), "{}", read("files"));
        assert!(!read("other").contains(&token), "{}", read("other"));
        let records = read("records.jsonl");
        assert!(records.contains(&handle) && records.contains("\"notes\":[\"credential\"]"), "{records}");
        assert!(records.contains("\"reason\":\"handle_not_for_this_server\""), "{records}");
        for written in [&told, &complaints, &records] {
            assert!(!written.contains(&token), "{written}");
        }
    }
}

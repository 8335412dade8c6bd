//! `lockgate tools` with real processes. The servers are those of the demo, and a few lines of shell.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::process::Command;

use serde_json::{Value, json};

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// Runs it on a configuration (JSON is YAML): what it prints, what it complains of, and how it ends.
fn tools(config: &Value, arguments: &[&str]) -> (String, String, i32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lockgate.yaml");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut command = Command::new(LOCKGATE);
    command.args(["tools", "-c"]).arg(&file).args(arguments);
    let output = command.env("LOCKGATE_STATE", folder.path().join("state")).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn db() -> Vec<&'static str> {
    vec![LOCKGATE, "demo-server", "db", "/nonexistent"]
}

#[test]
fn every_tool_is_shown_with_its_class_and_what_the_rules_say() {
    let config = json!({
        "default": "class",
        "servers": {
            "db": { "command": db(), "tools": { "query": { "require": { "sql": { "sql": { "statements": ["select"] } } } } } },
            "web": { "command": [LOCKGATE, "demo-server", "web"], "tools": { "fetch_*": "hide" } }
        }
    });
    let (shown, complaints, code) = tools(&config, &[]);
    let wanted = "\
db: 2 tools, tier mixed, default class
  tool     class    effect       rules   why
  query    execute  read         allow*  schema: sql    says read-only
      query: sql
  execute  execute  destructive  ask     name: execute  says destructive
      destination: sql

web: 1 tool, tier mixed, default class
  tool        class     effect  rules  why
  fetch_page  read-low  read    hide   name: fetch  says read-only
      source: url

* depends on who asks, when, how often, or with which arguments
";
    assert_eq!((shown.as_str(), complaints.as_str(), code), (wanted, "", 0));
}

#[test]
fn machines_are_told_the_same() {
    let config = json!({ "servers": {
        "db": { "command": db(), "default": "class", "classes": { "query": "read-low" },
            "arguments": { "execute": { "sql": "payload" } }, "tools": { "execute": { "action": "ask", "approvers": 2 } } },
        "other": { "command": ["/nonexistent"] }
    } });
    let (shown, complaints, code) = tools(&config, &["--json", "--server", "db"]);
    assert_eq!((complaints.as_str(), code), ("", 0));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["findings"], json!([]));
    let servers = shown["servers"].as_object().unwrap();
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["db"]);
    assert_eq!(
        servers["db"]["tools"][0],
        json!({
            "name": "query", "class": "read-low", "because": { "by": "operator", "word": "classes" },
            "effect": "read", "arguments": { "sql": { "role": "query", "because": null } }, "hints": { "readOnlyHint": true },
            "rules": { "action": "allow", "conditional": false, "approvers": 1, "rule": "servers.db.default.read-low" }
        })
    );
    let rules =
        json!({ "action": "ask", "conditional": false, "approvers": 2, "rule": "servers.db.tools.execute" });
    assert_eq!(servers["db"]["tools"][1]["rules"], rules);
    let said = json!({ "sql": { "role": "payload", "because": { "by": "operator", "word": "arguments" } } });
    assert_eq!(servers["db"]["tools"][1]["arguments"], said);
}

#[test]
fn what_matches_nothing_is_an_error_with_a_suggestion() {
    let config = json!({
        "servers": { "db": {
            "command": db(), "default": "class",
            "tools": {
                "exceute": "deny",
                "qery*": "ask",
                "query": { "deny_if": [{ "slq": { "contains": "drop" } }], "limits": [{ "sum": "/rows", "at_most": 5, "per": "day" }] },
                "execute": { "require": { "sql": { "length": { "at_most": 100 } } } }
            },
            "classes": { "tidy": "execute" },
            "effects": { "que*": "read", "drop": "write" },
            "arguments": { "exec*": { "sql": "payload", "table": "selector" }, "tidy": { "sql": "payload" } }
        } }
    });
    let (shown, _, code) = tools(&config, &[]);
    let errors = shown.split_once("\n\n").unwrap().1;
    let wanted = "\
* depends on who asks, when, how often, or with which arguments

error: `servers.db.tools.exceute` matches no tool of the server
  hint: did you mean `execute`? there is query, execute
error: `servers.db.tools.qery*` matches no tool of the server
  hint: did you mean `query*`? there is query, execute
error: `servers.db.effects.drop` matches no tool of the server
  hint: there is query, execute
error: `servers.db.classes.tidy` matches no tool of the server
  hint: there is query, execute
error: `servers.db.arguments.tidy` matches no tool of the server
  hint: there is query, execute
error: `servers.db.tools.query` tests the argument `/rows`, which the tool does not take
  hint: there is sql
error: `servers.db.tools.query` tests the argument `slq`, which the tool does not take
  hint: did you mean `sql`? there is sql
error: `servers.db.arguments.exec*` names the argument `table`, which the tool does not take
  hint: there is sql
";
    assert_eq!((errors, code), (wanted, 1));
}

#[test]
fn a_server_that_cannot_be_asked_is_an_error_and_the_others_are_shown() {
    // A `$` is written twice in the configuration.
    let rude = r#"while read -r line; do id=${line#*\"id\":}; echo "{\"jsonrpc\":\"2.0\",\"id\":${id%%,*},\"error\":{\"code\":1,\"message\":\"no \\u001b[31m\"}}"; done"#.replace('$', "$$");
    let config = json!({ "servers": {
        "db": { "command": db() },
        "gone": { "command": ["sh", "-c", "read line; exit 3"] },
        "silent": { "command": ["sleep", "100"], "timeout": "1s" },
        "rude": { "command": ["sh", "-c", rude] }
    } });
    let (shown, _, code) = tools(&config, &[]);
    assert_eq!(code, 1);
    assert!(shown.contains("execute  execute"), "{shown}");
    for (server, why) in [
        ("gone", "the server ended before it answered"),
        ("silent", "the server did not answer in time"),
        ("rude", "it says: no \\u{1b}[31m"),
    ] {
        let error = format!("error: the server `{server}` cannot be asked for its tools: {why}\n");
        assert!(shown.contains(&error), "{error} is not in {shown}");
    }
}

#[test]
fn a_server_without_a_handshake_is_asked_without() {
    // It refuses what does not carry the revision in every request.
    let script = r#"while read -r line; do id=${line#*\"id\":}; id=${id%%,*}
        case $line in
            *server/discover*2026-07-28*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}}}}";;
            *tools/list*2026-07-28*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"resultType\":\"complete\",\"tools\":[{\"name\":\"send_x\",\"inputSchema\":{\"type\":\"object\"}}]}}";;
            *) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":-32601,\"message\":\"no such method\"}}";;
        esac; done"#;
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(LOCKGATE);
    command.args(["tools", "--", "sh", "-c", script]).env("LOCKGATE_STATE", state.path());
    let output = command.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("send_x  write-high  egress  allow  name: send"), "{shown}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn wrong_arguments_end_with_2() {
    let config = json!({ "servers": { "db": { "command": db() } } });
    let (shown, complaints, code) = tools(&config, &["--server", "bd"]);
    assert_eq!((shown.as_str(), code), ("", 2));
    assert_eq!(complaints, "no server `bd` is configured\n  hint: did you mean `db`? there is db\n");
    let (_, complaints, code) = tools(&json!({ "servers": { "db": { "comand": "x" } } }), &[]);
    assert!(code == 2 && complaints.contains("did you mean `command`?"), "{complaints}");
}

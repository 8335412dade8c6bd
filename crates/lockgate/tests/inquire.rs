//! What servers say of themselves, asked by Lockgate. The servers are a few lines of shell.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate::config::{Config, Process};
use lockgate::gateway::{Offered, Unlisted, list_all};
use lockgate_model::ServerName;
use serde_json::{Value, json};

/// A server that gives these results, each to every request of its method, and knows nothing else.
fn server(results: &Value) -> Vec<String> {
    let mut cases = String::new();
    for (method, result) in results.as_object().unwrap() {
        let line = result.to_string().replace('\'', "'\\''");
        cases.push_str(&format!(
            "*'\"{method}\"'*) printf '{{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}}\\n' \"$id\" '{line}' ;;\n"
        ));
    }
    let script = format!(
        "while read -r line; do id=$(printf '%s' \"$line\" | sed -n 's/.*\"id\":\\([0-9]*\\).*/\\1/p'); [ -n \"$id\" ] || continue; case \"$line\" in\n{cases}*) printf '{{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{{\"code\":-32601,\"message\":\"unknown\"}}}}\\n' \"$id\" ;; esac; done"
    );
    // In a configuration `$$` is a `$`.
    vec!["sh".to_owned(), "-c".to_owned(), script.replace('$', "$$")]
}

fn ask(configured: &Value) -> BTreeMap<ServerName, Result<Offered, Unlisted>> {
    let folder = tempfile::tempdir().unwrap();
    let mut configured = configured.clone();
    configured["state"] = json!(folder.path().join("state"));
    let config = Config::parse(&configured.to_string(), "lockgate.yaml", folder.path(), &Process).unwrap();
    let names: Vec<ServerName> = config.boundary.servers.keys().cloned().collect();
    list_all(&config, &names).unwrap()
}

fn names(entries: &[Bytes], field: &str) -> Vec<String> {
    let name = |entry: &Bytes| {
        let entry: Value = serde_json::from_slice(entry).unwrap();
        entry[field].as_str().unwrap().to_owned()
    };
    entries.iter().map(name).collect()
}

fn greeting(capabilities: &Value) -> Value {
    json!({
        "protocolVersion": "2025-11-25", "capabilities": capabilities, "instructions": "Ask twice.",
        "serverInfo": { "name": "files", "title": "Files", "version": "1.2.3" }
    })
}

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

#[test]
fn everything_a_server_says_of_itself_comes_as_it_is() {
    let tool = json!({ "name": "hidden", "description": format!("Needs {TOKEN}"), "inputSchema": { "type": "object" } });
    let results = json!({
        "initialize": greeting(&json!({ "tools": {}, "prompts": {}, "resources": {} })),
        "tools/list": { "tools": [tool] },
        "prompts/list": { "prompts": [{ "name": "review" }, { "name": "plan" }] },
        "resources/list": { "resources": [{ "uri": "file:///a", "name": "a" }] },
        "resources/templates/list": { "resourceTemplates": [{ "uriTemplate": "file:///{path}", "name": "any" }] },
    });
    let mut answers = ask(
        &json!({ "servers": { "files": { "command": server(&results), "tools": { "hidden": "hide" } } } }),
    );
    let offered = answers.remove(&ServerName::parse("files").unwrap()).unwrap().unwrap();
    let identity: Value = serde_json::from_slice(&offered.identity.unwrap()).unwrap();
    assert_eq!(identity, json!({ "name": "files", "title": "Files", "version": "1.2.3" }));
    assert_eq!(offered.instructions.unwrap(), "Ask twice.");
    // Neither a rule nor the care for credentials stands between.
    assert_eq!(serde_json::from_slice::<Value>(&offered.tools[0]).unwrap(), tool);
    assert_eq!(names(&offered.prompts, "name"), ["review", "plan"]);
    assert_eq!(names(&offered.resources, "uri"), ["file:///a"]);
    assert_eq!(names(&offered.templates, "uriTemplate"), ["file:///{path}"]);
}

#[test]
fn what_is_not_declared_is_not_asked_for_and_templates_may_be_missing() {
    let results = json!({
        "initialize": greeting(&json!({ "resources": {} })),
        "resources/list": { "resources": [] },
        "prompts/list": { "prompts": [{ "name": "never" }] },
    });
    let mut answers = ask(&json!({ "servers": { "files": { "command": server(&results) } } }));
    let offered = answers.remove(&ServerName::parse("files").unwrap()).unwrap().unwrap();
    assert!(offered.tools.is_empty() && offered.prompts.is_empty() && offered.templates.is_empty());
}

#[test]
fn one_server_that_fails_does_not_stand_in_the_way_of_another() {
    let good = json!({ "initialize": greeting(&json!({ "tools": {} })), "tools/list": { "tools": [] } });
    let broken = json!({ "initialize": greeting(&json!({ "tools": {} })) });
    let answers = ask(&json!({ "servers": {
        "good": { "command": server(&good) }, "broken": { "command": server(&broken) }, "gone": { "command": ["/nonexistent"] }
    } }));
    let fine: Vec<bool> = answers.values().map(Result::is_ok).collect();
    assert_eq!(fine, [false, false, true], "{answers:?}");
}

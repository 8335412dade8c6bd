//! Whose approval it is: of a tenant, of a configuration, of a command.

use std::path::Path;

use serde_json::{Value, json};
use testkit::hostile::{Gate, until};
use testkit::peers::{lockgate, operate};
use testkit::scripted::scripted;

use crate::shelf::{REVISION, Shelf, answers, became, list, only, tool, waits};

#[test]
fn what_one_tenant_approves_does_not_hold_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let shelf = Shelf::start(&[tool("get_fact", "Gets a fact.")]);
    let mut principals = json!({});
    for (name, tenant) in [("ann", "acme"), ("bob", "birch"), ("cid", "acme")] {
        let file = folder.path().join(name);
        std::fs::write(&file, format!("token-of-{name}-0123456789")).unwrap();
        principals[name] = json!({ "token": { "file": file }, "tenant": tenant });
    }
    let gate = Gate::start_in(
        folder.path(),
        json!({ "servers": { "facts": shelf.config() }, "state": state, "principals": principals }),
    );
    let open = |name: &str| {
        gate.open_as("/s/facts/mcp", REVISION, &json!({}), &format!("token-of-{name}-0123456789"))
    };
    let [ann, bob, cid] = ["ann", "bob", "cid"].map(open);
    for agent in [&ann, &bob, &cid] {
        assert!(list(agent).contains("Gets a fact."));
    }
    shelf.tools(&[tool("get_fact", "Gets a fact of today.")]);
    for agent in [&ann, &bob, &cid] {
        let _looks = list(agent);
        became("it waits", &agent.call(1, "get_fact"), "definition_drift");
    }
    let all = waits(&state, "facts");
    let tenants: Vec<_> = all.iter().map(|entry| entry["tenant"].as_str().unwrap()).collect();
    assert_eq!(tenants.len(), 2, "{all:?}");
    let acme = all.iter().find(|entry| entry["tenant"] == "acme").unwrap();
    answers(&state, "approve", acme);
    for agent in [&ann, &cid] {
        until("it is approved for the tenant", || agent.call(2, "get_fact").reason().is_none());
    }
    let _looks = list(&bob);
    became("another tenant", &bob.call(3, "get_fact"), "definition_drift");
    assert_eq!(only(&state, "facts")["tenant"], "birch");
}

#[test]
fn servers_of_one_name_in_two_configurations_do_not_meet() {
    let state = tempfile::tempdir().unwrap();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let definitions = ["Gets a fact.", "Gets a fact of today."];
    let shelves = definitions.map(|text| Shelf::start(&[tool("get_fact", text)]));
    let start = |folder: &Path, shelf: &Shelf| {
        Gate::start_in(folder, json!({ "servers": { "facts": shelf.config() }, "state": state.path() }))
    };
    let gates = [start(folders[0].path(), &shelves[0]), start(folders[1].path(), &shelves[1])];
    for (gate, text) in gates.iter().zip(definitions) {
        let agent = gate.open("/s/facts/mcp", REVISION);
        assert!(list(&agent).contains(text));
        became("its own", &agent.call(1, "get_fact"), "called");
    }
    assert!(waits(state.path(), "facts").is_empty());
    // The same configuration with the other's server is drift.
    let swapped = start(folders[0].path(), &shelves[1]);
    let agent = swapped.open("/s/facts/mcp", REVISION);
    became("the other's", &agent.call(1, "get_fact"), "definition_drift");
}

/// What a wrapped server of this script lists.
fn wrapped(state: &Path, command: &Value) -> String {
    use std::io::{BufRead, BufReader, Write};
    let words = command["command"].as_array().unwrap();
    let mut child = std::process::Command::new(lockgate())
        .env("LOCKGATE_STATE", state)
        .args(["wrap", "--"])
        .args(words.iter().map(|word| word.as_str().unwrap()))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", testkit::hostile::hello(REVISION)).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.next().unwrap().contains("\"hello\""));
    writeln!(input, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
    writeln!(input, r#"{{"jsonrpc":"2.0","id":7,"method":"tools/list"}}"#).unwrap();
    let listed = lines.find(|line| line.contains("\"id\":7")).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
    listed
}

#[test]
fn two_wrapped_commands_of_one_program_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let server = |text: &str| {
        let script = json!({ "tools": [tool("get_fact", text)] });
        scripted(folder.path(), "heard", &script)
    };
    for _ in 0..2 {
        for text in ["Gets a fact.", "Gets a fact of today."] {
            assert!(wrapped(&state, &server(text)).contains(text), "{text}");
        }
    }
    let (_, list) = operate(&state, "", &["quarantine", "list"]);
    assert_eq!(list["quarantine"], json!([]));
    // Twin: the same command whose program says something else is drift.
    let script = folder.path().join("server.sh");
    let write = |text: &str| {
        let command = server(text)["command"].clone();
        let quoted: Vec<_> =
            command.as_array().unwrap().iter().map(|word| format!("'{}'", word.as_str().unwrap())).collect();
        std::fs::write(&script, format!("exec {}\n", quoted.join(" "))).unwrap();
    };
    let command = json!({ "command": ["sh", script] });
    write("Gets a fact.");
    assert!(wrapped(&state, &command).contains("Gets a fact."));
    write("Gets a fact of today.");
    assert!(!wrapped(&state, &command).contains("get_fact"));
}

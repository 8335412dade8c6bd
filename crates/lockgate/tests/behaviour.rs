//! What a running gateway learns of behaviour, and what rules do with it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

mod shell;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use shell::{command, install, printed};
use tempfile::TempDir;
use testkit::agent::{Agent, NOTES};

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

fn folder(behaviour: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let server = folder.path().join("notes-server");
    install(&server, &shell::server("", &NOTES));
    let config = json!({
        "behaviour": behaviour,
        "rules": [{ "name": "odd", "when": { "session.risk": ">= 20" }, "then": "deny" }],
        "servers": { "notes": { "command": [server], "tier": "core" } },
    });
    std::fs::write(folder.path().join("lockgate.yaml"), config.to_string()).unwrap();
    folder
}

fn behaviour(at: &Path, arguments: &[&str]) -> (String, i32) {
    printed(command(at, LOCKGATE).arg("behaviour").args(arguments))
}

fn start(at: &Path) -> Agent {
    Agent::start(command(at, LOCKGATE).arg("stdio"))
}

/// Was it refused, and what was said?
fn search(agent: &mut Agent, text: &str) -> (bool, String) {
    let answer = agent.call("notes__search", json!({ "text": text }));
    (answer["result"]["isError"] == true, answer.to_string())
}

#[test]
fn a_loop_raises_the_risk_and_a_rule_acts_on_it() {
    let folder = folder(&json!({ "repeats": 7 }));
    let at = folder.path();
    let mut agent = start(at);
    for number in 0..7 {
        assert!(!search(&mut agent, "the same").0, "call {number}");
    }
    let (refused, said) = search(&mut agent, "another");
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
    let mut agent = start(at);
    assert!(search(&mut agent, "something else").0);
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
    let mut agent = start(at);
    assert!(!search(&mut agent, "a").0);
    let told = agent.end();
    assert!(told.contains("learning begins anew, and what is learned is not kept"), "{told}");
    assert_eq!(std::fs::read(&file).unwrap(), b"something else");
    let (said, code) = behaviour(at, &["--json"]);
    assert_eq!(code, 2);
    assert!(said.ends_with("it is not what was learned, or is of another version\n"), "{said}");
    std::fs::remove_file(&file).unwrap();
    start(at).end();
    let mut agent = start(at);
    search(&mut agent, "a");
    agent.end();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

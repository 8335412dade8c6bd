//! What is trusted and who changed it, as the records of a running gateway say it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lockgate_store::Pins;
use lockgate_store::pins::{Cause, Kind, Seen, Sighted, Trust};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// A gateway, and what it says. Ends with the test, however that ends.
struct Running(Child, Receiver<String>);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

impl Running {
    fn start(at: &Path) -> Self {
        let mut run = command(at);
        let run = run.args(["run", "--trusted-keys", "operator.pub"]);
        let mut child = run.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (tell, said) = channel();
        std::thread::spawn(move || lines.for_each(|line| drop(tell.send(line))));
        let running = Self(child, said);
        running.wait_for("127.0.0.1:");
        running
    }

    fn wait_for(&self, words: &str) {
        while !self.1.recv_timeout(Duration::from_mins(1)).expect(words).contains(words) {}
    }

    /// Ends it in good order, and reads its records about what is trusted: those between its start and its stop.
    fn records(mut self, at: &Path) -> Vec<Value> {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap();
        let text = std::fs::read_to_string(at.join("records.jsonl")).unwrap();
        let mut records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for (record, what) in [(records.remove(0), "start"), (records.pop().unwrap(), "stop")] {
            assert_eq!((&record["event"], &record["notes"]), (&json!("gateway"), &json!([what])));
        }
        records
    }
}

fn command(at: &Path) -> Command {
    let mut command = Command::new(LOCKGATE);
    command.current_dir(at).env("LOCKGATE_STATE", at.join("state")).env_remove("LOCKGATE_ENVIRONMENT");
    command
}

#[track_caller]
fn fine(at: &Path, arguments: &[&str]) {
    let output = command(at).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn write(at: &Path, file: &str, text: &str) -> String {
    std::fs::write(at.join(file), text).unwrap();
    let digest = Sha256::digest(text);
    digest.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// A signed configuration with a policy; its digests.
fn configured(at: &Path) -> (String, String) {
    fine(at, &["keys", "new", "operator"]);
    let limits = write(at, "limits.yaml", "version: \"1\"\ntools: {}\n");
    let config = json!({
        "listen": "127.0.0.1:0",
        "records": { "file": "records.jsonl" },
        "servers": { "notes": { "command": ["true"], "intercept": "./limits.yaml" } }
    });
    let config = write(at, "lockgate.yaml", &config.to_string());
    fine(at, &["config", "sign", "--key", "operator.pem"]);
    (config, limits)
}

/// What a record says of the file with this name: before, and after.
fn change(record: &Value, file: &str) -> (Value, Value) {
    let all = record["changes"].as_array().unwrap();
    let one = all.iter().find(|one| one["what"].as_str().unwrap().ends_with(file)).expect(file);
    (one["before"].clone(), one["after"].clone())
}

#[test]
fn every_change_of_the_configuration_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (config, limits) = configured(at);
    let gateway = Running::start(at);
    let text = std::fs::read_to_string(at.join("lockgate.yaml")).unwrap();
    let altered = write(at, "lockgate.yaml", &text.replace("\"listen\"", "\"default\":\"deny\",\"listen\""));
    gateway.wait_for("the old configuration stays in force");
    fine(at, &["config", "sign", "--key", "operator.pem"]);
    gateway.wait_for("is in force");
    let records = gateway.records(at);
    let said: Vec<_> = records
        .iter()
        .map(|record| (record["event"].clone(), record["verdict"].clone(), record["notes"].clone()))
        .collect();
    let of = |verdict: &str, notes: [&str; 2]| (json!("configuration"), json!(verdict), json!(notes));
    assert_eq!(
        said,
        [
            of("forward", ["start", "signed"]),
            of("deny", ["reload", "config_signature_invalid"]),
            of("forward", ["reload", "signed"]),
        ]
    );
    for (record, before, after) in [
        (&records[0], Value::Null, json!(config)),
        (&records[1], json!(config), json!(altered)),
        (&records[2], json!(config), json!(altered)),
    ] {
        assert_eq!(change(record, "/lockgate.yaml"), (before, after));
        assert_eq!(change(record, "/limits.yaml").1, json!(limits));
        assert!(change(record, "/operator.pub").1.is_string(), "who may sign counts as well");
    }
}

#[test]
fn what_people_decide_of_definitions_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    configured(at);
    let gateway = Running::start(at);
    let pins = Pins::open(&at.join("state")).unwrap();
    let scope = std::fs::canonicalize(at).unwrap().join("lockgate.yaml");
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let seen = |name: &str, digit| Seen {
        kind: Kind::Tool,
        name: name.to_owned(),
        digest: digest(digit),
        nameless: None,
        definition: "{}".to_owned(),
        trust: Trust::Never,
        cause: Cause::First,
        why: Vec::new(),
        approvers: 1,
    };
    let sight = |server: &str, name: &str, digit| {
        let sighted = pins.sight("", server, &[seen(name, digit)], 1_000).unwrap();
        let Some(Sighted::Waiting { id, .. }) = sighted.first() else { panic!("it waits") };
        id.clone()
    };
    let own = format!("notes {}", scope.display());
    pins.approve(&sight(&own, "search", "a"), "local:ann", None, 1_000).unwrap();
    pins.approve(&sight(&own, "search", "b"), "local:bob", Some("seen"), 1_000).unwrap();
    pins.reject(&sight(&own, "send", "c"), "local:ann", None, 1_000).unwrap();
    pins.approve(&sight("notes /another/lockgate.yaml", "search", "a"), "local:eve", None, 1_000).unwrap();
    let records = gateway.records(at);
    let said: Vec<_> = records[1..]
        .iter()
        .map(|record| {
            assert_eq!((&record["event"], &record["server"]), (&json!("pin"), &json!("notes")));
            let change = &record["changes"][0];
            let change = (change["before"].clone(), change["after"].clone());
            (record["principal"].clone(), record["target"].clone(), record["notes"][0].clone(), change)
        })
        .collect();
    let of = |who: &str, target: &str, what: &str, before: Value, after: Value| {
        (json!(who), json!(target), json!(what), (before, after))
    };
    assert_eq!(
        said,
        [
            of("local:ann", "tool `search`", "approved", Value::Null, json!(digest("a"))),
            of("local:bob", "tool `search`", "approved", json!(digest("a")), json!(digest("b"))),
            of("local:ann", "tool `send`", "refused", json!(digest("c")), Value::Null),
        ]
    );
}

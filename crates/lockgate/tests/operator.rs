//! What an operator types and reads, on real files. `BLESS=1` writes what is committed.
#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_store::{Approvals, Ballot, Request, Stops, Target};

const CONFIG: &str = "servers: { db: { command: [db] } }
principals:
  bob: { token: '${BOB}' }
  carol: { token: '${CAROL}' }
";
const BOB: &str = "bob-bob-bob-bob-bob";
const CAROL: &str = "carol-carol-carol";

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn call(tool: &str, effect: &str, approvers: u8) -> Request {
    Request {
        session: "s-1".to_owned(),
        principal: "ann".to_owned(),
        server: "db".to_owned(),
        tool: tool.to_owned(),
        arguments: r#"{"table":"users","note":"a page said \u{202e}so"}"#.to_owned(),
        fingerprint: format!("f-{tool}"),
        rule: format!("servers.db.tools.{tool}"),
        reason: "approval_required".to_owned(),
        origin: Some("web".to_owned()),
        effect: effect.to_owned(),
        approvers,
        created: now(),
        // So long that what is left is the same, in minutes, for the minute that the test may take.
        expires: now() + 9_059_000,
    }
}

/// A session of commands, as text that is the same everywhere.
struct Transcript {
    folder: tempfile::TempDir,
    /// What is different each time, and what stands for it.
    stands_for: Vec<(String, String)>,
    text: String,
}

impl Transcript {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lockgate.yaml"), CONFIG).unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = format!("local:{}", String::from_utf8(user).unwrap().trim());
        let state = folder.path().join("state").to_str().unwrap().to_owned();
        let here = folder.path().to_str().unwrap().to_owned();
        let stands_for =
            vec![(user, "local:USER".to_owned()), (state, "STATE".to_owned()), (here, "HERE".to_owned())];
        Self { folder, stands_for, text: String::new() }
    }

    fn approvals(&self) -> Approvals {
        Approvals::open(&self.folder.path().join("state")).unwrap()
    }

    fn file(&mut self, name: &str, request: &Request) -> String {
        let id = self.approvals().file(request, now()).unwrap().id;
        self.stands_for.push((id.clone(), format!("apr_{name:x<16}")));
        id
    }

    fn command(&self, arguments: &[&str], token: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
        command.args(arguments).current_dir(self.folder.path()).env("LOCKGATE_STATE", "state");
        command.env("BOB", BOB).env("CAROL", CAROL).env("LOCKGATE_TOKEN", token);
        command
    }

    fn runs(&mut self, code: i32, arguments: &[&str]) {
        self.runs_with("", code, arguments);
    }

    fn runs_with(&mut self, token: &str, code: i32, arguments: &[&str]) {
        let output = self.command(arguments, token).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        if arguments.contains(&"--json") {
            for line in said.lines() {
                assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object());
            }
        }
        let shown: Vec<String> = arguments
            .iter()
            .map(|word| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() })
            .collect();
        let said = self.same_everywhere(&said);
        if code == 0 && !arguments.contains(&"--json") {
            for line in said.lines() {
                assert!(line.chars().count() <= 80, "{line:?}");
            }
        }
        let shown = self.same_everywhere(&shown.join(" "));
        self.text.push_str(&format!("$ lockgate {shown}\n{said}\n"));
    }

    fn same_everywhere(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (found, name) in &self.stands_for {
            text = text.replace(found, name);
        }
        // Times have one form, and as many characters.
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find("20").filter(|at| rest.len() >= at + 20) {
            let (before, after) = rest.split_at(at);
            let time = after.get(..20).filter(|time| {
                time.bytes()
                    .zip("0000-00-00T00:00:00Z".bytes())
                    .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
            });
            out.push_str(before);
            let (shown, length) = if time.is_some() { ("2026-07-28T09:30:00Z", 20) } else { ("20", 2) };
            out.push_str(shown);
            rest = after.split_at(length).1;
        }
        out + rest
    }

    fn compare(&self, name: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operator").join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &self.text).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(committed == self.text, "{name} differs\n--- committed\n{committed}+++ now\n{}", self.text);
    }
}

#[test]
fn approvals_are_shown_and_answered() {
    let mut shell = Transcript::new();
    shell.runs(0, &["approvals", "list"]);
    let write = shell.file("write", &call("write_row", "write", 1));
    let drop = shell.file("drop", &call("drop_table", "destructive", 2));
    shell.file("drop", &call("drop_table", "destructive", 2));
    let pay = shell.file("pay", &call("pay", "commit", 1));
    shell.runs(0, &["approvals", "list"]);
    shell.runs(0, &["approvals", "show", &drop]);

    shell.runs(1, &["approvals", "approve", &drop, "--scope", "session"]);
    shell.runs(0, &["approvals", "approve", &drop]);
    shell.runs(0, &["approvals", "approve", &drop, "--reason", "again"]);
    shell.runs_with(CAROL, 1, &["approvals", "approve", &drop, "--as", "bob"]);
    shell.runs(1, &["approvals", "approve", &drop, "--as", "bob"]);
    shell.runs_with(BOB, 0, &["approvals", "approve", &drop, "--as", "bob", "--reason", "seen, good"]);
    assert!(matches!(shell.approvals().standing(&drop, now()).unwrap(), Ballot::Approved { .. }));
    shell.runs_with(CAROL, 1, &["approvals", "deny", &drop, "--as", "carol", "--reason", "no"]);
    shell.runs(0, &["approvals", "show", &drop]);

    shell.runs(2, &["approvals", "approve", &write, "--scope", "value:25h"]);
    shell.runs(0, &["approvals", "approve", &write, "--scope", "session", "--json"]);
    shell.runs(2, &["approvals", "deny", &pay, "--reason", " "]);
    shell.runs(0, &["approvals", "deny", &pay, "--reason", "far too much"]);
    shell.runs(1, &["approvals", "approve", &pay]);
    shell.runs(0, &["approvals", "list"]);
    shell.runs(0, &["approvals", "list", "--all"]);
    shell.runs(0, &["approvals", "show", &pay, "--json"]);
    shell.runs(1, &["approvals", "show", "apr_unknown"]);
    shell.runs(2, &["approvals", "show", &pay, "--state", "lockgate.yaml"]);
    std::fs::write(shell.folder.path().join("state/stops.db"), "no database".repeat(100)).unwrap();
    shell.runs(2, &["stops"]);
    shell.compare("approvals.txt");
}

#[test]
fn stops_are_made_listed_and_lifted() {
    let mut shell = Transcript::new();
    shell.runs(0, &["stops"]);
    shell.runs(0, &["stop", "--reason", "incident 12"]);
    shell.runs(0, &["stop", "--reason", "again"]);
    shell.runs(0, &["stop", "--server", "db", "--reason", "odd answers"]);
    shell.runs(0, &["stop", "--server", "db", "--tool", "drop_table", "--reason", "odd answers"]);
    shell.runs(0, &["stop", "--principal", "ann", "--reason", "left", "--json"]);
    shell.runs(0, &["stop", "--session", "s-1", "--reason", "loops"]);
    shell.runs(0, &["safe-mode", "on", "--reason", "maintenance"]);
    let stops = Stops::open(&shell.folder.path().join("state")).unwrap();
    let targets: Vec<Target> = stops.list().unwrap().into_iter().map(|stop| stop.target).collect();
    let name = |text: &str| text.to_owned();
    assert_eq!(
        targets,
        [
            Target::Everything,
            Target::Server(name("db")),
            Target::Tool(name("db"), name("drop_table")),
            Target::Principal(name("ann")),
            Target::Session(name("s-1")),
            Target::SafeMode,
        ]
    );
    shell.runs(0, &["stops"]);
    shell.runs(0, &["stops", "--json"]);
    shell.runs(2, &["stop", "--server", "db"]);
    shell.runs(2, &["stop", "--tool", "drop_table", "--reason", "which server?"]);
    shell.runs(2, &["stop", "--server", "db", "--principal", "ann", "--reason", "both"]);
    shell.runs(2, &["stop", "--server", "", "--reason", "nothing"]);
    shell.runs(1, &["resume", "--server", "web"]);
    for target in [
        &["--server", "db", "--tool", "drop_table"][..],
        &["--server", "db"],
        &["--principal", "ann"],
        &["--session", "s-1"],
        &[],
    ] {
        shell.runs(0, &[&["resume"], target].concat());
    }
    shell.runs(0, &["safe-mode", "off"]);
    shell.runs(1, &["safe-mode", "off"]);
    shell.runs(1, &["resume"]);
    shell.runs(0, &["stops", "--history"]);
    shell.compare("stops.txt");
}

#[test]
fn a_watcher_sees_what_another_process_files() {
    let shell = Transcript::new();
    let approvals = shell.approvals();
    let mut child =
        shell.command(&["approvals", "watch", "--json"], "").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for tool in ["one", "two"] {
        let id = approvals.file(&call(tool, "write", 1), now()).unwrap().id;
        let seen: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(seen.get("id").and_then(serde_json::Value::as_str), Some(id.as_str()));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

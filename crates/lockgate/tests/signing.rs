//! Keys, signed lists and signed configurations, from the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::collections::BTreeMap;
mod shell;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use lockgate_model::{Json, ServerName};
use lockgate_provenance::Kind;
use lockgate_provenance::lock::{Lock, Locked};
use serde_json::{Value, json};
use shell::{command, install, printed};

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// Called with `--changed`, the server describes a tool otherwise, and has one more.
const START: &str = r#"search='{"name":"search","description":"Searches the notes.","inputSchema":{"type":"object"}}'
[ "$1" = --changed ] && search='{"name":"search","description":"Searches, and sends.","inputSchema":{"type":"object"}},{"name":"send","inputSchema":{"type":"object"}}'"#;
/// What the server answers.
const CASES: [&str; 2] = [
    r#"*'"initialize"'*) result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"notes","version":"1.2.0"},"instructions":"Search first."}'"#,
    r#"*) result="{\"tools\":[$search]}""#,
];

/// A folder with the server in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    install(&folder.path().join("notes-server"), &shell::server(START, &CASES));
    folder
}

fn sh(folder: &Path, line: &str) -> Output {
    command(folder, "sh").args(["-c", line]).output().unwrap()
}

/// What it prints, and how it ends.
#[track_caller]
fn lockgate(folder: &Path, arguments: &[&str]) -> (String, i32) {
    printed(command(folder, LOCKGATE).args(arguments))
}

#[track_caller]
fn fine(folder: &Path, arguments: &[&str]) -> String {
    let (text, code) = lockgate(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {text}");
    text
}

/// Every run of 64 hex digits, shortened to the same.
fn shortened(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_hexdigit() {
            digits.push(letter);
            continue;
        }
        out.push_str(if digits.len() == 64 { "0123abcd…" } else { &digits });
        digits.clear();
        out.push(letter);
    }
    out.pop();
    out
}

/// The files and commands of a page, in one folder: ```` ```yaml NAME ```` is a file, ```` ```console ```` holds commands,
/// each with what it prints.
fn run_page(page: &str, folder: &Path) -> String {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out.push_str(&format!("{line}\n"));
        let Some(fence) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, name)) = fence.split_once(' ') {
            std::fs::write(folder.join(name), body.join("\n") + "\n").unwrap();
        }
        for line in body {
            if fence != "console" {
                out.push_str(&format!("{line}\n"));
            } else if let Some(command) = line.strip_prefix("$ ") {
                let output = sh(folder, command);
                let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
                out.push_str(&format!("{line}\n{}", shortened(&text)));
                if output.status.code() != Some(0) {
                    out.push_str(&format!("# exit code {}\n", output.status.code().unwrap()));
                }
            }
        }
        out.push_str("```\n");
    }
    out
}

#[test]
fn the_page_on_signing_shows_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/signing.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let folder = folder();
    let run = run_page(&page, folder.path());
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(&path, &run).unwrap();
    }
    assert!(run.matches("\n$ lockgate ").count() >= 12);
    assert_eq!(page, run, "docs/signing.md; BLESS=1 writes it");
}

#[test]
fn a_private_key_is_for_its_owner_and_nothing_is_overwritten() {
    let folder = folder();
    let at = folder.path();
    fine(at, &["keys", "new", "a"]);
    let mode = std::fs::metadata(at.join("a.pem")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let kept = std::fs::read(at.join("a.pem")).unwrap();
    assert_eq!(lockgate(at, &["keys", "new", "a"]).1, 2);
    std::fs::remove_file(at.join("a.pub")).unwrap();
    assert_eq!(lockgate(at, &["keys", "new", "a"]).1, 2);
    assert!(!at.join("a.pub").exists(), "no half of a pair is left");
    assert_eq!(std::fs::read(at.join("a.pem")).unwrap(), kept);
    // A public key signs nothing, and a private one is not shown.
    fine(at, &["keys", "new", "b"]);
    let (text, code) = lockgate(at, &["manifest", "sign", "--key", "b.pub", "--", "notes-server"]);
    assert_eq!(code, 2, "{text}");
    let (text, code) = lockgate(at, &["manifest", "show", "a.pem", "--key", "b.pem"]);
    assert_eq!(code, 2, "{text}");
    let secret = String::from_utf8(kept).unwrap();
    assert!(!text.contains(secret.lines().nth(1).unwrap()), "{text}");
}

#[test]
fn machines_are_told_what_differs() {
    let folder = folder();
    let at = folder.path();
    fine(at, &["keys", "new", "a"]);
    fine(at, &["manifest", "sign", "--key", "a.pem", "--", "notes-server"]);
    let verify = |server: &[&str]| {
        let head = ["manifest", "verify", "manifest.json", "--key", "a.pub", "--json", "--"];
        let output = command(at, LOCKGATE).args(head).args(server).output().unwrap();
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), output.status.code().unwrap())
    };
    let (same, code) = verify(&["notes-server"]);
    assert_eq!((same["signed"].as_bool(), &same["differences"], code), (Some(true), &json!([]), 0));
    let (other, code) = verify(&["notes-server", "--changed"]);
    let wanted = json!([
        { "kind": "tool", "name": "search", "difference": "changed" },
        { "kind": "tool", "name": "send", "difference": "added" },
    ]);
    assert_eq!((&other["differences"], code), (&wanted, 1));
    let (gone, code) = verify(&["/nonexistent"]);
    assert_eq!((gone["error"].is_string(), code), (true, 1));
    // One bit of what was signed, and it is no proof any more.
    let file = at.join("manifest.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut envelope: Value = serde_json::from_str(&text).unwrap();
    let payload = envelope["payload"].as_str().unwrap().replacen('A', "B", 1);
    envelope["payload"] = json!(payload);
    std::fs::write(&file, envelope.to_string()).unwrap();
    let (forged, code) = verify(&["notes-server"]);
    assert_eq!((&forged["signed"], &forged["code"], code), (&json!(false), &json!("signature"), 1));
}

#[test]
fn what_is_approved_in_a_lock_file_is_signed_alike() {
    let folder = folder();
    let at = folder.path();
    fine(at, &["keys", "new", "a"]);
    let definition =
        |kind, text: &[u8], locked: &mut Locked| locked.add(kind, Json::check(text, 8).unwrap()).unwrap();
    let mut locked = Locked::default();
    definition(Kind::Identity, br#"{"version":"1.2.0","name":"notes"}"#, &mut locked);
    definition(Kind::Instructions, br#""Search first.""#, &mut locked);
    let tool = br#"{"inputSchema":{"type":"object"},"name":"search","description":"Searches the notes."}"#;
    definition(Kind::Tool, tool, &mut locked);
    let lock = Lock { servers: BTreeMap::from([(ServerName::parse("notes").unwrap(), locked)]) };
    std::fs::write(at.join("lockgate.lock"), lock.text()).unwrap();
    fine(at, &["manifest", "sign", "--key", "a.pem", "--lock", "lockgate.lock"]);
    fine(at, &["manifest", "verify", "manifest.json", "--key", "a.pub", "--", "notes-server"]);
    let (text, code) =
        lockgate(at, &["manifest", "sign", "--key", "a.pem", "--lock", "lockgate.lock", "--server", "note"]);
    assert!(code == 2 && text.contains("did you mean `notes`?"), "{text}");
}

/// A configuration that refers to a policy and a manifest, signed with `operator`.
fn configured() -> tempfile::TempDir {
    let folder = folder();
    let at = folder.path();
    fine(at, &["keys", "new", "operator"]);
    fine(at, &["keys", "new", "release"]);
    fine(at, &["manifest", "sign", "--key", "release.pem", "--", "notes-server"]);
    std::fs::write(at.join("limits.yaml"), "version: \"1\"\ntools: {}\n").unwrap();
    std::fs::write(at.join("token"), "a-token-of-some-length").unwrap();
    let config = json!({
        "listen": "127.0.0.1:0",
        "servers": { "notes": {
            "command": ["notes-server"], "intercept": "./limits.yaml", "env": { "TOKEN": { "file": "token" } },
            "signature": { "manifest": "manifest.json", "keys": ["release.pub"] }
        } }
    });
    std::fs::write(at.join("lockgate.yaml"), config.to_string()).unwrap();
    fine(at, &["config", "sign", "--key", "operator.pem"]);
    folder
}

const TRUSTED: [&str; 2] = ["--trusted-keys", "operator.pub"];

#[test]
fn every_file_that_decides_is_signed_and_no_secret_is() {
    let folder = configured();
    let at = folder.path();
    let signed = fine(at, &["config", "sign", "--key", "operator.pem"]);
    let names: Vec<&str> = signed.lines().skip(1).map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(names, ["limits.yaml", "lockgate.yaml", "manifest.json", "release.pub"]);
    fine(at, &["check", TRUSTED[0], TRUSTED[1]]);
    std::fs::write(at.join("token"), "another-token-of-length").unwrap();
    fine(at, &["check", TRUSTED[0], TRUSTED[1]]);
}

/// What is done to a signed configuration, how, and what is named for it.
type Change = (&'static str, Box<dyn Fn(&Path)>, &'static str);

#[test]
fn what_is_unsigned_or_altered_does_not_start() {
    let touch = |at: &Path, file: &str| {
        let mut text = std::fs::read(at.join(file)).unwrap();
        text.push(b'\n');
        std::fs::write(at.join(file), text).unwrap();
    };
    let altered = |file: &'static str| -> Change { (file, Box::new(move |at| touch(at, file)), file) };
    let changes: Vec<Change> = vec![
        altered("lockgate.yaml"),
        altered("limits.yaml"),
        altered("manifest.json"),
        altered("release.pub"),
        ("gone", Box::new(|at| std::fs::remove_file(at.join("limits.yaml")).unwrap()), "limits.yaml"),
        (
            "a new lock file",
            Box::new(|at| std::fs::write(at.join("lockgate.lock"), "{}").unwrap()),
            "lockgate.lock",
        ),
        (
            "no signature",
            Box::new(|at| std::fs::remove_file(at.join("lockgate.yaml.sig")).unwrap()),
            "lockgate.yaml.sig",
        ),
        (
            "a manifest",
            Box::new(|at| {
                assert!(std::fs::copy(at.join("manifest.json"), at.join("lockgate.yaml.sig")).is_ok());
            }),
            "lockgate.yaml.sig",
        ),
        (
            "another key",
            Box::new(|at| drop(fine(at, &["config", "sign", "--key", "release.pem"]))),
            "lockgate.yaml.sig",
        ),
        (
            "of another file",
            Box::new(|at| {
                std::fs::copy(at.join("lockgate.yaml"), at.join("other.yaml")).unwrap();
                fine(at, &["config", "sign", "other.yaml", "--key", "operator.pem"]);
                std::fs::rename(at.join("other.yaml.sig"), at.join("lockgate.yaml.sig")).unwrap();
            }),
            "lockgate.yaml.sig",
        ),
    ];
    for (what, change, named) in changes {
        let folder = configured();
        let at = folder.path();
        change(at);
        let commands: [&[&str]; 4] = [&["check"], &["stdio"], &["wrap", "-c", "lockgate.yaml"], &["run"]];
        for command in commands {
            let mut arguments = [command, &TRUSTED[..]].concat();
            if command[0] == "wrap" {
                arguments.extend(["--", "notes-server"]);
            }
            let (text, code) = lockgate(at, &arguments);
            assert_eq!(code, 2, "{what}: {command:?}: {text}");
            assert!(text.contains("config_signature_invalid") && text.contains(named), "{what}: {text}");
        }
        assert_eq!(lockgate(at, &["config", "verify", TRUSTED[0], TRUSTED[1]]).1, 1, "{what}");
    }
}

#[test]
fn the_variable_names_the_trusted_keys_and_every_command_asks_for_them() {
    let folder = configured();
    let at = folder.path();
    std::fs::remove_file(at.join("lockgate.yaml.sig")).unwrap();
    for arguments in
        [&["check"][..], &["check", "--normal"], &["tools"], &["manifest", "sign", "--key", "release.pem"]]
    {
        let mut command = command(at, LOCKGATE);
        let output = command.env("LOCKGATE_TRUSTED_KEYS", "operator.pub").args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && text.contains("config_signature_invalid"),
            "{arguments:?}: {text}"
        );
    }
    let mut command = command(at, LOCKGATE);
    let output = command.env("LOCKGATE_TRUSTED_KEYS", "missing.pub").arg("check").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "keys that are not there are no reason to trust anybody");
    fine(at, &["check"]);
}

#[test]
fn an_intercept_policy_in_front_of_a_server_is_signed_as_well() {
    let folder = configured();
    let at = folder.path();
    fine(at, &["config", "sign", "limits.yaml", "--key", "operator.pem"]);
    fine(at, &["config", "verify", "limits.yaml", TRUSTED[0], TRUSTED[1]]);
    std::fs::write(at.join("limits.yaml"), "version: \"1\"\ntools: { search: {} }\n").unwrap();
    let (text, code) =
        lockgate(at, &["wrap", "-c", "limits.yaml", TRUSTED[0], TRUSTED[1], "--", "notes-server"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("config_signature_invalid"), "{text}");
}

#[test]
fn neither_variables_nor_secrets_are_needed_to_sign_except_in_names_of_files() {
    let folder = configured();
    let at = folder.path();
    let text = std::fs::read_to_string(at.join("lockgate.yaml")).unwrap();
    std::fs::write(
        at.join("lockgate.yaml"),
        text.replace("./limits", "${FOLDER}/limits").replace("\"token\"", "\"gone\""),
    )
    .unwrap();
    let sign = || {
        let mut command = command(at, LOCKGATE);
        command.args(["config", "sign", "--key", "operator.pem"]);
        command
    };
    let output = sign().output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    let output = sign().env("FOLDER", ".").output().unwrap();
    let signed = String::from_utf8(output.stdout).unwrap();
    assert!(signed.contains("  limits.yaml\n"), "{signed}");
}

/// Ends with the test, however that ends.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

#[test]
fn a_running_gateway_keeps_what_was_signed() {
    let folder = configured();
    let at = folder.path();
    let mut run = command(at, LOCKGATE);
    let run = run.args(["run", TRUSTED[0], TRUSTED[1]]).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut gateway = Gateway(run.spawn().unwrap());
    let lines = BufReader::new(gateway.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let (tell, said) = mpsc::channel();
    std::thread::spawn(move || lines.for_each(|line| drop(tell.send(line))));
    let wait_for = |words: &str| {
        while !said.recv_timeout(Duration::from_mins(1)).expect(words).contains(words) {}
    };
    wait_for("127.0.0.1:");
    let text = std::fs::read_to_string(at.join("lockgate.yaml")).unwrap();
    std::fs::write(at.join("lockgate.yaml"), text.replace("\"listen\"", "\"default\":\"deny\",\"listen\""))
        .unwrap();
    wait_for("the old configuration stays in force");
    wait_for("config_signature_invalid: `lockgate.yaml` is not the file that was signed: it was sha256:");
    fine(at, &["config", "sign", "--key", "operator.pem"]);
    wait_for("is in force");
}

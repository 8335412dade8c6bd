//! Witnesses of the log: Lockgate as one, a gateway that asks it, and who verifies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails here has found something"
)]

mod shell;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use shell::{command, install, printed};
use tempfile::TempDir;
use testkit::agent::{Agent, NOTES};

/// A process that ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// A witness, where it is asked, and its key.
struct Witness {
    _process: Running,
    url: String,
    key: String,
}

impl Witness {
    fn start(at: &Path, state: &str, listen: &str) -> Self {
        let mut command = command(at, "lockgate");
        let command =
            command.args(["witness", "--listen", listen, "--state", state, "--log", "log/log.vkey"]);
        let mut process = Running(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(process.0.stderr.take().unwrap()).lines().map(Result::unwrap);
        let said = |line: Option<String>, start: &str| {
            line.as_deref().and_then(|line| line.strip_prefix(start)).expect(start).to_owned()
        };
        let url = said(lines.next(), "listening on ").replace("/add-checkpoint", "");
        let key = said(lines.next(), "key ");
        std::thread::spawn(move || lines.for_each(drop));
        Self { _process: process, url, key }
    }

    /// Asks it: the status, and what it answers.
    fn ask(&self, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        let head = "POST /add-checkpoint HTTP/1.1\r\nHost: witness\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    install(&folder.path().join("notes-server"), &shell::server("", &NOTES));
    folder
}

fn configure(at: &Path, records: &Value) {
    let config = json!({
        "records": records,
        "servers": { "notes": { "command": ["./notes-server"], "tier": "core" } },
    });
    std::fs::write(at.join("lockgate.yaml"), config.to_string()).unwrap();
}

/// A gateway, one call, and its end in good order.
fn call(at: &Path) {
    let mut agent = Agent::start(command(at, "lockgate").arg("stdio"));
    agent.call("notes__search", json!({}));
    agent.end();
}

fn lockgate(at: &Path, arguments: &[&str]) -> (String, i32) {
    printed(command(at, "lockgate").args(arguments))
}

#[test]
fn checkpoints_are_witnessed_and_verified() {
    let folder = folder();
    let at = folder.path();
    configure(at, &json!({ "folder": "log" }));
    call(at);
    let (one, two) = (Witness::start(at, "w1", "127.0.0.1:0"), Witness::start(at, "w2", "127.0.0.1:0"));
    let witnesses = json!([{ "url": one.url, "key": one.key }, { "url": two.url, "key": two.key }]);
    let publish = json!({ "file": "kept.checkpoint" });
    configure(at, &json!({ "folder": "log", "witnesses": witnesses, "quorum": 1, "publish": publish }));
    call(at);
    let (url, key) = (two.url.clone(), two.key.clone());
    let both = ["--witness", &one.key, "--witness", &key];
    let verify = |more: &[&str]| lockgate(at, &[&["log", "verify", "--key", "log/log.vkey"], more].concat());
    let (text, code) = verify(&both);
    assert!(code == 0 && text.contains("are signed by lockgate-witness/"), "{text}");
    let kept = std::fs::read_to_string(at.join("kept.checkpoint")).unwrap();
    assert_eq!(kept.matches('\u{2014}').count(), 3, "the log and both witnesses: {kept}");
    assert_eq!(kept, std::fs::read_to_string(at.join("log/checkpoint.witnessed")).unwrap());
    // A program of somebody else comes to the same.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/verify-log.mjs");
    let node = |key: &str| {
        Command::new("node")
            .arg(script)
            .args(["witnessed", "log", "log/log.vkey", key])
            .current_dir(at)
            .output()
    };
    match node(&one.key) {
        Err(_) => println!("skipped: Node is not installed"),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("are signed by"), "{text}");
            let other = "example+fd3f7a51+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
            assert!(!node(other).unwrap().status.success());
        }
    }
    // One is away: the gateway goes on, and who verifies names it.
    drop(two);
    call(at);
    let (text, code) = verify(&both);
    assert!(code == 1 && text.contains("too few witnesses") && text.contains("are not signed by"), "{text}");
    let (text, code) = verify(&[&both[..], &["--quorum", "1"]].concat());
    assert!(code == 0 && text.contains(key.split('+').next().unwrap()), "{text}");
    // It comes back, with what it remembers.
    let again = Witness::start(at, "w2", url.strip_prefix("http://").unwrap());
    assert_eq!(again.key, key);
    call(at);
    let (text, code) = verify(&both);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_witness_refuses_what_does_not_continue_what_it_signed() {
    let folder = folder();
    let at = folder.path();
    configure(at, &json!({ "folder": "log" }));
    call(at);
    let witness = Witness::start(at, "w", "127.0.0.1:0");
    let first = std::fs::read_to_string(at.join("log/checkpoint")).unwrap();
    let size: u64 = first.lines().nth(1).unwrap().parse().unwrap();
    assert_eq!(witness.ask("no checkpoint").0, 400);
    assert_eq!(witness.ask(&format!("old 0\n\n{}", first.replacen("lockgate/", "other/", 1))).0, 404);
    let forged = first.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1), 1);
    assert_eq!(witness.ask(&format!("old 0\n\n{forged}")).0, 403);
    let (status, line) = witness.ask(&format!("old 0\n\n{first}"));
    assert!(status == 200 && line.starts_with("\u{2014} lockgate-witness/"), "{line}");
    assert_eq!(witness.ask(&format!("old 0\n\n{first}")), (409, format!("{size}\n")));
    assert_eq!(witness.ask(&format!("old {size}\n\n{first}")).0, 200, "the same again");
    assert_eq!(witness.ask(&format!("old {}\n\n{first}", size + 1)).0, 400);
    // The log grows, and what it sends has no proof.
    call(at);
    let second = std::fs::read_to_string(at.join("log/checkpoint")).unwrap();
    assert_eq!(witness.ask(&format!("old {size}\n\n{second}")).0, 422);
    // It was begun anew, with the same key.
    std::fs::remove_dir_all(at.join("log/tile")).unwrap();
    std::fs::remove_dir_all(at.join("log/head")).unwrap();
    std::fs::remove_file(at.join("log/checkpoint")).unwrap();
    let witnesses = json!([{ "url": witness.url, "key": witness.key }]);
    configure(at, &json!({ "folder": "log", "witnesses": witnesses }));
    // At first with fewer records than the witness knows of, then with as many or more.
    call(at);
    call(at);
    assert!(!at.join("log/checkpoint.witnessed").exists(), "it never signs another history");
    let (text, code) = lockgate(at, &["log", "verify", "--witness", &witness.key]);
    assert!(code == 1 && text.contains("too few witnesses"), "{text}");
}

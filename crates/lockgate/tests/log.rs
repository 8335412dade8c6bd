//! The log that nobody can quietly change, as a gateway writes it and as people read it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails here has found something"
)]

mod shell;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shell::{command, install, printed};
use tempfile::TempDir;
use testkit::agent::{Agent, NOTES};

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let server = folder.path().join("notes-server");
    install(&server, &shell::server("", &NOTES));
    let config = json!({
        "records": { "folder": "log" },
        "servers": { "notes": { "command": [server], "tier": "core" } },
    });
    std::fs::write(folder.path().join("lockgate.yaml"), config.to_string()).unwrap();
    folder
}

/// What it prints, and how it ends.
fn lockgate(at: &Path, arguments: &[&str]) -> (String, i32) {
    printed(command(at, "lockgate").args(arguments))
}

fn start(at: &Path) -> Agent {
    Agent::start(command(at, "lockgate").arg("stdio"))
}

fn search(agent: &mut Agent, text: &str) -> Value {
    agent.call("notes__search", json!({ "text": text }))
}

/// Calls until the answer is of this sort.
fn search_until(agent: &mut Agent, wanted: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        let answer = search(agent, "again");
        if wanted(&answer) {
            return answer;
        }
    }
    panic!("no call was answered as it must be");
}

/// The same with something else in `records`.
fn folder_with(key: &str, value: Value) -> TempDir {
    let folder = folder();
    let path = folder.path().join("lockgate.yaml");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config["records"][key] = value;
    std::fs::write(path, config.to_string()).unwrap();
    folder
}

/// A log of some calls.
fn written() -> TempDir {
    let folder = folder();
    let mut agent = start(folder.path());
    for number in 0..8 {
        search(&mut agent, &format!("note {number}"));
    }
    agent.end();
    folder
}

#[test]
fn what_is_written_is_verified_read_and_proven() {
    let folder = written();
    let at = folder.path();
    let (text, code) = lockgate(at, &["log", "verify", "--key", "log/log.vkey"]);
    assert!(code == 0 && text.starts_with("all ") && text.contains("are as they were signed"), "{text}");
    let (text, code) = lockgate(at, &["log", "search", "--event", "request", "--target", "search"]);
    assert_eq!((text.lines().count(), code), (8, 0), "{text}");
    let line = text.lines().next().unwrap();
    let number = line.split_whitespace().next().unwrap();
    let (proof, code) = lockgate(at, &["log", "prove", number]);
    assert_eq!(code, 0, "{proof}");
    std::fs::write(at.join("proof.json"), &proof).unwrap();
    let (text, code) = lockgate(at, &["log", "check", "proof.json", "--key", "log/log.vkey"]);
    assert!(code == 0 && text.contains("is in the log"), "{text}");
    std::fs::write(at.join("forged.json"), proof.replace("\\\"event\\\":\\\"", "\\\"event\\\":\\\"x"))
        .unwrap();
    let (text, code) = lockgate(at, &["log", "check", "forged.json", "--key", "log/log.vkey"]);
    assert!(code == 1 && text.contains("not proven"), "{text}");
    let (all, _) = lockgate(at, &["log", "search"]);
    let (newest, _) = lockgate(at, &["log", "tail", "-n", "3"]);
    assert!(newest.lines().count() == 3 && all.ends_with(&newest), "{newest}");
    let (shown, _) = lockgate(at, &["log", "show", number]);
    let session = shown.lines().find(|line| line.contains("\"session\"")).unwrap().split('"').nth(3).unwrap();
    let (text, code) = lockgate(at, &["log", "timeline", session]);
    assert!(code == 0 && text.contains("it has now read notes"), "{text}");
    for format in ["jsonl", "ocsf", "sigma"] {
        let (text, code) = lockgate(at, &["log", "export", "--format", format, "--event", "request"]);
        assert!(
            code == 0 && text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()),
            "{format} {text}"
        );
    }
    let (text, _) = lockgate(at, &["log", "export", "--format", "cef", "--target", "search"]);
    assert!(text.lines().all(|line| line.starts_with("CEF:0|Lockgate|Lockgate|")), "{text}");
    // Other commands read it as they read a file.
    let id = shown.lines().find(|line| line.contains("\"correlation\"")).unwrap().split('"').nth(3).unwrap();
    let (text, code) = lockgate(at, &["explain", id, "log"]);
    assert!(code == 0 && text.contains("search"), "{text}");
}

#[test]
fn arguments_are_kept_beside_the_log() {
    let folder = folder_with("arguments", json!(true));
    let at = folder.path();
    let mut agent = start(at);
    search(&mut agent, "a note about nothing");
    agent.end();
    let records = std::fs::read_dir(at.join("log/tile/entries/000.p")).unwrap().next().unwrap().unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(records.path()).unwrap()).into_owned();
    assert!(text.contains("\"content_sha256\":\"") && !text.contains("about nothing"), "{text}");
    let (found, _) = lockgate(at, &["log", "search", "--event", "request", "--target", "search"]);
    let number = found.split_whitespace().next().unwrap();
    assert!(lockgate(at, &["log", "show", number]).0.contains("a note about nothing"));
    let (learned, code) = lockgate(at, &["replay", "lockgate.yaml", "log"]);
    assert!(code == 0 && !learned.contains("not kept"), "{learned}");
    // Without them the log is as good as before.
    std::fs::remove_dir_all(at.join("log/contents")).unwrap();
    let (text, code) = lockgate(at, &["log", "verify", "--key", "log/log.vkey"]);
    assert_eq!(code, 0, "{text}");
    assert!(!lockgate(at, &["log", "show", number]).0.contains("a note about nothing"));
}

#[test]
fn somebody_elses_program_comes_to_the_same() {
    let folder = written();
    let at = folder.path();
    let (proof, _) = lockgate(at, &["log", "prove", "3"]);
    std::fs::write(at.join("proof.json"), &proof).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/verify-log.mjs");
    let node = |arguments: &[&str]| Command::new("node").arg(script).args(arguments).current_dir(at).output();
    let Ok(output) = node(&["log", "log", "log/log.vkey"]) else {
        println!("skipped: Node is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("are as they were signed"), "{text}");
    let output = node(&["proof", "proof.json", "log/log.vkey"]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    std::fs::write(at.join("proof.json"), proof.replace("\\\"event\\\":\\\"", "\\\"event\\\":\\\"x"))
        .unwrap();
    assert!(!node(&["proof", "proof.json", "log/log.vkey"]).unwrap().status.success());
}

#[test]
fn whoever_changes_a_record_is_found_out() {
    let folder = written();
    let at = folder.path();
    let records =
        std::fs::read_dir(at.join("log/tile/entries/000.p")).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&records).unwrap();
    let at_word = good.windows(7).position(|seven| seven == b"forward").unwrap();
    let mut bad = good.clone();
    bad[at_word..at_word + 7].copy_from_slice(b"forwarD");
    std::fs::write(&records, &bad).unwrap();
    let (text, code) = lockgate(at, &["log", "verify", "--json"]);
    let said: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert!(code == 1 && said["good"] == false && said["first_bad"].is_u64(), "{text}");
    std::fs::write(&records, &good[..good.len() - 1]).unwrap();
    let (text, code) = lockgate(at, &["log", "verify"]);
    assert!(code == 1 && text.contains("is missing"), "{text}");
    std::fs::write(&records, &good).unwrap();
    // Another key has not signed it.
    let other = "example+fd3f7a51+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    let (text, code) = lockgate(at, &["log", "verify", "--key", other]);
    assert!(code != 0, "{text}");
}

#[test]
fn a_log_that_was_begun_anew_does_not_continue_the_old_one() {
    let folder = written();
    let at = folder.path();
    std::fs::copy(at.join("log/checkpoint"), at.join("kept")).unwrap();
    let mut agent = start(at);
    search(&mut agent, "more");
    agent.end();
    let (text, code) = lockgate(at, &["log", "verify", "--since", "kept"]);
    assert_eq!(code, 0, "{text}");
    std::fs::remove_dir_all(at.join("log")).unwrap();
    let mut agent = start(at);
    (0..12).for_each(|number| drop(search(&mut agent, &format!("other {number}"))));
    agent.end();
    let (text, code) = lockgate(at, &["log", "verify", "--since", "kept"]);
    assert!(code == 1 && text.contains("does not continue"), "{text}");
}

#[test]
fn who_is_killed_leaves_a_log_that_goes_on() {
    let folder = folder();
    let at = folder.path();
    for round in 0..3 {
        let mut agent = start(at);
        (0..5).for_each(|number| drop(search(&mut agent, &format!("{round} {number}"))));
        // Without a word.
        drop(agent);
    }
    let mut agent = start(at);
    search(&mut agent, "last");
    agent.end();
    let (text, code) = lockgate(at, &["log", "verify"]);
    assert!(code == 0 && text.starts_with("all "), "{text}");
}

#[test]
fn nothing_passes_unrecorded() {
    let folder = folder();
    let at = folder.path();
    let mut agent = start(at);
    assert!(search(&mut agent, "first")["result"]["content"].is_array());
    // A folder stands where the next file would be.
    let head = at.join("log/head");
    std::fs::rename(&head, at.join("aside")).unwrap();
    std::fs::write(&head, "").unwrap();
    let refused = search_until(&mut agent, |answer| answer["error"].is_object());
    assert_eq!(refused["error"]["data"]["reason"], "records_unavailable", "{refused}");
    std::fs::remove_file(&head).unwrap();
    std::fs::rename(at.join("aside"), &head).unwrap();
    search_until(&mut agent, |answer| answer["result"]["content"].is_array());
    agent.end();
    let (text, code) = lockgate(at, &["log", "verify"]);
    assert!(code == 0 && text.starts_with("all "), "{text}");
    let (text, _) = lockgate(at, &["log", "search", "--reason", "records_unavailable"]);
    assert!(text.lines().count() > 0, "{text}");
}

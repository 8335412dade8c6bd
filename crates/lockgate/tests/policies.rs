//! Policies tried from the command line: what is printed, beside the files it is printed for. A text that is missing or
//! differs fails; `BLESS=1` writes it.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies").join(name)
}

fn lockgate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
    command.current_dir(folder).env_remove("LOCKGATE_ENVIRONMENT").args(arguments).output().unwrap()
}

/// Runs a command in a folder; exit code and all that is printed must be what the file says.
#[track_caller]
fn prints(name: &str, file: &str, arguments: &[&str]) {
    let output = lockgate(&folder(name), arguments);
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = format!("{}exit code {}\n", String::from_utf8(text).unwrap(), output.status.code().unwrap());
    let path = folder(name).join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
}

#[test]
fn cases_that_hold_pass() {
    prints("good", "test.txt", &["test"]);
}

#[test]
fn cases_that_do_not_hold_and_rules_that_meet_nothing_are_said() {
    prints("bad", "test.txt", &["test", "files.test.yaml"]);
    let output = lockgate(&folder("bad"), &["test", "--json", "files.test.yaml"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["failed"], 4);
    assert_eq!(said["files"][0]["failed"][0]["rule"], "protocol");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn ready_policies_pass_their_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = lockgate(&root, &["test", "policies"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn what_cannot_be_read_is_said() {
    prints("bad", "slips.txt", &["test", "slips.test.yaml", "nobody.test.yaml", "missing.test.yaml"]);
    prints("bad", "none.txt", &["test", "../../config/bad"]);
}

#[test]
fn a_replay_says_what_would_be_different() {
    prints("records", "replay.txt", &["replay", "policy.yaml", "records.jsonl"]);
}

#[test]
fn a_replay_cannot_tell_what_goes_by_the_class_of_a_tool() {
    let scratch = tempfile::tempdir().unwrap();
    let policy = scratch.path().join("class.yaml");
    let text =
        "default: class\nservers: { db: { url: \"https://db.example/mcp\", tools: { query: allow } } }\n";
    std::fs::write(&policy, text).unwrap();
    let output =
        lockgate(&folder("records"), &["replay", "--json", policy.to_str().unwrap(), "records.jsonl"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let untold = said["untold"].as_array().unwrap();
    let by_class = untold.iter().filter(|untold| untold["why"].as_str().unwrap().contains("class"));
    let targets: Vec<_> = by_class.map(|untold| untold["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["db/execute", "db/tidy"], "and not the tool with a rule of its own");
}

#[test]
fn a_request_is_explained() {
    let explain = |file: &str, id: &str| {
        prints("records", file, &["explain", id, "records.jsonl", "-c", "policy.yaml"]);
    };
    explain("explain-crossing.txt", "5e1f-10");
    explain("explain-argument.txt", "5e1f-11");
    explain("explain-approved.txt", "5e1f-8");
    explain("explain-declined.txt", "77aa-10");
    explain("explain-missing.txt", "77aa-99");
}

#[test]
fn what_is_learned_loads_and_allows_what_was_done() {
    let learned = tempfile::tempdir().unwrap();
    let policy = learned.path().join("learned.yaml");
    let policy = policy.to_str().unwrap();
    let run = |arguments: &[&str]| lockgate(&folder("records"), arguments);
    assert!(run(&["learn", "records.jsonl", "-o", policy]).status.success());
    assert!(run(&["check", policy]).status.success());
    let replayed = run(&["replay", "--json", policy, "records.jsonl"]);
    let said: serde_json::Value = serde_json::from_slice(&replayed.stdout).unwrap();
    for different in said["differences"].as_array().unwrap() {
        let (was, now) = (different["was"].as_str().unwrap(), different["now"].as_str().unwrap());
        // What leads out of its folder in code is an attack, whatever was learned.
        if different["reason"] == "attack_pattern" {
            continue;
        }
        // What was refused once may pass where the records do not hold what was asked for.
        assert!(matches!((was, now), ("allow", "ask") | ("deny", "allow" | "ask")), "{different}");
    }
    assert_eq!(
        run(&["learn", "records.jsonl", "-o", policy]).status.code(),
        Some(2),
        "nothing is overwritten"
    );
    prints("records", "learn.txt", &["learn", "records.jsonl"]);
    prints("records", "learn-empty.txt", &["learn", "policy.yaml"]);
}

/// The files and commands of a page, in a folder of their own: ```` ```yaml NAME ```` is a file, ```` ```console ````
/// holds commands, each with what it prints.
fn run_page(page: &str, folder: &Path) -> String {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(fence) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, name)) = fence.split_once(' ') {
            std::fs::write(folder.join(name), body.join("\n") + "\n").unwrap();
        }
        for line in body {
            if fence != "console" {
                out.push_str(&format!("{line}\n"));
            } else if let Some(command) = line.strip_prefix("$ lockgate ") {
                let output = lockgate(folder, &command.split(' ').collect::<Vec<_>>());
                let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
                out.push_str(&format!("{line}\n{text}"));
            }
        }
        out.push_str("```\n");
    }
    out
}

#[test]
fn the_page_on_policies_shows_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policies.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    std::fs::copy(folder("docs").join("records.jsonl"), scratch.path().join("records.jsonl")).unwrap();
    let run = run_page(&page, scratch.path());
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(&path, &run).unwrap();
    }
    assert!(run.matches("\n$ lockgate ").count() >= 8);
    assert_eq!(page, run, "docs/policies.md; BLESS=1 writes it");
}

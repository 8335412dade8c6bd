//! The demo shows what it claims, on real processes and a real file.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

use std::path::Path;
use std::process::Command;

fn demo(arguments: &[&str]) -> (String, bool) {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockgate"));
    let output = command.arg("demo").args(arguments).env("LOCKGATE_STATE", state.path()).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[test]
fn the_attack_succeeds_without_lockgate_and_is_stopped_with_it() {
    let (text, good) = demo(&["--json"]);
    assert!(good);
    assert_eq!(text.lines().count(), 1, "one object on one line");
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["as_expected"], true);
    let (without, through) = (&shown["without_lockgate"], &shown["through_lockgate"]);
    assert_eq!((&without["users_before"], &without["users_after"]), (&3.into(), &serde_json::Value::Null));
    assert_eq!((&through["users_before"], &through["users_after"]), (&3.into(), &3.into()));
    assert_eq!(through["refused"], "untrusted_content_reaches_sink");
    let outcomes = |run: &serde_json::Value| {
        let steps = run["steps"].as_array().unwrap().iter();
        steps.map(|step| format!("{} {}", step["tool"], step["outcome"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(
        outcomes(without),
        ["query answered", "fetch_page answered", "execute answered", "query failed"]
    );
    assert_eq!(
        outcomes(through),
        ["query answered", "fetch_page answered", "execute refused", "query answered"]
    );
    assert_eq!(through["steps"][3]["answer"], "3", "the legitimate query passes");
    for step in [1, 2] {
        let asked = |run: &serde_json::Value| {
            (run["steps"][step]["argument"].clone(), run["steps"][step]["obeyed"].clone())
        };
        assert_eq!(asked(without), asked(through), "the same agent and the same page");
    }
    assert_eq!(shown["record"]["rule"], "flow.value");
}

/// `BLESS=1` writes what is committed.
#[test]
fn the_text_is_what_is_committed_and_fits_a_terminal() {
    let (text, good) = demo(&[]);
    assert!(good);
    assert!(text.lines().count() <= 40, "{} lines", text.lines().count());
    for line in text.lines() {
        assert!(line.chars().count() <= 80 && !line.chars().any(char::is_control), "{line:?}");
    }
    let (before, rest) = text.split_once("Ref ").unwrap();
    let (reference, after) = rest.split_once('.').unwrap();
    assert!(!reference.contains(char::is_whitespace), "{reference:?}");
    let stable = format!("{before}Ref REFERENCE.{after}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &stable).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == stable, "tests/demo.txt differs\n--- committed\n{committed}+++ now\n{stable}");
}

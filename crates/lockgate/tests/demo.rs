//! The demo shows what it claims, on real processes and a real file.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

use std::process::Command;

fn demo(arguments: &[&str]) -> (String, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_lockgate")).arg("demo").args(arguments).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[test]
fn the_attack_succeeds_without_lockgate_and_is_stopped_with_it() {
    let (text, good) = demo(&["--json"]);
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(good);
    assert_eq!(shown["without_lockgate"]["users_after"], serde_json::Value::Null);
    assert_eq!(shown["through_lockgate"]["users_after"], 3);
    assert_eq!(shown["through_lockgate"]["refused"], "untrusted_content_reaches_sink");
    let last = &shown["through_lockgate"]["steps"][3];
    assert_eq!(
        (&last["tool"], &last["answer"]),
        (&"query".into(), &"3".into()),
        "the legitimate query passes"
    );
    assert_eq!(shown["record"]["rule"], "flow.cross_server");
}

#[test]
fn the_text_fits_a_terminal_and_carries_no_control_characters() {
    let (text, good) = demo(&[]);
    assert!(good);
    assert!(text.lines().count() <= 50, "{} lines", text.lines().count());
    assert!(text.lines().all(|line| line.chars().count() <= 120 && !line.contains('\u{1b}')));
    let reference = text.lines().find(|line| line.contains("Ref ")).unwrap();
    let reference = reference.split("Ref ").nth(1).unwrap();
    let stable = text.replace(reference, "REF");
    for (what, told) in [
        ("the table is lost", "✗ The table is gone."),
        ("the reason", "refused    untrusted_content_reaches_sink"),
        ("the table is kept", "✓ The table still has its 3 users"),
        ("the record", "verdict deny, reason untrusted_content_reaches_sink"),
        ("what to do next", "lockgate wrap -- "),
    ] {
        assert!(stable.contains(told), "{what} is not told:\n{stable}");
    }
}

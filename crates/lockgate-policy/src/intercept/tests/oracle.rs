//! The verdicts of the original, recorded: operator × value × arguments.

use std::process::Command;

use lockgate_model::Json;

use crate::intercept::condition::{Actual, Outcome, Test, argument};
use crate::intercept::value::Value;
use crate::intercept::{Decision, MemoryCounters, Policy, yaml};

/// Recorded verdicts are not in the repository.
const ORACLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/policy/intercept-oracle.jsonl.gz");

#[test]
fn every_recorded_verdict_is_ours() {
    let Ok(output) = Command::new("gzip").args(["-dc", ORACLE]).output() else {
        eprintln!("skipped: there is no gzip");
        return;
    };
    if !output.status.success() {
        eprintln!("skipped: there are no recorded verdicts");
        return;
    }
    let rows = String::from_utf8(output.stdout).unwrap();
    let (mut verdicts, mut wrong) = (0, Vec::new());
    for line in rows.lines() {
        let row = Json::check(line.as_bytes(), 16).unwrap();
        let op = row.get("op").unwrap().text().unwrap();
        let value_text = row.get("value_yaml").unwrap().text().unwrap();
        let value = Value::of(&yaml::read(&value_text).root.unwrap());
        let mut errors = Vec::new();
        let test = Test::read(&op, value, &mut errors);
        let recorded: Vec<_> = row.get("validation_errors").unwrap().elements().collect();
        assert_eq!(errors.len(), recorded.len(), "{op} {value_text}");
        for (ours, theirs) in errors.iter().zip(recorded) {
            let theirs = theirs.text().unwrap();
            assert!(theirs.ends_with(ours.as_str()), "{ours} instead of {theirs}");
        }
        let file = format!(
            "version: '1'\ntools:\n  t:\n    rules:\n      - name: r\n        conditions:\n          - path: args.x\n            \
             op: {op}\n            value: {value_text}\n"
        );
        let policy = Policy::read(&file);
        assert_eq!(policy.is_ok(), errors.is_empty(), "{file}");
        for (arguments, allowed) in row.get("allowed").unwrap().members() {
            let arguments = arguments.text();
            let json = Json::check(arguments.as_bytes(), 16).unwrap();
            let found = argument(Some(json), &["x".to_owned()]).map(Actual::Argument);
            let ours = test.check(found) == Outcome::Holds;
            verdicts += 1;
            if ours != allowed.bool().unwrap() {
                wrong.push(format!("{op} {value_text} on {arguments}: {ours}"));
            }
            if let Ok((policy, _)) = &policy {
                let decision = policy.decide("t", Some(json), 0, &mut MemoryCounters::default());
                assert_eq!(ours, matches!(decision, Decision::Allow(_)), "{op} {value_text} on {arguments}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {verdicts} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(verdicts, 11_136);
}

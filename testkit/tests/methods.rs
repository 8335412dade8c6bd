//! The method table against the one that the Python SDK generates from the official schema of each revision.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::collections::BTreeSet;
use std::process::Command;

use lockgate_model::{Direction, Method, MethodKind, Revision};
use testkit::peers::peers;

/// Carried beside the schema: extensions (tasks, skills), and what the SDK leaves out of its table.
const BESIDE: [&str; 11] = [
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/cancel",
    "tasks/update",
    "notifications/tasks",
    "notifications/tasks/status",
    "skills/list",
    "skills/get",
    "resources/directory/read",
    "notifications/elicitation/complete",
];

const SCRIPT: &str = "import json; from mcp_types import methods as m; print(json.dumps({n: sorted(getattr(m, n)) for n in \
    ('CLIENT_REQUESTS', 'CLIENT_NOTIFICATIONS', 'SERVER_REQUESTS', 'SERVER_NOTIFICATIONS')}))";

#[test]
fn the_method_table_is_that_of_the_schemas() {
    let Some(peers) = peers() else { return };
    let output = Command::new(peers.join("python/bin/python")).args(["-c", SCRIPT]).output().unwrap();
    let theirs: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut faults = Vec::new();
    for (map, kind, direction) in [
        ("CLIENT_REQUESTS", MethodKind::Request, Direction::ToServer),
        ("CLIENT_NOTIFICATIONS", MethodKind::Notification, Direction::ToServer),
        ("SERVER_REQUESTS", MethodKind::Request, Direction::ToAgent),
        ("SERVER_NOTIFICATIONS", MethodKind::Notification, Direction::ToAgent),
    ] {
        let known: BTreeSet<(String, Revision)> =
            serde_json::from_value::<Vec<(String, String)>>(theirs[map].clone())
                .unwrap()
                .into_iter()
                .filter_map(|(method, version)| Some((method, Revision::parse(&version)?)))
                .collect();
        assert!(!known.is_empty(), "{map}");
        for (method, revision) in &known {
            if Method::find(method, kind, direction, *revision).is_none() {
                faults.push(format!("{map} has {method} in {}, and we refuse it", revision.as_str()));
            }
        }
        for method in lockgate_model::METHODS.iter().filter(|method| method.kind == kind) {
            for revision in Revision::ALL {
                let ours = Method::find(method.name, kind, direction, revision).is_some();
                let theirs = known.contains(&(method.name.to_owned(), revision));
                if ours && !theirs && !BESIDE.contains(&method.name) {
                    faults.push(format!(
                        "{map} has no {} in {}, and we allow it",
                        method.name,
                        revision.as_str()
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

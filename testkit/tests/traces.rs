//! Plays every file in `tests/traces`.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::path::Path;

use testkit::trace::Trace;

#[test]
fn every_trace_ends_as_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/traces");
    let mut played = 0;
    let mut faults = Vec::new();
    for topic in
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        for file in std::fs::read_dir(topic).unwrap().map(|entry| entry.unwrap().path()) {
            let text = std::fs::read_to_string(&file).unwrap();
            if let Err(fault) = Trace::read(&text).and_then(|trace| trace.play()) {
                faults.push(format!("{}: {fault}", file.display()));
            }
            played += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(played >= 40, "only {played} traces were found");
}

//! This test program, once more: a child that does a job.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Names what the child works on, and makes this program a child.
pub(crate) const AT: &str = "LOCKGATE_TEST_AT";
/// Names the job.
pub(crate) const JOB: &str = "LOCKGATE_TEST_JOB";

/// Says a line to who started the child, at once.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Starts a child. It runs the test named `child`, and what it says can be read.
pub(crate) fn start(at: &Path, job: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(AT, at)
        .env(JOB, job)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

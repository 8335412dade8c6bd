//! What must hold before anything is taken in.

use anyhow::{Result, bail};

use crate::run::{cargo, has, root, run, say, step};
use crate::{conformance, examples, layers, peers};

/// Most packages in the lock file. Each is code of somebody else's that runs with our rights.
const PACKAGES: usize = 360;

/// Installs what the tests need and runs them: all, or those that the arguments, which are the runner's, choose.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let peers = peers::install()?;
    run(&mut cargo(&["build", "--package", "lockgate", "--package", "testkit", "--bins"]))?;
    // First, so that the last line is the count of the many.
    if arguments.is_empty() {
        run(&mut cargo(&["test", "--workspace", "--doc", "--quiet"]))?;
    }
    let mut tests = if has("cargo-nextest") {
        // One of many processes and clocks may miss its moment on a busy machine. It is run once more, and named as FLAKY.
        cargo(&["nextest", "run", "--no-fail-fast", "--retries", "1"])
    } else {
        cargo(&["test", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    if !arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
        tests.arg("--workspace");
    }
    run(tests.args(arguments).env("LOCKGATE_PEERS", &peers))
}

/// Everything, in the order in which a fault is cheapest to find.
pub(crate) fn all() -> Result<()> {
    step("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("packages", packages)?;
    step("layers", layers::check)?;
    step("lints", || {
        run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
    })?;
    step("documentation", || {
        run(cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    step("examples", examples::run)?;
    step("advisories and licences", deny)?;
    step("conformance", || conformance::run(&[]))?;
    step("tests", || test(&[]))
}

fn packages() -> Result<()> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let count = lock.lines().filter(|line| *line == "[[package]]").count();
    if count >= PACKAGES {
        bail!("Cargo.lock has {count} packages; fewer than {PACKAGES} are allowed");
    }
    say(&format!("{count} packages in Cargo.lock"));
    Ok(())
}

fn deny() -> Result<()> {
    if !has("cargo-deny") {
        say("SKIPPED: cargo-deny is not installed");
        return Ok(());
    }
    run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"]))
}

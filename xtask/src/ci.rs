//! What must hold before anything is taken in.

use anyhow::{Result, bail};

use crate::run::{cargo, has, root, run, say, step};
use crate::{conformance, examples, layers, peers};

/// Most packages in the lock file. Each is code of somebody else's that runs with our rights.
const PACKAGES: usize = 300;

/// Installs what the tests need and runs them.
pub(crate) fn test() -> Result<()> {
    let peers = peers::install()?;
    run(&mut cargo(&["build", "--package", "lockgate", "--package", "testkit", "--bins"]))?;
    let mut tests = if has("cargo-nextest") {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast"])
    };
    run(tests.env("LOCKGATE_PEERS", &peers))?;
    run(&mut cargo(&["test", "--workspace", "--doc", "--quiet"]))
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
    step("conformance", conformance::run)?;
    step("tests", test)
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

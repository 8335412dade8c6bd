//! The official MCP conformance suite, through Lockgate and without it, compared check by check. The harness lies
//! beside the checkout or where `LOCKGATE_CONFORMANCE` says.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{self, cargo, root, say, target};

/// What is run, upstream of what kind, and with which placeholder of the harness.
type Leg = (&'static str, &'static str, &'static str);

const LEGS: [Leg; 3] =
    [("server", "http", "{upstream}"), ("server", "stdio", "{stdio}"), ("client", "http", "{upstream}")];

/// Runs each leg to its end, so that one run tells everything that is lost.
fn run_legs(harness: &Path, legs: &[Leg]) -> Result<()> {
    run::run(&mut cargo(&["build", "--release", "--package", "lockgate"]))?;
    let binary = target().join("release/lockgate");
    let wrapper = root().join("xtask/conformance-gateway.sh");
    let mut lost = Vec::new();
    for (leg, kind, upstream) in legs {
        say(&format!("--- conformance, {leg} leg, {kind} upstream"));
        let gateway = format!("{} {{port}} {kind} {upstream}", wrapper.display());
        let ran = run::run(
            Command::new("python3")
                .arg(harness)
                .args([leg, "--gateway-path", "/s/ref/mcp", "--gateway-cmd", &gateway])
                .env("LOCKGATE", &binary),
        );
        if ran.is_err() {
            lost.push(format!("{leg} leg, {kind} upstream"));
        }
    }
    if !lost.is_empty() {
        bail!("checks are lost through Lockgate, or the harness failed: {}", lost.join("; "));
    }
    say(&format!("conformance: no check is lost, {} legs", legs.len()));
    Ok(())
}

/// All legs, or, quickly, only the one with the most checks.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let legs = match arguments {
        [] => &LEGS[..],
        [quick] if quick == "--quick" => &LEGS[..1],
        [other, ..] => bail!("conformance takes `--quick` only, not `{other}`"),
    };
    let beside = root().join("../shared/conformance");
    let folder = std::env::var_os("LOCKGATE_CONFORMANCE").map_or(beside, PathBuf::from);
    let harness = folder.join("run.py");
    if !harness.is_file() {
        say(
            "SKIPPED: conformance: there is no harness beside the checkout, and LOCKGATE_CONFORMANCE names none",
        );
        return Ok(());
    }
    run_legs(&harness, legs)
}

//! The official MCP conformance suite, through Lockgate and without it, compared check by check. The harness lies
//! beside the checkout or where `LOCKGATE_CONFORMANCE` says.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::{self, cargo, root, say, target};

fn legs(harness: &Path) -> Result<()> {
    run::run(&mut cargo(&["build", "--release", "--package", "lockgate"]))?;
    let binary = target().join("release/lockgate");
    let wrapper = root().join("xtask/conformance-gateway.sh");
    for (leg, kind, upstream) in
        [("server", "http", "{upstream}"), ("server", "stdio", "{stdio}"), ("client", "http", "{upstream}")]
    {
        say(&format!("--- conformance, {leg} leg, {kind} upstream"));
        let gateway = format!("{} {{port}} {kind} {upstream}", wrapper.display());
        run::run(
            Command::new("python3")
                .arg(harness)
                .args([leg, "--gateway-path", "/s/ref/mcp", "--gateway-cmd", &gateway])
                .env("LOCKGATE", &binary),
        )?;
    }
    Ok(())
}

pub(crate) fn run() -> Result<()> {
    let beside = root().join("../shared/conformance");
    let folder = std::env::var_os("LOCKGATE_CONFORMANCE").map_or(beside, PathBuf::from);
    let harness = folder.join("run.py");
    if !harness.is_file() {
        say(
            "SKIPPED: conformance: there is no harness beside the checkout, and LOCKGATE_CONFORMANCE names none",
        );
        return Ok(());
    }
    legs(&harness)
}

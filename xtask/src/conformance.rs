//! The official MCP conformance suite, through Lockgate and without it, compared check by check. The harness lies
//! beside the checkout or where `LOCKGATE_CONFORMANCE` says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{self, cargo, root, say, target};

/// What is run: the leg, an upstream of what kind, and what is restricted to one era.
struct Leg {
    end: &'static str,
    kind: &'static str,
    /// The revision whose checks are run, and the one era that the server (server leg) or the client (client leg) speaks.
    /// None: all checks, and both ends speak both eras.
    across: Option<(&'static str, &'static str)>,
}

const fn leg(end: &'static str, kind: &'static str, across: Option<(&'static str, &'static str)>) -> Leg {
    Leg { end, kind, across }
}

const LEGS: [Leg; 9] = [
    leg("server", "http", None),
    leg("server", "stdio", None),
    leg("client", "http", None),
    leg("server", "http", Some(("2026-07-28", "legacy"))),
    leg("server", "stdio", Some(("2026-07-28", "legacy"))),
    leg("server", "http", Some(("2025-11-25", "modern"))),
    leg("server", "stdio", Some(("2025-11-25", "modern"))),
    leg("client", "http", Some(("2026-07-28", "legacy"))),
    leg("client", "http", Some(("2025-11-25", "modern"))),
];

/// Checks that have no counterpart in the other era, with the reason of each.
const ACCEPTED: &str = "docs/eras.md";

impl Leg {
    fn title(&self) -> String {
        let Self { end, kind, across } = self;
        match across {
            None => format!("{end} leg, {kind} upstream"),
            Some((revision, era)) => {
                format!("{end} leg, {kind} upstream, {revision} with a {end} of the {era} era alone")
            }
        }
    }

    fn run(&self, harness: &Path, binary: &Path) -> Result<BTreeSet<String>> {
        say(&format!("--- conformance, {}", self.title()));
        let wrapper = root().join("xtask/conformance-gateway.sh");
        let upstream = if self.kind == "stdio" { "{stdio}" } else { "{upstream}" };
        let gateway = format!("{} {{port}} {} {upstream}", wrapper.display(), self.kind);
        let work = target().join("conformance");
        std::fs::create_dir_all(&work)?;
        let report = work.join("report.json");
        let _old = std::fs::remove_file(&report);
        let mut command = Command::new("python3");
        command
            .arg(root().join("xtask/conformance-across.py"))
            .args([self.end, "--gateway-path", "/s/ref/mcp", "--gateway-cmd", &gateway, "--json"])
            .arg(&report)
            .env("LOCKGATE_CONFORMANCE_RUN", harness)
            .env("LOCKGATE", binary);
        if let Some((revision, era)) = self.across {
            let restricted = if self.end == "server" { "SERVER_ERA" } else { "CLIENT_ERA" };
            command.args(["--requirements", revision]).env(restricted, era);
        }
        // It fails where a check is lost; which ones is in the report.
        let ran = run::run(&mut command);
        let report = std::fs::read_to_string(&report)
            .ok()
            .context("the harness wrote no report")
            .or_else(|error| ran.and(Err(error)))?;
        let report: Value = serde_json::from_str(&report)?;
        let lost = report.get("regressions").and_then(Value::as_array).into_iter().flatten();
        let words = |check: &Value| {
            let words = check.as_array().into_iter().flatten().filter_map(Value::as_str);
            words.collect::<Vec<_>>().join(" ")
        };
        Ok(lost.map(words).collect())
    }
}

/// Runs each leg to its end, so that one run tells everything that is lost.
fn run_legs(harness: &Path, legs: &[Leg]) -> Result<()> {
    run::run(&mut cargo(&["build", "--release", "--package", "lockgate"]))?;
    let binary = target().join("release/lockgate");
    let accepted = std::fs::read_to_string(root().join(ACCEPTED)).unwrap_or_default();
    let mut failed = Vec::new();
    for leg in legs {
        let lost = leg.run(harness, &binary)?;
        let unexplained: Vec<_> =
            lost.iter().filter(|check| leg.across.is_none() || !explained(&accepted, check)).collect();
        for check in &unexplained {
            say(&format!("lost: {check}"));
        }
        if !unexplained.is_empty() {
            failed.push(format!("{} ({})", leg.title(), unexplained.len()));
        }
    }
    if !failed.is_empty() {
        bail!("checks are lost through Lockgate: {}", failed.join("; "));
    }
    say(&format!("conformance: no check is lost that has a counterpart, {} legs", legs.len()));
    Ok(())
}

/// Is it said in the table why this check has no counterpart? A row names the revision, the scenario and the check.
fn explained(table: &str, check: &str) -> bool {
    let mut parts = check.split(' ');
    let (revision, scenario, id) = (parts.next(), parts.next(), parts.next());
    let cells = |line: &str| -> Vec<String> {
        line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    table.lines().filter(|line| line.starts_with('|')).map(cells).any(|cells| {
        let cell = |at: usize| cells.get(at).map(String::as_str);
        cell(1) == revision && cell(2) == scenario && (cell(3) == id || cell(3) == Some("all"))
    })
}

/// All legs, or, quickly, only the one with the most checks; `--across`: only those across eras.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let legs = match arguments {
        [] => &LEGS[..],
        [quick] if quick == "--quick" => &LEGS[..1],
        [across] if across == "--across" => &LEGS[3..],
        [other, ..] => bail!("conformance takes `--quick` or `--across`, not `{other}`"),
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

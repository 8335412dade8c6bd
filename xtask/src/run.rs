//! Running programs, and saying what is done.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Says something on standard output.
pub(crate) fn say(text: &str) {
    // A closed output is no reason to stop.
    let _said = writeln!(std::io::stdout().lock(), "{text}");
}

/// Says on standard error what went wrong.
pub(crate) fn complain(text: &str) {
    let _said = writeln!(std::io::stderr().lock(), "{text}");
}

/// Runs a program to its end; its failure is ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.current_dir(root()).status().with_context(|| format!("cannot run {shown}"))?;
    if !status.success() {
        bail!("{shown} failed with {status}");
    }
    Ok(())
}

/// A cargo command.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Is the program there?
pub(crate) fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// One named step, with its time. It is the last one where it fails.
pub(crate) fn step(name: &str, body: impl FnOnce() -> Result<()>) -> Result<()> {
    say(&format!("=== {name}"));
    let start = Instant::now();
    let done = body();
    let (end, time) = (if done.is_ok() { "done" } else { "FAILED" }, start.elapsed().as_secs_f32());
    say(&format!("=== {name}: {end}, {time:.1} s"));
    done.with_context(|| format!("step `{name}` failed"))
}

//! `lockgate demo`: a cross-server attack, once without Lockgate and once through it, on real processes and a real
//! database file.

mod agent;
mod client;
mod servers;
mod show;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use agent::{Agent, Run};
use serde_json::{Value, json};

pub use servers::{Scripted, serve};

/// Shows the attack. Exit code 0 when it succeeded without Lockgate and was stopped with it.
pub fn run(as_json: bool, keep: bool) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let outcome = tempfile::tempdir().map_err(|error| error.to_string()).and_then(|folder| {
        let runs = Runs::make(folder.path())?;
        let shown = if as_json { show::json(&mut out, &runs) } else { show::text(&mut out, &runs, colour) };
        shown.map_err(|error| error.to_string())?;
        if keep {
            let kept = folder.keep();
            complain(&format!("kept {}", kept.display()));
        }
        Ok(runs.as_expected())
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            complain(
                "the demo did not go as it should: the attack must succeed without Lockgate and fail with it",
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("the demo could not run: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Both runs, and what Lockgate wrote down of the refused call.
struct Runs {
    without: Run,
    through: Run,
    record: Value,
}

impl Runs {
    fn make(folder: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let bare = servers::make_database(&folder.join("without.sqlite"))?;
        let without =
            Agent::direct(server(&program, "web", None), server(&program, "db", Some(&bare)))?.run(&bare)?;
        let kept = servers::make_database(&folder.join("through.sqlite"))?;
        let records = folder.join("records.jsonl");
        let config = folder.join("lockgate.yaml");
        std::fs::write(&config, configuration(&program, &kept, &records))
            .map_err(|error| error.to_string())?;
        let mut gateway = Command::new(&program);
        gateway.arg("stdio").arg("-c").arg(&config);
        let through = Agent::through(gateway)?.run(&kept)?;
        Ok(Self { without, through, record: refusal(&records)? })
    }

    fn as_expected(&self) -> bool {
        let harmless = self.through.refused.as_deref() == Some("untrusted_content_reaches_sink");
        self.without.users.is_none()
            && self.without.refused.is_none()
            && harmless
            && self.through.users == Some(3)
    }
}

/// One of the scripted servers, as a process of its own.
fn server(program: &Path, name: &str, database: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    command.arg("demo-server").arg(name);
    if let Some(database) = database {
        command.arg(database);
    }
    command
}

/// The configuration of the second run, as a user would write it.
fn configuration(program: &Path, database: &Path, records: &Path) -> String {
    let text = |path: &Path| json!(path.to_string_lossy()).to_string().replace('$', "$$");
    format!(
        "flow:\n  cross_server: deny\nservers:\n  web:\n    command: [{program}, demo-server, web]\n    tier: open\n  db:\n    command: [{program}, demo-server, db, {database}]\n    tier: internal\nrecords:\n  file: {records}\n",
        program = text(program),
        database = text(database),
        records = text(records),
    )
}

/// The record of the refused call.
fn refusal(records: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(PathBuf::from(records)).map_err(|error| error.to_string())?;
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .find(|record| record.get("verdict") == Some(&json!("deny")))
        .ok_or_else(|| "nothing was refused".to_owned())
}

fn complain(text: &str) {
    use std::io::Write;
    // Where standard error is gone there is nobody to tell.
    let _told = writeln!(std::io::stderr().lock(), "lockgate: {text}");
}

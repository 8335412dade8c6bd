//! `lockgate demo`: a cross-server attack, once without Lockgate and once through it, on real processes and a real
//! database file.

mod agent;
mod client;
mod servers;
mod show;

use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, ExitCode};

use agent::{Agent, Run};
use lockgate_model::Reason;
use serde_json::{Value, json};

pub use servers::{Scripted, serve};

/// Shows the attack. Exit code 0 when it succeeded without Lockgate and was stopped with it.
pub fn run(as_json: bool, keep: bool) -> ExitCode {
    let colour =
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let look = if as_json { Look::Json } else { Look::Text { colour } };
    let folder = tempfile::Builder::new().prefix("lockgate-demo-").disable_cleanup(keep).tempdir();
    let outcome = folder.map_err(|error| error.to_string()).and_then(|folder| {
        let told = show(folder.path(), look);
        if keep {
            complain(&format!("kept {}", folder.path().display()));
        }
        told
    });
    match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(wrong)) => {
            complain(&format!("the demo did not go as it should: {wrong}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("the demo could not run: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// For whom it is shown.
#[derive(Clone, Copy)]
enum Look {
    Json,
    Text { colour: bool },
}

/// Makes both runs and shows them. Gives what did not go as it should.
fn show(folder: &Path, look: Look) -> Result<Option<&'static str>, String> {
    let runs = Runs::make(folder)?;
    let mut out = std::io::stdout().lock();
    let shown = match look {
        Look::Json => show::json(&mut out, &runs),
        Look::Text { colour } => show::text(&mut out, &runs, colour),
    };
    match shown {
        // Whoever closed the pipe has seen enough: `lockgate demo | head`.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        Ok(()) | Err(_) => Ok(runs.unexpected()),
    }
}

/// Both runs, and what Lockgate wrote down of the refused call: null where nothing was refused.
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

    /// What did not go as it should; nothing when the attack succeeded without Lockgate and was stopped with it.
    fn unexpected(&self) -> Option<&'static str> {
        let Self { without, through, record } = self;
        if without.before.is_none() || through.before.is_none() {
            Some("a run did not begin with a table of users")
        } else if without.after.is_some() {
            Some("without Lockgate the table is still there: the attack failed by itself")
        } else if through.after != through.before {
            Some("through Lockgate the users are gone: the attack was not stopped")
        } else if through.refused.as_deref() != Some(Reason::UntrustedContentReachesSink.code()) {
            Some("through Lockgate the call was not refused for what the session had read")
        } else if !through.answered() {
            Some("through Lockgate the question the user asked was not answered")
        } else if record.get("reason").and_then(Value::as_str) != through.refused.as_deref() {
            Some("Lockgate did not write down why it refused the call")
        } else {
            None
        }
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

/// The configuration of the second run, as a user would write it. What the page says is left in it: the demo is about what
/// happens where nobody recognises it.
fn configuration(program: &Path, database: &Path, records: &Path) -> String {
    let text = |path: &Path| json!(path.to_string_lossy()).to_string().replace('$', "$$");
    format!(
        "flow:\n  on_violation: deny\ndetect:\n  results:\n    injection: flag\nservers:\n  web:\n    command: [{program}, demo-server, web]\n    tier: open\n  db:\n    command: [{program}, demo-server, db, {database}]\n    tier: internal\nrecords:\n  file: {records}\n",
        program = text(program),
        database = text(database),
        records = text(records),
    )
}

/// The record of the refused call; null where there is none.
fn refusal(records: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(records)
        .map_err(|error| format!("cannot read {}: {error}", records.display()))?;
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(lines.find(|record| record.get("verdict") == Some(&json!("deny"))).unwrap_or_default())
}

fn complain(text: &str) {
    use std::io::Write;
    // Where standard error is gone there is nobody to tell.
    let _told = writeln!(std::io::stderr().lock(), "lockgate: {text}");
}

#[cfg(test)]
mod tests {
    use agent::Step;

    use super::*;

    fn runs() -> Runs {
        let reason = Reason::UntrustedContentReachesSink.code();
        let step = |answer: &str, failed: bool| Step {
            server: "db",
            tool: "query".to_owned(),
            asked: String::new(),
            answer: answer.to_owned(),
            failed,
            reason: None,
            obeyed: None,
        };
        let run = |last: Step, refused: Option<&str>, after: Option<u32>| Run {
            steps: vec![last],
            refused: refused.map(str::to_owned),
            before: Some(3),
            after,
        };
        Runs {
            without: run(step("no such table: users", true), None, None),
            through: run(step("3", false), Some(reason), Some(3)),
            record: json!({ "verdict": "deny", "reason": reason }),
        }
    }

    #[test]
    fn whatever_goes_otherwise_is_noticed() {
        assert_eq!(runs().unexpected(), None);
        let ways: [fn(&mut Runs); 9] = [
            |runs| runs.without.before = None,
            |runs| runs.through.before = None,
            |runs| runs.without.after = Some(3),
            |runs| runs.through.after = None,
            |runs| runs.through.after = Some(2),
            |runs| runs.through.refused = None,
            |runs| runs.through.refused = Some("tool_not_offered".to_owned()),
            |runs| runs.through.steps.iter_mut().for_each(|step| step.failed = true),
            |runs| runs.record = Value::Null,
        ];
        for (at, change) in ways.into_iter().enumerate() {
            let mut runs = runs();
            change(&mut runs);
            assert!(runs.unexpected().is_some(), "change {at}");
        }
    }
}

//! `lockgate scan`: which MCP clients are on this machine, what they start, and what that can do together.

mod ask;
mod can;
mod finding;
mod json;
mod poison;
mod sarif;
mod text;
mod together;
mod written;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use lockgate_clients::{Found, Hider, of_file, survey};
use lockgate_model::{ServerName, Untrusted};

use crate::command::Told;
use crate::config::Process;
use can::Tool;
use finding::{Finding, Severity};
use together::Together;

/// Looks at the files of MCP clients. Nothing is sent anywhere, and nothing is started without a yes.
#[derive(Args)]
#[command(
    after_help = "Exits with 0 where nothing is as bad as `--fail-on`, 1 where something is, 2 where it cannot run.\n\nExample: lockgate scan --start --fail-on critical"
)]
pub(crate) struct Options {
    /// Look at these files alone; of a folder, at the files of projects in it, beside those of the user
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    form: Form,
    /// Start the programs, without asking, to ask them for their tools. They run with your rights
    #[arg(long, conflicts_with = "no_start")]
    start: bool,
    /// Start nothing, without asking
    #[arg(long)]
    no_start: bool,
    /// Ask servers elsewhere for their tools too, with the credentials that stand in the files
    #[arg(long)]
    reach: bool,
    /// Look at this client alone, as `claude-code`
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// The least that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    fail_on: Severity,
}

/// How it is told.
#[derive(Args)]
struct Form {
    /// One JSON object for machines
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// SARIF 2.1.0, for tools that show findings beside the code
    #[arg(long)]
    sarif: bool,
}

/// What was found.
struct Report {
    files: Vec<Found>,
    asked: Asked,
    together: Vec<Together>,
    findings: Vec<Finding>,
    home: PathBuf,
}

/// What servers said that were asked, by the place of their file and their own place in it.
type Asked = BTreeMap<(usize, usize), Result<Answer, String>>;

/// What a server said.
struct Answer {
    /// Its name where they were asked.
    name: ServerName,
    tools: Vec<Tool>,
    instructions: Option<String>,
    identity: Option<Bytes>,
}

/// Looks, and says what there is.
pub(crate) fn scan(options: &Options) -> Result<Told, String> {
    let files = files(options)?;
    let hider = Hider::new();
    let mut report = Report {
        findings: written::findings(&files, &hider),
        files,
        asked: BTreeMap::new(),
        together: Vec::new(),
        home: super::home(),
    };
    let wanted = ask::wanted(&report.files, &hider, options.reach);
    if may_start(options, &wanted) {
        report.asked = ask::ask(&report.files, &wanted)?;
        let (together, more) = together::look(&report.files, &report.asked);
        report.together = together;
        report.findings.extend(more);
        report.findings.extend(poison::look(&report.files, &report.asked));
    }
    report.findings.sort_by(|one, other| {
        let rank = |finding: &Finding| (finding.at.clone(), finding.code.name, finding.message.clone());
        other.severity.cmp(&one.severity).then_with(|| rank(one).cmp(&rank(other)))
    });
    let failed = report.findings.iter().any(|finding| finding.severity >= options.fail_on);
    let text = if options.form.json {
        json::json(&report, &hider).to_string()
    } else if options.form.sarif {
        sarif::sarif(&report).to_string()
    } else {
        let colour = std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        text::text(&report, &hider, colour)
    };
    Ok(Told { text, code: u8::from(failed) })
}

fn files(options: &Options) -> Result<Vec<Found>, String> {
    if let Some(wanted) = &options.client {
        super::init::client(wanted)?;
    }
    let (mut folders, mut named) = (Vec::new(), Vec::new());
    for path in &options.paths {
        match std::fs::metadata(path) {
            Ok(about) if about.is_dir() => folders.push(path.canonicalize().unwrap_or_else(|_| path.clone())),
            Ok(_) => named.push(of_file(path)),
            Err(error) => {
                let shown = Untrusted::new(path.to_string_lossy()).escaped(200);
                return Err(format!(
                    "{shown}: {}\n  hint: name a file of a client, or a folder",
                    error.kind()
                ));
            }
        }
    }
    if !named.is_empty() && folders.is_empty() {
        return Ok(named);
    }
    let mut machine = super::machine(&Process)?;
    if !folders.is_empty() {
        machine.projects = folders;
    }
    let mut files = survey(&machine).files;
    files.extend(named);
    files.retain(|file| match &options.client {
        Some(wanted) => file.client.is_none_or(|client| client.id == wanted),
        None => true,
    });
    Ok(files)
}

/// Programs are started where somebody says so, and nowhere else.
fn may_start(options: &Options, wanted: &ask::Wanted<'_>) -> bool {
    if wanted.is_empty() || options.no_start {
        return false;
    }
    if options.start || (options.reach && wanted.programs() == 0) {
        return true;
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    terminal && ask::consent(wanted)
}

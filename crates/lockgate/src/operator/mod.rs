//! What an operator does while gateways run: answers the calls and the definitions that wait for people, stops calls
//! and lets them run again. It speaks with the gateways through the files of a state folder only, so that it works
//! while they are stuck.

mod answer;
mod approvals;
mod behaviour;
mod destinations;
mod incident;
mod quarantine;
mod show;
mod stops;
#[cfg(test)]
mod tests;
mod tokens;
mod who;

pub(crate) use who::{local as local_user, user};

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use lockgate_store::{Decision, Journal, StateError};

use crate::config::{Process, Surroundings};

/// Names the state folder.
const STATE: &str = "LOCKGATE_STATE";

/// The commands of an operator.
#[derive(Subcommand)]
pub enum Command {
    /// See the calls that wait for a person, and answer them
    #[command(subcommand)]
    Approvals(approvals::Command),
    /// Stop calls at once: all of them, or those of a server, a tool, a principal or a session
    ///
    /// Every gateway that uses the state folder refuses them from now on, also after a restart, until `lockgate resume`
    /// with the same target. Calls that were sent already are not taken back.
    Stop(stops::Stop),
    /// Let calls run again that were stopped, with the target they were stopped with
    Resume(stops::Resume),
    /// List what is stopped
    Stops(stops::Stops),
    /// List the values that people approved for later sessions as well, and take them back
    #[command(subcommand)]
    Destinations(destinations::Command),
    /// List the tokens that stand for personal data in later sessions as well, and forget them
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// See the definitions of servers that nobody has approved, and approve or refuse them
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Stop what must be stopped, and freeze what is needed to look into it
    #[command(subcommand)]
    Incident(incident::Command),
    /// Show what is usual of principals, servers and tools, how risky principals are and what servers are worth
    Behaviour(behaviour::Options),
    /// Let only harmless reading pass, or everything again
    SafeMode(stops::SafeMode),
}

/// What every command takes.
#[derive(Args)]
pub struct Common {
    /// The folder that is shared with the gateways [default: `$LOCKGATE_STATE`, else `$XDG_STATE_HOME/lockgate`, else
    /// `~/.local/state/lockgate`]
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// JSON for machines: one object, or one on each line of what goes on
    #[arg(long)]
    json: bool,
}

impl Common {
    fn folder(&self) -> Result<PathBuf, Problem> {
        state_folder(self.state.clone(), &Process).map_err(Problem::Wrong)
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    /// It cannot be done. Exit code 1.
    Refused(String),
    /// The arguments or a file are wrong. Exit code 2.
    Wrong(String),
}

impl Problem {
    /// What is wrong with a file of the state folder.
    fn file(folder: &std::path::Path, name: &str, error: &StateError) -> Self {
        Self::Wrong(format!("{}: {error}", folder.join(name).display()))
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        if matches!(error, StateError::Name { .. } | StateError::Until) {
            Self::Wrong(error.to_string())
        } else {
            Self::Refused(error.to_string())
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// The folder of approvals and stops: the one given, else `$LOCKGATE_STATE`, else `$XDG_STATE_HOME/lockgate`, else
/// `~/.local/state/lockgate`. Nothing is made. A message with a hint where none can be told.
pub fn state_folder(given: Option<PathBuf>, surroundings: &dyn Surroundings) -> Result<PathBuf, String> {
    let variable = |name| surroundings.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The XDG Base Directory Specification says to ignore paths that are not absolute.
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    given
        .filter(|path| !path.as_os_str().is_empty())
        .or_else(|| variable(STATE))
        .map(|path| surroundings.folder().join(path))
        .or_else(|| absolute("XDG_STATE_HOME").map(|path| path.join("lockgate")))
        .or_else(|| absolute("HOME").map(|path| path.join(".local/state/lockgate")))
        .ok_or_else(|| {
            format!(
                "it cannot be told where the state folder is\n  hint: name it with `--state` or `${STATE}`"
            )
        })
}

/// Does what the operator asked for.
pub fn run(command: Command) -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match command {
        Command::Approvals(command) => approvals::run(command, &mut out),
        Command::Stop(options) => stops::stop(options, &mut out),
        Command::Resume(options) => stops::resume(options, &mut out),
        Command::Stops(options) => stops::list(&options, &mut out),
        Command::Destinations(command) => destinations::run(command, &mut out),
        Command::Tokens(command) => tokens::run(command, &mut out),
        Command::Quarantine(command) => quarantine::run(command, &mut out),
        Command::Incident(command) => incident::run(command, &mut out),
        Command::Behaviour(options) => behaviour::run(&options, &mut out),
        Command::SafeMode(options) => stops::safe_mode(options, &mut out),
    };
    let done = done.and_then(|()| Ok(out.flush()?));
    let (code, message) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Problem::Refused(message)) => (1, message),
        Err(Problem::Wrong(message)) => (2, message),
    };
    // Where standard error is gone there is nobody to tell.
    let _told = writeln!(io::stderr().lock(), "{message}");
    ExitCode::from(code)
}

/// Has the gateways of the state folder write down what was decided, where no other file of it says so. Said after it is done.
fn note(
    common: &Common,
    topic: &str,
    what: &str,
    about: Option<String>,
    why: Option<String>,
) -> Result<(), Problem> {
    let folder = common.folder()?;
    let (topic, what, by, at) = (topic.to_owned(), what.to_owned(), who::local(), now());
    let noted = Journal::open(&folder)
        .and_then(|journal| journal.note(&Decision { topic, what, about, by, why, at }));
    noted.map_err(|error| Problem::file(&folder, Journal::FILE, &error))
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

//! `lockgate incident`: stops what must be stopped, and freezes what is needed to look into it.

mod capture;
#[cfg(test)]
mod tests;
mod verify;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use lockgate_store::{Stops, Target};
use serde::{Deserialize, Serialize};

use super::approvals::reason;
use super::who::local;
use super::{Common, Problem, now, show};
use crate::config::{Config, Process};

/// The folder of incidents in the state folder.
const FOLDER: &str = "incidents";
/// What is known of an incident, in its folder.
const FILE: &str = "incident.json";
/// Version of that file.
const VERSION: u32 = 1;
/// Most captures of one incident.
const CAPTURES: usize = 100;

/// What to do about an incident.
#[derive(Subcommand)]
pub enum Command {
    /// Open an incident: stop what must be stopped, and capture what there is
    #[command(
        after_help = "Example: lockgate incident open --reason 'mail sends what it should not' --stop server:mail"
    )]
    Open(Open),
    /// Capture again: records, configuration, pins, approvals, stops and what sessions have read, signed
    Capture(Capture),
    /// Close an incident: what it stopped runs again
    Close(Close),
    /// List the incidents, the newest last
    List {
        #[command(flatten)]
        at: Where,
    },
    /// Say whether a capture is what was signed; exit code 1 where it is not
    Verify(verify::Options),
}

/// Which gateways.
#[derive(Args)]
pub struct Where {
    /// The configuration of the gateways; it says where records and the state folder are
    #[arg(short, long, value_name = "FILE", default_value = "lockgate.yaml")]
    config: PathBuf,
    #[command(flatten)]
    common: Common,
}

impl Where {
    /// With the state folder of the gateways: a stop in another one stops nothing. What is given goes before what the configuration
    /// says.
    fn settled(mut self) -> Self {
        if self.common.state.is_none() {
            self.common.state = Config::load(&self.config, &Process).ok().and_then(|config| config.state);
        }
        self
    }
}

/// What to capture with.
#[derive(Args)]
pub(super) struct With {
    /// The private key that signs [default: that of the log of records in the state folder]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// How to open one.
#[derive(Args)]
pub struct Open {
    /// What happened; whoever finds something stopped reads this
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// How bad it is
    #[arg(long, default_value = "high")]
    severity: Severity,
    /// What to stop: `everything`, `server:NAME`, `tool:SERVER/TOOL`, `principal:NAME` or `session:ID`; may be given again
    #[arg(long = "stop", value_name = "TARGET", value_parser = target)]
    stops: Vec<Target>,
    #[command(flatten)]
    with: With,
    #[command(flatten)]
    at: Where,
}

/// What to capture.
#[derive(Args)]
pub struct Capture {
    /// The incident, as `list` shows it
    id: String,
    #[command(flatten)]
    with: With,
    #[command(flatten)]
    at: Where,
}

/// What to close.
#[derive(Args)]
pub struct Close {
    /// The incident, as `list` shows it
    id: String,
    /// What came of it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    note: String,
    /// What the incident stopped stays stopped
    #[arg(long)]
    keep_stops: bool,
    #[command(flatten)]
    at: Where,
}

/// How bad an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// What is known of an incident.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Incident {
    v: u32,
    id: String,
    severity: Severity,
    reason: String,
    opened: String,
    by: String,
    /// What it stopped that was not stopped before.
    stops: Vec<String>,
    captures: Vec<Captured>,
    closed: Option<Closed>,
}

/// What was captured once.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Captured {
    /// The folder, beside the file.
    folder: String,
    at: String,
    by: String,
    /// Of the key that signed.
    key: String,
    files: usize,
    /// What could not be captured, and why.
    missing: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Closed {
    at: String,
    by: String,
    note: String,
}

pub(super) fn run(command: Command, out: &mut impl Write) -> Result<(), Problem> {
    match command {
        Command::Open(options) => open(options, out),
        Command::Capture(options) => again(options, out),
        Command::Close(options) => close(options, out),
        Command::List { at } => list(&at.settled().common, out),
        Command::Verify(options) => verify::run(&options, out),
    }
}

fn open(options: Open, out: &mut impl Write) -> Result<(), Problem> {
    let Open { reason, severity, stops, with, at } = options;
    let at = at.settled();
    let state = at.common.folder()?;
    let opened = show::moment(now());
    let unique = lockgate_transport::unguessable()
        .ok_or_else(|| Problem::Refused("the system has no randomness".to_owned()))?;
    let unique: String = unique.chars().filter(char::is_ascii_alphanumeric).take(6).collect();
    let day: String = opened.chars().take(10).collect();
    let id = format!("{day}-{}", unique.to_ascii_lowercase());
    let why = format!("incident {id}: {reason}");
    // What goes on is stopped first; what is known of it can wait for a moment.
    let mut stopped = Vec::new();
    if !stops.is_empty() {
        let store = Stops::open(&state).map_err(|error| Problem::file(&state, Stops::FILE, &error))?;
        for target in &stops {
            if store.stop(target, &local(), &why, now())? {
                stopped.push(word(target));
            }
        }
    }
    let mut incident = Incident {
        v: VERSION,
        id,
        severity,
        reason,
        opened,
        by: local(),
        stops: stopped,
        captures: Vec::new(),
        closed: None,
    };
    let home = state.join(FOLDER).join(&incident.id);
    make(&home)?;
    incident.keep(&home)?;
    // Before the capture, so that it may be in it; a journal that cannot be written holds nothing up.
    let noted = incident.note("opened", Some(incident.reason.clone()), &at.common);
    incident.capture(&home, &with, &at)?;
    told(&incident, &home, &at.common, out)?;
    noted
}

fn again(options: Capture, out: &mut impl Write) -> Result<(), Problem> {
    let Capture { id, with, at } = options;
    let at = at.settled();
    let (mut incident, home) = find(&id, &at.common)?;
    incident.capture(&home, &with, &at)?;
    told(&incident, &home, &at.common, out)?;
    incident.note("captured", None, &at.common)
}

fn close(options: Close, out: &mut impl Write) -> Result<(), Problem> {
    let Close { id, note, keep_stops, at } = options;
    let common = at.settled().common;
    let (mut incident, home) = find(&id, &common)?;
    if incident.closed.is_some() {
        return Err(Problem::Refused(format!("incident {id} is closed already")));
    }
    let state = common.folder()?;
    if !keep_stops && !incident.stops.is_empty() {
        let store = Stops::open(&state).map_err(|error| Problem::file(&state, Stops::FILE, &error))?;
        for stopped in incident.stops.iter().filter_map(|text| target(text).ok()) {
            store.resume(&stopped, &local(), now())?;
        }
    }
    incident.closed = Some(Closed { at: show::moment(now()), by: local(), note });
    incident.keep(&home)?;
    told(&incident, &home, &common, out)?;
    incident.note("closed", incident.closed.as_ref().map(|closed| closed.note.clone()), &common)
}

fn list(common: &Common, out: &mut impl Write) -> Result<(), Problem> {
    let folder = common.folder()?.join(FOLDER);
    let mut all = Vec::new();
    if let Ok(entries) = fs::read_dir(&folder) {
        for entry in entries.flatten() {
            all.push(Incident::read(&entry.path())?);
        }
    }
    all.sort_by(|a, b| (&a.opened, &a.id).cmp(&(&b.opened, &b.id)));
    if common.json {
        writeln!(out, "{}", serde_json::json!({ "incidents": all }))?;
        return Ok(());
    }
    if all.is_empty() {
        // The wrong folder looks just like this.
        writeln!(out, "There is no incident (in {}).", folder.display())?;
    }
    for incident in &all {
        write!(out, "{}", incident.brief())?;
    }
    Ok(())
}

fn told(incident: &Incident, home: &Path, common: &Common, out: &mut impl Write) -> Result<(), Problem> {
    if common.json {
        let mut object = serde_json::json!(incident);
        if let Some(object) = object.as_object_mut() {
            object.insert("folder".to_owned(), home.display().to_string().into());
        }
        writeln!(out, "{object}")?;
        return Ok(());
    }
    write!(out, "{}", incident.brief())?;
    if let Some(last) = incident.captures.last() {
        writeln!(out, "  captured   {} files in {}", last.files, home.join(&last.folder).display())?;
        writeln!(out, "  signed by  {}", last.key)?;
        for missing in &last.missing {
            write!(out, "{}", show::sentence(&format!("not captured: {missing}"), 2))?;
        }
    }
    Ok(())
}

/// The incident of that id, and its folder.
fn find(id: &str, common: &Common) -> Result<(Incident, PathBuf), Problem> {
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let home = common.folder()?.join(FOLDER).join(id);
    if !is_id || !home.is_dir() {
        let hint = "`lockgate incident list` shows those there are";
        return Err(Problem::Refused(format!("there is no incident with this id\n  hint: {hint}")));
    }
    Ok((Incident::read(&home)?, home))
}

impl Incident {
    fn read(home: &Path) -> Result<Self, Problem> {
        let file = home.join(FILE);
        let wrong = |error: &dyn std::fmt::Display| Problem::Wrong(format!("{}: {error}", file.display()));
        let bytes = fs::read(&file).map_err(|error| wrong(&error))?;
        let read: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(&error))?;
        if read.v != VERSION {
            return Err(wrong(&"the file is of another version\n  hint: use the newer version"));
        }
        Ok(read)
    }

    /// Writes what is known, whole or not at all.
    fn keep(&self, home: &Path) -> Result<(), Problem> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| Problem::Refused(error.to_string()))?;
        Ok(crate::state::replace(home, FILE, &text)?)
    }

    fn capture(&mut self, home: &Path, with: &With, at: &Where) -> Result<(), Problem> {
        if self.captures.len() >= CAPTURES {
            return Err(Problem::Refused(format!("an incident has at most {CAPTURES} captures")));
        }
        let captured = capture::capture(self, home, with, at)?;
        self.captures.push(captured);
        self.keep(home)
    }

    /// Has the gateways write down what was done.
    fn note(&self, what: &str, why: Option<String>, common: &Common) -> Result<(), Problem> {
        super::note(common, "incident", what, Some(self.id.clone()), why)
    }

    fn brief(&self) -> String {
        let severity = serde_json::json!(self.severity);
        let severity = severity.as_str().unwrap_or_default();
        let mut text = format!("{}  {severity}  {}\n", self.id, show::words(&self.reason));
        text.push_str(&format!("  opened     {} by {}\n", self.opened, show::plain(&self.by, 60)));
        if !self.stops.is_empty() {
            text.push_str(&format!("  stopped    {}\n", show::plain(&self.stops.join(", "), 400)));
        }
        if let Some(closed) = &self.closed {
            let (by, note) = (show::plain(&closed.by, 60), show::words(&closed.note));
            text.push_str(&format!("  closed     {} by {by}: {note}\n", closed.at));
        }
        text
    }
}

/// A folder for its owner alone.
fn make(folder: &Path) -> Result<(), Problem> {
    Ok(crate::state::make(folder)?)
}

/// How a target is written.
fn word(target: &Target) -> String {
    match target {
        Target::Everything => "everything".to_owned(),
        Target::Server(server) => format!("server:{server}"),
        Target::Tool(server, tool) => format!("tool:{server}/{tool}"),
        Target::Principal(principal) => format!("principal:{principal}"),
        Target::Session(session) => format!("session:{session}"),
        Target::SafeMode => "safe_mode".to_owned(),
    }
}

/// Reads a target.
fn target(text: &str) -> Result<Target, String> {
    let wrong = || {
        "write `everything`, `safe_mode`, `server:NAME`, `tool:SERVER/TOOL`, `principal:NAME` or `session:ID`"
            .to_owned()
    };
    match text {
        "everything" => return Ok(Target::Everything),
        "safe_mode" => return Ok(Target::SafeMode),
        _ => {}
    }
    let (sort, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or_else(wrong)?;
    match sort {
        "server" => Ok(Target::Server(name.to_owned())),
        "principal" => Ok(Target::Principal(name.to_owned())),
        "session" => Ok(Target::Session(name.to_owned())),
        "tool" => {
            let (server, tool) = name.split_once('/').ok_or_else(wrong)?;
            Ok(Target::Tool(server.to_owned(), tool.to_owned()))
        }
        _ => Err(wrong()),
    }
}

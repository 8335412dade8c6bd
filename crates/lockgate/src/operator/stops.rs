//! `lockgate stop`, `resume`, `stops` and `safe-mode`.

use std::io::Write;

use clap::{Args, ValueEnum};
use lockgate_store::Target;
use serde_json::{Value, json};

use super::approvals::reason;
use super::who::local;
use super::{Common, Problem, now, show};

#[derive(Args)]
struct Chosen {
    /// This server only
    #[arg(long, value_name = "NAME", conflicts_with_all = ["principal", "session"])]
    server: Option<String>,
    /// This tool of the server only, by the server's own name for it
    #[arg(long, value_name = "NAME", requires = "server")]
    tool: Option<String>,
    /// This principal only
    #[arg(long, value_name = "NAME", conflicts_with = "session")]
    principal: Option<String>,
    /// This session only, by the id that records have
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

impl Chosen {
    fn target(self) -> Target {
        match (self.server, self.tool, self.principal, self.session) {
            (Some(server), Some(tool), _, _) => Target::Tool(server, tool),
            (Some(server), None, _, _) => Target::Server(server),
            (None, _, Some(principal), _) => Target::Principal(principal),
            (None, _, None, Some(session)) => Target::Session(session),
            (None, _, None, None) => Target::Everything,
        }
    }
}

/// What to stop.
#[derive(Args)]
pub struct Stop {
    #[command(flatten)]
    chosen: Chosen,
    /// Why; whoever finds it stopped reads this
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    common: Common,
}

/// What to resume.
#[derive(Args)]
pub struct Resume {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    common: Common,
}

/// What to list.
#[derive(Args)]
pub struct Stops {
    /// What was stopped and resumed before as well, oldest first
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    common: Common,
}

/// How to switch safe mode.
#[derive(Args)]
pub struct SafeMode {
    /// `on`: only harmless reading passes; `off`: what the rules allow
    switch: Switch,
    /// Why it is switched on
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) fn stop(options: Stop, out: &mut impl Write) -> Result<(), Problem> {
    let Stop { chosen, reason, common } = options;
    begin(&chosen.target(), &reason, &common, out)
}

pub(super) fn resume(options: Resume, out: &mut impl Write) -> Result<(), Problem> {
    let Resume { chosen, common } = options;
    end(&chosen.target(), &common, out)
}

pub(super) fn safe_mode(options: SafeMode, out: &mut impl Write) -> Result<(), Problem> {
    match options.switch {
        Switch::On => {
            begin(&Target::SafeMode, options.reason.as_deref().unwrap_or_default(), &options.common, out)
        }
        Switch::Off => end(&Target::SafeMode, &options.common, out),
    }
}

fn begin(target: &Target, why: &str, common: &Common, out: &mut impl Write) -> Result<(), Problem> {
    let stops = open(common)?;
    let new = stops.stop(target, &local(), why, now())?;
    let before = stops.list()?.into_iter().find(|stop| stop.target == *target);
    if common.json {
        writeln!(out, "{}", with(target, json!({ "stopped": true, "changed": new })))?;
    } else if let Some(before) = before.filter(|_| !new) {
        write!(out, "{} already\n{}", state(target), since(&before))?;
    } else {
        // A stop in the wrong folder stops nothing.
        writeln!(out, "{} (in {}).", state(target), common.folder()?.display())?;
    }
    Ok(())
}

fn end(target: &Target, common: &Common, out: &mut impl Write) -> Result<(), Problem> {
    let stops = open(common)?;
    let gone = stops.resume(target, &local(), now())?;
    let others = stops.list()?.len();
    let left = match others {
        0 => "nothing is stopped".to_owned(),
        1 => "1 other stop stays in force: see `lockgate stops`".to_owned(),
        many => format!("{many} other stops stay in force: see `lockgate stops`"),
    };
    if !gone {
        let none = match target {
            Target::SafeMode => "safe mode is not on".to_owned(),
            Target::Everything
            | Target::Server(_)
            | Target::Tool(..)
            | Target::Principal(_)
            | Target::Session(_) => format!("there is no stop of {}", name(target)),
        };
        return Err(Problem::Refused(format!("{none}; {left}")));
    }
    if common.json {
        writeln!(
            out,
            "{}",
            with(target, json!({ "stopped": false, "changed": true, "other_stops": others }))
        )?;
    } else {
        match target {
            Target::SafeMode => writeln!(out, "Safe mode is off.\n  Now {left}.")?,
            Target::Everything
            | Target::Server(_)
            | Target::Tool(..)
            | Target::Principal(_)
            | Target::Session(_) => writeln!(out, "The stop of {} is lifted.\n  Now {left}.", name(target))?,
        }
    }
    Ok(())
}

/// Everything that is and was stopped, as JSON.
pub(super) fn everything(common: Common, out: &mut impl Write) -> Result<(), Problem> {
    list(&Stops { history: true, common }, out)
}

pub(super) fn list(options: &Stops, out: &mut impl Write) -> Result<(), Problem> {
    let stops = open(&options.common)?;
    let (listed, past) = (stops.list()?, if options.history { stops.history()? } else { Vec::new() });
    if options.common.json {
        let listed: Vec<Value> = listed
            .iter()
            .map(|stop| {
                with(
                    &stop.target,
                    json!({ "by": stop.by, "why": stop.why, "since": show::moment(stop.since) }),
                )
            })
            .collect();
        let past: Vec<Value> = past
            .iter()
            .map(|change| {
                let what = if change.why.is_some() { "stopped" } else { "resumed" };
                let more = json!({ "what": what, "by": change.by, "why": change.why, "at": show::moment(change.at) });
                with(&change.target, more)
            })
            .collect();
        let mut object = json!({ "stops": listed });
        if let (true, Some(object)) = (options.history, object.as_object_mut()) {
            object.insert("history".to_owned(), Value::Array(past));
        }
        writeln!(out, "{object}")?;
        return Ok(());
    }
    if listed.is_empty() {
        // The wrong folder looks just like this.
        writeln!(out, "Nothing is stopped (in {}).", options.common.folder()?.display())?;
    }
    for stop in &listed {
        write!(out, "{}\n{}", state(&stop.target), since(stop))?;
    }
    if options.history {
        writeln!(out, "\nHistory")?;
    }
    for change in &past {
        let (what, why) = match (&change.target, &change.why) {
            (Target::SafeMode, Some(why)) => ("on", because(why)),
            (Target::SafeMode, None) => ("off", String::new()),
            (_, Some(why)) => ("stopped", because(why)),
            (_, None) => ("resumed", String::new()),
        };
        let (at, by) = (show::moment(change.at), show::plain(&change.by, 60));
        let by = show::sentence(&format!("by {by}{why}"), 4);
        write!(out, "  {at}  {what}: {}\n{by}", name(&change.target))?;
    }
    Ok(())
}

fn open(common: &Common) -> Result<lockgate_store::Stops, Problem> {
    use lockgate_store::Stops;
    let folder = common.folder()?;
    Stops::open(&folder).map_err(|error| Problem::file(&folder, Stops::FILE, &error))
}

fn since(stop: &lockgate_store::Stop) -> String {
    let (moment, by) = (show::moment(stop.since), show::plain(&stop.by, 60));
    show::sentence(&format!("since {moment} by {by}{}", because(&stop.why)), 2)
}

fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {}", show::words(why)) }
}

/// A target within a sentence.
fn name(target: &Target) -> String {
    let quoted = |name: &str| format!("`{}`", show::plain(name, 200));
    match target {
        Target::Everything => "everything".to_owned(),
        Target::Server(server) => format!("server {}", quoted(server)),
        Target::Tool(server, tool) => format!("tool {} of server {}", quoted(tool), quoted(server)),
        Target::Principal(principal) => format!("principal {}", quoted(principal)),
        Target::Session(session) => format!("session {}", quoted(session)),
        Target::SafeMode => "safe mode".to_owned(),
    }
}

/// What holds while a stop is in force.
fn state(target: &Target) -> String {
    match target {
        Target::SafeMode => "Safe mode is on".to_owned(),
        Target::Everything => "Everything is stopped".to_owned(),
        Target::Server(_) | Target::Tool(..) | Target::Principal(_) | Target::Session(_) => {
            let name = name(target);
            let mut chars = name.chars();
            let first: String = chars.next().iter().flat_map(|c| c.to_uppercase()).collect();
            format!("{first}{} is stopped", chars.as_str())
        }
    }
}

/// A target for machines, with more.
fn with(target: &Target, more: Value) -> Value {
    let mut object = match target {
        Target::Everything => json!({ "target": "everything" }),
        Target::Server(server) => json!({ "target": "server", "server": server }),
        Target::Tool(server, tool) => json!({ "target": "tool", "server": server, "tool": tool }),
        Target::Principal(principal) => json!({ "target": "principal", "principal": principal }),
        Target::Session(session) => json!({ "target": "session", "session": session }),
        Target::SafeMode => json!({ "target": "safe_mode" }),
    };
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

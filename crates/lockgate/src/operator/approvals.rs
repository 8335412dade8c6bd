//! `lockgate approvals`.

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};
use lockgate_store::{Approvals, Ballot, Filter, Scope, Vote};
use serde_json::json;

use super::answer::{Way, watch};
use super::who::Who;
use super::{Common, Problem, now, show};

/// What to do with approvals.
#[derive(Subcommand)]
pub enum Command {
    /// List the calls that wait for a person
    List {
        /// Those of the last 30 days as well that were answered, expired or used
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Show one call: its arguments, where its values came from, which rule holds it, who has voted
    Show {
        /// As `list` shows it
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Say yes to a call
    Approve {
        /// As `list` shows it
        id: String,
        /// For how many calls with these very arguments: `once`, `session` (12 hours at most) or `value:10m` (so long,
        /// in any session; s, m or h, 24 hours at most). Only `once` for what spends, gives rights, deletes or runs code.
        /// Where a call is held for where a value came from, `session` approves the value too, for half an hour
        #[arg(long, visible_alias = "for", default_value = "once", value_parser = choice)]
        scope: Choice,
        /// Why; kept with the vote
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        common: Common,
    },
    /// Say no to a call, also to one that was approved and not used yet
    Deny {
        /// As `list` shows it
        id: String,
        /// Why; kept with the vote
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        common: Common,
    },
    /// Show calls as they come to wait, until interrupted; on a terminal, ask about each
    Watch(Watch),
}

/// How to watch.
#[derive(Args)]
pub struct Watch {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    common: Common,
}

/// A scope whose time has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// [`Scope::Once`].
    Once,
    /// [`Scope::Session`].
    Session,
    /// [`Scope::Value`], for so long.
    Value(Duration),
}

impl Choice {
    fn at(self, now: u64) -> Scope {
        match self {
            Self::Once => Scope::Once,
            Self::Session => Scope::Session,
            Self::Value(length) => {
                let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
                Scope::Value { until: now.saturating_add(length) }
            }
        }
    }
}

pub(super) fn choice(text: &str) -> Result<Choice, String> {
    match text {
        "once" => Ok(Choice::Once),
        "session" => Ok(Choice::Session),
        _ => text
            .strip_prefix("value:")
            .and_then(length)
            .map(Choice::Value)
            .ok_or_else(|| "write `once`, `session`, or `value:` and a time such as `10m`".to_owned()),
    }
}

/// A time such as `30s`, `10m` or `2h`.
fn length(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|number| digits && *number > 0)?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// A reason that says something.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("say why in a few words".to_owned()) } else { Ok(text.to_owned()) }
}

pub(super) fn run(command: Command, out: &mut impl Write) -> Result<(), Problem> {
    match command {
        Command::List { all, common } => {
            let filter = if all { Filter::All } else { Filter::Waiting };
            list(&common, filter, out)
        }
        Command::Show { id, common } => {
            let now = now();
            let entry = open(&common)?.show(&id, now)?.ok_or(lockgate_store::StateError::Unknown)?;
            if common.json {
                writeln!(out, "{}", show::object(&entry))?;
            } else {
                write!(out, "{}", show::full(&entry, now))?;
            }
            Ok(())
        }
        Command::Approve { id, scope, reason, who, common } => {
            let (approver, now) = (who.name()?, now());
            let why = reason.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
            vote(&common, &id, &Vote { approver, yes: true, why, scope: scope.at(now) }, now, out)
        }
        Command::Deny { id, reason, who, common } => {
            let (approver, now) = (who.name()?, now());
            let no = Vote { approver, yes: false, why: Some(reason), scope: Scope::Once };
            vote(&common, &id, &no, now, out)
        }
        Command::Watch(Watch { who, common }) => {
            let approvals = open(&common)?;
            let way = Way::choose(common.json, who.name()?);
            watch(&approvals, way, out)
        }
    }
}

fn open(common: &Common) -> Result<Approvals, Problem> {
    let folder = common.folder()?;
    Approvals::open(&folder).map_err(|error| Problem::file(&folder, Approvals::FILE, &error))
}

fn list(common: &Common, filter: Filter, out: &mut impl Write) -> Result<(), Problem> {
    let now = now();
    let entries = open(common)?.list(filter, now)?;
    if common.json {
        let entries: Vec<_> = entries.iter().map(show::object).collect();
        writeln!(out, "{}", json!({ "approvals": entries }))?;
        return Ok(());
    }
    if entries.is_empty() {
        let what = match filter {
            Filter::Waiting => "No call waits for a person",
            Filter::All => "No call was put to a person within 30 days",
        };
        // The wrong folder looks just like this.
        writeln!(out, "{what} (in {}).", common.folder()?.display())?;
    }
    for (count, entry) in entries.iter().enumerate() {
        let between = if count == 0 { "" } else { "\n" };
        write!(out, "{between}{}", show::brief(entry, now))?;
    }
    Ok(())
}

fn vote(common: &Common, id: &str, vote: &Vote, now: u64, out: &mut impl Write) -> Result<(), Problem> {
    let approvals = open(common)?;
    let ballot = approvals.vote(id, vote, now)?;
    let entry = approvals.show(id, now)?.ok_or(lockgate_store::StateError::Unknown)?;
    let counted = match (&ballot, vote.yes) {
        (Ballot::Waiting { .. } | Ballot::Approved { .. }, true) | (Ballot::Denied { .. }, false) => true,
        (
            Ballot::Waiting { .. }
            | Ballot::Approved { .. }
            | Ballot::Denied { .. }
            | Ballot::Expired
            | Ballot::Used,
            _,
        ) => false,
    };
    if !counted {
        let standing = show::standing(&entry, now);
        return Err(Problem::Refused(format!("too late: {} {standing}", show::plain(id, 40))));
    }
    if common.json {
        writeln!(out, "{}", show::ballot(id, &ballot))?;
    } else {
        write!(out, "{}", show::headline(&entry, now))?;
    }
    Ok(())
}

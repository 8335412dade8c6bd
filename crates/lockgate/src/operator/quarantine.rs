//! `lockgate quarantine`.

mod compare;
mod show;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal, Write};

use clap::{ArgGroup, Args, Subcommand};
use lockgate_model::Json;
use lockgate_provenance::diff::Diff;
use lockgate_store::Pins;
use lockgate_store::pins::{Answer, Cause, Entry, Filter};
use serde_json::{Value, json};

use super::approvals::reason;
use super::who::Who;
use super::{Common, Problem, now};

/// Deepest nesting of a definition that was kept.
const DEPTH: usize = 1_024;

/// What to do with definitions that are not approved.
#[derive(Subcommand)]
pub enum Command {
    /// List the definitions that wait for a person: what a server offers and nobody has approved
    List {
        /// Those in force and those that were refused as well
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        common: Common,
    },
    /// Show one definition as the server gave it, why it is withheld, and who has said yes
    Show {
        /// As `list` shows it
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Show what is different from the definition in force
    Diff {
        /// As `list` shows it
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Approve definitions: from now on they are in force, in place of those that were
    Approve(Approve),
    /// Refuse definitions, also those in force: they stay withheld until somebody approves them
    Reject(Reject),
}

/// Which servers' definitions.
#[derive(Args)]
pub struct Chosen {
    /// Those of this server only
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Those of this tenant only; `""` is everybody
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// What to approve.
#[derive(Args)]
#[command(group = ArgGroup::new("what").required(true).args(["ids", "server"]))]
pub struct Approve {
    /// As `list` shows them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// What is new of this server; not what changed, cannot be shown, or what more is said of
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// All that waits of it
    #[arg(long, requires = "server")]
    all: bool,
    /// What waits for this tenant only; `""` is everybody
    #[arg(long, value_name = "NAME", requires = "server")]
    tenant: Option<String>,
    /// Why; kept with the answer
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    common: Common,
}

/// What to refuse.
#[derive(Args)]
pub struct Reject {
    /// As `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Why; kept with the answer
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(command: Command, out: &mut impl Write) -> Result<(), Problem> {
    match command {
        Command::List { all, chosen, common } => list(all, &chosen, &common, out),
        Command::Show { id, common } => {
            let pins = open(&common)?;
            let entry = find(&pins, &id)?;
            let before = pins.in_force(&entry.key)?;
            if common.json {
                let definition = entry.definition.as_deref().map(parsed);
                let shown = with(show::object(&entry), json!({ "definition": definition }));
                writeln!(out, "{}", show::ascii(&shown))?;
            } else {
                write!(out, "{}", show::full(&entry, before.as_ref()))?;
            }
            Ok(())
        }
        Command::Diff { id, common } => diff(&id, &common, out),
        Command::Approve(approve) => self::approve(approve, out),
        Command::Reject(Reject { ids, reason, who, common }) => {
            let (pins, by) = (open(&common)?, who.name()?);
            let entries = ids.iter().map(|id| find(&pins, id)).collect::<Result<Vec<Entry>, _>>()?;
            answer(&entries, &common, out, |entry| pins.reject(&entry.id, &by, Some(&reason), now()))
        }
    }
}

fn open(common: &Common) -> Result<Pins, Problem> {
    let folder = common.folder()?;
    Pins::open(&folder).map_err(|error| Problem::file(&folder, Pins::FILE, &error))
}

fn find(pins: &Pins, id: &str) -> Result<Entry, Problem> {
    pins.show(id)?.ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Problem {
    let id = super::show::plain(id, 40);
    let hint = "`lockgate quarantine list --all` shows those there are";
    Problem::Refused(format!("there is no definition with the id `{id}`\n  hint: {hint}"))
}

/// Everything that ever waited, as JSON.
pub(super) fn everything(common: Common, out: &mut impl Write) -> Result<(), Problem> {
    list(true, &Chosen { server: None, tenant: None }, &common, out)
}

fn list(all: bool, chosen: &Chosen, common: &Common, out: &mut impl Write) -> Result<(), Problem> {
    let filter = if all { Filter::All } else { Filter::Waiting };
    let mut entries = open(common)?.list(filter, chosen.tenant.as_deref())?;
    entries.retain(|entry| chosen.server.as_ref().is_none_or(|server| *server == entry.key.place().0));
    if common.json {
        let entries: Vec<Value> = entries.iter().map(show::object).collect();
        writeln!(out, "{}", show::ascii(&json!({ "quarantine": entries })))?;
    } else if entries.is_empty() {
        let what = if all { "No definition is known" } else { "No definition waits for a person" };
        // The wrong folder looks just like this.
        writeln!(out, "{what} (in {}).", common.folder()?.display())?;
    } else {
        write!(out, "{}", show::list(&mut entries))?;
    }
    Ok(())
}

fn diff(id: &str, common: &Common, out: &mut impl Write) -> Result<(), Problem> {
    let pins = open(common)?;
    let entry = find(&pins, id)?;
    let before = pins.in_force(&entry.key)?.filter(|before| before.id != entry.id);
    if common.json {
        let text = |entry: &Entry| entry.definition.as_deref().map(parsed);
        let (old, new) = (before.as_ref().and_then(text), text(&entry));
        let before = before.as_ref().map(|before| &before.digest);
        let more = json!({ "in_force": before, "old": old, "new": new });
        writeln!(out, "{}", show::ascii(&with(show::object(&entry), more)))?;
        return Ok(());
    }
    write!(out, "{}", show::headline(&entry))?;
    let Some(before) = before else {
        writeln!(out, "\nNothing is in force to compare it with: see `lockgate quarantine show`.")?;
        return Ok(());
    };
    writeln!(out, "{}", show::against(&before))?;
    let colour = std::io::stdout().is_terminal();
    match (&before.definition, &entry.definition) {
        (Some(old), Some(new)) => {
            write!(out, "{}{}", meaning(&entry, old, new), compare::text(old, new, colour))?;
        }
        (_, None) => writeln!(out, "{}", show::NOT_KEPT)?,
        (None, Some(_)) => writeln!(out, "The definition in force is not kept: only its digest is known.")?,
    }
    Ok(())
}

/// What the differences mean, the gravest first.
fn meaning(entry: &Entry, old: &str, new: &str) -> String {
    let [old, new] = [old, new].map(|text| Json::check(text.as_bytes(), DEPTH));
    let (Ok(old), Ok(new)) = (old, new) else { return String::new() };
    let diff = Diff::of(entry.key.kind, old, new);
    let mut lines: Vec<_> = diff
        .changes()
        .iter()
        .flat_map(|change| change.codes.iter().map(|code| (*code, change.pointer.as_str())))
        .map(|(code, pointer)| (std::cmp::Reverse(code.risk()), show::meant(code, pointer)))
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).chain([String::from("\n")]).collect()
}

fn approve(approve: Approve, out: &mut impl Write) -> Result<(), Problem> {
    let Approve { ids, server, all, tenant, reason, who, common } = approve;
    let (pins, by) = (open(&common)?, who.name()?);
    let (entries, left) = match server {
        None => (ids.iter().map(|id| find(&pins, id)).collect::<Result<Vec<Entry>, _>>()?, 0),
        Some(server) => waiting(&pins, &server, tenant.as_deref(), all)?,
    };
    let why = reason.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
    answer(&entries, &common, out, |entry| pins.approve(&entry.id, &by, why.as_deref(), now()))?;
    if left > 0 && !common.json {
        let more = if left == 1 { "1 more needs".to_owned() } else { format!("{left} more need") };
        writeln!(out, "{more} a look: see `lockgate quarantine list`.")?;
    }
    Ok(())
}

/// What waits of a server and may be approved without a look at each, and how much else waits. With `all`, everything.
fn waiting(
    pins: &Pins,
    server: &str,
    tenant: Option<&str>,
    all: bool,
) -> Result<(Vec<Entry>, usize), Problem> {
    let mut waiting = pins.list(Filter::Waiting, tenant)?;
    waiting.retain(|entry| entry.key.place().0 == server);
    let name = super::show::plain(server, 60);
    if waiting.is_empty() {
        let hint = "`lockgate quarantine list` shows what does";
        return Err(Problem::Refused(format!(
            "nothing of server `{name}` waits for a person\n  hint: {hint}"
        )));
    }
    if waiting.windows(2).any(|two| matches!(two, [one, other] if one.key.server != other.key.server)) {
        let hint = "approve them by their ids";
        return Err(Problem::Refused(format!(
            "several configurations have a server `{name}` with something that waits\n  hint: {hint}"
        )));
    }
    let count = waiting.len();
    let plain = |entry: &Entry| {
        entry.cause != Cause::Changed && entry.bytes > 0 && show::more(entry).next().is_none()
    };
    waiting.retain(|entry| all || plain(entry));
    if waiting.is_empty() {
        let hint = "`lockgate quarantine diff ID` shows what changed; `--all` approves it unseen";
        return Err(Problem::Refused(format!(
            "what waits of server `{name}` needs a look at each ({count} in all)\n  hint: {hint}"
        )));
    }
    let left = count - waiting.len();
    Ok((waiting, left))
}

/// Answers for each, and says what has come of it.
fn answer(
    entries: &[Entry],
    common: &Common,
    out: &mut impl Write,
    say: impl Fn(&Entry) -> Result<Answer, lockgate_store::StateError>,
) -> Result<(), Problem> {
    let mut answered = Vec::with_capacity(entries.len());
    for entry in entries {
        let answer = say(entry)?;
        if answer == Answer::Unknown {
            return Err(unknown(&entry.id));
        }
        if common.json {
            answered.push(show::answer_object(entry, answer));
        } else {
            write!(out, "{}", show::answered(entry, answer))?;
        }
    }
    if common.json {
        writeln!(out, "{}", json!({ "quarantine": answered }))?;
    } else if entries.len() > 1 {
        writeln!(out, "{} definitions answered.", entries.len())?;
    }
    Ok(())
}

/// A definition as JSON; as text where it is none.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

use std::collections::{BTreeSet, VecDeque};

use clap::{Args, ValueEnum};
use lockgate_audit::log::{Checkpoint, WIDTH};
use lockgate_model::UnixMillis;
use lockgate_store::{LogError, LogFolder};

use super::{Which, export};
use crate::command::Told;
use crate::moment;
use crate::records::{Arguments, Entry, plain, what};

/// The newest.
#[derive(Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    which: Which,
    /// How many
    #[arg(short, long, default_value_t = 20, value_name = "NUMBER")]
    number: usize,
    /// The records as they are, one JSON object a line
    #[arg(long)]
    json: bool,
}

/// One record, or those of one request.
#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,
    /// The number of a record, or what a refusal says after `Ref`
    #[arg(value_name = "NUMBER|ID")]
    id: String,
}

/// Those of which all of this is true.
#[derive(Args)]
pub(crate) struct Search {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    wanted: Wanted,
    /// The records as they are, one JSON object a line
    #[arg(long)]
    json: bool,
}

/// A session from its first record to its last.
#[derive(Args)]
pub(crate) struct Timeline {
    #[command(flatten)]
    which: Which,
    /// The session, as `lockgate log search` shows it with `--json`
    #[arg(value_name = "SESSION")]
    session: String,
}

/// Those of which all of this is true, for other programs.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    which: Which,
    /// The form
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    #[command(flatten)]
    wanted: Wanted,
}

/// How records are written for other programs.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// As they are
    Jsonl,
    /// Open Cybersecurity Schema Framework 1.3, class API Activity (6003)
    Ocsf,
    /// Common Event Format, version 0
    Cef,
    /// Flat fields with the names that the Sigma rules of SAFE-MCP use
    Sigma,
}

#[derive(Args)]
struct Wanted {
    /// Of this session
    #[arg(long)]
    session: Option<String>,
    /// Of this principal
    #[arg(long)]
    principal: Option<String>,
    /// About this server
    #[arg(long)]
    server: Option<String>,
    /// About this tool, prompt or resource
    #[arg(long)]
    target: Option<String>,
    /// With this reason: `untrusted_content_reaches_sink`
    #[arg(long)]
    reason: Option<String>,
    /// With this verdict: forward, rewrite, hold or deny
    #[arg(long)]
    verdict: Option<String>,
    /// About this: request, answer, end, server, approval, vote, definition, pin, destination, token, configuration, stop,
    /// incident, alert, behaviour, gateway or log
    #[arg(long)]
    event: Option<String>,
    /// Not before this: 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Wanted {
    fn test(&self) -> Result<impl Fn(&Entry) -> bool + '_, String> {
        let time = |text: &Option<String>| -> Result<Option<UnixMillis>, String> {
            let read = |text: &String| {
                moment::parse(text).ok_or_else(|| {
                    format!(
                        "`{}` is not a time\n  hint: write it like 2026-01-31T08:00:00Z",
                        text.escape_default()
                    )
                })
            };
            text.as_ref().map(read).transpose()
        };
        let (since, until) = (time(&self.since)?, time(&self.until)?);
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        Ok(move |entry: &Entry| {
            same(&self.session, Some(&entry.session))
                && same(&self.principal, Some(entry.principal.as_str()))
                && same(&self.server, entry.server.as_ref().map(lockgate_model::ServerName::as_str))
                && same(&self.target, entry.target.as_deref())
                && same(&self.reason, entry.reason.as_deref())
                && same(&self.verdict, Some(&entry.verdict))
                && same(&self.event, Some(&entry.event))
                && since.is_none_or(|since| entry.at >= since)
                && until.is_none_or(|until| entry.at < until)
        })
    }
}

/// A record as it is in the log, and read.
struct Numbered {
    number: u64,
    line: Vec<u8>,
    entry: Entry,
}

fn failed(error: LogError) -> String {
    error.to_string()
}

/// How many records are signed.
fn signed(log: &LogFolder) -> Result<u64, String> {
    let checkpoint = log.checkpoint().map_err(failed)?;
    Ok(checkpoint.and_then(|note| Checkpoint::parse(note.text())).map_or(0, |checkpoint| checkpoint.size))
}

/// The records of one tile that can be read; none where they are not kept, or not there yet.
fn of_tile(log: &LogFolder, tile: u64) -> Result<Option<Vec<Numbered>>, String> {
    let records = log.records(tile).map_err(failed)?;
    let contents = log.contents(tile).map_err(failed)?;
    let read = |(number, line): (u64, Vec<u8>)| {
        let entry = Entry::parse(&line)?.with(&contents);
        Some(Numbered { number, line, entry })
    };
    Ok(records.map(|records| (tile * WIDTH..).zip(records).filter_map(read).collect()))
}

/// Goes through all records that are kept, oldest first.
fn each(log: &LogFolder, see: &mut dyn FnMut(Numbered)) -> Result<(), String> {
    let size = signed(log)?;
    let mut tile = 0;
    loop {
        match of_tile(log, tile)? {
            Some(records) => records.into_iter().for_each(&mut *see),
            // The oldest may be gone; what was never signed ends the log.
            None if tile * WIDTH >= size => return Ok(()),
            None => {}
        }
        tile += 1;
    }
}

pub(super) fn tail(options: &Tail) -> Result<Told, String> {
    let (_, log) = options.which.open()?;
    let mut tile = signed(&log)? / WIDTH;
    let mut newest = VecDeque::new();
    // What came since may fill more tiles; then back, as far as is needed and kept.
    let mut next = tile;
    while let Some(records) = of_tile(&log, next)? {
        newest.extend(records);
        next += 1;
    }
    while newest.len() < options.number && tile > 0 {
        tile -= 1;
        let Some(records) = of_tile(&log, tile)? else { break };
        records.into_iter().rev().for_each(|record| newest.push_front(record));
    }
    newest.drain(..newest.len().saturating_sub(options.number));
    Ok(told(newest, options.json))
}

pub(super) fn search(options: &Search) -> Result<Told, String> {
    let (_, log) = options.which.open()?;
    let wanted = options.wanted.test()?;
    let mut found = VecDeque::new();
    each(&log, &mut |record| {
        if wanted(&record.entry) {
            found.push_back(record);
        }
    })?;
    Ok(told(found, options.json))
}

pub(super) fn show(options: &Show) -> Result<Told, String> {
    let (_, log) = options.which.open()?;
    let number: Option<u64> = options.id.parse().ok();
    let mut found = VecDeque::new();
    match number {
        Some(number) => {
            let records = of_tile(&log, number / WIDTH)?.unwrap_or_default();
            found.extend(records.into_iter().filter(|record| record.number == number));
        }
        None => each(&log, &mut |record| {
            if record.entry.correlation == options.id {
                found.push_back(record);
            }
        })?,
    }
    let pretty = |record: &Numbered| -> Option<String> {
        let mut value: serde_json::Value = serde_json::from_slice(&record.line).ok()?;
        if let (Arguments::Known(text), Some(record)) = (&record.entry.arguments, value.as_object_mut()) {
            record.insert("arguments".to_owned(), serde_json::from_str(text).ok()?);
        }
        Some(format!("record {}\n{}\n", record.number, serde_json::to_string_pretty(&value).ok()?))
    };
    let text: String = found.iter().filter_map(pretty).collect();
    if text.is_empty() {
        return Ok(Told {
            text: format!("there is no record of `{}`\n", options.id.escape_default()),
            code: 1,
        });
    }
    Ok(Told { text, code: 0 })
}

/// The records of some requests, as they are in the log, with their numbers.
pub(super) fn of_requests(
    log: &LogFolder,
    ids: &BTreeSet<&str>,
    see: &mut dyn FnMut(u64, &[u8]),
) -> Result<(), String> {
    each(log, &mut |record| {
        if ids.contains(&*record.entry.correlation) {
            see(record.number, &record.line);
        }
    })
}

pub(super) fn timeline(options: &Timeline) -> Result<Told, String> {
    let (_, log) = options.which.open()?;
    let mut found: Vec<Numbered> = Vec::new();
    each(&log, &mut |record| {
        if record.entry.session == options.session {
            found.push(record);
        }
    })?;
    let Some(first) = found.first() else {
        return Ok(Told {
            text: format!("there is no record of session `{}`\n", options.session.escape_default()),
            code: 1,
        });
    };
    let start = first.entry.at;
    let mut text = format!(
        "Session {} of {}, from {}\n\n",
        plain(&first.entry.session),
        plain(first.entry.principal.as_str()),
        first.entry.time
    );
    let mut read = 0;
    for Numbered { number, entry, .. } in &found {
        let after = entry.at.0.saturating_sub(start.0);
        text.push_str(&format!("{:>9}  {number:>6}  {}\n", moment_of(after), sentence(entry)));
        if entry.after.len() > read {
            read = entry.after.len();
            let names: Vec<_> = entry.after.iter().map(ToString::to_string).collect();
            let grade =
                entry.grade.as_deref().map_or_else(String::new, |grade| format!(" ({})", plain(grade)));
            text.push_str(&format!("{:19}it has now read {}{grade}\n", "", names.join(", ")));
        }
    }
    Ok(Told { text, code: 0 })
}

pub(super) fn export(options: &Export) -> Result<Told, String> {
    let (_, log) = options.which.open()?;
    let wanted = options.wanted.test()?;
    let mut text = String::new();
    each(&log, &mut |record| {
        if wanted(&record.entry) {
            text.push_str(&match options.format {
                Format::Jsonl => String::from_utf8_lossy(&record.line).into_owned(),
                Format::Ocsf => export::ocsf(record.number, &record.entry),
                Format::Cef => export::cef(record.number, &record.entry),
                Format::Sigma => export::sigma(record.number, &record.entry),
            });
            text.push('\n');
        }
    })?;
    Ok(Told { text, code: 0 })
}

fn told(found: VecDeque<Numbered>, json: bool) -> Told {
    let code = u8::from(found.is_empty());
    let line = |record: Numbered| {
        if json {
            return String::from_utf8_lossy(&record.line).into_owned() + "\n";
        }
        format!("{:>6}  {}  {}\n", record.number, record.entry.time, sentence(&record.entry))
    };
    let text: String = found.into_iter().map(line).collect();
    Told { text: if text.is_empty() && !json { "there is no such record\n".to_owned() } else { text }, code }
}

/// What a record says, in one line.
fn sentence(entry: &Entry) -> String {
    let why = entry.reason.as_ref().map_or_else(String::new, |reason| {
        let rule = entry.rule.as_ref().map_or_else(String::new, |rule| format!(" by {}", plain(rule)));
        format!(": {}{rule}", plain(reason))
    });
    // What is of no request says what happened in its notes.
    let mut said = match (&entry.method, entry.count) {
        (Some(_), _) => what(entry),
        (None, Some(count)) if entry.event == "log" => {
            format!("{count} records {}", plain(&entry.notes.join(", ")))
        }
        (None, _) if entry.notes.is_empty() => what(entry),
        (None, _) => plain(&entry.notes.join(", ")),
    };
    if let Some(ended) = &entry.ended {
        said = format!("{said}: {}", plain(ended));
    }
    if let Some((seen, usual)) = entry.figures {
        said = format!("{said}: {seen}, usually {usual}");
    }
    if entry.method.is_none() && entry.event != "definition" && entry.event != "pin" {
        let at = entry.server.as_ref().map(|server| format!(" on server `{server}`"));
        let of = entry.target.as_ref().map(|target| format!(" of {}", plain(target)));
        let about = entry.about.as_ref().map(|about| format!(" ({})", plain(about)));
        let rule = entry.alert_rule.as_ref().map(|rule| format!(" by the rule {}", plain(rule)));
        said.extend([of, at, about, rule].into_iter().flatten());
    }
    // Of a stop, an answer or an incident: who, and why.
    if entry.method.is_none()
        && matches!(entry.event.as_str(), "stop" | "vote" | "incident" | "destination" | "token")
    {
        said.push_str(&format!(", by {}", plain(entry.principal.as_str())));
    }
    let reason = entry.why.as_ref().map_or_else(String::new, |why| format!(": {}", plain(why)));
    format!("{:13} {:7}  {said}{why}{reason}", plain(&entry.event), plain(&entry.verdict))
}

/// Time since the beginning: `+12.345s`.
fn moment_of(millis: u64) -> String {
    format!("+{}.{:03}s", millis / 1_000, millis % 1_000)
}

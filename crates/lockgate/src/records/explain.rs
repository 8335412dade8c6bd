//! `lockgate explain`: what happened to one request, and why.

use std::path::PathBuf;

use clap::Args;
use lockgate_model::{Reason, ServerName};
use serde_json::{Value, json};

use super::{Arguments, Entry, History, chain, plain};
use crate::command::Told;
use crate::rehearse::{Policy, count};

/// Width of a terminal, and where the text of a field begins. Columns.
const COLUMNS: usize = 80;
const INDENT: usize = 12;

/// What to explain.
#[derive(Args)]
pub struct ExplainOptions {
    /// The request: what a refusal says after `Ref`
    #[arg(value_name = "ID")]
    id: String,
    /// Files of records, oldest first
    #[arg(required = true, value_name = "RECORDS")]
    records: Vec<PathBuf>,
    /// The configuration, to say where the rule stands
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
}

/// Where text of a server was first read in a session.
struct Origin<'h> {
    server: &'h ServerName,
    entry: Option<&'h Entry>,
}

/// Says what happened. Codes: 0 found, 1 no record of it.
pub fn explain(options: &ExplainOptions) -> Result<Told, String> {
    let history = History::read(&options.records)?;
    let policy = options.config.as_deref().map(Policy::load).transpose()?;
    let found: Vec<&Entry> = history.entries.iter().filter(|entry| entry.correlation == options.id).collect();
    let Some(first) = found.first() else { return Ok(missing(options, &history)) };
    let text = if options.json {
        for_machines(&found, &history, policy.as_ref()).to_string()
    } else {
        for_people(&options.id, first, &found, &history, policy.as_ref())
    };
    Ok(Told { text, code: 0 })
}

fn missing(options: &ExplainOptions, history: &History) -> Told {
    let id = options.id.escape_default();
    if options.json {
        return Told { text: json!({ "error": format!("no record of {id}") }).to_string(), code: 1 };
    }
    let session = options.id.rsplit_once('-').map(|(session, _)| session);
    let same = history.entries.iter().filter(|entry| Some(entry.session.as_str()) == session).count();
    let times = history.entries.first().zip(history.entries.last());
    let from =
        times.map_or_else(String::new, |(first, last)| format!("from {} to {}", first.time, last.time));
    let hint = if same > 0 {
        format!("of its session there are {}; the number may be wrong", count(same, "record"))
    } else {
        "older records may be in files that were put aside: NAME.1, NAME.2 and so on".to_owned()
    };
    let all = count(history.entries.len(), "record");
    Told { text: format!("There is no record of `{id}` among {all}\n{from}.\n  hint: {hint}\n"), code: 1 }
}

fn for_people(
    id: &str,
    first: &Entry,
    found: &[&Entry],
    history: &History,
    policy: Option<&Policy>,
) -> String {
    let client =
        first.client.as_ref().map_or_else(String::new, |client| format!(" through {}", plain(client)));
    let mut out = format!("{id}: {}\n", what(first));
    out.push_str(&field(
        "asked by",
        &format!("{}{client}, session {}", plain(first.principal.as_str()), plain(&first.session)),
    ));
    match &first.arguments {
        Arguments::None => {}
        Arguments::Known(text) => out.push_str(&field("arguments", &plain(text))),
        Arguments::Digest => {
            out.push_str(&field("arguments", "not kept; `records: { arguments: true }` keeps them"));
        }
    }
    for entry in found {
        out.push_str(&format!("\n{}  {}\n", entry.time, sentence(entry)));
        // An approval names what was asked about; nothing stands against the call any more.
        let stands = matches!(entry.verdict.as_str(), "deny" | "hold");
        let reason = entry.reason.as_deref().filter(|_| stands).and_then(known);
        if let Some(reason) = reason {
            out.push_str(&field("because", &format!("{} ({})", reason.meaning(), reason.code())));
        }
        if let Some(detail) = &entry.detail {
            out.push_str(&field("detail", &plain(detail)));
        }
        if entry.event == "request" {
            for (name, text) in chain::lines(entry, history) {
                out.push_str(&field(name, &text));
            }
        }
        if let Some(rule) = &entry.rule {
            out.push_str(&field("rule", &format!("{}{}", plain(rule), place(rule, policy))));
        }
        if entry.evidence.is_none() && crosses(entry) {
            for origin in origins(entry, history) {
                out.push_str(&field("text from", &source(&origin)));
            }
        }
        if let Some(labels) = labels(entry) {
            let grade = entry.grade.as_ref().map_or_else(String::new, |grade| format!(" ({grade})"));
            out.push_str(&field("has read", &format!("{labels}{grade}")));
        }
        if let Some(reason) = reason {
            out.push_str(&field("to do", reason.remedy()));
        }
    }
    out
}

/// A line with its name, broken at words where it is wider than a terminal.
fn field(name: &str, text: &str) -> String {
    let mut out = format!("  {name:9} ");
    let mut column = out.len();
    for word in text.split(' ') {
        let width = word.chars().count() + 1;
        if column + width > COLUMNS && column > INDENT {
            out.push_str(&format!("\n{:INDENT$}", ""));
            column = INDENT;
        }
        out.push(' ');
        out.push_str(word);
        column += width;
    }
    out.push('\n');
    out
}

/// What a request was about.
pub(crate) fn what(entry: &Entry) -> String {
    let method = entry.method.as_deref().unwrap_or("a message");
    match (&entry.target, &entry.server) {
        (Some(target), Some(server)) => format!("{method} of `{}` on server `{server}`", plain(target)),
        (None, Some(server)) => format!("{method} on server `{server}`"),
        (Some(target), None) => format!("{method} of `{}`", plain(target)),
        (None, None) => method.to_owned(),
    }
}

fn sentence(entry: &Entry) -> String {
    let server = entry.server.as_ref().map_or("the server", ServerName::as_str);
    let took = format!(" after {}", time(entry.duration));
    match (entry.event.as_str(), entry.verdict.as_str()) {
        ("request", _) if entry.would.as_deref() == Some("hold") => {
            "Allowed and sent, because rules were only observed. Else a person would have been asked."
                .to_owned()
        }
        ("request", _) if entry.would.as_deref() == Some("forward") => {
            "Allowed and sent. A rule wanted it written down.".to_owned()
        }
        ("request", _) if entry.would.is_some() => {
            "Allowed and sent, because rules were only observed. Else it would have been refused.".to_owned()
        }
        ("request", "deny") => "Refused. It was not sent.".to_owned(),
        ("request", "hold") => "Held: a person was asked.".to_owned(),
        ("request", "rewrite") => "Allowed and sent, with something in its arguments replaced.".to_owned(),
        ("request", _) => "Allowed and sent.".to_owned(),
        ("approval", "deny") => format!("Not approved{took}. It was not sent."),
        ("approval", _) => "Approved by a person, and sent.".to_owned(),
        ("answer", "deny") => format!("No answer from {server} reached the agent{took}."),
        ("answer", _) => format!("Answered by {server}{took}; the agent got the answer."),
        ("end", _) => format!(
            "It got no answer{took}: {}.",
            match entry.ended.as_deref() {
                Some("cancelled") => "the agent took it back",
                Some("abandoned") => "the agent left",
                Some("input_required") => "the agent was asked for something first, and is to send it again",
                _ => "the session ended",
            }
        ),
        ("alert" | "behaviour", _) => {
            format!("Somebody was to know of it: {}.", plain(&entry.notes.join(", ")))
        }
        (_, "deny") => format!("A message of {server} was dropped."),
        _ => format!("A message of {server} passed."),
    }
}

fn time(micros: u64) -> String {
    if micros < 10_000 { format!("{micros} µs") } else { format!("{} ms", micros / 1_000) }
}

fn place(rule: &str, policy: Option<&Policy>) -> String {
    let built_in = !rule.starts_with("servers.");
    match policy {
        None => String::new(),
        Some(policy) => match policy.place_of(rule) {
            Some(place) => format!(" ({place})"),
            None if built_in => " (built in)".to_owned(),
            None => format!(" (not in {} now)", policy.file),
        },
    }
}

fn labels(entry: &Entry) -> Option<String> {
    let names = |all: &[ServerName]| {
        let names: Vec<&str> = all.iter().map(ServerName::as_str).collect();
        if names.is_empty() { "nothing yet".to_owned() } else { names.join(", ") }
    };
    if entry.before == entry.after {
        return (!entry.before.is_empty() || entry.event == "request").then(|| names(&entry.before));
    }
    Some(format!("{}; before: {}", names(&entry.after), names(&entry.before)))
}

fn crosses(entry: &Entry) -> bool {
    entry.reason.as_deref() == Some(Reason::UntrustedContentReachesSink.code())
}

/// The servers that a session had read from before a request, and with what.
fn origins<'h>(entry: &'h Entry, history: &'h History) -> Vec<Origin<'h>> {
    let others = entry.before.iter().filter(|server| Some(*server) != entry.server.as_ref());
    others
        .map(|server| {
            let mut session = history.entries.iter().filter(|earlier| earlier.session == entry.session);
            let first =
                session.find(|earlier| earlier.after.contains(server) && !earlier.before.contains(server));
            Origin { server, entry: first }
        })
        .collect()
}

fn source(origin: &Origin<'_>) -> String {
    let server = origin.server;
    match origin.entry {
        Some(entry) => format!("{server}: {} ({}, {})", what(entry), entry.correlation, entry.time),
        None => format!("{server}: read before these records begin"),
    }
}

fn known(code: &str) -> Option<Reason> {
    Reason::ALL.iter().copied().find(|reason| reason.code() == code)
}

fn for_machines(found: &[&Entry], history: &History, policy: Option<&Policy>) -> Value {
    let names = |all: &[ServerName]| all.iter().map(|name| json!(name.as_str())).collect::<Vec<Value>>();
    let steps: Vec<Value> = found
        .iter()
        .map(|entry| {
            let origins: Vec<Value> = if crosses(entry) { origins(entry, history) } else { Vec::new() }
                .iter()
                .map(|origin| {
                    json!({ "server": origin.server.as_str(),
                        "correlation": origin.entry.map(|entry| &entry.correlation),
                        "target": origin.entry.and_then(|entry| entry.target.as_ref()),
                        "time": origin.entry.map(|entry| &entry.time) })
                })
                .collect();
            let reason = entry.reason.as_deref().and_then(known);
            json!({
                "time": entry.time,
                "event": entry.event,
                "verdict": entry.verdict,
                "says": sentence(entry),
                "reason": entry.reason,
                "meaning": reason.map(Reason::meaning),
                "remedy": reason.map(Reason::remedy),
                "phase": entry.phase,
                "rule": entry.rule,
                "detail": entry.detail,
                "place": entry.rule.as_deref().and_then(|rule| policy?.place_of(rule)),
                "read_before": names(&entry.before),
                "read_after": names(&entry.after),
                "origins": origins,
                "values": chain::for_machines(entry, history),
            })
        })
        .collect();
    let first = found.first();
    json!({
        "correlation": first.map(|entry| &entry.correlation),
        "session": first.map(|entry| &entry.session),
        "principal": first.map(|entry| entry.principal.as_str()),
        "client": first.and_then(|entry| entry.client.as_ref()),
        "method": first.and_then(|entry| entry.method.as_ref()),
        "server": first.and_then(|entry| entry.server.as_ref()).map(ServerName::as_str),
        "target": first.and_then(|entry| entry.target.as_ref()),
        "steps": steps,
    })
}

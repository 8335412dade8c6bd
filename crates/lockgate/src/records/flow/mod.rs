//! `lockgate flow`: which server's data went to which server, and what was stopped.

mod graph;
mod page;
mod picture;
mod text;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_model::ServerName;
use serde_json::{Value, json};

use self::graph::{Graph, Outcome};
use super::{History, plain};
use crate::command::Told;
use crate::rehearse::{Policy, count};

/// Most sessions that are listed, the newest.
const LISTED: usize = 100;

/// What to draw.
#[derive(Args)]
pub struct FlowOptions {
    /// The session; without it the sessions are listed
    #[arg(value_name = "SESSION")]
    session: Option<String>,
    /// Files of records, oldest first; without it those that the configuration names
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    records: Vec<PathBuf>,
    /// The configuration that names the records
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    config: PathBuf,
    /// Write the picture to a file
    #[arg(long, value_name = "FILE", requires = "session")]
    svg: Option<PathBuf>,
    /// Write a page with the picture and all calls to a file
    #[arg(long, value_name = "FILE", requires = "session")]
    html: Option<PathBuf>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
}

/// Draws a session, or lists all. Codes: 0 found, 1 no record of it.
pub fn flow(options: &FlowOptions) -> Result<Told, String> {
    let history = History::read(&files(options)?)?;
    let Some(session) = &options.session else { return Ok(list(&history, options.json)) };
    let Some(graph) = Graph::of(&history, session) else {
        let error = format!("There is no record of session `{}`.", session.escape_default());
        let text = if options.json {
            json!({ "error": error }).to_string()
        } else {
            format!("{error}\n  hint: `lockgate flow` lists the sessions")
        };
        return Ok(Told { text, code: 1 });
    };
    let mut out = if options.json {
        for_machines(&graph).to_string()
    } else {
        let quiet = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        text::text(&graph, std::io::stdout().is_terminal() && !quiet)
    };
    for (file, drawn) in
        [(&options.svg, picture::svg as fn(&Graph<'_>) -> String), (&options.html, page::html)]
    {
        let Some(file) = file else { continue };
        write(file, &drawn(&graph))?;
        if !options.json {
            out.push_str(&format!("Drawn in {}\n", file.display()));
        }
    }
    Ok(Told { text: out, code: 0 })
}

/// The files of records, with those that were put aside before.
fn files(options: &FlowOptions) -> Result<Vec<PathBuf>, String> {
    if !options.records.is_empty() {
        return Ok(options.records.clone());
    }
    let policy = Policy::load(&options.config)?;
    let hint = "write `records: { file: records.jsonl }` in it, or name files with `--records`";
    let settings =
        policy.config.records.ok_or_else(|| format!("{}: keeps no records\n  hint: {hint}", policy.file))?;
    if let Some(folder) = settings.folder {
        return Ok(vec![folder]);
    }
    let Some(file) = settings.file else { return Ok(Vec::new()) };
    let aside = |number: u32| PathBuf::from(format!("{}.{number}", file.display()));
    let older = (1..=settings.keep).rev().map(aside).filter(|file| file.exists());
    Ok(older.chain([file.clone()]).collect())
}

fn write(file: &Path, drawn: &str) -> Result<(), String> {
    std::fs::write(file, drawn)
        .map_err(|error| format!("{}: cannot be written: {}", file.display(), crate::config::plain(&error)))
}

fn list(history: &History, json: bool) -> Told {
    let mut order: Vec<&str> = Vec::new();
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, entry) in history.entries.iter().enumerate() {
        last.insert(&entry.session, at);
    }
    order.extend(last.keys());
    order.sort_by_key(|session| std::cmp::Reverse(last.get(session).copied()));
    let total = order.len();
    let graphs: Vec<Graph<'_>> =
        order.into_iter().take(LISTED).filter_map(|session| Graph::of(history, session)).collect();
    if json {
        let sessions: Vec<Value> = graphs.iter().map(summary).collect();
        return Told { text: json!({ "sessions": sessions, "all": total }).to_string(), code: 0 };
    }
    let mut out = format!("{} in these records, the latest first\n", count(total, "session"));
    if let Some(complaint) = history.complaint() {
        out.push_str(&format!("{complaint}.\n"));
    }
    out.push('\n');
    let width =
        graphs.iter().map(|graph| plain(&graph.first.session).len()).max().unwrap_or_default().clamp(7, 40);
    out.push_str(&format!(
        "  {:width$}  {:19}  calls  approved  stopped  read from\n",
        "session", "last record"
    ));
    for graph in &graphs {
        let read: Vec<&str> = graph.read.iter().map(ServerName::as_str).collect();
        let last = graph.last.time.get(..19).unwrap_or(&graph.last.time).replacen('T', " ", 1);
        out.push_str(&format!(
            "  {:width$}  {last:19}  {:>5}  {:>8}  {:>7}  {}\n",
            plain(&graph.first.session),
            graph.calls.len(),
            graph.count(Outcome::Approved),
            graph.count(Outcome::Stopped),
            if read.is_empty() { "-".to_owned() } else { read.join(", ") }
        ));
    }
    Told { text: out, code: 0 }
}

fn summary(graph: &Graph<'_>) -> Value {
    json!({
        "session": graph.first.session,
        "principal": graph.first.principal.as_str(),
        "client": graph.first.client,
        "first": graph.first.time,
        "last": graph.last.time,
        "read": graph.read.iter().map(ServerName::as_str).collect::<Vec<_>>(),
        "calls": graph.calls.len(),
        "sent": graph.count(Outcome::Sent),
        "observed": graph.count(Outcome::Observed),
        "approved": graph.count(Outcome::Approved),
        "stopped": graph.count(Outcome::Stopped),
    })
}

fn for_machines(graph: &Graph<'_>) -> Value {
    let arrows = graph.arrows.iter().map(|arrow| {
        json!({ "from": arrow.from.name(), "to": arrow.to.as_str(), "outcome": arrow.outcome.word(),
            "rule": arrow.rule.map(|(rule, _)| rule), "reason": arrow.rule.map(|(_, reason)| reason),
            "calls": arrow.calls })
    });
    let calls = graph.calls.iter().map(|call| {
        let sources = call.sources.iter().map(|source| {
            json!({ "argument": source.argument, "server": source.server.as_ref().map(ServerName::as_str),
                "message": source.message, "integrity": source.integrity })
        });
        json!({ "correlation": call.entry.correlation, "time": call.entry.time, "server": call.server.as_str(),
            "target": call.entry.target, "outcome": call.outcome.word(), "rule": call.rule, "reason": call.reason,
            "sources": sources.collect::<Vec<Value>>() })
    });
    let mut value = summary(graph);
    if let Some(value) = value.as_object_mut() {
        value.insert("arrows".to_owned(), arrows.collect());
        value.insert("calls".to_owned(), calls.collect());
        value.insert("grade".to_owned(), json!(graph.grade));
    }
    value
}

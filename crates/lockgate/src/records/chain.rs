//! The chain of a value: argument, grade, where it was first seen, and what it would have needed.

use lockgate_model::ServerName;
use serde_json::{Value, json};

use super::explain::what;
use super::{Entry, Evidence, History, plain};

/// A value of a call, whether it stood against the call or not.
struct Link<'h> {
    argument: &'h str,
    /// None where it was never seen.
    have: Option<&'h str>,
    /// None where the user said it, or nobody.
    server: Option<&'h ServerName>,
    message: Option<u64>,
    /// What stood against the call, where this did.
    against: Option<&'h Evidence>,
}

/// What is said of the values of a call, each line with its name.
pub(super) fn lines(entry: &Entry, history: &History) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for link in links(entry) {
        let mut text = match link.argument {
            "" => "the call as a whole".to_owned(),
            argument => format!("`{}`", plain(argument)),
        };
        if let Some(against) = link.against {
            let role = against.role.as_ref().map_or_else(String::new, |role| format!(" as {role} of"));
            text.push_str(&format!("{role} a tool of effect {}", against.effect));
        }
        lines.push(("value", text));
        lines.push(("has", has(&link)));
        if let Some(first) = first(&link, entry, history) {
            lines.push(("first in", first));
        }
    }
    lines
}

/// The values of a call: what stood against it first, with what it needed.
fn links(entry: &Entry) -> Vec<Link<'_>> {
    let against = entry.evidence.as_ref().map(|evidence| Link {
        argument: &evidence.argument,
        have: evidence.have.as_deref(),
        server: evidence.server.as_ref(),
        message: evidence.message,
        against: Some(evidence),
    });
    let told = |argument: &str| against.as_ref().is_some_and(|against| against.argument == argument);
    let others = entry.sources.iter().filter(|source| !told(&source.argument)).map(|source| Link {
        argument: &source.argument,
        have: Some(&source.integrity),
        server: source.server.as_ref(),
        message: source.message,
        against: None,
    });
    let others: Vec<_> = others.collect();
    against.into_iter().chain(others).collect()
}

fn has(link: &Link<'_>) -> String {
    let have = match link.have {
        None if link.argument.is_empty() => "nothing that a person has named".to_owned(),
        None => "unknown: neither the user nor any server has given it".to_owned(),
        Some("endorsed") => "endorsed: the user said it, or a person approved it".to_owned(),
        Some(have) => have.to_owned(),
    };
    link.against.map_or_else(|| have.clone(), |against| format!("{have}; it needs {}", against.need))
}

/// Where the value was seen first: server, tool, reference and time.
fn first(link: &Link<'_>, entry: &Entry, history: &History) -> Option<String> {
    let server = link.server?;
    Some(match (link.message, found(link, entry, history)) {
        (Some(0), _) => format!("{server}: what it says of its own tools"),
        (None, _) => format!("{server}"),
        (Some(_), Some(brought)) => {
            format!("{server}: {} ({}, {})", what(brought), brought.correlation, brought.time)
        }
        (Some(message), None) => {
            format!("{server}: {}-{message}, which is not in these records", plain(&entry.session))
        }
    })
}

/// The request whose answer brought the value.
fn found<'h>(link: &Link<'_>, entry: &Entry, history: &'h History) -> Option<&'h Entry> {
    let correlation = format!("{}-{}", entry.session, link.message.filter(|message| *message > 0)?);
    history.entries.iter().find(|entry| entry.correlation == correlation)
}

/// The same for machines.
pub(super) fn for_machines(entry: &Entry, history: &History) -> Vec<Value> {
    links(entry)
        .iter()
        .map(|link| {
            let brought = found(link, entry, history);
            json!({
                "argument": link.argument,
                "have": link.have,
                "need": link.against.map(|against| &against.need),
                "role": link.against.and_then(|against| against.role.as_ref()),
                "effect": link.against.map(|against| &against.effect),
                "server": link.server.map(ServerName::as_str),
                "message": link.message,
                "correlation": brought.map(|entry| &entry.correlation),
                "target": brought.and_then(|entry| entry.target.as_ref()),
                "time": brought.map(|entry| &entry.time),
            })
        })
        .collect()
}

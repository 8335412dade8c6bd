//! What people and machines see of definitions. Everything that came from a server is escaped.

use std::collections::BTreeSet;

use lockgate_model::Reason;
use lockgate_provenance::diff::Code;
use lockgate_store::pins::{Answer, Basis, Cause, Entry, Key, Kind, State};
use serde_json::{Value, json};

use super::compare::pretty;
use crate::operator::show::{field, moment, names, plain, sentence, words, wrap};

/// What stands for a definition that the store does not have.
pub(super) const NOT_KEPT: &str =
    "The definition is not kept, for it is too large: only its digest is known.";

/// Entries under the names of their servers, and what can be done about them.
pub(super) fn list(entries: &mut [Entry]) -> String {
    entries.sort_by(|a, b| (&a.key, a.first).cmp(&(&b.key, b.first)));
    let mut out = String::new();
    let mut last = None;
    for entry in entries.iter() {
        let of = (&entry.key.tenant, &entry.key.server);
        if last.replace(of) != Some(of) {
            let gap = if out.is_empty() { "" } else { "\n" };
            let configuration = entry.key.place().1.map(|place| format!(", of {}", plain(place, 1_024)));
            let place = format!("{}{}", whose(&entry.key), configuration.unwrap_or_default());
            out.push_str(&format!("{gap}{}", wrap(&place, 2)));
        }
        out.push_str(&wrap(&format!("  {}  {}", plain(&entry.id, 40), plain(&name(&entry.key), 200)), 4));
        out.push_str(&sentence(&summary(entry), 4));
    }
    if entries.iter().any(|entry| entry.state == State::Waiting) {
        out.push_str("\nNext: `lockgate quarantine show ID` or `diff ID`, then `approve` or `reject`.\n");
    }
    out
}

/// Which definition it is, and how it stands.
pub(super) fn headline(entry: &Entry) -> String {
    let of = format!("{} of {}", plain(&name(&entry.key), 200), whose(&entry.key));
    let first = wrap(&format!("{}  {of}", plain(&entry.id, 40)), 2);
    first + &sentence(&standing(entry), 2)
}

/// What something is compared with.
pub(super) fn against(before: &Entry) -> String {
    sentence(&format!("compared with what is in force since {}", basis(before)), 2)
}

/// One thing that a difference means, and where.
pub(super) fn meant(code: Code, pointer: &str) -> String {
    let place = if pointer.is_empty() { "/" } else { pointer };
    sentence(&format!("risk {}: {} at {}", code.risk().word(), code.meaning(), plain(place, 200)), 2)
}

/// All that is known of an entry.
pub(super) fn full(entry: &Entry, before: Option<&Entry>) -> String {
    let mut out = headline(entry);
    out.push('\n');
    let key = &entry.key;
    let (server, configuration) = key.place();
    field(&mut out, "server", &plain(server, 200));
    if let Some(configuration) = configuration {
        field(&mut out, "config", &plain(configuration, 1_024));
    }
    field(&mut out, "tenant", &tenant(&key.tenant));
    field(&mut out, "kind", key.kind.word());
    if !key.name.is_empty() {
        field(&mut out, "name", &plain(&key.name, Key::LONGEST));
    }
    field(&mut out, "sha256", entry.digest.trim_start_matches("sha256:"));
    out.push_str(&format!("{:<11}{}", "why", sentence(&causes(entry), 11).trim_start()));
    let seen = format!("{} first, {} last", moment(entry.first), moment(entry.last));
    field(&mut out, "seen", &seen);
    let now = match before {
        Some(before) if before.id == entry.id => "this one".to_owned(),
        Some(before) => format!("{} since {}", plain(&before.id, 40), basis(before)),
        None => "nothing".to_owned(),
    };
    field(&mut out, "in force", &now);
    for vote in &entry.votes {
        let why = vote.why.as_ref().map_or_else(String::new, |why| format!(": {}", words(why)));
        field(&mut out, "vote", &format!("{} {}: yes{why}", moment(vote.at), plain(&vote.by, 60)));
    }
    match &entry.definition {
        None => out.push_str(&format!("\n{NOT_KEPT}\n")),
        Some(definition) => {
            out.push_str("\nThe definition; what could hide or move text is written as \\u{…}:\n");
            for line in pretty(definition) {
                out.push_str(&format!("  {}", wrap(&line.shown(), 4)));
            }
        }
    }
    out
}

/// What has come of an answer, and what happens next.
pub(super) fn answered(entry: &Entry, answer: Answer) -> String {
    let said = match answer {
        Answer::Approved => match entry.cause {
            Cause::Changed => "approved: in force from now on, in place of the one before",
            Cause::First | Cause::Added | Cause::Renamed { .. } => "approved: in force from now on",
        }
        .to_owned(),
        Answer::Voted { have, need } => {
            let left = need.saturating_sub(have);
            let who = if left == 1 { "one more person".to_owned() } else { format!("{left} more people") };
            format!("{have} of {need} said yes: it stays withheld until {who} did")
        }
        Answer::Refused if entry.state == State::Approved => {
            "refused: nothing is in force for it now, and whatever comes next waits for a person".to_owned()
        }
        Answer::Refused => "refused: it stays withheld until somebody approves it".to_owned(),
        Answer::AsBefore => format!("as before: {}", standing(entry)),
        Answer::Unknown => "forgotten meanwhile".to_owned(),
    };
    let of = format!("{} of {}", plain(&name(&entry.key), 200), whose(&entry.key));
    wrap(&format!("{}  {of}", plain(&entry.id, 40)), 2) + &sentence(&said, 2)
}

/// An entry for machines, without its definition.
pub(super) fn object(entry: &Entry) -> Value {
    let former = match &entry.cause {
        Cause::Renamed { from } => Some(from),
        Cause::First | Cause::Added | Cause::Changed => None,
    };
    let votes: Vec<Value> = entry
        .votes
        .iter()
        .map(|vote| json!({ "approver": vote.by, "why": vote.why, "at": moment(vote.at) }))
        .collect();
    let (server, configuration) = entry.key.place();
    json!({
        "id": entry.id, "standing": entry.state.word(), "tenant": entry.key.tenant, "server": server,
        "configuration": configuration,
        "kind": entry.key.kind.word(), "name": entry.key.name, "digest": entry.digest, "cause": entry.cause.word(),
        "renamed_from": former, "why": entry.why, "have": entry.votes.len(), "need": entry.need,
        "since": moment(entry.since), "by": entry.by, "basis": entry.basis.map(Basis::word),
        "first_seen": moment(entry.first), "last_seen": moment(entry.last), "bytes": entry.bytes, "votes": votes,
    })
}

/// An answer for machines.
pub(super) fn answer_object(entry: &Entry, answer: Answer) -> Value {
    match answer {
        Answer::Approved => json!({ "id": entry.id, "standing": "approved", "changed": true }),
        Answer::Refused => json!({ "id": entry.id, "standing": "refused", "changed": true }),
        Answer::Voted { have, need } => {
            json!({ "id": entry.id, "standing": entry.state.word(), "changed": true, "have": have, "need": need })
        }
        Answer::AsBefore | Answer::Unknown => {
            json!({ "id": entry.id, "standing": entry.state.word(), "changed": false })
        }
    }
}

/// A definition's kind and name.
fn name(key: &Key) -> String {
    match key.kind {
        Kind::Instructions | Kind::Identity => key.kind.word().to_owned(),
        Kind::Tool | Kind::Prompt | Kind::Resource | Kind::Template => {
            format!("{} {}", key.kind.word(), key.name)
        }
    }
}

fn whose(key: &Key) -> String {
    let server = plain(key.place().0, 200);
    if key.tenant.is_empty() { server } else { format!("{server}, for tenant {}", plain(&key.tenant, 60)) }
}

fn tenant(tenant: &str) -> String {
    if tenant.is_empty() { "everybody".to_owned() } else { plain(tenant, 200) }
}

fn summary(entry: &Entry) -> String {
    match entry.state {
        State::Waiting => format!("{}; {}", causes(entry), standing(entry)),
        State::Approved | State::Refused => standing(entry),
    }
}

fn standing(entry: &Entry) -> String {
    match entry.state {
        State::Waiting => {
            format!("waits since {}: {} of {} said yes", moment(entry.since), entry.votes.len(), entry.need)
        }
        State::Approved => format!("in force since {}", basis(entry)),
        State::Refused => {
            let by = entry.by.as_deref().map_or_else(|| "nobody".to_owned(), |by| plain(by, 60));
            format!("refused since {} by {by}", moment(entry.since))
        }
    }
}

/// Since when something is in force, and why.
fn basis(entry: &Entry) -> String {
    let by = || {
        let votes: Vec<String> = entry.votes.iter().map(|vote| vote.by.clone()).collect();
        let by: Vec<String> = entry.by.clone().into_iter().collect();
        names(if votes.is_empty() { &by } else { &votes })
    };
    let how = match entry.basis {
        Some(Basis::FirstUse) => "trusted at first use".to_owned(),
        Some(Basis::Person) => format!("approved by {}", by()),
        Some(Basis::Lock) => format!("from a lock file, by {}", by()),
        None => "approved".to_owned(),
    };
    format!("{}, {how}", moment(entry.since))
}

/// Why it waits: what it is against what is pinned, then what the codes mean that say more.
fn causes(entry: &Entry) -> String {
    let cause = match &entry.cause {
        Cause::First => "nothing of this server was approved before".to_owned(),
        Cause::Added => "new since the server was approved".to_owned(),
        Cause::Changed => "another definition is approved under this name".to_owned(),
        Cause::Renamed { from } => format!("but for its name the same as `{}`", plain(from, 100)),
    };
    let more: BTreeSet<String> = more(entry)
        .map(|code| {
            let reason = Reason::ALL.iter().find(|reason| reason.code() == code);
            reason.map_or_else(|| plain(code, 64).replace('_', " "), |reason| reason.meaning().to_owned())
        })
        .collect();
    std::iter::once(cause).chain(more).collect::<Vec<String>>().join("; ")
}

/// The codes that say more than that it is not approved.
pub(super) fn more(entry: &Entry) -> impl Iterator<Item = &str> {
    let said = [Reason::ToolQuarantined, Reason::DefinitionDrift, Reason::DefinitionQuarantined];
    entry.why.iter().map(String::as_str).filter(move |code| said.iter().all(|reason| reason.code() != *code))
}

/// JSON of nothing but ASCII: what a server's text hides or reorders is seen there too.
pub(super) fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            // Only strings can hold such characters.
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

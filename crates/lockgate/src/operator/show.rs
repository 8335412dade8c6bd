//! What people and machines see of approvals. Everything that came from outside is escaped.

use std::time::{Duration, UNIX_EPOCH};

use lockgate_model::Untrusted;
use lockgate_store::{Ballot, Entry, Scope, Voice, rfc3339};
use serde_json::{Value, json};

/// Widest line.
const WIDTH: usize = 80;
/// Where values begin.
const INDENT: usize = 11;

/// Text for a terminal, as [`Untrusted::escaped`].
pub(super) fn plain(text: &str, most: usize) -> String {
    Untrusted::new(text).escaped(most)
}

/// What an operator wrote, in any language: letters and digits stay, whatever could move a cursor, hide or reorder
/// text does not.
pub(super) fn words(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    out
}

/// A moment in milliseconds since 1970, as RFC 3339 in whole seconds.
pub(super) fn moment(at: u64) -> String {
    rfc3339(UNIX_EPOCH + Duration::from_secs(at / 1_000)).replace(".000000", "")
}

/// How long it is until a moment: rounded down, so that nobody is promised more.
pub(super) fn left(until: u64, now: u64) -> String {
    let seconds = until.saturating_sub(now) / 1_000;
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..172_800 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} days", hours / 24),
    }
}

pub(super) fn scope(scope: Scope) -> String {
    match scope {
        Scope::Once => "once".to_owned(),
        Scope::Session => "for the session".to_owned(),
        Scope::Value { until } => format!("until {}", moment(until)),
    }
}

/// How an entry stands, in a few words.
pub(super) fn standing(entry: &Entry, now: u64) -> String {
    let left = left(entry.request.expires, now);
    match &entry.ballot {
        Ballot::Waiting { have, need } => format!("waits: {have} of {need} said yes, {left} left"),
        Ballot::Approved { by, scope } => {
            let what = match scope {
                Scope::Once => "to be used once",
                Scope::Session => "for the session",
                Scope::Value { .. } => "for these arguments",
            };
            format!("approved by {} {what}, {left} left", names(by))
        }
        Ballot::Denied { by, why } => format!("denied by {}{}", plain(by, 60), because(why.as_deref())),
        Ballot::Expired if entry.uses > 0 => format!("over; used {}", times(entry.uses)),
        Ballot::Expired => "expired".to_owned(),
        Ballot::Used => format!("used at {}", entry.used.map_or_else(String::new, moment)),
    }
}

/// Names, as a list in a sentence.
pub(super) fn names(by: &[String]) -> String {
    let shown: Vec<String> = by.iter().map(|name| plain(name, 60)).collect();
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "nobody".to_owned(),
    }
}

fn because(why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!(": {}", words(why)))
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// An entry among others: three lines.
pub(super) fn brief(entry: &Entry, now: u64) -> String {
    let request = &entry.request;
    let tool = clip(&plain(&format!("{}/{}", request.server, request.tool), 60), 58);
    let whom = plain(&request.principal, 30);
    let waiting = match (&entry.ballot, entry.waiting) {
        (Ballot::Waiting { .. }, 2..) => format!("; {} callers wait", entry.waiting),
        _ => String::new(),
    };
    let status = clip(&format!("for {whom}; {}{waiting}", standing(entry, now)), WIDTH - 2);
    let arguments = clip(&plain(&request.arguments, WIDTH), WIDTH - 2);
    format!("{}  {tool}\n  {status}\n  {arguments}\n", plain(&entry.id, 40))
}

fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// An entry and how it stands.
pub(super) fn headline(entry: &Entry, now: u64) -> String {
    format!("{}\n{}", plain(&entry.id, 40), sentence(&standing(entry, now), 2))
}

/// All that is known of an entry.
pub(super) fn full(entry: &Entry, now: u64) -> String {
    let request = &entry.request;
    let mut out = headline(entry, now);
    out.push('\n');
    field(&mut out, "server", &plain(&request.server, 200));
    field(&mut out, "tool", &plain(&request.tool, 200));
    field(&mut out, "arguments", &plain(&request.arguments, 20_000));
    field(&mut out, "effect", &plain(&request.effect, 60));
    field(
        &mut out,
        "origin",
        &request.origin.as_ref().map_or_else(|| "none known".to_owned(), |from| plain(from, 2_000)),
    );
    field(&mut out, "principal", &plain(&request.principal, 200));
    field(&mut out, "session", &plain(&request.session, 200));
    field(&mut out, "rule", &plain(&request.rule, 1_000));
    field(&mut out, "reason", &plain(&request.reason, 2_000));
    field(&mut out, "asked", &moment(request.created));
    field(&mut out, "until", &moment(request.expires));
    if matches!(entry.ballot, Ballot::Waiting { .. }) {
        let waiting = match entry.waiting {
            0 => "nobody; a yes counts when the call is made again".to_owned(),
            1 => "1 caller".to_owned(),
            many => format!("{many} callers; each needs a yes of its own"),
        };
        field(&mut out, "waiting", &waiting);
    }
    if let Some(used) = entry.used {
        field(&mut out, "used", &format!("{}, last at {}", times(entry.uses), moment(used)));
    }
    for Voice { vote, at } in &entry.votes {
        let said = if vote.yes { format!("yes, {}", scope(vote.scope)) } else { "no".to_owned() };
        let who = plain(&vote.approver, 60);
        field(&mut out, "vote", &format!("{} {who}: {said}{}", moment(*at), because(vote.why.as_deref())));
    }
    out
}

pub(super) fn field(out: &mut String, name: &str, value: &str) {
    let value = wrap(value, INDENT);
    out.push_str(&format!("{name:<INDENT$}{value}"));
}

/// Lines of at most 80 characters, those after the first indented. Cut anywhere: what is shown is exact.
pub(super) fn wrap(text: &str, indent: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut lines = chars.chunks(WIDTH - indent).map(|line| line.iter().collect::<String>());
    let mut out = lines.next().unwrap_or_default();
    for line in lines {
        out.push_str(&format!("\n{:indent$}{line}", ""));
    }
    out.push('\n');
    out
}

/// A sentence in lines of at most 80 characters, all of them indented.
pub(super) fn sentence(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut width = WIDTH;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width + 1 + length > WIDTH {
            out.push_str(&format!("{}{:indent$}{word}", if out.is_empty() { "" } else { "\n" }, ""));
            width = indent + length;
        } else {
            out.push_str(&format!(" {word}"));
            width += 1 + length;
        }
    }
    out.push('\n');
    out
}

/// An entry for machines.
pub(super) fn object(entry: &Entry) -> Value {
    let request = &entry.request;
    let votes: Vec<Value> = entry
        .votes
        .iter()
        .map(|Voice { vote, at }| {
            let scope = vote.yes.then(|| scope_object(vote.scope));
            json!({
                "approver": vote.approver, "yes": vote.yes, "why": vote.why, "scope": scope, "at": moment(*at),
            })
        })
        .collect();
    let mut object = ballot(&entry.id, &entry.ballot);
    let more = json!({
        "server": request.server, "tool": request.tool, "arguments": request.arguments, "effect": request.effect,
        "origin": request.origin, "principal": request.principal, "session": request.session,
        "rule": request.rule, "reason": request.reason, "approvers": request.approvers,
        "asked": moment(request.created), "until": moment(request.expires), "callers_waiting": entry.waiting,
        "uses": entry.uses, "used": entry.used.map(moment), "votes": votes,
    });
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

/// How an entry stands, for machines.
pub(super) fn ballot(id: &str, ballot: &Ballot) -> Value {
    match ballot {
        Ballot::Waiting { have, need } => {
            json!({ "id": id, "standing": "waiting", "have": have, "need": need })
        }
        Ballot::Approved { by, scope } => {
            json!({ "id": id, "standing": "approved", "by": by, "scope": scope_object(*scope) })
        }
        Ballot::Denied { by, why } => json!({ "id": id, "standing": "denied", "by": [by], "why": why }),
        Ballot::Expired => json!({ "id": id, "standing": "expired" }),
        Ballot::Used => json!({ "id": id, "standing": "used" }),
    }
}

fn scope_object(scope: Scope) -> Value {
    match scope {
        Scope::Once => json!("once"),
        Scope::Session => json!("session"),
        Scope::Value { until } => json!({ "until": moment(until) }),
    }
}

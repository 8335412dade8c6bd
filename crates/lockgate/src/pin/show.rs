//! What was found, for people and for machines.

use std::collections::BTreeMap;

use lockgate_model::{Json, ToolName, Untrusted};
use lockgate_provenance::diff::{Diff, Risk};
use lockgate_provenance::{Kind, Name};
use serde_json::{Value, json};

use super::look::{self, Attested, Change, Found};
use crate::config::Config;

/// Deepest nesting of a definition.
const DEPTH: usize = 1_024;
/// Most characters of a name.
const SHOWN: usize = 100;

/// For people.
pub(super) fn text(config: &Config, found: &[Found], check: bool) -> String {
    let mut out = String::new();
    for found in found {
        out.push_str(&server(config, found));
    }
    let different = found.iter().filter(|found| found.differs(&config.lock)).count();
    let file = config.lock_file.display();
    let end = match (check, different) {
        (true, 0) => format!("{file} says what the servers say."),
        (true, _) => {
            format!("{file} is not what the servers say. `lockgate pin` without `--check` takes that in.")
        }
        (false, 0) => format!("{file} was up to date."),
        (false, _) => {
            format!("{file} is written. Keep it in your repository, and look at what changes in it.")
        }
    };
    out + "\n" + &end
}

fn server(config: &Config, found: &Found) -> String {
    let mut out = format!("{}\n", found.server);
    let mut line = |text: &str| out.push_str(&format!("  {text}\n"));
    match &found.offered {
        Err(why) => {
            line(&format!("not known: {why}"));
            return out;
        }
        Ok(locked) => {
            let origin = &locked.origin;
            let get = |key: &str| origin.get(key).map(|text| Untrusted::new(text.as_str()).escaped(SHOWN));
            match (get("kind"), get("name"), get("version")) {
                (Some(kind), Some(name), Some(version)) => line(&format!("{kind} {name} {version}")),
                (Some(kind), Some(name), None) => line(&format!("{kind} {name}")),
                _ => {}
            }
            let before = config.lock.servers.get(&found.server).map(|before| &before.origin);
            if before.is_some_and(|before| before != origin) {
                line("another origin than the lock file has");
            }
            if let Some(why) = found.unresolved.filter(|_| look::is_program(config, &found.server)) {
                line(&format!("its program is not pinned: {why}"));
            }
            match &found.attested {
                Attested::NotAsked => {}
                Attested::Untraced(why) => line(&format!("nobody can say who made it: {why}")),
                Attested::Kept => {
                    line("its registry attests who made it; that is verified where `require` asks for it");
                }
                Attested::Nothing => line("nobody attests who made it"),
                Attested::Failed(error) => {
                    line(&format!("its registry could not be asked who made it: {error}"));
                }
            }
            if !locked.owner.is_empty() {
                let parts = locked
                    .owner
                    .iter()
                    .map(|(part, text)| format!("{part} {}", Untrusted::new(text.as_str()).escaped(SHOWN)));
                line(&parts.collect::<Vec<_>>().join("; "));
            }
            line(&counts(locked.definitions().map(|(name, _)| name.kind)));
        }
    }
    for (name, why) in &found.unfit {
        line(&format!("left out: {}: {why}", Untrusted::new(name.as_str()).escaped(SHOWN)));
    }
    let known = config.lock.servers.contains_key(&found.server);
    for (name, change) in found.changes(&config.lock).into_iter().filter(|_| known) {
        match change {
            Change::Added => line(&format!("+ {}", shown(&name))),
            Change::Removed => line(&format!("- {}", shown(&name))),
            Change::Changed => {
                let risk = diff(config, found, &name).map(|diff| format!(", risk {}", diff.risk().word()));
                line(&format!("~ {}{}", shown(&name), risk.unwrap_or_default()));
            }
        }
    }
    out
}

/// `3 tools, 1 prompt, instructions`.
fn counts(kinds: impl Iterator<Item = Kind>) -> String {
    let mut count: BTreeMap<Kind, usize> = BTreeMap::new();
    kinds.for_each(|kind| *count.entry(kind).or_default() += 1);
    let words = count.into_iter().filter_map(|(kind, count)| match (kind, count) {
        (Kind::Identity, _) => None,
        (Kind::Instructions, _) => Some("instructions".to_owned()),
        (kind, 1) => Some(format!("1 {}", kind.word())),
        (kind, count) => Some(format!("{count} {}s", kind.word())),
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "offers nothing".to_owned() } else { words.join(", ") }
}

fn shown(name: &Name) -> String {
    let text = match name.kind {
        Kind::Tool | Kind::Prompt => ToolName::new(&name.name).shown().to_owned(),
        Kind::Resource | Kind::Template => Untrusted::new(name.name.as_str()).escaped(SHOWN),
        Kind::Instructions | Kind::Identity => return name.kind.word().to_owned(),
    };
    format!("{} {text}", name.kind.word())
}

fn diff(config: &Config, found: &Found, name: &Name) -> Option<Diff> {
    let before = config.lock.servers.get(&found.server)?.definition(name)?;
    let now = found.offered.as_ref().ok()?.definition(name)?;
    let read = |text| Json::check(text, DEPTH).ok();
    Some(Diff::of(name.kind, read(before.text().as_bytes())?, read(now.text().as_bytes())?))
}

/// For machines.
pub(super) fn json(config: &Config, found: &[Found], check: bool) -> String {
    let servers: serde_json::Map<String, Value> =
        found.iter().map(|found| (found.server.to_string(), object(config, found))).collect();
    let different = found.iter().any(|found| found.differs(&config.lock));
    json!({
        "lock_file": config.lock_file.display().to_string(),
        "written": !check,
        "different": different,
        "servers": servers,
    })
    .to_string()
}

fn object(config: &Config, found: &Found) -> Value {
    let Ok(locked) = &found.offered else {
        let error = found.offered.as_ref().err().map(ToString::to_string);
        return json!({ "error": error });
    };
    let changes = found.changes(&config.lock);
    let changes: Vec<Value> = changes
        .into_iter()
        .map(|(name, change)| {
            let word = match change {
                Change::Added => "added",
                Change::Removed => "removed",
                Change::Changed => "changed",
            };
            let diff = diff(config, found, &name);
            let codes = diff.as_ref().map(|diff| {
                let codes = diff.changes().iter().flat_map(|change| change.codes.iter());
                codes.map(|code| code.word()).collect::<std::collections::BTreeSet<_>>()
            });
            let risk = diff.as_ref().map(Diff::risk).map(Risk::word);
            json!({ "kind": name.kind.word(), "name": name.name, "change": word, "risk": risk, "codes": codes })
        })
        .collect();
    let attested = match &found.attested {
        Attested::NotAsked => Value::Null,
        Attested::Kept => json!("kept"),
        Attested::Nothing => json!("none"),
        Attested::Failed(_) => json!("failed"),
        Attested::Untraced(_) => json!("untraced"),
    };
    json!({
        "origin": locked.origin,
        "unresolved": found.unresolved.map(|why| why.to_string()),
        "owner": locked.owner,
        "attested": attested,
        "definitions": locked.definitions().count(),
        "changes": changes,
    })
}

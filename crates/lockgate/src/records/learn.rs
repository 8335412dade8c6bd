//! `lockgate learn`: a policy with the least rights that still allows what was done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_flow::{Definition, effect_of};
use lockgate_model::{Effect, Json, Kind, ServerName, quote};
use lockgate_policy::test::PathTest;
use lockgate_policy::{Action, Subject};

use super::replay::{Replayer, Verdict};
use super::{Arguments, Entry, History};
use crate::command::Told;
use crate::config::Config;
use crate::rehearse::{Policy, Unset, count};

/// Most different values that are written out.
const VALUES: usize = 5;
/// Fewest calls for each of them, or for a folder: below that, chance could have left others out.
const CALLS_A_VALUE: usize = 3;
/// Most addresses that are written out; more become the folder they share.
const ADDRESSES: usize = 8;

/// What to learn from.
#[derive(Args)]
pub struct LearnOptions {
    /// Files of records, oldest first
    #[arg(required = true, value_name = "RECORDS")]
    records: Vec<PathBuf>,
    /// Write the policy to this new file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// One JSON object for machines, with the policy in it
    #[arg(long)]
    json: bool,
}

/// What was seen of one tool, prompt or resource.
#[derive(Default)]
struct Seen<'h> {
    /// Calls that were sent or held.
    calls: Vec<&'h Entry>,
    /// Calls that were refused, by reason.
    refused: BTreeMap<&'h str, usize>,
}

/// What was seen of one server.
#[derive(Default)]
struct Server<'h> {
    tools: BTreeMap<&'h str, Seen<'h>>,
    prompts: BTreeMap<&'h str, Seen<'h>>,
    resources: BTreeMap<&'h str, Seen<'h>>,
    unnamed: usize,
}

/// Tools whose arguments are not to be narrowed.
type Wide = BTreeSet<(ServerName, String)>;

/// Proposes a policy. What it would refuse of what was allowed is put right before it is handed out.
pub fn learn(options: &LearnOptions) -> Result<Told, String> {
    let history = History::read(&options.records)?;
    let servers = survey(&history);
    if servers.is_empty() {
        return Err("no call reached a server in these records, so there is nothing to learn".to_owned());
    }
    let mut wide = Wide::new();
    let text = loop {
        let text = propose(&history, &servers, &wide);
        let refused = refused(&text, &history)?;
        if refused.is_subset(&wide) {
            break text;
        }
        wide.extend(refused);
    };
    if let Some(file) = &options.output {
        write_new(file, &text)?;
    }
    let tools: usize = servers
        .values()
        .map(|server| server.tools.values().filter(|seen| !seen.calls.is_empty()).count())
        .sum();
    let said = match &options.output {
        Some(file) => format!(
            "{}: {} with {}. Write how each server is reached, then run `lockgate check {0}`.\n",
            file.display(),
            count(servers.len(), "server"),
            count(tools, "tool")
        ),
        None => text.clone(),
    };
    let text = if options.json {
        serde_json::json!({ "policy": text, "servers": servers.len(), "tools": tools,
            "file": options.output.as_ref().map(|file| file.to_string_lossy()) })
        .to_string()
    } else {
        said
    };
    Ok(Told { text, code: 0 })
}

fn write_new(file: &Path, text: &str) -> Result<(), String> {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        let hint = if error.kind() == std::io::ErrorKind::AlreadyExists {
            "\n  hint: it exists, and is not overwritten; name another file"
        } else {
            ""
        };
        format!("{}: the file cannot be written: {}{hint}", file.display(), crate::config::plain(&error))
    })
}

fn survey(history: &History) -> BTreeMap<&ServerName, Server<'_>> {
    let mut servers: BTreeMap<&ServerName, Server<'_>> = BTreeMap::new();
    for entry in &history.entries {
        let (Some(subject), Some(name)) = (entry.subject(), &entry.server) else { continue };
        let server = servers.entry(name).or_default();
        let Some(target) = entry.name() else {
            server.unnamed += 1;
            continue;
        };
        let seen = match subject {
            Subject::Tool => server.tools.entry(target).or_default(),
            Subject::Prompt => server.prompts.entry(target).or_default(),
            Subject::Resource => server.resources.entry(target).or_default(),
        };
        if history.was(entry) == Action::Deny {
            *seen.refused.entry(history.reason(entry).unwrap_or("no reason given")).or_default() += 1;
        } else {
            seen.calls.push(entry);
        }
    }
    servers
}

/// Tools that the policy refuses although they were allowed.
fn refused(text: &str, history: &History) -> Result<Wide, String> {
    let config = Config::parse(text, "the proposed policy", Path::new("."), &Unset::new(text))
        .map_err(|errors| errors.to_string())?;
    let policy = Policy { file: String::new(), text: text.to_owned(), config };
    let mut replayer = Replayer::new(&policy);
    let mut refused = Wide::new();
    for entry in history.entries.iter().filter(|entry| entry.subject() == Some(Subject::Tool)) {
        if history.was(entry) < Action::Deny
            && let Verdict::Other(now) = replayer.decide(history, entry)?
            && now.action >= Action::Deny
            && let (Some(server), Some(name)) = (&entry.server, entry.name())
        {
            refused.insert((server.clone(), name.to_owned()));
        }
    }
    Ok(refused)
}

fn propose(history: &History, servers: &BTreeMap<&ServerName, Server<'_>>, wide: &Wide) -> String {
    let times =
        history.entries.first().zip(history.entries.last()).map(|(first, last)| (day(first), day(last)));
    let times = match times {
        None => String::new(),
        Some((first, last)) if first == last => format!(" of {first}"),
        Some((first, last)) => format!(", {first} to {last}"),
    };
    let requests = history.entries.iter().filter(|entry| entry.subject().is_some()).count();
    let mut out = format!(
        "# Proposed by `lockgate learn` from {}{times}:\n\
         # what was used is allowed, all else is refused. Look at every line before you\n\
         # rely on it: records show what was done, not what was right. They do not hold\n\
         # how a server is reached and how far it is trusted: write `url` or `command`,\n\
         # and `tier`.\n",
        count(requests, "request")
    );
    let kept = history
        .entries
        .iter()
        .any(|entry| matches!(entry.arguments, Arguments::Known(_)) && entry.name().is_some());
    if !kept {
        out.push_str(
            "#\n# The records hold no arguments, so no rule is about them. To learn such rules\n\
             # too, keep them for a while: `records: { file: …, arguments: true }`.\n",
        );
    }
    out.push_str("servers:\n");
    for (name, server) in servers {
        out.push_str(&format!("  {name}:\n    url: https://{name}.invalid/mcp\n    default: deny\n"));
        section(&mut out, "tools", name, &server.tools, wide);
        section(&mut out, "prompts", name, &server.prompts, wide);
        addresses(&mut out, &server.resources);
        if server.unnamed > 0 {
            out.push_str(&format!(
                "    # {} of names that records cannot hold: refused.\n",
                count(server.unnamed, "request")
            ));
        }
    }
    out
}

fn day(entry: &Entry) -> &str {
    entry.time.get(..10).unwrap_or("?")
}

fn section(out: &mut String, key: &str, server: &ServerName, all: &BTreeMap<&str, Seen<'_>>, wide: &Wide) {
    if all.values().any(|seen| !seen.calls.is_empty()) {
        out.push_str(&format!("    {key}:\n"));
    }
    for (name, seen) in all.iter().filter(|(_, seen)| !seen.calls.is_empty()) {
        let effect = if key == "tools" { effect_of(name, Definition::default(), None) } else { Effect::Read };
        let action = if effect > Effect::Read { "ask" } else { "allow" };
        let narrowed = key == "tools" && !wide.contains(&(server.clone(), (*name).to_owned()));
        let (require, deny_if) = if narrowed { conditions(&seen.calls) } else { (Vec::new(), Vec::new()) };
        let comment = format!(" # {}", comment(seen, effect));
        if require.is_empty() && deny_if.is_empty() {
            out.push_str(&format!("      {}: {action}{comment}\n", scalar(name)));
            continue;
        }
        out.push_str(&format!("      {}:{comment}\n        action: {action}\n", scalar(name)));
        if !require.is_empty() {
            out.push_str("        require:\n");
        }
        for (argument, test) in &require {
            out.push_str(&format!("          {}: {test}\n", scalar(argument)));
        }
        if !deny_if.is_empty() {
            out.push_str("        deny_if:\n");
        }
        for (argument, test) in &deny_if {
            out.push_str(&format!("          - {}: {test}\n", scalar(argument)));
        }
    }
    refusals(out, all);
}

fn refusals(out: &mut String, all: &BTreeMap<&str, Seen<'_>>) {
    for (name, seen) in all.iter().filter(|(_, seen)| seen.calls.is_empty()) {
        let name = lockgate_model::Untrusted::new(name).escaped(200);
        out.push_str(&format!("    # {name}: refused {}; still is\n", reasons(seen)));
    }
}

/// `3 calls by alice, bob; refused 2 times (tool_denied)`.
fn comment(seen: &Seen<'_>, effect: Effect) -> String {
    let people: BTreeSet<&str> = seen.calls.iter().map(|entry| entry.principal.as_str()).collect();
    let people: Vec<&str> = people.into_iter().collect();
    let mut said = format!("{}, {} by {}", effect.word(), count(seen.calls.len(), "call"), people.join(", "));
    if !seen.refused.is_empty() {
        said.push_str(&format!("; refused {}", reasons(seen)));
    }
    said
}

fn reasons(seen: &Seen<'_>) -> String {
    let total: usize = seen.refused.values().sum();
    let reasons: Vec<&str> = seen.refused.keys().copied().collect();
    let times = if total == 1 { "once".to_owned() } else { format!("{total} times") };
    format!("{times} ({})", reasons.join(", "))
}

fn addresses(out: &mut String, all: &BTreeMap<&str, Seen<'_>>) {
    let used: Vec<(&str, usize)> = all
        .iter()
        .filter(|(_, seen)| !seen.calls.is_empty())
        .map(|(name, seen)| (*name, seen.calls.len()))
        .collect();
    let mut patterns: BTreeMap<String, usize> = BTreeMap::new();
    for (name, calls) in &used {
        let pattern = if used.len() > ADDRESSES {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{}/*", folder.trim_end_matches('/'))
        } else {
            (*name).to_owned()
        };
        *patterns.entry(writable(&pattern)).or_default() += calls;
    }
    if !patterns.is_empty() {
        out.push_str("    resources:\n");
    }
    for (pattern, calls) in &patterns {
        out.push_str(&format!("      {}: allow # read {}\n", quote(pattern), count(*calls, "time")));
    }
    refusals(out, all);
}

/// An address as a pattern: `*` for what no pattern can hold.
fn writable(address: &str) -> String {
    let mut out = String::new();
    for c in address.chars() {
        let c = if matches!(c, '?' | '[' | ']' | '{' | '}' | '!') { '*' } else { c };
        if c != '*' || !out.ends_with('*') {
            out.push(c);
        }
    }
    out
}

type Tests = Vec<(String, String)>;

/// Tests that all these calls pass: what must hold, and, for arguments that are not always there, what must not.
fn conditions(calls: &[&Entry]) -> (Tests, Tests) {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in calls {
        match &entry.arguments {
            Arguments::None => {}
            Arguments::Digest => return (Tests::new(), Tests::new()),
            Arguments::Known(text) => {
                let Ok(json) = Json::check(text.as_bytes(), 128) else { return (Tests::new(), Tests::new()) };
                for (name, value) in json.members() {
                    let text = value.written().to_owned();
                    values.entry(name.text().into_owned()).or_default().push(text);
                }
            }
        }
    }
    let (mut require, mut deny_if) = (Tests::new(), Tests::new());
    for (name, values) in values {
        let always = values.len() == calls.len();
        let selector = if name.starts_with('/') {
            format!("/{}", name.replace('~', "~0").replace('/', "~1"))
        } else {
            name
        };
        if let Some(root) = common_folder(&values) {
            if always {
                require.push((selector, format!("{{ path: {{ inside: [{}] }} }}", quote(&root))));
            }
        } else if let Some(few) = few(&values) {
            if always {
                require.push((selector, format!("[{few}]")));
            } else {
                deny_if.push((selector, format!("{{ none_of: [{few}] }}")));
            }
        }
    }
    (require, deny_if)
}

/// The values, where they are plain and so few that they look like a choice.
fn few(values: &[String]) -> Option<String> {
    let different: BTreeSet<&String> = values.iter().collect();
    let plain = |raw: &&String| {
        Json::check(raw.as_bytes(), 1)
            .is_ok_and(|json| matches!(json.kind(), Kind::String | Kind::Bool | Kind::Number))
            && raw.len() <= 80
    };
    let few = different.len() <= VALUES && values.len() >= different.len() * CALLS_A_VALUE;
    let written: Vec<String> = different.iter().map(|raw| (*raw).clone()).collect();
    (few && different.iter().all(plain)).then(|| written.join(", "))
}

/// The folder that all of these paths share, where they are absolute paths and it is not the root.
fn common_folder(values: &[String]) -> Option<String> {
    let text = |raw: &String| Json::check(raw.as_bytes(), 1).ok()?.text().map(std::borrow::Cow::into_owned);
    if values.len() < CALLS_A_VALUE {
        return None;
    }
    let paths: Vec<String> = values.iter().map(text).collect::<Option<_>>()?;
    let mut shared: Option<Vec<&str>> = None;
    for path in &paths {
        let steps: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        if steps.iter().any(|step| matches!(*step, "" | "." | "..")) {
            return None;
        }
        let folder = steps.get(..steps.len() - 1).unwrap_or_default();
        shared = Some(match shared {
            None => folder.to_vec(),
            Some(shared) => shared.iter().zip(folder).take_while(|(a, b)| a == b).map(|(a, _)| *a).collect(),
        });
    }
    let shared = shared.filter(|shared| !shared.is_empty())?;
    let root = format!("/{}", shared.join("/"));
    PathTest::new(std::slice::from_ref(&root), &[]).is_ok().then_some(root)
}

/// A name as a key: in quotes where YAML could read something else.
fn scalar(name: &str) -> String {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && !matches!(
            name.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off"
        );
    if plain { name.to_owned() } else { quote(name) }
}

//! Asking servers for their tools, where somebody has agreed.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;

use lockgate_clients::{Found, Hider, Launch, Secret};
use lockgate_model::ServerName;

use super::can;
use super::{Answer, Asked};
use crate::clients::draft::{Draft, Fake, Source, resolve, without_quotes};
use crate::config::{Config, Process, Surroundings};
use crate::gateway::list_all;

/// Servers that could be asked.
pub(super) struct Wanted<'f> {
    draft: Draft,
    /// Each server of the files, and the entry of the draft that it is.
    places: BTreeMap<(usize, usize), ServerName>,
    hider: &'f Hider,
}

/// Longest wait for a server that is started for a scan: some are downloaded first.
const PATIENCE: &str = "60s";

/// Every server that is switched on and can be asked. Those elsewhere only where `reach` says so.
pub(super) fn wanted<'f>(files: &'f [Found], hider: &'f Hider, reach: bool) -> Wanted<'f> {
    let servers = files.iter().enumerate().flat_map(|(file, found)| {
        found.servers.iter().enumerate().map(move |(at, server)| ((file, at), server))
    });
    let servers: Vec<_> = servers
        .filter(|(_, server)| reach || !matches!(server.launch, Launch::Remote { .. }))
        .filter(|(_, server)| server.enabled && !crate::clients::is_lockgate(server))
        .collect();
    let sources: Vec<Source<'_>> =
        servers.iter().map(|(_, server)| Source { server, from: String::new() }).collect();
    let draft = Draft::of(&sources, hider);
    let places = servers
        .iter()
        .filter_map(|(place, server)| {
            let entry = draft.entries.iter().find(|entry| entry.launch == server.launch)?;
            Some((*place, entry.name.clone()))
        })
        .collect();
    Wanted { draft, places, hider }
}

impl Wanted<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.draft.entries.is_empty()
    }

    /// How many would be started.
    pub(super) fn programs(&self) -> usize {
        let program = |launch: &Launch| matches!(launch, Launch::Command { .. });
        self.draft.entries.iter().filter(|entry| program(&entry.launch)).count()
    }
}

/// Asks the person at the terminal.
pub(super) fn consent(wanted: &Wanted<'_>) -> bool {
    let mut errors = std::io::stderr().lock();
    let mut say = || {
        writeln!(errors, "To see what they can do, these would be started, with your rights:")?;
        for entry in &wanted.draft.entries {
            let shown = lockgate_model::Untrusted::new(wanted.hider.launch(&entry.launch)).escaped(160);
            writeln!(errors, "  {}: {shown}", entry.name)?;
        }
        write!(errors, "Start them? [y/N] ")?;
        errors.flush()
    };
    let mut answer = String::new();
    say().is_ok()
        && std::io::stdin().lock().read_line(&mut answer).is_ok()
        && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// Asks them all, side by side.
pub(super) fn ask(files: &[Found], wanted: &Wanted<'_>) -> Result<Asked, String> {
    let environment = |name: &str| Process.variable(name);
    let mut unknown: Vec<&ServerName> = Vec::new();
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for entry in &wanted.draft.entries {
        for variable in &entry.variables {
            let value = match wanted.draft.variables.get(variable) {
                Some(Some(secret)) => resolve(secret.reveal(), &environment),
                Some(None) | None => environment(variable),
            };
            match value {
                Some(value) => drop(values.insert(variable, value)),
                None => unknown.push(&entry.name),
            }
        }
    }
    // Nothing is of use to who cannot be started; the others need a value for every variable.
    let known = |name: &str| Some(values.get(name).cloned().unwrap_or_default());
    let text = with_patience(&wanted.draft.servers());
    let mut config = Config::parse(&text, "scan", Path::new("/"), &Fake(&known)).map_err(|errors| {
        let why = errors.iter().next().map(|error| without_quotes(error.message())).unwrap_or_default();
        format!("the servers cannot be put together: {why}\n  hint: scan one client alone with `--client`")
    })?;
    config.quiet = true;
    let names: Vec<ServerName> = config.boundary.servers.keys().cloned().collect();
    let names: Vec<ServerName> = names.into_iter().filter(|name| !unknown.contains(&name)).collect();
    let lists = list_all(&config, &names)?;
    let mut asked = BTreeMap::new();
    for (place, name) in &wanted.places {
        debug_assert!(files.get(place.0).is_some());
        let answer = match (lists.get(name), config.boundary.servers.get(name)) {
            (Some(Ok(offered)), Some(server)) => Ok(Answer {
                name: name.clone(),
                tools: offered.tools.iter().filter_map(|entry| can::tool(server, entry)).collect(),
                instructions: offered.instructions.clone(),
                identity: offered.identity.clone(),
            }),
            (Some(Err(why)), _) => Err(hidden(&why.to_string(), wanted, name)),
            _ => Err("a value that only its client knows is missing".to_owned()),
        };
        asked.insert(*place, answer);
    }
    Ok(asked)
}

fn with_patience(servers: &str) -> String {
    let lines = servers.lines().map(|line| {
        let begins = line.starts_with("    command:") || line.starts_with("    url:");
        if begins { format!("{line}\n    timeout: {PATIENCE}\n") } else { format!("{line}\n") }
    });
    lines.collect()
}

/// What a server says against being asked, without the values that it was given.
fn hidden(why: &str, wanted: &Wanted<'_>, name: &ServerName) -> String {
    let entry = wanted.draft.entries.iter().find(|entry| entry.name == *name);
    let variables = entry.into_iter().flat_map(|entry| &entry.variables);
    let secrets: Vec<&Secret> =
        variables.filter_map(|variable| wanted.draft.variables.get(variable)?.as_ref()).collect();
    let mut why = wanted.hider.text(why);
    for secret in secrets.iter().filter(|secret| secret.reveal().len() >= 4) {
        why = why.replace(secret.reveal(), "***");
    }
    why
}

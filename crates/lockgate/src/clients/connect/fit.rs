//! The configuration that the servers of a client go into, and which of its variables the client has to hand over.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lockgate_clients::{Launch as Found, Secret};

use crate::clients::draft::{Draft, Entry};
use crate::config::{Config, Launch, Process, Surroundings};

/// What the client hands over.
pub(super) struct Handed {
    /// Variables with the texts that stood in its file.
    pub(super) values: Vec<(String, Secret)>,
    /// Variables of its own environment.
    pub(super) inherits: Vec<String>,
}

/// Every variable as a text that says which it is.
struct Marked;

const MARK: &str = "lockgate-variable-";

/// What an address must look like to be one.
const ADDRESS: &str = "https://lockgate-variable.invalid/";

impl Surroundings for Marked {
    fn variable(&self, name: &str) -> Option<String> {
        if name == "LOCKGATE_ENVIRONMENT" {
            return Process.variable(name);
        }
        let before = if name.ends_with("_URL") || name.contains("_URL_") { ADDRESS } else { MARK };
        Some(format!("{before}{name}"))
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        Process.file(path)
    }

    fn files(&self, folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
        Process.files(folder, most)
    }

    fn folder(&self) -> PathBuf {
        Process.folder()
    }
}

/// The configuration: its text where it has to be written, and what it says with every variable as a mark.
pub(super) fn configuration(draft: &Draft, path: &Path) -> Result<(Option<String>, Config), String> {
    if path.symlink_metadata().is_ok() {
        let config = Config::load(path, &Marked).map_err(|errors| errors.to_string())?;
        return Ok((None, config));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        return Err(format!("{}: there is no such folder", folder.display()));
    }
    let text = draft.file("connect");
    let config = Config::parse(&text, &path.to_string_lossy(), folder, &Marked);
    Ok((Some(text), config.map_err(|errors| errors.to_string())?))
}

/// What the client must hand over for its servers. An error names those that the configuration does not have.
pub(super) fn variables(config: &Config, draft: &Draft, path: &Path) -> Result<Handed, String> {
    let mut handed = BTreeMap::new();
    let mut missing: Vec<&Entry> = Vec::new();
    for entry in &draft.entries {
        let fitting = config.launches.values().find_map(|launch| fits(launch, &entry.launch));
        match fitting {
            Some(variables) => handed.extend(variables),
            None => missing.push(entry),
        }
    }
    if !missing.is_empty() {
        let alone = |entry: &&Entry| {
            let lines: Vec<String> = entry.lines.iter().map(|line| format!("    {line}")).collect();
            format!("  {}:\n{}", entry.name, lines.join("\n"))
        };
        let text: Vec<String> = missing.iter().map(alone).collect();
        return Err(format!(
            "{} does not have these servers of the client as they are there\n  hint: put them under `servers`, or name another file with `--config`:\n{}",
            path.display(),
            text.join("\n")
        ));
    }
    let (mut values, mut inherits) = (Vec::new(), Vec::new());
    for (name, value) in handed {
        match value {
            Some(value) => values.push((name, value)),
            None => inherits.push(name),
        }
    }
    Ok(Handed { values, inherits })
}

type Variables = Vec<(String, Option<Secret>)>;

/// Is this the same server? Then the variables it refers to, each with the text that the client has in its place.
fn fits(own: &Launch, found: &Found) -> Option<Variables> {
    let mut variables = Vec::new();
    match (own, found) {
        (Launch::Command { command, env, .. }, Found::Command { words, env: known, inherits, .. }) => {
            if command.len() != words.len() {
                return None;
            }
            for (own, word) in command.iter().zip(words) {
                match variable(own) {
                    Some(name) => variables.push((name, Some(word.clone()))),
                    None if own == word.reveal() => {}
                    None => return None,
                }
            }
            for (key, value) in env {
                let Some(name) = variable(value.reveal()) else { continue };
                match known.iter().find(|one| one.name == *key) {
                    Some(one) => variables.push((name, Some(one.value.clone()))),
                    None if inherits.contains(key) => variables.push((name, None)),
                    None => {}
                }
            }
        }
        (Launch::Http { url, headers, .. }, Found::Remote { url: known, headers: sent, inherits, .. }) => {
            match variable(url) {
                Some(name) => variables.push((name, Some(known.clone()))),
                None if url == known.reveal() => {}
                None => return None,
            }
            for (key, value) in headers {
                if let (Some(one), Some(name)) =
                    (sent.iter().find(|one| one.name == *key), variable(value.reveal()))
                {
                    variables.push((name, Some(one.value.clone())));
                }
                let inherited = inherits.iter().filter(|(header, ..)| header == key);
                variables.extend(inherited.map(|(_, _, name)| (name.clone(), None)));
            }
        }
        _ => return None,
    }
    Some(variables)
}

/// The variable that a text stands for, and nothing else.
fn variable(text: &str) -> Option<String> {
    let name = text.strip_prefix(MARK).or_else(|| text.strip_prefix(ADDRESS))?;
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then(|| name.to_owned())
}

//! Everything that clients of a machine have, file by file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::client::{ANY, Client, Scope, Shape};
use crate::format::Format;
use crate::read::read;
use crate::server::{Server, Wire, server};
use crate::tree::{Fault, Member, Node, Trouble, Value};
use crate::{CLIENTS, Machine, Place};

/// A file of a client, and what is in it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The client; `None` for a file that was named by hand.
    pub client: Option<&'static Client>,
    /// The file.
    pub path: PathBuf,
    /// Whose it is.
    pub scope: Scope,
    /// Its servers, in order.
    pub servers: Vec<Server>,
    /// What is wrong with it. The servers are those that could be read all the same.
    pub faults: Vec<Fault>,
}

/// What was found: files that are there, in the order of the table.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The files. One that two clients read stands there for each of them.
    pub files: Vec<Found>,
}

/// Most servers of one file.
const SERVERS: usize = 2_000;

/// Looks at every place where a known client keeps servers. What is not there is left out.
pub fn survey(machine: &Machine) -> Survey {
    let mut files = Vec::new();
    for client in CLIENTS {
        let mut seen = BTreeSet::new();
        let own = |place: &&crate::client::Place| place.system.is_none_or(|system| system == machine.system);
        for place in client.files.iter().filter(own) {
            for path in machine.expand(place.path) {
                // A link that leads nowhere is there too.
                if path.symlink_metadata().is_ok() && seen.insert(path.clone()) {
                    files.push(look(Some(client), path, place.scope, place.shape));
                }
            }
        }
    }
    Survey { files }
}

/// Looks at one file, wherever its servers are in it.
pub fn of_file(path: &Path) -> Found {
    look(None, path.to_owned(), Scope::User, ANY)
}

/// Reads a text as that of a file of that name, wherever its servers are in it.
pub fn of_text(path: &Path, text: &str) -> Found {
    let path = path.to_owned();
    let mut found = Found { client: None, path, scope: Scope::User, servers: Vec::new(), faults: Vec::new() };
    inside(text, Format::of(&found.path), ANY, &mut found);
    found
}

fn look(client: Option<&'static Client>, path: PathBuf, scope: Scope, shape: Shape) -> Found {
    let mut found = Found { client, path, scope, servers: Vec::new(), faults: Vec::new() };
    match read(&found.path) {
        Err(trouble) => found.faults.push(Fault { trouble, place: Place::default() }),
        Ok(read) => {
            found.faults.extend(read.fault);
            inside(&read.text, Format::of(&found.path), shape, &mut found);
        }
    }
    found
}

fn inside(text: &str, format: Format, shape: Shape, found: &mut Found) {
    let parsed = format.parse(text);
    let fault = |(trouble, at)| Fault { trouble, place: Place::of(text, at) };
    let mut sections = Vec::new();
    if let Some(root) = &parsed.root {
        for path in shape {
            // The file itself, or `mcp` with another section inside, is one of servers only where no other is.
            if !matches!(path, [] | ["mcp"]) || sections.is_empty() {
                descend(root, path, &mut Vec::new(), &mut sections);
            }
        }
    }
    let inner =
        |at: usize| sections.iter().any(|(_, node)| node.span.contains(&at) || format != Format::Json);
    // Of keys that stand twice only those of servers matter here.
    let matter =
        |(trouble, at): &(Trouble, usize)| !matches!(trouble, Trouble::DuplicateKey(_)) || inner(*at);
    found.faults.extend(parsed.troubles.into_iter().filter(matter).map(fault));
    for (keys, section) in sections {
        entries(text, &keys, section, found);
    }
}

fn entries(text: &str, keys: &[String], section: &Node, found: &mut Found) {
    let named;
    let members = match &section.value {
        Value::Map(members) => members.as_slice(),
        Value::List(items) => {
            named = items.iter().map(|item| in_list(item, text)).collect::<Vec<_>>();
            named.as_slice()
        }
        Value::Null => return,
        Value::Bool(_) | Value::Other(_) | Value::Text(_) => {
            let trouble = Trouble::NotServers(keys.join("."));
            found.faults.push(Fault { trouble, place: Place::of(text, section.span.start) });
            return;
        }
    };
    let plain = found.client.map_or(Wire::Http, Client::plain);
    for member in members.iter().take(SERVERS) {
        // Of a file that is no client's, only what looks like a server is one.
        if keys.is_empty() && !looks_like_one(&member.node) {
            continue;
        }
        match server(text, member, keys, plain) {
            Ok(server) => found.servers.push(server),
            Err(trouble) => {
                found.faults.push(Fault { trouble, place: Place::of(text, member.key_span.start) });
            }
        }
    }
}

/// An entry of a list has its name inside.
fn in_list(item: &Node, text: &str) -> Member {
    let name = item.get("name").and_then(Node::text).unwrap_or("unnamed").to_owned();
    let start = item.span.start.min(text.len());
    Member { key: name, key_span: start..start, node: item.clone() }
}

fn looks_like_one(node: &Node) -> bool {
    ["command", "url", "serverUrl", "httpUrl"].iter().any(|key| node.get(key).is_some())
}

/// The sections at the end of a path of keys.
fn descend<'n>(
    node: &'n Node,
    path: &[&str],
    keys: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, &'n Node)>,
) {
    let Some((key, rest)) = path.split_first() else {
        if !found.iter().any(|(known, _)| known == keys) {
            found.push((keys.clone(), node));
        }
        return;
    };
    for member in node.members().iter().filter(|member| *key == "*" || member.key == *key) {
        keys.push(member.key.clone());
        descend(&member.node, rest, keys, found);
        keys.pop();
    }
}

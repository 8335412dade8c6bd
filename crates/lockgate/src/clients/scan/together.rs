//! What the tools of one client can do together: that is what one agent holds.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_clients::Found;
use lockgate_model::Untrusted;

use super::Asked;
use super::can::{Ability, Tool};
use super::finding::{self, Code, Finding};
use super::written::plural;

/// What one client's agent holds.
pub(super) struct Together {
    /// The word for the client, and its name.
    pub(super) client: (&'static str, &'static str),
    /// Tools by what they can do, as `server/tool`, escaped.
    pub(super) tools: BTreeMap<Ability, BTreeSet<String>>,
    /// Dangerous combinations.
    pub(super) combinations: Vec<&'static Code>,
}

/// A finding of each server by what its tools can do.
const EACH: [(Ability, &Code); 6] = [
    (Ability::Untrusted, &finding::UNTRUSTED),
    (Ability::Documents, &finding::UNTRUSTED_LOCAL),
    (Ability::Private, &finding::PRIVATE),
    (Ability::Workspace, &finding::WORKSPACE),
    (Ability::Destructive, &finding::DESTRUCTIVE),
    (Ability::DestructiveHere, &finding::DESTRUCTIVE_LOCAL),
];

/// Most tools that are named in a message.
const NAMED: usize = 4;

/// What was found of the tools, client by client.
pub(super) fn look(files: &[Found], asked: &Asked) -> (Vec<Together>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut clients: Vec<Together> = Vec::new();
    for ((file, at), answer) in asked {
        let Some(found) = files.get(*file) else { continue };
        let Some(server) = found.servers.get(*at) else { continue };
        let name = Untrusted::new(&server.name).escaped(64);
        let say = |code: &'static Code, message: String, tool: Option<String>| Finding {
            client: found.client.map(|client| client.id),
            server: Some(name.clone()),
            tool,
            at: Some((found.path.clone(), server.place)),
            ..Finding::new(code, message)
        };
        let tools = match answer {
            Ok(answer) => &answer.tools,
            Err(why) => {
                let message = format!("{name} could not be asked for its tools: {why}");
                findings.push(say(&finding::SILENT, message, None));
                continue;
            }
        };
        for (ability, code) in EACH {
            let can: Vec<String> =
                tools.iter().filter(|tool| tool.abilities.contains(&ability)).map(shown).collect();
            if !can.is_empty() {
                findings.push(say(code, format!("{name}: {}", some_of(&can)), None));
            }
        }
        let client = found.client.map_or(("file", "this file"), |client| (client.id, client.name));
        let at = clients.iter().position(|known| known.client == client).unwrap_or_else(|| {
            clients.push(Together { client, tools: BTreeMap::new(), combinations: Vec::new() });
            clients.len() - 1
        });
        if let Some(held) = clients.get_mut(at) {
            for tool in tools {
                for ability in &tool.abilities {
                    held.tools.entry(*ability).or_default().insert(format!("{name}/{}", shown(tool)));
                }
            }
        }
    }
    for client in &mut clients {
        findings.extend(combined(client));
    }
    (clients, findings)
}

fn combined(client: &mut Together) -> Vec<Finding> {
    let all = |abilities: &[Ability]| -> Vec<String> {
        let tools = abilities.iter().filter_map(|ability| client.tools.get(ability));
        tools.flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect()
    };
    let outside = all(&[Ability::Untrusted, Ability::Documents]);
    let private = all(&[Ability::Private, Ability::Workspace]);
    let outward = all(&[Ability::Outward]);
    let destructive = all(&[Ability::Destructive, Ability::DestructiveHere]);
    let mut found = Vec::new();
    let mut say = |code: &'static Code, message: String| {
        client.combinations.push(code);
        found.push(Finding { client: Some(client.client.0), ..Finding::new(code, message) });
    };
    let name = client.client.1;
    if !outside.is_empty() && !private.is_empty() && !outward.is_empty() {
        let message = format!(
            "in {name}, text of outsiders ({}), private data ({}) and a way out ({}) meet in one agent",
            some_of(&outside),
            some_of(&private),
            some_of(&outward)
        );
        say(&finding::LEAK, message);
    }
    if !outside.is_empty() && !destructive.is_empty() {
        let message = format!(
            "in {name}, text of outsiders ({}) and tools that destroy or run commands ({}) meet in one agent",
            some_of(&outside),
            some_of(&destructive)
        );
        say(&finding::DAMAGE, message);
    }
    found
}

/// The name of a tool for people.
fn shown(tool: &Tool) -> String {
    Untrusted::new(&tool.name).escaped(64)
}

fn some_of(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{first} and {}", plural(more, "other")),
        _ => first,
    }
}

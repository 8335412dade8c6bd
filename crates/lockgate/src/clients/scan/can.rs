//! What tools can do, and what they can do together in the hands of one agent.

use std::collections::BTreeSet;

use bytes::Bytes;
use lockgate_core::{Described, Server};
use lockgate_flow::Role;
use lockgate_model::{Class, Effect, Json};

/// What a tool can do, as far as its definition shows. Our words for it, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ability {
    /// It returns text that outsiders can write.
    Untrusted,
    /// It returns documents, which may come from outside.
    Documents,
    /// It returns private data.
    Private,
    /// It returns files or code of this machine.
    Workspace,
    /// It sends something out, or speaks to an address it is told.
    Outward,
    /// It deletes, or runs what it is told.
    Destructive,
    /// It does so on this machine.
    DestructiveHere,
}

impl Ability {
    /// The word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted_content",
            Self::Documents => "documents",
            Self::Private => "private_data",
            Self::Workspace => "workspace_data",
            Self::Outward => "outward",
            Self::Destructive => "destructive",
            Self::DestructiveHere => "destructive_here",
        }
    }
}

/// A tool of a server that was asked.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    /// Its name: text of the server.
    pub(crate) name: String,
    pub(crate) class: Class,
    pub(crate) effect: Effect,
    pub(crate) abilities: BTreeSet<Ability>,
    /// Its definition, as it came.
    pub(crate) definition: Bytes,
}

/// Things of which outsiders write the text.
const OUTSIDE: &str = "web page pages webpage website url urls search fetch browse crawl scrape news feed rss issue issues \
    pull comment comments discussion review reviews email emails mail mails message messages inbox thread threads chat \
    channel slack tweet tweets post posts ticket tickets calendar event events invitation attachment article articles \
    wikipedia transcript screenshot snapshot";

/// Things that are private.
const PRIVATE: &str = "email emails mail mails message messages inbox contact contacts calendar event events sql query table \
    tables database row rows record records customer customers user users account accounts balance transaction transactions \
    invoice invoices secret secrets credential credentials password key keys memory memories entities entity node nodes graph \
    note notes drive document documents chat channel thread slack invoice payment payments order orders employee patient";

/// Things of this machine.
const HERE: &str = "file files directory directories folder folders path tree git repo repository commit commits diff branch \
    workspace project code clipboard process log logs screen window command commands shell terminal bash exec";

/// Deepest nesting of a definition that is read.
pub(super) const DEPTH: usize = 1_024;

/// What a definition shows. `None` where it is none.
pub(crate) fn tool(server: &Server, entry: &Bytes) -> Option<Tool> {
    let definition = Json::check(entry, DEPTH).ok()?;
    let described = server.describe(definition)?;
    let open = definition.get("annotations").and_then(|said| said.get("openWorldHint")).and_then(Json::bool);
    Some(Tool {
        name: described.tool.as_str().to_owned(),
        class: described.class.class,
        effect: described.effect,
        abilities: abilities(&described, open == Some(true)),
        definition: entry.clone(),
    })
}

fn abilities(tool: &Described, open: bool) -> BTreeSet<Ability> {
    let words = words(tool.tool.as_str());
    let any = |list: &str| words.iter().any(|word| list.split_whitespace().any(|known| known == word));
    let class = tool.class.class;
    let runs = class == Class::Execute && tool.effect != Effect::Read;
    let reads = tool.effect == Effect::Read;
    let addressed = tool.roles.iter().any(|(_, role)| role == Role::Source);
    let document = lockgate_flow::is_document(tool.tool.as_str(), tool.effect);
    let mut can = BTreeSet::new();
    let mut add = |ability, holds: bool| {
        if holds {
            can.insert(ability);
        }
    };
    let outside = reads && (addressed || any(OUTSIDE) && !any(HERE));
    add(Ability::Untrusted, outside || reads && open && !any(HERE));
    add(Ability::Documents, reads && document && !outside);
    add(Ability::Private, reads && (any(PRIVATE) || class == Class::ReadHigh));
    add(Ability::Workspace, (reads && any(HERE)) || runs);
    add(Ability::Outward, matches!(tool.effect, Effect::Egress | Effect::Commit) || addressed || runs);
    let destroys = tool.effect == Effect::Destructive || runs;
    add(Ability::Destructive, destroys);
    add(Ability::DestructiveHere, destroys && (any(HERE) || runs));
    can
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use lockgate_core::Wire;
    use serde_json::{Value, json};

    use super::*;

    fn can(definition: &Value) -> String {
        let tool = tool(&Server::new(Wire::Lines), &Bytes::from(definition.to_string())).unwrap();
        tool.abilities.iter().map(|ability| ability.word()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_tools_can_do() {
        let read = json!({ "readOnlyHint": true });
        for (name, arguments, expected) in [
            ("fetch", &["url"][..], "untrusted_content outward"),
            ("web_search", &["query"], "untrusted_content"),
            ("list_issues", &["owner", "repo"], "untrusted_content"),
            ("read_file", &["path"], "documents workspace_data"),
            ("list_directory", &["path"], "workspace_data"),
            ("read_emails", &[], "untrusted_content private_data"),
            ("send_email", &["to", "body"], "outward"),
            ("delete_file", &["path"], "destructive destructive_here"),
            ("delete_record", &["id"], "destructive"),
            ("get_time", &["timezone"], ""),
        ] {
            let properties: serde_json::Map<String, Value> =
                arguments.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
            let mut definition =
                json!({ "name": name, "inputSchema": { "type": "object", "properties": properties } });
            if name.starts_with("get") || name.starts_with("read") || name.starts_with("list") {
                definition["annotations"] = read.clone();
            }
            assert_eq!(can(&definition), expected, "{name}");
        }
    }
}

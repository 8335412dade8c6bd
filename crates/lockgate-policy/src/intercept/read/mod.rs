//! From a file to a [`Policy`]: what the original checks, in its words, and what it ignores.

use std::collections::{BTreeMap, BTreeSet};

use super::yaml::{self, Kind, Node, Place};
use super::{Approvals, BadFile, Key, Lint, Policy, Rule, Window};

mod hosted;
mod limits;
mod parts;
mod rule;

#[cfg(test)]
pub(super) use limits::rate_limit;

type Members<'n> = &'n [(yaml::Key, Node)];

pub(super) fn read(text: &str) -> Result<(Policy, Vec<Lint>), Vec<BadFile>> {
    // The hosted form is JSON, where tabs are space; YAML wants none.
    let json = text.trim_start().starts_with('{').then(|| text.replace('\t', " "));
    let document = yaml::read(json.as_deref().unwrap_or(text));
    let mut reader = Reader::default();
    for (place, message) in document.errors {
        reader.wrong(place, message);
    }
    if let Some(place) = document.second {
        reader.lint(place, "a second document is ignored");
    }
    let empty = Node { place: Place { line: 1, column: 1 }, kind: Kind::Map(Vec::new()) };
    let policy = match document.root {
        Some(root) => Some(reader.policy(&root)),
        None if reader.errors.is_empty() => Some(reader.policy(&empty)),
        None => None,
    };
    match policy {
        Some(policy) if reader.errors.is_empty() => Ok((policy, reader.lints)),
        _ => Err(reader.errors),
    }
}

const FILE_KEYS: &[&str] = &["version", "description", "default", "hide", "tools", "approvals", "all_tools"];
const APPROVAL_TIMEOUTS: &[&str] = &["approval_timeout", "default_timeout", "timeout"];
const APPROVAL_KEYS: &[&str] = &["approval_timeout", "default_timeout", "timeout", "dedupe_window", "notify"];

#[derive(Default)]
struct Reader {
    errors: Vec<BadFile>,
    lints: Vec<Lint>,
    /// Every counter that is kept, by the path that conditions have for it.
    counters: BTreeMap<String, (Key, Window)>,
}

/// One rule while it is read.
struct Draft<'n> {
    tool: &'n str,
    /// `tools.T.rules[i]`
    prefix: String,
    place: Place,
    members: Members<'n>,
}

impl<'n> Draft<'n> {
    fn get(&self, name: &str) -> Option<&'n Node> {
        get(self.members, name)
    }
}

impl Reader {
    fn policy(&mut self, root: &Node) -> Policy {
        let members = self.map(root, "the file");
        self.unknown(members, FILE_KEYS, "");
        let at = |name| get(members, name).map_or(root.place, |node| node.place);
        let version = self.text(get(members, "version"), "version");
        if version != "1" {
            self.wrong(at("version"), format!("version must be \"1\", got {version:?}"));
        }
        let default = self.text(get(members, "default"), "default");
        if !matches!(default.as_str(), "" | "allow" | "deny") {
            self.wrong(at("default"), format!("default must be \"allow\" or \"deny\", got {default:?}"));
        }
        let hide = self.hide(get(members, "hide"));
        let approvals = self.approvals(get(members, "approvals"));

        let mut entries: Vec<(&str, &Node)> = get(members, "tools")
            .map(|node| self.map(node, "tools"))
            .unwrap_or_default()
            .iter()
            .map(|(key, node)| (key.text.as_str(), node))
            .collect();
        entries.sort_by_key(|(name, _)| *name);
        for (tool, node) in &entries {
            self.find_counters(tool, node);
        }
        let all_tools = get(members, "all_tools");
        if let Some(node) = all_tools {
            self.find_counters("*", node);
        }
        let mut tools: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for (tool, node) in entries {
            let rules = self.tool(tool, node, &format!("tools.{tool}"));
            tools.insert(tool.to_owned(), rules);
        }
        if let Some(node) = all_tools {
            let rules = self.tool("*", node, "all_tools");
            tools.entry("*".to_owned()).or_default().extend(rules);
        }
        Policy { deny_unlisted: default == "deny", hide, tools, approvals }
    }

    fn hide(&mut self, node: Option<&Node>) -> BTreeSet<String> {
        let mut hide = BTreeSet::new();
        for (i, item) in self.list(node, "hide").iter().enumerate() {
            let name = self.text(Some(item), &format!("hide[{i}]"));
            if name.trim().is_empty() {
                self.wrong(item.place, format!("hide[{i}]: entry must not be empty"));
            } else if hide.contains(&name) {
                self.wrong(item.place, format!("hide: duplicate entry {name:?}"));
            } else {
                hide.insert(name);
            }
        }
        hide
    }

    /// Known in part only: the defaults are read under every name they may have.
    fn approvals(&mut self, node: Option<&Node>) -> Approvals {
        let Some(node) = node else { return Approvals::default() };
        let members = self.map(node, "approvals");
        self.unknown(members, APPROVAL_KEYS, "approvals.");
        if let Some(notify) = get(members, "notify") {
            self.lint(
                notify.place,
                "`approvals.notify` has no effect: approvals are asked for as configured",
            );
        }
        let timeout = APPROVAL_TIMEOUTS.iter().find_map(|name| get(members, name));
        Approvals {
            timeout: timeout.and_then(|node| self.duration(node, "approvals: timeout")),
            dedupe_window: get(members, "dedupe_window")
                .and_then(|node| self.duration(node, "approvals: dedupe_window")),
        }
    }

    fn tool(&mut self, tool: &str, node: &Node, prefix: &str) -> Vec<Rule> {
        let members = self.map(node, prefix);
        self.unknown(members, &["rules", "require", "deny_if", "limits"], &format!("{prefix}."));
        let items = self.list(get(members, "rules"), &format!("{prefix}.rules"));
        let mut drafts = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let prefix = format!("{prefix}.rules[{i}]");
            let members = self.map(item, &prefix);
            drafts.push(Draft { tool, prefix, place: item.place, members });
        }
        self.refuse_duplicate_counters(&drafts);
        let mut rules: Vec<Rule> = drafts.iter().filter_map(|draft| self.rule(draft)).collect();
        self.hosted(tool, members, prefix, &mut rules);
        limits::set(&mut rules);
        rules
    }
}

fn get<'n>(members: Members<'n>, name: &str) -> Option<&'n Node> {
    members.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
}

/// The scalar of that name as it is written; nothing is the empty text.
fn scalar<'n>(members: Members<'n>, name: &str) -> &'n str {
    match get(members, name) {
        Some(Node { kind: Kind::Scalar { text, .. }, .. }) => text,
        _ => "",
    }
}

//! The file of an MCP client, `{"mcpServers": {…}}`, rewritten into what `lockgate.yaml` would say.

use super::error::{At, Report, perhaps, quoted};
use super::server::made_name;
use super::yaml::{Kind, Node};

/// Keys of a server that mean something here.
const KEYS: [&str; 8] = ["command", "args", "env", "cwd", "url", "headers", "type", "disabled"];

/// Keys of a server that only concern the client: what it shows, and what it approves without asking.
const CLIENT_KEYS: [&str; 11] = [
    "alwaysAllow",
    "autoApprove",
    "auto_approve",
    "description",
    "displayName",
    "icon",
    "name",
    "note",
    "notes",
    "timeout",
    "trust",
];

/// Is a text such a file?
pub(super) fn is_it(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("\"mcpServers\"")
}

/// The tree as `lockgate.yaml` would have it. Other keys of the client's file are its own affair.
pub(super) fn rewrite(root: Node, report: &Report) -> Option<Node> {
    let place = root.place;
    let Kind::Map(members) = root.value else {
        report.error(place, "the file must be an object", "write `{ \"mcpServers\": { … } }`");
        return None;
    };
    let Some((key, all)) = members.into_iter().find(|(key, _)| key.value == "mcpServers") else {
        report.error(place, "the file has no `mcpServers`", "write `{ \"mcpServers\": { … } }`");
        return None;
    };
    let Kind::Map(all) = all.value else {
        report.error(all.place, "`mcpServers` must be an object", "write `{ \"name\": { \"command\": … } }`");
        return None;
    };
    let mut servers: Vec<(At<String>, Node)> = Vec::new();
    let mut written: Vec<String> = Vec::new();
    for (name, node) in all {
        let Some(made) = made_name(&name.value) else {
            let hint = "give it a name with a letter of a to z in it";
            report.error(name.place, format!("bad server name {}", quoted(&name.value)), hint);
            continue;
        };
        let made = At { value: made.as_str().to_owned(), place: name.place };
        let taken = servers.iter().position(|(other, _)| other.value == made.value);
        if let Some(other) = taken.and_then(|at| written.get(at)) {
            let message =
                format!("{} and {} both become `{}`", quoted(other), quoted(&name.value), made.value);
            report.error(name.place, message, "lockgate uses `a-z`, `0-9` and `-` only; rename one of them");
            continue;
        }
        if let Some(node) = server(&name, node, report) {
            servers.push((made, node));
            written.push(name.value);
        }
    }
    if servers.is_empty() && report.is_clean() {
        let hint = "write `\"name\": { \"command\": … }` in it; servers that are `disabled` do not count";
        report.error(key.place, "`mcpServers` holds no server", hint);
    }
    let servers = At { value: Kind::Map(servers), place };
    let key = At { value: "servers".to_owned(), place: key.place };
    Some(At { value: Kind::Map(vec![(key, servers)]), place })
}

/// One server; `None` where it is switched off or the report says why.
fn server(name: &At<String>, node: Node, report: &Report) -> Option<Node> {
    let place = node.place;
    let Kind::Map(members) = node.value else {
        let hint = "write `{ \"command\": … }` or `{ \"url\": … }`";
        report.error(place, format!("the server {} must be an object", quoted(&name.value)), hint);
        return None;
    };
    let mut kept: Vec<(At<String>, Node)> = Vec::new();
    let (mut command, mut arguments) = (None, Vec::new());
    for (key, value) in members {
        match key.value.as_str() {
            "disabled" if matches!(&value.value, Kind::Text(text, _) if text == "true") => return None,
            "type" | "transportType" => {
                let written = kept.iter().any(|(key, _)| key.value == "transport");
                if let Some(transport) = transport(&value, report).filter(|_| !written) {
                    let key = At { value: "transport".to_owned(), place: key.place };
                    kept.push((key, transport));
                }
            }
            "command" => command = Some((key, value)),
            "args" => arguments = items(&value, report),
            "env" | "headers" if matches!(&value.value, Kind::Nothing | Kind::Null) => {}
            known if KEYS.contains(&known) => kept.push((key, value)),
            known if CLIENT_KEYS.contains(&known) => {}
            unknown => {
                let message =
                    format!("unknown key {} in the server {}", quoted(unknown), quoted(&name.value));
                let hint = format!("{}known keys: {}", perhaps(unknown, &KEYS), KEYS.join(", "));
                report.error(key.place, message, hint);
            }
        }
    }
    kept.retain(|(key, _)| key.value != "disabled");
    if let Some((key, program)) = command {
        let at = program.place;
        let words = std::iter::once(program).chain(arguments).collect();
        kept.push((key, At { value: Kind::List(words), place: at }));
    } else if let Some(first) = arguments.first() {
        report.error(first.place, "`args` has no effect without `command`", "remove it, or write `command`");
    }
    Some(At { value: Kind::Map(kept), place })
}

/// What `transport` must say for this type; nothing where it says itself.
fn transport(value: &Node, report: &Report) -> Option<Node> {
    let known = ["stdio", "http", "streamable-http", "streamableHttp", "streamable_http"];
    match &value.value {
        Kind::Text(text, _) if known.contains(&text.as_str()) => None,
        Kind::Text(text, _) if text == "sse" => Some(value.clone()),
        Kind::Text(text, _) => {
            let message = format!("unknown transport {}", quoted(text));
            report.error(value.place, message, "write `stdio`, `http` or `sse`");
            None
        }
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::List(_) | Kind::Map(_) => {
            report.error(value.place, "`type` must be a text", "write `stdio`, `http` or `sse`");
            None
        }
    }
}

fn items(value: &Node, report: &Report) -> Vec<Node> {
    if let Kind::List(items) = &value.value {
        return items.clone();
    }
    report.error(value.place, "`args` must be a list", "write `[\"first\", \"second\"]`");
    Vec::new()
}

//! `lockgate tools`: what the configured servers offer, what it is taken for, and what the rules say of it.

mod find;
mod show;

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use lockgate_core::Server;
use lockgate_flow::Role;
use lockgate_model::{Classified, Effect, Json, Principal, ServerName, UnixMillis};
use lockgate_policy::{Action, Asked, Rule, Subject};

use crate::config::{Config, Launch, Process, perhaps};
use crate::gateway::{Unlisted, list_tools};
use find::Finding;

/// Hints of the protocol, in the order they are shown.
const HINTS: [(&str, &str); 4] = [
    ("readOnlyHint", "read-only"),
    ("destructiveHint", "destructive"),
    ("idempotentHint", "idempotent"),
    ("openWorldHint", "open-world"),
];

/// Deepest nesting of a definition that is read; what the door lets through is never deeper.
const DEPTH: usize = 1_024;

#[derive(Args)]
#[command(
    after_help = "Exits with 1 where a rule, effect, class or role matches no tool, a test or role is of an argument that no tool takes, or a server cannot be asked.\n\nExample: lockgate tools -- npx -y @modelcontextprotocol/server-filesystem /data"
)]
pub(crate) struct Options {
    /// The configuration: a lockgate.yaml, or a client's mcp.json
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    config: PathBuf,
    /// Ask this server alone
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
    /// A server's program and its arguments; no file needed
    #[arg(last = true, value_name = "CMD", conflicts_with_all = ["config", "server"])]
    command: Vec<String>,
}

/// What is known of one server.
struct Answered<'c> {
    name: &'c ServerName,
    server: &'c Server,
    launch: &'c Launch,
    /// Its tools, in the order of its list; else why they are not known.
    tools: Result<Vec<Tool>, Unlisted>,
}

/// What is known of one tool. All that comes from its server is in `name`, `arguments`, `hints` and `schema`.
struct Tool {
    name: String,
    class: Classified,
    effect: Effect,
    /// The arguments it declares.
    arguments: Vec<Argument>,
    hints: Vec<(&'static str, bool)>,
    schema: serde_json::Value,
    ruled: Ruled,
}

/// What one argument is taken for. Its name is text of the server.
struct Argument {
    name: String,
    role: Role,
    /// What that was seen by, and the word; none where it was the schema, or what the tool does.
    because: Option<(&'static str, &'static str)>,
}

/// What the rules say of a tool.
struct Ruled {
    action: Action,
    /// Another thing may be done, by who asks, when, how often, or with which arguments.
    conditional: bool,
    approvers: u8,
    /// The rule, as it stands in the file.
    rule: String,
}

/// Why there is nothing to show.
pub(crate) enum Trouble {
    /// The arguments or the configuration are wrong.
    Wrong(String),
    /// Lockgate itself could not ask.
    Failed(String),
}

/// Asks the servers and says what came of it: the text, and whether nothing was found wrong.
pub(crate) fn run(options: Options) -> Result<(String, bool), Trouble> {
    let config = if options.command.is_empty() {
        Config::load(&options.config, &Process).map_err(|errors| Trouble::Wrong(errors.to_string()))?
    } else {
        Config::for_command(options.command)
    };
    let servers = &config.boundary.servers;
    let chosen: Vec<ServerName> = match &options.server {
        None => servers.keys().cloned().collect(),
        Some(wanted) => {
            let known: Vec<&str> = servers.keys().map(ServerName::as_str).collect();
            let found = servers.keys().find(|name| name.as_str() == wanted);
            let hint = || format!("{}there is {}", perhaps(wanted, &known), known.join(", "));
            let missing =
                || format!("no server `{}` is configured\n  hint: {}", wanted.escape_default(), hint());
            vec![found.cloned().ok_or_else(|| Trouble::Wrong(missing()))?]
        }
    };
    let mut lists = list_tools(&config, &chosen).map_err(Trouble::Failed)?;
    let answered: Vec<Answered<'_>> = servers
        .iter()
        .filter_map(|(name, server)| {
            let list = lists.remove(name)?;
            let launch = config.launches.get(name)?;
            Some(Answered { name, server, launch, tools: list.map(|entries| read(name, server, &entries)) })
        })
        .collect();
    let findings: Vec<Finding> = answered.iter().flat_map(find::find).collect();
    let clean = findings.is_empty();
    let text = if options.json {
        show::json(&answered, &findings).to_string()
    } else {
        show::text(&answered, &findings)
    };
    Ok((text, clean))
}

fn read(name: &ServerName, server: &Server, entries: &[Bytes]) -> Vec<Tool> {
    entries.iter().filter_map(|entry| tool(name, server, entry)).collect()
}

fn tool(name: &ServerName, server: &Server, entry: &[u8]) -> Option<Tool> {
    let definition = Json::check(entry, DEPTH).ok()?;
    let described = server.describe(definition)?;
    let said = definition.get("annotations");
    let hint = |(key, _): &(&'static str, &str)| Some((*key, said?.get(key)?.bool()?));
    let schema = definition.get("inputSchema").and_then(|schema| serde_json::from_slice(schema.raw()).ok());
    let schema: serde_json::Value = schema.unwrap_or_default();
    let declared = |name: &str| schema.pointer("/properties").is_some_and(|all| all.get(name).is_some());
    let arguments = described.roles.iter().filter(|(name, _)| declared(name));
    let arguments = arguments.map(|(name, role)| argument(server, described.tool.as_str(), name, role));
    Some(Tool {
        name: described.tool.as_str().to_owned(),
        class: described.class,
        effect: described.effect,
        hints: HINTS.iter().filter_map(hint).collect(),
        arguments: arguments.collect(),
        schema,
        ruled: ruled(name, server, described.tool.as_str(), described.class),
    })
}

fn argument(server: &Server, tool: &str, name: &str, role: Role) -> Argument {
    let said = server.roles.iter().any(|(pattern, argument, _)| argument == name && pattern.matches(tool));
    let because =
        if said { Some(("operator", "arguments")) } else { role.seen_by(name).map(|word| ("name", word)) };
    Argument { name: name.to_owned(), role, because }
}

/// What holds for everybody, by the same code as the door's; or, where that depends, the strictest of the actions.
fn ruled(server_name: &ServerName, server: &Server, tool: &str, class: Classified) -> Ruled {
    let about = server.rules.tools.about(tool);
    let approvers = about.iter().map(|(_, rule)| rule.approvers).max();
    if let Some((place, strictest)) =
        about.iter().max_by_key(|(_, rule)| rule.action).filter(|_| !about.iter().all(plain))
    {
        return Ruled {
            action: strictest.action,
            conditional: true,
            approvers: approvers.unwrap_or(1),
            rule: format!("servers.{server_name}.tools.{place}"),
        };
    }
    let nobody = Principal::new("local");
    let asked = Asked { principal: &nobody, at: UnixMillis(0), arguments: None, class: Some(class) };
    let answer = server.rules.decide(Subject::Tool, tool, &asked);
    let key = answer.why.key().map_or_else(String::new, |key| format!(".{key}"));
    let place = answer.by.map_or_else(|| format!("default{key}"), |place| format!("tools.{place}{key}"));
    Ruled {
        action: answer.action,
        conditional: false,
        approvers: answer.approvers,
        rule: format!("servers.{server_name}.{place}"),
    }
}

fn plain((_, rule): &(lockgate_policy::Place<'_>, &Rule)) -> bool {
    rule.is_plain()
}

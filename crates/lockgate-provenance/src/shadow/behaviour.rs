//! Does a tool's name say what it does?

use lockgate_detect::injection::rules::words;
use lockgate_model::Json;

use super::code::Code;
use super::name::Name;

/// Names of parameters that take what is run.
const COMMANDS: &[&str] =
    &["command", "cmd", "code", "script", "shell", "bash", "powershell", "commandline", "shellcommand"];
/// Words of names that say that something is run.
const RUNS: &[&str] = &[
    "shell",
    "exec",
    "execute",
    "executes",
    "executor",
    "run",
    "runs",
    "runner",
    "bash",
    "command",
    "commands",
    "cmd",
    "terminal",
    "eval",
    "evaluate",
    "repl",
    "script",
    "scripts",
    "code",
    "python",
    "powershell",
    "system",
    "process",
    "spawn",
    "console",
    "invoke",
    "sandbox",
];
/// Words of names that say that nothing happens.
const QUIET: &[&str] = &[
    "get",
    "list",
    "read",
    "view",
    "show",
    "search",
    "find",
    "describe",
    "status",
    "info",
    "help",
    "helper",
    "helpers",
    "util",
    "utils",
    "utility",
    "utilities",
    "format",
    "formatter",
    "lookup",
    "check",
    "count",
    "summarize",
    "summarise",
    "fetch",
    "query",
];
/// Verbs that destroy.
const DESTROYS: &[&str] = &[
    "delete",
    "remove",
    "drop",
    "destroy",
    "purge",
    "wipe",
    "kill",
    "truncate",
    "erase",
    "terminate",
    "uninstall",
    "shred",
];

/// The parameters of a tool and their types, in order of the alphabet.
pub(super) struct Shape {
    pub(super) text: String,
    /// Does one of them take what is run?
    takes_command: bool,
}

impl Shape {
    pub(super) fn of(definition: Json<'_>) -> Self {
        let properties = definition.get("inputSchema").and_then(|schema| schema.get("properties"));
        let mut parts: Vec<String> = Vec::new();
        let mut takes_command = false;
        for (name, schema) in properties.into_iter().flat_map(Json::members) {
            let name = name.text();
            takes_command |= COMMANDS.contains(&words(&name).concat().as_str());
            let sort = schema.get("type").and_then(Json::text).unwrap_or_default();
            parts.push(format!("{name}:{sort}"));
        }
        parts.sort_unstable();
        Self { text: parts.join(","), takes_command }
    }
}

/// Does the name say that the tool runs what it is told?
pub(super) fn runs(name: &Name) -> bool {
    name.words.iter().any(|word| RUNS.contains(&word.as_str()))
}

/// What does not fit. `shell` says whether a tool of the same shape and another name is one that runs what it is told.
pub(super) fn judge(name: &Name, definition: Json<'_>, shell: &dyn Fn(&str) -> bool) -> Option<Code> {
    let any = |list: &[&str]| name.words.iter().any(|word| list.contains(&word.as_str()));
    let shape = Shape::of(definition);
    if shape.takes_command && !runs(name) && any(QUIET) {
        return Some(if shell(&shape.text) { Code::ShellUnderOtherName } else { Code::QuietShell });
    }
    let hint = definition.get("annotations").and_then(|hints| hints.get("readOnlyHint")).and_then(Json::bool);
    (hint == Some(true) && any(DESTROYS)).then_some(Code::ClaimsReadOnly)
}

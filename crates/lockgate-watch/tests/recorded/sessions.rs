//! Recorded sessions, read from beside the checkout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate_audit::Measure;
use lockgate_model::Effect;
use serde_json::Value;

/// One call and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) server: String,
    pub(crate) tool: String,
    /// Stands for the arguments' digest.
    pub(crate) arguments: String,
    pub(crate) measure: Measure,
    pub(crate) result_bytes: u64,
    pub(crate) failed: bool,
    /// The gateway says no.
    pub(crate) refused: bool,
    /// Milliseconds after the call before; chosen by the player where none.
    pub(crate) gap: Option<u64>,
}

/// One run of an agent.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) source: &'static str,
    /// Whose run it is.
    pub(crate) principal: String,
    /// The task it was given, to play the sessions of a task together.
    pub(crate) task: String,
    pub(crate) turns: Vec<Turn>,
}

fn file(path: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("shared/data").join(path)).find(|file| file.is_file())
}

fn rows(path: &str) -> Vec<Value> {
    let Some(file) = file(path) else { return Vec::new() };
    let Ok(unpacked) = Command::new("gzip").arg("-dc").arg(&file).output() else { return Vec::new() };
    let text = String::from_utf8(unpacked.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All sessions in which the agent did only what its user wanted. None where there are none beside the checkout.
pub(crate) fn benign() -> Option<Vec<Session>> {
    let mut sessions = Vec::new();
    for (source, path) in [("agentdyn benign", "benign"), ("agentdyn exposed", "exposed")] {
        for row in rows(&format!("flow/agentdyn/{path}.jsonl.gz")) {
            let turns = row["events"].as_array().unwrap().iter().map(|event| {
                let failed = event["result"]["isError"] == true;
                let bytes = event["result"].to_string().len();
                turn(text(&event["server"]), text(&event["tool"]), &event["args"], bytes, failed)
            });
            let suite = text(&row["catalogue"]);
            let task = format!("{suite} {}", text(&row["source"]["user_task"]));
            sessions.push(Session { source, principal: suite, task, turns: turns.collect() });
        }
    }
    for row in rows("train/benign_traces_taubench.jsonl.gz") {
        let turns = row["object"]["steps"].as_array().unwrap().iter().map(|step| {
            let arguments = serde_json::from_str(step["args"].as_str().unwrap()).unwrap();
            turn(
                "airline".to_owned(),
                text(&step["tool"]),
                &arguments,
                step["result"].to_string().len(),
                false,
            )
        });
        let turns: Vec<_> = turns.collect();
        let first = turns.first().map(|turn| turn.tool.clone()).unwrap_or_default();
        sessions.push(Session { source: "tau-bench", principal: "desk".to_owned(), task: first, turns });
    }
    for row in rows("train/invariant_explorer_traces.jsonl.gz") {
        let calls = row["object"]["messages"].as_array().unwrap().iter();
        let calls = calls.flat_map(|message| message["tool_calls"].as_array().into_iter().flatten());
        let turns = calls.map(|call| {
            turn(
                "tools".to_owned(),
                text(&call["function"]["name"]),
                &call["function"]["arguments"],
                100,
                false,
            )
        });
        let turns: Vec<_> = turns.collect();
        let task = "explorer".to_owned();
        sessions.push(Session { source: "explorer", principal: "visitor".to_owned(), task, turns });
    }
    if sessions.is_empty() {
        println!("skipped: there are no sessions beside the checkout, or no gzip");
        return None;
    }
    Some(sessions)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A call as the core would measure it.
pub(crate) fn turn(server: String, tool: String, arguments: &Value, result: usize, failed: bool) -> Turn {
    let raw = arguments.to_string();
    let effect = effect(&tool);
    let mut destinations = Vec::new();
    for (name, value) in arguments.as_object().into_iter().flatten() {
        let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for text in list.iter().filter_map(Value::as_str) {
            destinations.extend(hosts(name, text));
        }
    }
    let mut seen = BTreeSet::new();
    destinations.retain(|host| seen.insert(host.clone()));
    destinations.truncate(8);
    Turn {
        measure: Measure {
            effect: Some(effect),
            arguments_bytes: Some(raw.len() as u64),
            arguments_shape: Some(shape(arguments)),
            result_bytes: None,
            destinations,
        },
        server,
        tool,
        arguments: raw,
        // As much as the envelope of an answer has.
        result_bytes: result as u64 + 40,
        failed,
        refused: false,
        gap: None,
    }
}

fn effect(tool: &str) -> Effect {
    const OUTWARD: [&str; 7] =
        ["send_", "git_push", "git_invite", "git_issue", "git_transfer", "create_calendar", "input_to"];
    if OUTWARD.iter().any(|start| tool.starts_with(start)) { Effect::Egress } else { Effect::Read }
}

fn hosts(name: &str, text: &str) -> Vec<String> {
    let until = |text: &str| {
        text.split(['/', '?', '#', ' ', '\n', ')', '"', '>', ',']).next().unwrap_or("").to_lowercase()
    };
    let mut found: Vec<_> = text.split("://").skip(1).map(until).filter(|host| !host.is_empty()).collect();
    let addressed = ["url", "recipient", "recipients", "participants", "email", "to"].contains(&name);
    if addressed && found.is_empty() {
        let after = text.rsplit('@').next().unwrap_or_default();
        found.extend(Some(until(after)).filter(|host| host.contains('.')));
    }
    found
}

fn shape(arguments: &Value) -> String {
    fn walk(value: &Value, path: &str, parts: &mut BTreeSet<String>) {
        let kind = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            Value::Null => "null",
        };
        parts.insert(format!("{path}:{kind}"));
        for (name, member) in value.as_object().into_iter().flatten() {
            walk(member, &format!("{path}/{name}"), parts);
        }
        for element in value.as_array().into_iter().flatten() {
            walk(element, &format!("{path}/[]"), parts);
        }
    }
    let mut parts = BTreeSet::new();
    walk(arguments, "", &mut parts);
    parts.into_iter().collect::<Vec<_>>().join("\n")
}

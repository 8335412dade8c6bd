//! Servers that do what a script says (`scripted-server`), and what must come of calls.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::peers::{reason, results};

/// The program, built beside the product.
fn program() -> PathBuf {
    crate::peers::lockgate().with_file_name("scripted-server")
}

/// A scripted server, which calls itself by its name; what it is called with is in the file of that name in this folder.
pub fn scripted(folder: &Path, name: &str, script: &Value) -> Value {
    let mut script = script.clone();
    if script["identity"].is_null() {
        script["identity"] = json!({ "name": name, "version": "1" });
    }
    json!({ "command": [program(), script.to_string(), folder.join(name)] })
}

/// The calls that a scripted server got: name and arguments.
pub fn calls(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let call = |line: &str| {
        let (name, arguments) = line.split_once(' ').unwrap();
        json!([name, serde_json::from_str::<Value>(arguments).unwrap()])
    };
    text.lines().map(call).collect()
}

/// The definition of a tool whose arguments are texts.
pub fn tool(name: &str, arguments: &[&str]) -> Value {
    let properties: serde_json::Map<_, _> =
        arguments.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "name": name, "inputSchema": { "type": "object", "properties": properties } })
}

/// It was refused by this rule, and says where the value came from.
#[track_caller]
pub fn refused(result: &Value, rule: &str, origin: &str) {
    let decision = &result["_meta"]["io.lockgate/decision"];
    assert_eq!((&decision["phase"], &decision["rule"]), (&json!("flow"), &json!(rule)), "{result}");
    if !origin.is_empty() {
        assert_eq!(decision["origin"]["server"], origin, "{result}");
        assert!(decision["need"].is_string() && decision["have"].is_string(), "{result}");
    }
    assert_eq!(result["isError"], true, "{result}");
}

/// It was made.
#[track_caller]
pub fn passed(result: &Value) {
    assert_eq!(reason(result), Value::Null, "{result}");
}

/// The results of the calls, each with what it must be: the rule and the origin, or nothing where it must pass.
#[track_caller]
pub fn each(steps: &[Value], expected: &[Option<(&str, &str)>]) {
    let results = results(steps);
    assert_eq!(results.len(), expected.len(), "{steps:?}");
    for (result, expected) in results.into_iter().zip(expected) {
        match expected {
            Some((rule, origin)) => refused(result, rule, origin),
            None => passed(result),
        }
    }
}

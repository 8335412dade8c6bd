//! A report for machines. Keys are added, never changed; `version` counts other changes.

use lockgate_clients::{Approves, Found, Hider, Launch, Program, Server, Version, Wire};
use lockgate_model::Untrusted;
use serde_json::{Value, json};

use super::can::Tool;
use super::finding::Finding;
use super::{Answer, Report};

pub(super) fn json(report: &Report, hider: &Hider) -> Value {
    let files: Vec<Value> =
        report.files.iter().enumerate().map(|(at, file)| file_json(report, at, file, hider)).collect();
    let together = report.together.iter().map(|held| {
        let tools: serde_json::Map<String, Value> =
            held.tools.iter().map(|(ability, tools)| (ability.word().to_owned(), json!(tools))).collect();
        let combinations: Vec<&str> = held.combinations.iter().map(|code| code.name).collect();
        json!({ "client": held.client.0, "tools": tools, "combinations": combinations })
    });
    json!({
        "version": 1,
        "files": files,
        "together": together.collect::<Vec<_>>(),
        "findings": report.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

fn file_json(report: &Report, at: usize, file: &Found, hider: &Hider) -> Value {
    let servers = file.servers.iter().enumerate();
    let servers = servers.map(|(place, server)| {
        let asked = report.asked.get(&(at, place));
        server_json(server, asked, hider)
    });
    json!({
        "client": file.client.map(|client| client.id),
        "path": file.path.to_string_lossy(),
        "scope": file.scope.word(),
        "servers": servers.collect::<Vec<_>>(),
    })
}

fn server_json(server: &Server, asked: Option<&Result<Answer, String>>, hider: &Hider) -> Value {
    let program = Program::of(&server.launch);
    let names = |variables: &[lockgate_clients::Variable]| -> Vec<String> {
        variables.iter().map(|one| Untrusted::new(&one.name).escaped(64)).collect()
    };
    let (transport, env, headers) = match &server.launch {
        Launch::Command { env, .. } => ("stdio", names(env), Vec::new()),
        Launch::Remote { wire: Wire::Http, headers, .. } => ("http", Vec::new(), names(headers)),
        Launch::Remote { wire: Wire::Sse, headers, .. } => ("sse", Vec::new(), names(headers)),
        Launch::Remote { wire: Wire::WebSocket, headers, .. } => ("websocket", Vec::new(), names(headers)),
        Launch::Builtin => ("builtin", Vec::new(), Vec::new()),
    };
    let version = match &program.version {
        Version::Exact(version) | Version::Moving(version) => Some(version.as_str()),
        Version::Digest | Version::Unsaid | Version::Local => None,
    };
    let approves = match server.approves {
        Approves::Nothing => json!(0),
        Approves::Some(count) => json!(count),
        Approves::Everything => json!("everything"),
    };
    let (tools, error) = match asked {
        Some(Ok(answer)) => (json!(answer.tools.iter().map(tool_json).collect::<Vec<_>>()), Value::Null),
        Some(Err(why)) => (Value::Null, json!(why)),
        None => (Value::Null, Value::Null),
    };
    json!({
        "name": server.name,
        "line": server.place.line,
        "column": server.place.column,
        "section": server.section,
        "enabled": server.enabled,
        "through_lockgate": super::super::is_lockgate(server),
        "transport": transport,
        "launch": hider.launch(&server.launch),
        "origin": {
            "kind": program.kind.word(),
            "name": hider.text(&program.name),
            "version": version,
            "pinned": !program.version.is_open(),
        },
        "env": env,
        "headers": headers,
        "approves": approves,
        "tools": tools,
        "error": error,
    })
}

fn tool_json(tool: &Tool) -> Value {
    let abilities: Vec<&str> = tool.abilities.iter().map(|ability| ability.word()).collect();
    json!({
        "name": tool.name,
        "class": tool.class.word(),
        "effect": tool.effect.word(),
        "abilities": abilities,
    })
}

fn finding_json(finding: &Finding) -> Value {
    let at = finding.at.as_ref();
    json!({
        "code": finding.code.name,
        "agent_scan": finding.code.agent_scan,
        "severity": finding.severity.word(),
        "message": finding.message,
        "hint": finding.code.hint,
        "client": finding.client,
        "server": finding.server,
        "tool": finding.tool,
        "file": at.map(|(path, _)| path.to_string_lossy()),
        "line": at.map(|(_, place)| place.line),
        "column": at.map(|(_, place)| place.column),
    })
}

//! A report as SARIF 2.1.0 (OASIS), for tools that show findings beside the code.

use std::path::Path;

use serde_json::{Value, json};

use super::Report;
use super::finding::{CODES, Code, Finding};

pub(super) fn sarif(report: &Report) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lockgate",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": CODES.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: &Code) -> Value {
    let tags: Vec<&str> = std::iter::once("security").chain(code.agent_scan).collect();
    json!({
        "id": code.name,
        "shortDescription": { "text": code.meaning },
        "help": { "text": code.hint },
        "defaultConfiguration": { "level": code.severity.sarif() },
        "properties": { "tags": tags },
    })
}

fn result(finding: &Finding) -> Value {
    let index = CODES.iter().position(|code| std::ptr::eq(*code, finding.code));
    let mut result = json!({
        "ruleId": finding.code.name,
        "ruleIndex": index,
        "level": finding.severity.sarif(),
        "message": { "text": finding.message },
        "locations": [],
        "properties": {
            "severity": finding.severity.word(),
            "client": finding.client,
            "server": finding.server,
            "tool": finding.tool,
        },
    });
    if let (Some((path, place)), Some(result)) = (&finding.at, result.as_object_mut()) {
        let mut physical = json!({ "artifactLocation": { "uri": uri(path) } });
        if let (true, Some(physical)) = (place.line > 0, physical.as_object_mut()) {
            let region = json!({ "startLine": place.line, "startColumn": place.column });
            physical.insert("region".to_owned(), region);
        }
        result.insert("locations".to_owned(), json!([{ "physicalLocation": physical }]));
    }
    result
}

/// A path as a URI (RFC 8089).
fn uri(path: &Path) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~:".contains(&b);
    let text = path.to_string_lossy().replace('\\', "/");
    let coded: String = text
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    if coded.starts_with('/') { format!("file://{coded}") } else { coded }
}

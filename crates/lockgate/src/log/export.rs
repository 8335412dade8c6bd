//! Records in the forms of other programs.

use serde_json::{Map, Value, json};

use crate::records::Entry;

/// One event of the Open Cybersecurity Schema Framework 1.3, class API Activity.
pub(super) fn ocsf(number: u64, entry: &Entry) -> String {
    let denied = matches!(entry.verdict.as_str(), "deny");
    // Activity: create 1, read 2, update 3, delete 4, other 99; what a tool does is not said by its name.
    let event = json!({
        "class_uid": 6003, "category_uid": 6, "activity_id": 99, "type_uid": 600_399,
        "time": entry.at.0,
        "severity_id": if denied { 3 } else { 1 },
        "status_id": if denied { 2 } else { 1 },
        "status_detail": entry.reason,
        "disposition_id": match entry.verdict.as_str() { "deny" => 2, "hold" => 3, "rewrite" => 11, _ => 1 },
        "metadata": {
            "version": "1.3.0", "uid": number.to_string(), "correlation_uid": entry.correlation,
            "product": { "name": "Lockgate", "vendor_name": "Lockgate" }, "log_name": entry.event,
        },
        "actor": { "user": { "name": entry.principal.as_str() }, "app_name": entry.client, "session": { "uid": entry.session } },
        "api": { "operation": entry.method, "service": { "name": entry.server.as_ref().map(ToString::to_string) } },
        "resources": entry.target.iter().map(|target| json!({ "name": target })).collect::<Vec<_>>(),
        "firewall_rule": entry.rule.as_ref().map(|rule| json!({ "name": rule })),
        "duration": entry.duration / 1_000,
        "src_endpoint": { "name": entry.client.clone().unwrap_or_else(|| "agent".to_owned()) },
    });
    without_null(event).to_string()
}

/// Flat fields with the names that Sigma rules of SAFE-MCP look at.
pub(super) fn sigma(number: u64, entry: &Entry) -> String {
    let event = json!({
        "timestamp": entry.time, "record": number, "event_type": entry.event, "session_id": entry.session,
        "user": entry.principal.as_str(), "client": entry.client, "method": entry.method,
        "mcp_server": entry.server.as_ref().map(ToString::to_string), "tool_name": entry.target,
        "action": entry.verdict, "reason": entry.reason, "rule": entry.rule, "correlation_id": entry.correlation,
        "origins": entry.before.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    without_null(event).to_string()
}

/// One line of the Common Event Format.
pub(super) fn cef(number: u64, entry: &Entry) -> String {
    // In the head `|` and `\` are escaped, in the extension `=`, `\` and ends of lines.
    let head = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ");
    let value = |text: &str| text.replace('\\', "\\\\").replace('=', "\\=").replace(['\n', '\r'], " ");
    let severity = match entry.verdict.as_str() {
        "deny" => 7,
        "hold" => 5,
        "rewrite" => 3,
        _ => 1,
    };
    let id = entry.reason.as_deref().unwrap_or(&entry.event);
    let mut line = format!(
        "CEF:0|Lockgate|Lockgate|{}|{}|{} {}|{severity}|rt={} externalId={number}",
        env!("CARGO_PKG_VERSION"),
        head(id),
        head(&entry.event),
        head(&entry.verdict),
        entry.at.0
    );
    let server = entry.server.as_ref().map(ToString::to_string);
    let fields = [
        ("act", Some(entry.verdict.as_str())),
        ("suser", Some(entry.principal.as_str())),
        ("requestMethod", entry.method.as_deref()),
        ("dhost", server.as_deref()),
        ("reason", entry.reason.as_deref()),
        ("cs1Label", Some("session")),
        ("cs1", Some(entry.session.as_str())),
        ("cs2Label", entry.target.as_ref().map(|_| "target")),
        ("cs2", entry.target.as_deref()),
        ("cs3Label", entry.rule.as_ref().map(|_| "rule")),
        ("cs3", entry.rule.as_deref()),
        ("cs4Label", Some("correlation")),
        ("cs4", Some(entry.correlation.as_str())),
    ];
    for (name, text) in fields {
        if let Some(text) = text {
            line.push_str(&format!(" {name}={}", value(text)));
        }
    }
    line
}

/// What is not known is left out.
fn without_null(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(members.map(|(name, value)| (name, without_null(value))).collect::<Map<_, _>>())
}

//! What servers add to results beside what the protocol defines.

use lockgate_model::{Fields, Json, ServerName, Splice};

use crate::Core;

/// What has no prefix, and is the protocol's all the same.
const PLAIN: [&str; 4] = ["progressToken", "traceparent", "tracestate", "baggage"];

/// Is the member of `_meta` one that the protocol defines, or keeps for itself? Those are prefixes whose second label, or in
/// 2025-06-18 the first, is `modelcontextprotocol` or `mcp` (MCP, *General fields*, `_meta`; trace context: SEP-414).
fn is_defined(name: &str) -> bool {
    let prefix = name.split_once('/').map_or("", |(prefix, _)| prefix);
    let ours = |label: &str| matches!(label, "modelcontextprotocol" | "mcp");
    prefix.split('.').take(2).any(ours) || PLAIN.contains(&name)
}

impl Core {
    /// Takes out what the protocol does not define from `_meta` of a result and of its parts, where the operator wants that.
    pub(crate) fn strip_meta(&self, server: &ServerName, fields: &Fields<'_>, splice: &mut Splice<'_>) {
        let wanted = self.boundary.servers.get(server).is_some_and(|server| server.detect.strips_meta);
        if !wanted || self.boundary.observes {
            return;
        }
        let parts = ["content", "contents", "messages"].into_iter().filter_map(|name| fields.get(name));
        let parts = parts.flat_map(Json::elements);
        for part in parts {
            // The part, what a message says, and the file that either of them holds.
            for holder in [Some(part), part.get("content")].into_iter().flatten() {
                strip(holder.get("_meta"), splice);
                strip(holder.get("resource").and_then(|file| file.get("_meta")), splice);
            }
        }
        strip(fields.get("_meta"), splice);
    }
}

fn strip(meta: Option<Json<'_>>, splice: &mut Splice<'_>) {
    if let Some(meta) = meta {
        splice.retain(meta, is_defined);
    }
}

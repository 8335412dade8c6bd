//! Answers of the server, as the handshake era has them.

use crate::meta::unreserved;
use crate::object::{Object, members};
use bytes::Bytes;
use lockgate_model::{Fields, Json, Kind, Splice};

/// What a result of the stateless era is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResultType {
    /// The answer.
    Complete,
    /// The server wants to know more first.
    InputRequired,
    /// Nothing that was asked for: a task, or a word that nobody knows.
    Unknown,
}

impl ResultType {
    pub(super) fn of(fields: &Fields<'_>) -> Self {
        let Some(word) = fields.get("resultType") else { return Self::Complete };
        match word.text().as_deref() {
            Some("complete") => Self::Complete,
            Some("input_required") => Self::InputRequired,
            _ => Self::Unknown,
        }
    }
}

/// A complete result under the session's id. Taken off: `resultType`; of lists and of what is read `ttlMs` and
/// `cacheScope`; of `_meta` what is reserved. Of a tool's result a `structuredContent` that is no object, which the
/// handshake era cannot say (`content` says it in words), and of a tool's definition an `outputSchema` of such.
pub(super) fn complete(
    source: &Bytes,
    id: Json<'_>,
    result: Json<'_>,
    method: &str,
    session_id: &Bytes,
) -> Bytes {
    let mut splice = Splice::new(source);
    splice.replace(id, session_id.to_vec());
    if result.kind() == Kind::Object {
        splice.replace(result, translated(result, method));
    }
    splice.finish()
}

fn translated(result: Json<'_>, method: &str) -> Vec<u8> {
    let cacheable = method == "resources/read" || method.ends_with("/list");
    let mut kept = Object::default();
    for member in members(result) {
        let (key, value) = (member.key, member.value);
        if key.is("resultType") || (cacheable && (key.is("ttlMs") || key.is("cacheScope"))) {
            continue;
        }
        if key.is("_meta") && value.kind() == Kind::Object {
            if let Some(meta) = unreserved(value) {
                kept.add("_meta", &meta);
            }
        } else if method == "tools/call" && key.is("structuredContent") && value.kind() != Kind::Object {
            // The handshake era has no word for it.
        } else if method == "tools/list" && key.is("tools") && value.elements().any(promises_no_object) {
            kept.add("tools", tools(value));
        } else {
            kept.push(member.text);
        }
    }
    kept.json()
}

/// Does the tool promise a structured content that is no object?
fn promises_no_object(tool: Json<'_>) -> bool {
    let schema = tool.get("outputSchema");
    schema.is_some_and(|schema| schema.get("type").and_then(Json::text).is_none_or(|kind| kind != "object"))
}

fn tools(list: Json<'_>) -> Vec<u8> {
    let mut out = vec![b'['];
    for tool in list.elements() {
        if out.len() > 1 {
            out.push(b',');
        }
        if promises_no_object(tool) {
            let mut kept = Object::default();
            members(tool)
                .filter(|member| !member.key.is("outputSchema"))
                .for_each(|member| kept.push(member.text));
            out.extend(kept.json());
        } else {
            out.extend_from_slice(tool.raw());
        }
    }
    out.push(b']');
    out
}

/// Stands for errors of the stateless era about what the bridge itself has written: headers, capabilities, revision.
const NEUTRAL: &[u8] =
    br#"{"code":-32603,"message":"the server cannot answer this request of an older revision of the protocol"}"#;

/// An error under the session's id. Codes that only the stateless era has become those of the handshake era.
pub(super) fn error(
    source: &Bytes,
    id: Option<Json<'_>>,
    error: Json<'_>,
    method: &str,
    session_id: &Bytes,
) -> Bytes {
    let mut splice = Splice::new(source);
    if let Some(id) = id {
        splice.replace(id, session_id.to_vec());
    }
    let code = error.get("code");
    match code.and_then(Json::integer) {
        Some(-32_602) if method == "resources/read" => {
            if let Some(code) = code {
                splice.replace(code, *b"-32002");
            }
        }
        Some(_) | None => splice.replace(error, plain(error)),
    }
    splice.finish()
}

/// An error as it may be said in the handshake era.
pub(super) fn plain(error: Json<'_>) -> &[u8] {
    match error.get("code").and_then(Json::integer) {
        Some(-32_099..=-32_020) => NEUTRAL,
        Some(_) | None => error.raw(),
    }
}

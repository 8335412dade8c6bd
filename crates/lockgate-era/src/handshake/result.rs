//! Answers of a server of the handshake era, as the stateless era has them.
//!
//! A result gets `resultType` and the server's name, and a list or a resource how long it may be kept: not at all. The
//! handshake era has no such promise, only announcements of changes, which a client without a listen does not hear. It is
//! private: what a server says in a session is said to that one.
//!
//! | code of an error | becomes | |
//! | --- | --- | --- |
//! | -32002 | -32602 | resource not found |
//! | -32042 | `input_required` | an address must be opened; -32021 where the client does not declare that it can |
//! | -32042 without `elicitations` | the same | a demand for payment, as some servers have it |
//! | -32099 to -32020 | -32603 | reserved by 2026-07-28, whatever the server means |
//!
//! Every other code goes on as it came, as do all messages and data.

use bytes::Bytes;
use lockgate_model::{Body, Fields, Json, Kind, Message, Params, Splice, quote};

use super::call::Call;
use super::greet::Server;
use super::question::input_required;
use crate::Bounds;
use crate::message;
use crate::meta;
use crate::object::Object;

/// What a result says of keeping it.
pub(super) const CACHING: [(&str, &str); 2] = [("ttlMs", "0"), ("cacheScope", "\"private\"")];

/// How the keys of addresses to open begin. Their questions hold no call: the server has ended it.
const ADDRESS: &str = "address-";

/// The answer to a call, for the request with this id.
pub(super) fn translate(
    call: &Call,
    id: &[u8],
    server: Option<&Server>,
    bounds: &Bounds,
    message: &Bytes,
    heard: &Message<'_>,
) -> Bytes {
    let mut splice = Splice::new(message);
    match &heard.body {
        Body::Result { id: own, result, fields } => {
            splice.replace(*own, id);
            if result.kind() == Kind::Object {
                complete(call.method, *result, fields, server, &mut splice);
            }
        }
        Body::Error { id: own, error } => {
            match own.or_else(|| heard.whole.get("id")) {
                Some(own) => splice.replace(own, id),
                None => splice.insert(heard.whole, Object::default().with("id", id).written()),
            }
            let code = error.get("code");
            match code.and_then(Json::integer) {
                Some(-32_002) => replace(&mut splice, code, "-32602"),
                Some(-32_042) if call.may_ask() => match addresses(*error, bounds) {
                    Some(_) if !opens(call) => return incapable(id),
                    Some(questions) => {
                        return message::result(id, input_required(questions, server).json());
                    }
                    // Some servers demand a payment with it, and who reads that knows it by this code.
                    None if error.get("data").and_then(|data| data.get("elicitations")).is_none() => {}
                    None => replace(&mut splice, code, "-32603"),
                },
                Some(-32_099..=-32_020) => replace(&mut splice, code, "-32603"),
                Some(_) | None => {}
            }
        }
        Body::Request { .. } | Body::Notification { .. } => {}
    }
    splice.finish()
}

fn replace(splice: &mut Splice<'_>, part: Option<Json<'_>>, with: &str) {
    if let Some(part) = part {
        splice.replace(part, with);
    }
}

fn complete(
    method: &str,
    result: Json<'_>,
    fields: &Fields<'_>,
    server: Option<&Server>,
    splice: &mut Splice<'_>,
) {
    let mut added = Object::default();
    let mut put = |name: &str, value: &str| match fields.get(name) {
        Some(had) if had.raw() == value.as_bytes() => {}
        Some(had) => splice.replace(had, value),
        None => added = std::mem::take(&mut added).with(name, value),
    };
    // A server of this era knows none of these members: a value of its own means something else.
    put("resultType", "\"complete\"");
    let lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    if lists.contains(&method) || method == "resources/read" {
        for (name, value) in CACHING {
            put(name, value);
        }
    }
    let none = Object::default();
    let signature = server.map_or(&none, |server| &server.signature);
    match fields.get("_meta") {
        Some(meta) if meta.kind() == Kind::Object => {
            if meta.members().any(|(key, _)| meta::is_reserved(&key.text())) {
                let kept = Object::of(Some(meta), |key| !meta::is_reserved(key));
                splice.replace(meta, kept.and(signature).json());
            } else if !signature.is_empty() {
                splice.insert(meta, signature.written());
            }
        }
        Some(meta) => splice.replace(meta, signature.json()),
        None if signature.is_empty() => {}
        None => added = added.with("_meta", signature.json()),
    }
    if !added.is_empty() {
        splice.insert(result, added.written());
    }
}

/// The addresses that a server wants opened, as questions; none where it is not said how.
fn addresses(error: Json<'_>, bounds: &Bounds) -> Option<Object> {
    let asked = error.get("data")?.get("elicitations")?;
    let mut questions = Object::default();
    for (number, elicitation) in asked.elements().enumerate() {
        let is = |name: &str| elicitation.get(name).is_some_and(|value| value.kind() == Kind::String);
        let url = elicitation.get("mode").and_then(Json::text).is_some_and(|mode| mode == "url");
        if number >= bounds.questions || !url || !is("url") || !is("message") {
            return None;
        }
        let question =
            Object::default().with("method", quote("elicitation/create")).with("params", elicitation.raw());
        questions = questions.with(&format!("{ADDRESS}{}", number + 1), question.json());
    }
    (!questions.is_empty()).then_some(questions)
}

/// Does the client declare that it can have an address opened?
fn opens(call: &Call) -> bool {
    let declared = call.capabilities.as_ref().and_then(|declared| Json::check(declared, 128).ok());
    declared.and_then(|declared| declared.get("elicitation")?.get("url")).is_some()
}

/// The request needs a client that can have an address opened.
fn incapable(id: &[u8]) -> Bytes {
    let error = Object::default()
        .with("code", "-32021")
        .with("message", quote("the server needs an address to be opened"))
        .with("data", "{\"requiredCapabilities\":{\"elicitation\":{\"url\":{}}}}");
    message::message(Object::default().with("id", id).with("error", error.json()))
}

/// Does the agent come back with an address that was not opened? Asked again, the server would want it opened again.
pub(super) fn is_declined(params: &Params<'_>) -> bool {
    let refuses = |answer: Json<'_>| {
        let action = answer.get("action").and_then(Json::text);
        matches!(action.as_deref(), Some("decline" | "cancel"))
    };
    let answers = params.get("inputResponses").into_iter().flat_map(Json::members);
    let mut addresses = answers.filter(|(key, _)| key.text().starts_with(ADDRESS));
    addresses.any(|(_, answer)| refuses(answer))
}

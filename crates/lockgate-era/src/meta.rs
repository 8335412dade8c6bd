//! `_meta`: what of it belongs to one era, and what crosses to the other.

use std::borrow::Cow;

use lockgate_model::{Json, Key, Params};

use crate::object::{Object, members};

/// The keys of `_meta` that belong to the protocol of one era and never cross to the other.
const RESERVED: [&str; 6] =
    ["protocolVersion", "clientInfo", "clientCapabilities", "logLevel", "serverInfo", "subscriptionId"];

/// What they begin with.
const PREFIX: &str = "io.modelcontextprotocol/";

pub(crate) fn is_reserved(key: &str) -> bool {
    key.strip_prefix(PREFIX).is_some_and(|name| RESERVED.contains(&name))
}

/// A reserved key, by its short name.
pub(crate) fn reserved_key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The value of a reserved key of `_meta`, by its short name.
pub(crate) fn reserved<'a>(meta: Option<Json<'a>>, name: &str) -> Option<Json<'a>> {
    let wanted = |key: Key<'_>| key.text().strip_prefix(PREFIX).is_some_and(|rest| rest == name);
    meta?.members().find(|(key, _)| wanted(*key)).map(|(_, value)| value)
}

/// An object whose `_meta` has lost the reserved keys; a `_meta` that held nothing else is gone. Borrowed where there
/// is nothing to take off.
pub(crate) fn without_reserved(object: Json<'_>) -> Cow<'_, [u8]> {
    let held = |meta: Json<'_>| meta.members().any(|(key, _)| is_reserved(&key.text()));
    if !object.get("_meta").is_some_and(held) {
        return Cow::Borrowed(object.raw());
    }
    let mut kept = Object::default();
    for member in members(object) {
        if member.key.is("_meta") {
            if let Some(meta) = unreserved(member.value) {
                kept.add("_meta", &meta);
            }
        } else {
            kept.push(member.text);
        }
    }
    Cow::Owned(kept.json())
}

/// A `_meta` without the reserved keys; none where it held nothing else.
pub(crate) fn unreserved(meta: Json<'_>) -> Option<Vec<u8>> {
    let mut kept = Object::default();
    let mut taken = false;
    for member in members(meta) {
        if is_reserved(&member.key.text()) {
            taken = true;
        } else {
            kept.push(member.text);
        }
    }
    (!(taken && kept.is_empty())).then(|| kept.json())
}

/// `_meta` without what is of the stateless era, and without these keys.
pub(crate) fn crossing(params: &Params<'_>, without: &[&str]) -> Object {
    Object::of(params.meta(), |key| !is_reserved(key) && !without.contains(&key))
}

//! Objects taken apart and put together again, each member with the bytes it came as.

use std::borrow::Cow;

use lockgate_model::{Json, Key};

/// A member of an object.
pub(super) struct Member<'a> {
    pub(super) key: Key<'a>,
    pub(super) value: Json<'a>,
    /// Name and value, as they came.
    pub(super) text: &'a [u8],
}

/// The members of an object, in order.
pub(super) fn members(object: Json<'_>) -> impl Iterator<Item = Member<'_>> {
    let raw = object.raw();
    let mut from = 1;
    object.members().map(move |(key, value)| {
        let end = (value.raw().as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize) + value.raw().len();
        let text = raw.get(from..end).unwrap_or_default();
        from = end;
        let name = text.iter().position(|byte| *byte == b'"').unwrap_or_default();
        Member { key, value, text: text.get(name..).unwrap_or_default() }
    })
}

/// An object under construction.
pub(super) struct Object(Vec<u8>);

impl Object {
    pub(super) fn new() -> Self {
        Self(vec![b'{'])
    }

    /// Adds members that are written already.
    pub(super) fn push(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if !self.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(text);
    }

    /// Adds a member. The name needs no escapes.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        self.push(format!("\"{name}\":").as_bytes());
        self.0.extend_from_slice(value);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    /// The members alone, without braces.
    pub(super) fn inner(mut self) -> Vec<u8> {
        self.0.remove(0);
        self.0
    }
}

/// The keys of `_meta` that belong to the protocol of one era and never cross to the other.
const RESERVED: [&str; 6] =
    ["protocolVersion", "clientInfo", "clientCapabilities", "logLevel", "serverInfo", "subscriptionId"];

/// What they begin with.
pub(super) const PREFIX: &str = "io.modelcontextprotocol/";

pub(super) fn is_reserved(key: Key<'_>) -> bool {
    key.text().strip_prefix(PREFIX).is_some_and(|name| RESERVED.contains(&name))
}

/// The value of a reserved key of `_meta`, by its short name.
pub(super) fn reserved<'a>(meta: Option<Json<'a>>, name: &str) -> Option<Json<'a>> {
    let wanted = |key: Key<'_>| key.text().strip_prefix(PREFIX).is_some_and(|rest| rest == name);
    meta?.members().find(|(key, _)| wanted(*key)).map(|(_, value)| value)
}

/// An object whose `_meta` has lost the reserved keys; a `_meta` that held nothing else is gone. Borrowed where there
/// is nothing to take off.
pub(super) fn without_reserved(object: Json<'_>) -> Cow<'_, [u8]> {
    let held = |meta: Json<'_>| meta.members().any(|(key, _)| is_reserved(key));
    if !object.get("_meta").is_some_and(held) {
        return Cow::Borrowed(object.raw());
    }
    let mut kept = Object::new();
    for member in members(object) {
        if member.key.is("_meta") {
            if let Some(meta) = unreserved(member.value) {
                kept.add("_meta", &meta);
            }
        } else {
            kept.push(member.text);
        }
    }
    Cow::Owned(kept.finish())
}

/// A `_meta` without the reserved keys; none where it held nothing else.
pub(super) fn unreserved(meta: Json<'_>) -> Option<Vec<u8>> {
    let mut kept = Object::new();
    let mut taken = false;
    for member in members(meta) {
        if is_reserved(member.key) {
            taken = true;
        } else {
            kept.push(member.text);
        }
    }
    (!(taken && kept.is_empty())).then(|| kept.finish())
}

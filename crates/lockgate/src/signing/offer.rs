//! What a server offers now, as digests.

use bytes::Bytes;
use lockgate_attest::Manifest;
use lockgate_model::{Json, Untrusted, quote};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::gateway::Offered;

/// Deepest nesting of a definition that is read; what the door lets through is never deeper.
const DEPTH: usize = 1_024;

/// Most characters of a text of a server that are shown.
const SHOWN: usize = 128;

/// Everything that a server offers, as a list that can be signed. An error says what is ambiguous.
pub(super) fn list(offered: &Offered) -> Result<Manifest, String> {
    let identity = offered.identity.as_ref();
    let said = |field: &str| {
        let text = identity.and_then(|bytes| Json::check(bytes, DEPTH).ok()?.get(field)?.text());
        text.unwrap_or_default().into_owned()
    };
    let mut manifest = Manifest { server: said("name"), version: said("version"), ..Manifest::default() };
    if let Some(identity) = identity {
        add(&mut manifest, "identity", String::new(), identity)?;
    }
    if let Some(instructions) = &offered.instructions {
        add(&mut manifest, "instructions", String::new(), quote(instructions).as_bytes())?;
    }
    let lists: [(&str, &str, &Vec<Bytes>); 4] = [
        ("tool", "name", &offered.tools),
        ("prompt", "name", &offered.prompts),
        ("resource", "uri", &offered.resources),
        ("template", "uriTemplate", &offered.templates),
    ];
    for (kind, key, entries) in lists {
        for entry in entries {
            let named = Json::check(entry, DEPTH).ok().and_then(|entry| entry.get(key)?.text());
            let name = named.ok_or_else(|| format!("it offers a {kind} without a `{key}`"))?.into_owned();
            add(&mut manifest, kind, name, entry)?;
        }
    }
    if manifest.definitions.is_empty() { Err("it offers nothing".to_owned()) } else { Ok(manifest) }
}

fn add(manifest: &mut Manifest, kind: &str, name: String, definition: &[u8]) -> Result<(), String> {
    let shown = shown(kind, &name);
    let digest = digest(kind, definition).ok_or_else(|| format!("{shown} cannot be read"))?;
    match manifest.definitions.insert((kind.to_owned(), name), digest) {
        None => Ok(()),
        Some(_) => Err(format!("it offers {shown} twice")),
    }
}

/// A definition's name, for people.
pub(super) fn shown(kind: &str, name: &str) -> String {
    let name = Untrusted::new(name.to_owned()).escaped(SHOWN);
    if name.is_empty() { kind.to_owned() } else { format!("{kind} `{name}`") }
}

/// The SHA-256 of a definition in canonical form: names sorted, no space, and without what changes by itself.
fn digest(kind: &str, definition: &[u8]) -> Option<[u8; 32]> {
    let mut value: Value = serde_json::from_slice(definition).ok()?;
    if kind == "resource"
        && let Some(resource) = value.as_object_mut()
    {
        resource.remove("size");
        if let Some(annotations) = resource.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("lastModified");
        }
    }
    let mut text = String::new();
    canonical(&value, &mut text);
    Some(Sha256::digest(text).into())
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (count, item) in items.iter().enumerate() {
                out.push_str(if count > 0 { "," } else { "" });
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
            for (count, (name, item)) in sorted.into_iter().enumerate() {
                out.push_str(if count > 0 { "," } else { "" });
                out.push_str(&format!("{}:", Value::from(name.as_str())));
                canonical(item, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_definition_is_written_makes_no_difference() {
        let one = digest("tool", br#"{"name":"a","inputSchema":{"b":1,"a":[1,{"y":0,"x":null}]}}"#);
        let other = digest(
            "tool",
            b"{ \"inputSchema\": {\"a\":[1,{\"x\":null,\"y\":0}],\n\"b\":1}, \"name\":\"\\u0061\" }",
        );
        assert_eq!(one, other);
        assert_ne!(one, digest("tool", br#"{"name":"a","inputSchema":{"b":1,"a":[1,{"y":1,"x":null}]}}"#));
        let sized = br#"{"uri":"a:b","size":3,"annotations":{"lastModified":"x","audience":[]}}"#;
        assert_eq!(
            digest("resource", sized),
            digest("resource", br#"{"uri":"a:b","annotations":{"audience":[]}}"#)
        );
    }

    #[test]
    fn what_is_offered_twice_or_without_a_name_is_not_listed() {
        let entries = |all: &[&str]| all.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
        let with = |prompts: &[&str]| list(&Offered { prompts: entries(prompts), ..Offered::default() });
        assert_eq!(
            with(&[r#"{"name":"a"}"#, r#"{"name":"a","x":1}"#]),
            Err("it offers prompt `a` twice".to_owned())
        );
        assert_eq!(with(&["{}"]), Err("it offers a prompt without a `name`".to_owned()));
        assert_eq!(with(&[]), Err("it offers nothing".to_owned()));
        let all = Offered {
            key: None,
            identity: Some(Bytes::from_static(br#"{"name":"n","version":"1"}"#)),
            instructions: Some("Ask \"twice\".".to_owned()),
            tools: entries(&[r#"{"name":"a"}"#]),
            resources: entries(&[r#"{"uri":"a:b"}"#]),
            templates: entries(&[r#"{"uriTemplate":"a:{b}"}"#]),
            prompts: entries(&[r#"{"name":"a"}"#]),
        };
        let manifest = list(&all).unwrap();
        let names: Vec<_> =
            manifest.definitions.keys().map(|(kind, name)| format!("{kind}:{name}")).collect();
        assert_eq!(
            names,
            ["identity:", "instructions:", "prompt:a", "resource:a:b", "template:a:{b}", "tool:a"]
        );
        assert_eq!((manifest.server.as_str(), manifest.version.as_str()), ("n", "1"));
    }
}

//! What a server offers now, or what a lock file says of it, as a list that can be signed.

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_attest::Manifest;
use lockgate_model::{Json, Untrusted, quote};
use lockgate_provenance::lock::{Definition, Locked};
use lockgate_provenance::{Kind, Name};

use crate::gateway::Offered;

/// Deepest nesting of a definition that is read; what the door lets through is never deeper.
const DEPTH: usize = 1_024;

/// Most characters of a text of a server that are shown.
const SHOWN: usize = 128;

/// Everything that a server offers. An error says what of it cannot be listed.
pub(super) fn list(offered: &Offered) -> Result<Manifest, String> {
    let mut locked = Locked::default();
    let instructions = offered.instructions.as_ref().map(|text| Bytes::from(quote(text)));
    let lists: [(Kind, &[Bytes]); 6] = [
        (Kind::Identity, offered.identity.as_slice()),
        (Kind::Instructions, instructions.as_slice()),
        (Kind::Tool, &offered.tools),
        (Kind::Prompt, &offered.prompts),
        (Kind::Resource, &offered.resources),
        (Kind::Template, &offered.templates),
    ];
    for (kind, entries) in lists {
        for entry in entries {
            let definition = Json::check(entry, DEPTH).map_err(|reason| reason.meaning().to_owned())?;
            locked.add(kind, definition).map_err(|why| {
                let name = Name::of(kind, definition).unwrap_or(Name { kind, name: String::new() });
                format!("{}: {why}", shown(kind.word(), &name.name))
            })?;
        }
    }
    let said = |field: &str| {
        let identity = offered.identity.as_ref().and_then(|identity| Json::check(identity, DEPTH).ok());
        identity.and_then(|identity| Some(identity.get(field)?.text()?.into_owned())).unwrap_or_default()
    };
    let manifest =
        Manifest { server: said("name"), version: said("version"), definitions: definitions(&locked) };
    if manifest.definitions.is_empty() { Err("it offers nothing".to_owned()) } else { Ok(manifest) }
}

/// What a lock file says of a server; `None` where no definition is approved.
pub(super) fn listed(locked: &Locked) -> Option<Manifest> {
    let identity = locked.definition(&Name { kind: Kind::Identity, name: String::new() });
    let said = identity.and_then(|one| Json::check(one.text().as_bytes(), DEPTH).ok()?.get("name")?.text());
    let manifest = Manifest {
        server: said.unwrap_or_default().into_owned(),
        // A pinned identity has none.
        version: locked.origin.get("version").cloned().unwrap_or_default(),
        definitions: definitions(locked),
    };
    (!manifest.definitions.is_empty()).then_some(manifest)
}

fn definitions(locked: &Locked) -> BTreeMap<(String, String), [u8; 32]> {
    let one = |(name, definition): (&Name, &Definition)| {
        ((name.kind.word().to_owned(), name.name.clone()), definition.digest().bytes())
    };
    locked.definitions().map(one).collect()
}

/// A definition's name, for people.
pub(super) fn shown(kind: &str, name: &str) -> String {
    let name = Untrusted::new(name.to_owned()).escaped(SHOWN);
    if name.is_empty() { kind.to_owned() } else { format!("{kind} `{name}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(all: &[&str]) -> Vec<Bytes> {
        all.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect()
    }

    #[test]
    fn everything_is_listed_with_the_digest_that_is_pinned() {
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
        let pinned = lockgate_provenance::digest(Kind::Tool, Json::check(br#"{ "name": "a" }"#, 8).unwrap());
        assert_eq!(manifest.definitions[&("tool".to_owned(), "a".to_owned())], pinned.bytes());
    }

    #[test]
    fn what_is_offered_twice_or_without_a_name_is_not_listed() {
        let with = |prompts: &[&str]| list(&Offered { prompts: entries(prompts), ..Offered::default() });
        let twice = with(&[r#"{"name":"a"}"#, r#"{"name":"a","x":1}"#]);
        assert_eq!(twice, Err("prompt `a`: two definitions have the same name".to_owned()));
        assert_eq!(with(&["{}"]), Err("prompt: the definition has no name".to_owned()));
        assert_eq!(with(&[]), Err("it offers nothing".to_owned()));
    }
}

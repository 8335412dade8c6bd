//! Signed lists of what a server offers: one digest for each definition.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Statement, Subject, Unproven};

/// The kind of statement that a manifest is.
pub const PREDICATE: &str = "https://github.com/lockgate/lockgate/manifest/v1";

/// What a server offers, as somebody has signed it: an in-toto statement whose subjects are the definitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The name that the server gives itself; empty where it gives none.
    pub server: String,
    /// The version that it gives itself.
    pub version: String,
    /// The SHA-256 of each definition in canonical form, by kind (`tool`, `prompt`, …) and name.
    pub definitions: BTreeMap<(String, String), [u8; 32]>,
}

/// What is different between a manifest and what a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Offered, and not in the manifest.
    Added,
    /// In the manifest, and not offered.
    Removed,
    /// Another digest.
    Changed,
}

impl Manifest {
    /// Reads a statement that was verified. Every definition stands in it once, and their number is said.
    pub fn read(statement: &Statement) -> Result<Self, Unproven> {
        if statement.predicate_type != PREDICATE {
            return Err(Unproven::Predicate);
        }
        let text = |pointer: &str| {
            let text = statement.predicate.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned).ok_or(Unproven::Malformed)
        };
        let (server, version) = (text("/server/name")?, text("/server/version")?);
        let mut definitions = BTreeMap::new();
        for subject in &statement.subjects {
            let (kind, name) = subject.name.split_once(':').ok_or(Unproven::Malformed)?;
            let digest =
                subject.digest.get("sha256").and_then(|hex| unhex(hex)).ok_or(Unproven::Malformed)?;
            if definitions.insert((kind.to_owned(), name.to_owned()), digest).is_some() {
                return Err(Unproven::Malformed);
            }
        }
        let said = statement.predicate.get("definitions").and_then(Value::as_u64);
        if said != Some(definitions.len() as u64) {
            return Err(Unproven::Malformed);
        }
        Ok(Self { server, version, definitions })
    }

    /// As a statement that can be signed.
    pub fn write(&self) -> Vec<u8> {
        let subject = |((kind, name), digest): (&(String, String), &[u8; 32])| {
            Subject::sha256(&format!("{kind}:{name}"), digest)
        };
        let subjects: Vec<Subject> = self.definitions.iter().map(subject).collect();
        let predicate = json!({
            "server": { "name": self.server, "version": self.version },
            "definitions": self.definitions.len(),
        });
        Statement::write(&subjects, PREDICATE, &predicate)
    }

    /// Where what is offered differs, by kind and name.
    pub fn differences(
        &self,
        offered: &BTreeMap<(String, String), [u8; 32]>,
    ) -> BTreeMap<(String, String), Difference> {
        let gone = self.definitions.iter().filter_map(|(name, digest)| match offered.get(name) {
            None => Some((name.clone(), Difference::Removed)),
            Some(other) => (other != digest).then(|| (name.clone(), Difference::Changed)),
        });
        let new = offered.keys().filter(|name| !self.definitions.contains_key(*name));
        gone.chain(new.map(|name| (name.clone(), Difference::Added))).collect()
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let definition = |kind: &str, name: &str, digest| ((kind.to_owned(), name.to_owned()), [digest; 32]);
        Manifest {
            server: "files".to_owned(),
            version: "1.0.0".to_owned(),
            definitions: BTreeMap::from([
                definition("identity", "", 0xa1),
                definition("tool", "read:all", 2),
                definition("tool", "write", 3),
            ]),
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let read = Manifest::read(&Statement::read(&manifest().write()).unwrap());
        assert_eq!(read, Ok(manifest()));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let text = String::from_utf8(manifest().write()).unwrap();
        let table = [
            (text.replace("manifest/v1", "manifest/v2"), Unproven::Predicate),
            (text.replace("\"definitions\":3", "\"definitions\":2"), Unproven::Malformed),
            (text.replace("tool:write", "tool:read:all"), Unproven::Malformed),
            (text.replace("tool:write", "write"), Unproven::Malformed),
            (text.replace("0303", "03x3"), Unproven::Malformed),
            (text.replace("0303", "03"), Unproven::Malformed),
            (text.replace("\"version\"", "\"other\""), Unproven::Malformed),
        ];
        for (text, wanted) in table {
            let read = Statement::read(text.as_bytes()).and_then(|statement| Manifest::read(&statement));
            assert_eq!(read, Err(wanted), "{text}");
        }
    }

    #[test]
    fn every_difference_is_found() {
        let mut offered = manifest().definitions;
        assert!(manifest().differences(&offered).is_empty());
        offered.remove(&("identity".to_owned(), String::new()));
        offered.insert(("tool".to_owned(), "write".to_owned()), [4; 32]);
        offered.insert(("prompt".to_owned(), "write".to_owned()), [3; 32]);
        let found: Vec<_> =
            manifest().differences(&offered).into_iter().map(|((kind, _), found)| (kind, found)).collect();
        let wanted = [
            ("identity".to_owned(), Difference::Removed),
            ("prompt".to_owned(), Difference::Added),
            ("tool".to_owned(), Difference::Changed),
        ];
        assert_eq!(found, wanted);
    }
}

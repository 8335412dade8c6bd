//! In-toto statements: what is said of which artefacts.

use std::collections::BTreeMap;

use lockgate_model::hex;
use serde::Deserialize;
use serde_json::Value;

use crate::{Unproven, strict};

/// The types of statements that are read.
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// Most subjects of one statement.
const SUBJECTS: usize = 100_000;

/// What somebody says of artefacts. It is worth what its signature is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it is about. At least one, at most 100,000.
    pub subjects: Vec<Subject>,
    /// Of which kind the rest is: an address.
    pub predicate_type: String,
    /// What is said; `null` for nothing.
    pub predicate: Value,
}

/// One artefact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subject {
    /// Its name, such as `pkg:npm/name@1.0.0` or that of a file; empty for none.
    #[serde(default)]
    pub name: String,
    /// Its digests in hex, by algorithm.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

impl Statement {
    /// Reads a statement of version 0.1 or 1.
    pub fn read(bytes: &[u8]) -> Result<Self, Unproven> {
        let wire: Wire = strict(bytes)?;
        if !TYPES.contains(&wire.kind.as_str()) {
            return Err(Unproven::Unsupported);
        }
        if wire.subject.is_empty() || wire.subject.len() > SUBJECTS {
            return Err(Unproven::Malformed);
        }
        Ok(Self { subjects: wire.subject, predicate_type: wire.predicate_type, predicate: wire.predicate })
    }

    /// A statement of version 1, as bytes that can be signed.
    pub fn write(subjects: &[Subject], predicate_type: &str, predicate: &Value) -> Vec<u8> {
        let subject = |one: &Subject| serde_json::json!({ "name": one.name, "digest": one.digest });
        let statement = serde_json::json!({
            "_type": TYPES.first(),
            "subject": subjects.iter().map(subject).collect::<Vec<_>>(),
            "predicateType": predicate_type,
            "predicate": predicate,
        });
        statement.to_string().into_bytes()
    }

    /// The subjects that have one of these digests: pairs of an algorithm and hex in lower case.
    pub fn about<'s>(&'s self, digests: &'s [(&'s str, String)]) -> impl Iterator<Item = &'s Subject> {
        let has = |one: &Subject, (algorithm, digest): &(&str, String)| {
            one.digest.get(*algorithm).is_some_and(|said| said.eq_ignore_ascii_case(digest))
        };
        self.subjects.iter().filter(move |one| digests.iter().any(|digest| has(one, digest)))
    }
}

impl Subject {
    /// A subject with a SHA-256.
    pub fn sha256(name: &str, digest: &[u8; 32]) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), hex(digest))]);
        Self { name: name.to_owned(), digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_as_it_was_written() {
        let subjects = [Subject::sha256("a", &[1; 32]), Subject::sha256("b", &[2; 32])];
        let bytes = Statement::write(&subjects, "https://a.example/v1", &serde_json::json!({ "x": 1 }));
        let read = Statement::read(&bytes).unwrap();
        assert_eq!(read.subjects, subjects);
        let wanted = [("sha512", "01".repeat(32)), ("sha256", "02".repeat(32))];
        assert_eq!(read.about(&wanted).map(|one| one.name.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        let one = r#"{"name":"a","digest":{"sha256":"00"}}"#;
        let text = |kind: &str, subjects: &str| {
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/{kind}","subject":[{subjects}],"predicateType":"p"}}"#
            )
        };
        assert!(Statement::read(text("v1", one).as_bytes()).is_ok());
        assert!(Statement::read(text("v0.1", one).as_bytes()).is_ok());
        let table = [
            (text("v2", one), Unproven::Unsupported),
            (text("v1", ""), Unproven::Malformed),
            (text("v1", "1"), Unproven::Malformed),
            (text("v1", one).replace("predicateType", "other"), Unproven::Malformed),
            (text("v1", one).replace(r#""name":"a""#, r#""name":"a","name":"b""#), Unproven::Malformed),
            ("{}".to_owned(), Unproven::Malformed),
        ];
        for (text, wanted) in table {
            assert_eq!(Statement::read(text.as_bytes()).err(), Some(wanted), "{text}");
        }
    }
}

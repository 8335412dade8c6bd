//! What package registries give out of attestations: npm's documents, and `PyPI`'s objects (PEP 740).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{PAYLOAD, Signer, Unproven, strict};

/// Most attestations of one document.
const MOST: usize = 64;

/// One attestation of npm (`/-/npm/v1/attestations/NAME@VERSION`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpmAttestation {
    /// Of which kind it says it is. The statement inside counts.
    pub predicate_type: String,
    /// A Sigstore bundle.
    pub bundle: Vec<u8>,
}

/// One attestation of a file on `PyPI` (`/integrity/NAME/VERSION/FILE/provenance`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PypiAttestation {
    /// Who has published the file, as `PyPI` says. It is true where the bundle is signed by [`Publisher::signer`].
    pub publisher: Publisher,
    /// A Sigstore bundle, made of the attestation.
    pub bundle: Vec<u8>,
}

/// Who has published a file on `PyPI`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publisher {
    /// A workflow of GitHub.
    GitHub {
        /// `owner/repository`
        repository: String,
        /// The name of its file: `release.yml`.
        workflow: String,
        /// The environment it was deployed from.
        environment: Option<String>,
    },
    /// A pipeline of GitLab.
    GitLab {
        /// `group/project`
        repository: String,
        /// The path of its file: `.gitlab-ci.yml`.
        workflow: String,
        /// The environment it was deployed from.
        environment: Option<String>,
    },
    /// A service account of Google's.
    Google {
        /// Its mail address.
        email: String,
    },
    /// Of a kind that is not known here.
    Other,
}

#[derive(Deserialize)]
struct Npm<'a> {
    #[serde(borrow)]
    attestations: Vec<NpmOne<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NpmOne<'a> {
    predicate_type: String,
    #[serde(borrow)]
    bundle: &'a RawValue,
}

#[derive(Deserialize)]
struct Pypi {
    version: u64,
    attestation_bundles: Vec<PypiBundle>,
}

#[derive(Deserialize)]
struct PypiBundle {
    publisher: Value,
    attestations: Vec<PypiOne>,
}

#[derive(Deserialize)]
struct PypiOne {
    version: u64,
    verification_material: PypiMaterial,
    envelope: PypiEnvelope,
}

#[derive(Deserialize)]
struct PypiMaterial {
    certificate: String,
    transparency_entries: Vec<Value>,
}

#[derive(Deserialize)]
struct PypiEnvelope {
    statement: String,
    signature: String,
}

/// Takes a document of npm apart: at most 64 attestations.
pub fn npm_attestations(bytes: &[u8]) -> Result<Vec<NpmAttestation>, Unproven> {
    let document: Npm<'_> = strict(bytes)?;
    if document.attestations.len() > MOST {
        return Err(Unproven::TooLarge);
    }
    let one = |one: NpmOne<'_>| NpmAttestation {
        predicate_type: one.predicate_type,
        bundle: one.bundle.get().as_bytes().to_vec(),
    };
    Ok(document.attestations.into_iter().map(one).collect())
}

/// Takes a document of `PyPI` apart, and makes a bundle of each attestation: at most 64.
pub fn pypi_attestations(bytes: &[u8]) -> Result<Vec<PypiAttestation>, Unproven> {
    let document: Pypi = strict(bytes)?;
    if document.version != 1 {
        return Err(Unproven::Unsupported);
    }
    let mut all = Vec::new();
    for bundle in document.attestation_bundles {
        let publisher = Publisher::read(&bundle.publisher);
        for one in bundle.attestations {
            if one.version != 1 {
                return Err(Unproven::Unsupported);
            }
            if all.len() >= MOST {
                return Err(Unproven::TooLarge);
            }
            all.push(PypiAttestation { publisher: publisher.clone(), bundle: one.bundle() });
        }
    }
    Ok(all)
}

impl PypiOne {
    /// The same as a Sigstore bundle: PEP 740 has other names for the same things.
    fn bundle(self) -> Vec<u8> {
        let material = json!({
            "certificate": { "rawBytes": self.verification_material.certificate },
            "tlogEntries": self.verification_material.transparency_entries,
        });
        let envelope = json!({
            "payloadType": PAYLOAD,
            "payload": self.envelope.statement,
            "signatures": [{ "sig": self.envelope.signature }],
        });
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": envelope,
        });
        bundle.to_string().into_bytes()
    }
}

impl Publisher {
    fn read(publisher: &Value) -> Self {
        let text = |name: &str| publisher.get(name).and_then(Value::as_str).map(str::to_owned);
        let environment = text("environment").filter(|name| !name.is_empty());
        match (text("kind").as_deref(), text("repository"), text("email")) {
            (Some("GitHub"), Some(repository), _) => match text("workflow") {
                Some(workflow) => Self::GitHub { repository, workflow, environment },
                None => Self::Other,
            },
            (Some("GitLab"), Some(repository), _) => match text("workflow_filepath") {
                Some(workflow) => Self::GitLab { repository, workflow, environment },
                None => Self::Other,
            },
            (Some("Google"), _, Some(email)) => Self::Google { email },
            _ => Self::Other,
        }
    }

    /// Who has signed if this is true; none where that is not known here.
    pub fn signer(&self) -> Option<Signer> {
        let plain = |text: &str| !text.is_empty() && !text.contains(['*', '@']);
        match self {
            Self::GitHub { repository, workflow, .. } if plain(repository) && plain(workflow) => {
                let name = format!("https://github.com/{repository}/.github/workflows/{workflow}@**");
                Signer::identity(&name, "https://token.actions.githubusercontent.com").ok()
            }
            Self::GitLab { repository, workflow, .. } if plain(repository) && plain(workflow) => {
                let name = format!("https://gitlab.com/{repository}//{workflow}@**");
                Signer::identity(&name, "https://gitlab.com").ok()
            }
            Self::Google { email } if !email.contains('*') => {
                Signer::identity(email, "https://accounts.google.com").ok()
            }
            Self::GitHub { .. } | Self::GitLab { .. } | Self::Google { .. } | Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attestations_of_pypi_become_bundles() {
        let document = json!({ "version": 1, "attestation_bundles": [{
            "publisher": { "kind": "GitHub", "claims": null, "repository": "org/repo", "workflow": "release.yml", "environment": "pypi" },
            "attestations": [{ "version": 1, "verification_material": { "certificate": "AA==", "transparency_entries": [{ "logIndex": "1" }] },
                "envelope": { "statement": "e30=", "signature": "AQ==" } }]
        }]});
        let all = pypi_attestations(document.to_string().as_bytes()).unwrap();
        let bundle: Value = serde_json::from_slice(&all[0].bundle).unwrap();
        assert_eq!(bundle["verificationMaterial"]["certificate"]["rawBytes"], "AA==");
        assert_eq!(bundle["dsseEnvelope"]["payload"], "e30=");
        let signer = Signer::identity(
            "https://github.com/org/repo/.github/workflows/release.yml@**",
            "https://token.actions.githubusercontent.com",
        );
        assert_eq!(all[0].publisher.signer(), signer.ok());
        for (version, wanted) in [(2, Unproven::Unsupported), (0, Unproven::Unsupported)] {
            let mut other = document.clone();
            other["version"] = json!(version);
            assert_eq!(pypi_attestations(other.to_string().as_bytes()), Err(wanted));
        }
        assert_eq!(pypi_attestations(b"{}"), Err(Unproven::Malformed));
    }

    #[test]
    fn publishers_have_one_signer_or_none() {
        let table = [
            (json!({ "kind": "GitHub", "repository": "org/repo" }), false),
            (json!({ "kind": "GitHub", "repository": "*/repo", "workflow": "a.yml" }), false),
            (json!({ "kind": "GitHub", "repository": "org/repo", "workflow": "a.yml@x" }), false),
            (
                json!({ "kind": "GitLab", "repository": "org/repo", "workflow_filepath": ".gitlab-ci.yml" }),
                true,
            ),
            (json!({ "kind": "Google", "email": "a@b.example" }), true),
            (json!({ "kind": "Google", "email": "*@b.example" }), false),
            (json!({ "kind": "ActiveState" }), false),
            (json!(null), false),
        ];
        for (publisher, known) in table {
            assert_eq!(Publisher::read(&publisher).signer().is_some(), known, "{publisher}");
        }
    }

    #[test]
    fn documents_of_npm_are_taken_apart() {
        let document = br#"{"attestations":[{"predicateType":"p","bundle":{"a": 1}},{"predicateType":"q","bundle":{}}]}"#;
        let all = npm_attestations(document).unwrap();
        let read: Vec<_> = all.iter().map(|one| (one.predicate_type.as_str(), &one.bundle[..])).collect();
        assert_eq!(read, [("p", &br#"{"a": 1}"#[..]), ("q", b"{}")]);
        let many =
            format!(r#"{{"attestations":[{}]}}"#, vec![r#"{"predicateType":"p","bundle":{}}"#; 65].join(","));
        assert_eq!(npm_attestations(many.as_bytes()), Err(Unproven::TooLarge));
    }
}

//! Roots of trust: whose certificates, logs and time stamps count.

use sigstore_verify::Verifier;
use sigstore_verify::trust_root::{SigstoreInstance, TrustedRoot};

use crate::{LARGEST, Unproven};

/// A service of Sigstore whose roots are in this program. They are as old as it: hand in newer ones with
/// [`Trust::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instance {
    /// The public one: what npm, `PyPI` and most projects use.
    PublicGood,
    /// GitHub's own, for private repositories. It keeps no log; its time stamps count instead.
    GitHub,
    /// The public one's rehearsal, for tests of signers.
    Staging,
}

/// Whose certificates, logs and time stamps count. A bundle is good if it is under one of the roots.
pub struct Trust {
    pub(crate) roots: Vec<Root>,
}

/// One set of roots.
pub(crate) struct Root {
    pub(crate) verifier: Verifier,
    /// Does it name a log? Then what is not in it does not count.
    pub(crate) logged: bool,
}

impl Trust {
    /// The public service and GitHub's, as they were when this program was built.
    pub fn embedded() -> Result<Self, Unproven> {
        Self::of(&[Instance::PublicGood, Instance::GitHub])
    }

    /// The embedded roots of these services.
    pub fn of(instances: &[Instance]) -> Result<Self, Unproven> {
        let read = |instance: &Instance| {
            let text = match instance {
                Instance::PublicGood => SigstoreInstance::PublicGood,
                Instance::GitHub => SigstoreInstance::GitHub,
                Instance::Staging => SigstoreInstance::Staging,
            };
            Root::read(text.embedded_trusted_root_json())
        };
        Ok(Self { roots: instances.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// No roots: nothing but what is signed with a known key counts.
    pub fn none() -> Self {
        Self { roots: Vec::new() }
    }

    /// The roots of a file: a `trusted_root.json` of Sigstore, or several as JSON Lines, as `gh attestation trusted-root`
    /// writes them. At most 16.
    pub fn read(bytes: &[u8]) -> Result<Self, Unproven> {
        if bytes.len() > LARGEST {
            return Err(Unproven::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Unproven::Roots)?;
        if let Ok(root) = Root::read(text) {
            return Ok(Self { roots: vec![root] });
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let roots = lines.take(MOST + 1).map(Root::read).collect::<Result<Vec<_>, _>>()?;
        if roots.is_empty() || roots.len() > MOST { Err(Unproven::Roots) } else { Ok(Self { roots }) }
    }
}

/// Most roots of a file.
const MOST: usize = 16;

impl Root {
    fn read(text: &str) -> Result<Self, Unproven> {
        let root = TrustedRoot::from_json(text).map_err(|_| Unproven::Roots)?;
        if !root.media_type.starts_with("application/vnd.dev.sigstore.trustedroot") {
            return Err(Unproven::Roots);
        }
        let verifier = Verifier::new(&root).map_err(|_| Unproven::Roots)?;
        Ok(Self { verifier, logged: !root.tlogs.is_empty() })
    }

    /// Roots that vouch for nobody.
    pub(crate) fn bare() -> Result<Self, Unproven> {
        Self::read(r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#)
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trust({} roots)", self.roots.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_roots_are_read_and_a_file_of_them_as_well() {
        let public = SigstoreInstance::PublicGood.embedded_trusted_root_json();
        let github = SigstoreInstance::GitHub.embedded_trusted_root_json();
        assert_eq!(Trust::embedded().unwrap().roots.len(), 2);
        assert_eq!(Trust::of(&[Instance::Staging]).unwrap().roots.len(), 1);
        assert_eq!(Trust::read(public.as_bytes()).unwrap().roots.len(), 1);
        let line = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap().to_string();
        let lines = format!("{}\n{}\n", line(public), line(github));
        let read = Trust::read(lines.as_bytes()).unwrap();
        assert_eq!(read.roots.iter().map(|root| root.logged).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_is_no_root_is_refused() {
        let many = format!("{}\n", "{}").repeat(40);
        for bytes in [&b""[..], b"{}", b"[]", b"\xff", b"{\"mediaType\":\"x\"}", many.as_bytes()] {
            assert_eq!(Trust::read(bytes).err(), Some(Unproven::Roots), "{bytes:?}");
        }
    }
}

use lockgate_model::Reason;

use crate::origin::{Kind, Origin};
use crate::unresolved::Unresolved;

/// In what a server that would be started differs from the one that was pinned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// It cannot be told what would be started.
    #[error("it cannot be told what would be started: {0}")]
    Unresolved(#[from] Unresolved),
    /// Nothing is pinned that says which bytes may run.
    #[error("the lock file does not say which bytes may run, and only a digest does")]
    Inexact,
    /// It is another thing: another kind, name, host or interpreter.
    #[error("it is another program than was pinned ({what})")]
    Other {
        /// Which part of the origin differs.
        what: &'static str,
    },
    /// It is another version.
    #[error("it is another version than was pinned")]
    Version,
    /// The version is the same, and its bytes are not.
    #[error("its bytes are not those that were pinned ({what})")]
    Bytes {
        /// Which part of the origin differs.
        what: &'static str,
    },
    /// A server elsewhere has another key.
    #[error("it has another TLS key than was pinned")]
    Key,
}

impl Difference {
    /// The reason for which the server is not started.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unresolved(unresolved) => unresolved.reason(),
            Self::Inexact | Self::Other { .. } | Self::Version => Reason::VersionNotPinned,
            Self::Bytes { .. } => Reason::ArtefactChanged,
            Self::Key => Reason::ServerKeyChanged,
        }
    }
}

/// Is what was found what was pinned? Everything that is pinned must be there and equal, and what is pinned must say which
/// bytes run. SAFE-T1002, SAFE-T1207.
pub fn check(pinned: &Origin, found: &Origin) -> Result<(), Difference> {
    if pinned.kind != found.kind {
        return Err(Difference::Other { what: "kind" });
    }
    if pinned.name != found.name {
        return Err(Difference::Other { what: "name" });
    }
    if pinned.version != found.version {
        return Err(Difference::Version);
    }
    if pinned.by != found.by {
        return Err(Difference::Other { what: "by" });
    }
    if !pinned.is_exact() {
        return Err(Difference::Inexact);
    }
    let differs = |pinned: &Option<String>, found: &Option<String>| pinned.is_some() && pinned != found;
    // Which archive a package of Python was installed from is not on the disk. It was found out about these files.
    let untold = pinned.kind == Kind::Pypi && found.integrity.is_none() && pinned.files.is_some();
    if !untold && differs(&pinned.integrity, &found.integrity) {
        return Err(Difference::Bytes { what: "integrity" });
    }
    if differs(&pinned.files, &found.files) {
        return Err(Difference::Bytes { what: "files" });
    }
    if differs(&pinned.key, &found.key) {
        return Err(Difference::Key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npm() -> Origin {
        Origin {
            version: Some("1.2.3".to_owned()),
            integrity: Some("sha512-a".to_owned()),
            files: Some("sha256:b".to_owned()),
            by: Some("node".to_owned()),
            ..Origin::new(Kind::Npm, "server")
        }
    }

    #[test]
    fn every_part_counts() {
        let other = |text: &str| Some(text.to_owned());
        let key = Origin { key: other("sha256/a"), ..Origin::new(Kind::Remote, "server.example") };
        let table = [
            (npm(), npm(), None),
            (npm(), Origin { version: other("1.2.4"), ..npm() }, Some(Reason::VersionNotPinned)),
            (npm(), Origin { version: None, ..npm() }, Some(Reason::VersionNotPinned)),
            (npm(), Origin { name: "serve".to_owned(), ..npm() }, Some(Reason::VersionNotPinned)),
            (npm(), Origin { kind: Kind::Script, ..npm() }, Some(Reason::VersionNotPinned)),
            (npm(), Origin { by: other("bun"), ..npm() }, Some(Reason::VersionNotPinned)),
            (npm(), Origin { files: other("sha256:c"), ..npm() }, Some(Reason::ArtefactChanged)),
            (npm(), Origin { files: None, ..npm() }, Some(Reason::ArtefactChanged)),
            (npm(), Origin { integrity: other("sha512-b"), ..npm() }, Some(Reason::ArtefactChanged)),
            // Nothing is said of the bytes.
            (Origin { files: None, ..npm() }, npm(), Some(Reason::VersionNotPinned)),
            // A registry's word that was not pinned decides nothing: the files do.
            (Origin { integrity: None, ..npm() }, npm(), None),
            (key.clone(), key.clone(), None),
            (key.clone(), Origin { key: other("sha256/b"), ..key }, Some(Reason::ServerKeyChanged)),
        ];
        let python = Origin { kind: Kind::Pypi, ..npm() };
        let table = table.into_iter().chain([
            (python.clone(), Origin { integrity: None, ..python.clone() }, None),
            (
                python.clone(),
                Origin { integrity: None, files: other("sha256:c"), ..python },
                Some(Reason::ArtefactChanged),
            ),
            (npm(), Origin { integrity: None, ..npm() }, Some(Reason::ArtefactChanged)),
        ]);
        for (pinned, found, expected) in table {
            let reason = check(&pinned, &found).err().map(|difference| difference.reason());
            assert_eq!(reason, expected, "{pinned:?} {found:?}");
        }
    }
}

use std::collections::BTreeMap;
use std::fmt;

/// What kind of thing a server's program comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A package of npm.
    Npm,
    /// A package of the Python package index.
    Pypi,
    /// A container image.
    Oci,
    /// A program that cargo installed.
    Crate,
    /// A script or a project folder, and what interprets it.
    Script,
    /// Any other program.
    Binary,
    /// A server elsewhere.
    Remote,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Npm, Self::Pypi, Self::Oci, Self::Crate, Self::Script, Self::Binary, Self::Remote];

    /// Its word in lock files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Oci => "oci",
            Self::Crate => "crate",
            Self::Script => "script",
            Self::Binary => "binary",
            Self::Remote => "remote",
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a server's program is. Two that are equal would run the same, as far as `docs/origins.md` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What kind of thing it is.
    pub kind: Kind,
    /// The package, the image without tag and digest, the program, the script, or the host.
    pub name: String,
    /// The version of a package, the tag of an image.
    pub version: Option<String>,
    /// What its registry says of its bytes: `sha512-…` of an npm package, `sha256:…` of an image; of a package of Python,
    /// its archive, `FILE.whl sha256:…`, once that was looked for.
    pub integrity: Option<String>,
    /// The digest of all files that were found to belong to it, `sha256:…`.
    pub files: Option<String>,
    /// What interprets it, or the scheme of a server elsewhere: `node`, `python3`, `docker`, `https`.
    pub by: Option<String>,
    /// The TLS key of a server elsewhere, `sha256/…` in base64 over its public key.
    pub key: Option<String>,
}

/// A section of a lock file that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// It has no `kind`, or one that is not known.
    #[error("its `kind` is missing or not known")]
    Kind,
    /// It has no `name`.
    #[error("its `name` is missing")]
    Name,
    /// It has a key that means nothing.
    #[error("it has a key that is not known: `{0}`")]
    Unknown(String),
}

impl Origin {
    /// One of which nothing but its name is known yet.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), version: None, integrity: None, files: None, by: None, key: None }
    }

    /// Does it say which bytes will run, so that pinning it means something? A tag of an image does not, nor does a server
    /// elsewhere without its key.
    pub fn is_exact(&self) -> bool {
        match self.kind {
            Kind::Oci => self.integrity.is_some(),
            // Where nothing is encrypted there is no key.
            Kind::Remote => self.key.is_some() || self.by.as_deref() == Some("http"),
            Kind::Npm | Kind::Pypi | Kind::Crate | Kind::Script | Kind::Binary => self.files.is_some(),
        }
    }

    /// As keys and texts, the form of a lock file.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let mut map = BTreeMap::from([
            ("kind".to_owned(), self.kind.word().to_owned()),
            ("name".to_owned(), self.name.clone()),
        ]);
        let rest = [
            ("version", &self.version),
            ("integrity", &self.integrity),
            ("files", &self.files),
            ("by", &self.by),
            ("key", &self.key),
        ];
        map.extend(rest.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))));
        map
    }

    /// Reads what [`Origin::to_map`] wrote.
    pub fn from_map(map: &BTreeMap<String, String>) -> Result<Self, BadOrigin> {
        let kind = map.get("kind").and_then(|word| Kind::parse(word)).ok_or(BadOrigin::Kind)?;
        let name = map.get("name").filter(|name| !name.is_empty()).ok_or(BadOrigin::Name)?;
        let mut origin = Self::new(kind, name);
        for (key, value) in map {
            let place = match key.as_str() {
                "kind" | "name" => continue,
                "version" => &mut origin.version,
                "integrity" => &mut origin.integrity,
                "files" => &mut origin.files,
                "by" => &mut origin.by,
                "key" => &mut origin.key,
                _ => return Err(BadOrigin::Unknown(key.clone())),
            };
            *place = Some(value.clone());
        }
        Ok(origin)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_map_reads_back(kind in 0..7_usize, name in ".{1,20}", rest in proptest::array::uniform5(proptest::option::of(".{0,20}"))) {
            let [version, integrity, files, by, key] = rest;
            let origin = Origin { kind: Kind::ALL[kind], name, version, integrity, files, by, key };
            prop_assert_eq!(Origin::from_map(&origin.to_map()), Ok(origin));
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        for (pairs, expected) in [
            (&[("name", "a")][..], BadOrigin::Kind),
            (&[("kind", "gem"), ("name", "a")], BadOrigin::Kind),
            (&[("kind", "npm")], BadOrigin::Name),
            (&[("kind", "npm"), ("name", "")], BadOrigin::Name),
            (&[("kind", "npm"), ("name", "a"), ("sha1", "b")], BadOrigin::Unknown("sha1".to_owned())),
        ] {
            assert_eq!(Origin::from_map(&map(pairs)), Err(expected));
        }
    }
}

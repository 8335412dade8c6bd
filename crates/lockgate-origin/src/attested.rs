//! Attestations: who vouches for the archive that a package was installed from. Registries give them out; they are kept by
//! what they are about, so that nobody is asked a second time.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lockgate_attest::{
    Artefact, BuildPolicy, LARGEST, Proven, Signer, Trust, Unproven, npm_attestations, pypi_attestations,
    verify_bundle,
};
use lockgate_model::hex;

use crate::origin::{Kind, Origin};
use crate::pypi::Wheel;

/// Who must have vouched, and for what kind of build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Who must have signed.
    pub signer: Signer,
    /// From what and by whom it must be built.
    pub build: BuildPolicy,
}

/// An archive that registries attest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Archive {
    /// A package of npm.
    Npm {
        /// Its name, with its scope.
        name: String,
        /// Its version.
        version: String,
        /// The SHA-512 of its archive.
        sha512: [u8; 64],
    },
    /// A file of the Python package index.
    Pypi {
        /// The package.
        name: String,
        /// Its version.
        version: String,
        /// The file: `name-1.0-py3-none-any.whl`.
        file: String,
        /// Its SHA-256.
        sha256: [u8; 32],
    },
}

impl Archive {
    /// The archive that a package was installed from: as npm has written it down, or as it was found in the Python package
    /// index when the package was pinned. None where nothing says so.
    pub fn of(origin: &Origin) -> Option<Self> {
        match origin.kind {
            Kind::Npm => Self::of_npm(origin),
            Kind::Pypi => {
                let (file, sha256) = Wheel::read(origin.integrity.as_deref()?)?;
                Some(Self::Pypi { name: origin.name.clone(), version: origin.version.clone()?, file, sha256 })
            }
            Kind::Oci | Kind::Crate | Kind::Script | Kind::Binary | Kind::Remote => None,
        }
    }

    fn of_npm(origin: &Origin) -> Option<Self> {
        let digest = origin.integrity.as_deref()?.split(' ').find_map(|one| one.strip_prefix("sha512-"))?;
        let sha512 = STANDARD.decode(digest).ok()?.try_into().ok()?;
        Some(Self::Npm { name: origin.name.clone(), version: origin.version.clone()?, sha512 })
    }

    /// Where its registry gives out what attests it. `registry` is the address of npm's registry, or of the index, without
    /// `simple/`.
    pub fn address(&self, registry: &str) -> String {
        let registry = registry.trim_end_matches('/');
        match self {
            Self::Npm { name, version, .. } => {
                format!("{registry}/-/npm/v1/attestations/{}@{version}", name.replace('/', "%2f"))
            }
            Self::Pypi { name, version, file, .. } => {
                format!("{registry}/integrity/{name}/{version}/{file}/provenance")
            }
        }
    }

    /// Does one of the attestations in a registry's document prove that the archive is as it must be? Where none does, says
    /// why the last does not.
    pub fn prove(&self, document: &[u8], voucher: &Voucher, trust: &Trust) -> Result<Proven, Unproven> {
        let (bundles, artefact, name) = match self {
            Self::Npm { name, version, sha512 } => {
                let all = npm_attestations(document)?.into_iter().map(|one| one.bundle).collect();
                let scoped = name.strip_prefix('@').map(|rest| format!("%40{rest}"));
                let name = format!("pkg:npm/{}@{version}", scoped.as_ref().unwrap_or(name));
                (all, Artefact::Sha512(*sha512), name)
            }
            Self::Pypi { file, sha256, .. } => {
                let all: Vec<_> = pypi_attestations(document)?.into_iter().map(|one| one.bundle).collect();
                (all, Artefact::Sha256(*sha256), file.clone())
            }
        };
        let mut why = Unproven::Artefact;
        for bundle in &bundles {
            match proof(bundle, artefact, &name, voucher, trust) {
                Ok(proven) => return Ok(proven),
                Err(unproven) => why = unproven,
            }
        }
        Err(why)
    }

    fn file(&self) -> String {
        let (algorithm, digest): (&str, &[u8]) = match self {
            Self::Npm { sha512, .. } => ("sha512", sha512),
            Self::Pypi { sha256, .. } => ("sha256", sha256),
        };
        format!("{algorithm}-{}.json", hex(digest))
    }
}

/// The proof must be of this artefact under this name: one of another name with the same bytes is the proof of something else.
fn proof(
    bundle: &[u8],
    artefact: Artefact<'_>,
    name: &str,
    voucher: &Voucher,
    trust: &Trust,
) -> Result<Proven, Unproven> {
    let proven = verify_bundle(bundle, artefact, &voucher.signer, trust)?;
    if !proven.names.iter().any(|own| own == name) {
        return Err(Unproven::Artefact);
    }
    voucher.build.check(&proven.build()?)?;
    Ok(proven)
}

/// The attestations that were fetched before. They are verified whenever they are read, so that who can write the folder can
/// only make them useless.
#[derive(Clone, Debug)]
pub struct Attestations {
    folder: PathBuf,
}

impl Attestations {
    /// Those in a folder, which is made when something is kept.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// What is kept of an archive.
    pub fn find(&self, archive: &Archive) -> Option<Vec<u8>> {
        let file = self.folder.join(archive.file());
        let small = file.metadata().is_ok_and(|of| of.is_file() && of.len() <= LARGEST as u64);
        small.then(|| fs::read(file).ok())?
    }

    /// Keeps the document of an archive.
    pub fn keep(&self, archive: &Archive, document: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        // Written beside it first: who reads meanwhile reads the old one or the new one.
        let beside = self.folder.join(format!("{}.{}", archive.file(), std::process::id()));
        fs::write(&beside, document)?;
        fs::rename(beside, self.folder.join(archive.file()))
    }
}

#[cfg(test)]
mod tests {
    use lockgate_attest::Pattern;

    use super::*;

    const WORKFLOW: &str =
        "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";
    const GITHUB: &str = "https://token.actions.githubusercontent.com";

    /// `sigstore@2.0.0`, as npm's registry gives its integrity.
    fn archive() -> Archive {
        let integrity =
            "sha512-RtTi90xIdzFmQAAKb9+Ki1nx4IR2Z5c+mFn3dN0xuPHgk3gTt3f7ZqKsZ9UFQP40ZAlm7un8LMyjhwgrTIXNPA==";
        let origin = Origin {
            version: Some("2.0.0".to_owned()),
            integrity: Some(integrity.to_owned()),
            ..Origin::new(Kind::Npm, "sigstore")
        };
        Archive::of(&origin).unwrap()
    }

    /// The attestation of that very package, which is among the test data of the library that verifies it, in the form in
    /// which the registry gives it out.
    fn document() -> Option<Vec<u8>> {
        let bundle = bundle("sigstore.js@2.0.0-provenance.sigstore.json")?;
        let kind = "https://slsa.dev/provenance/v1";
        Some(format!(r#"{{"attestations":[{{"predicateType":"{kind}","bundle":{bundle}}}]}}"#).into_bytes())
    }

    fn bundle(name: &str) -> Option<String> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
        let path = format!("sigstore-verify-0.15.1/test_data/bundles/{name}");
        let mut sources = fs::read_dir(home.join("registry/src")).ok()?.flatten();
        let bundle = sources.find_map(|source| fs::read_to_string(source.path().join(&path)).ok());
        if bundle.is_none() {
            eprintln!("skipped: the source of sigstore-verify is not in cargo's registry");
        }
        bundle
    }

    fn voucher(identity: &str, issuer: &str, source: Option<&str>) -> Voucher {
        let source = source.map(|source| Pattern::new(source).unwrap());
        let build = BuildPolicy { source, ..BuildPolicy::default() };
        Voucher { signer: Signer::identity(identity, issuer).unwrap(), build }
    }

    /// SAFE-T1002, second case: what another identity has signed is not proven.
    #[test]
    fn a_real_package_is_proven_and_only_as_what_it_is() {
        let Some(document) = document() else { return };
        let trust = Trust::embedded().unwrap();
        let right = voucher(WORKFLOW, GITHUB, Some("https://github.com/sigstore/sigstore-js"));
        let proven = archive().prove(&document, &right, &trust).unwrap();
        assert_eq!(proven.names, ["pkg:npm/sigstore@2.0.0"]);
        let other = WORKFLOW.replace("sigstore-js", "evil-js");
        for (voucher, why) in [
            (voucher(&other, GITHUB, None), Unproven::Identity),
            (voucher(WORKFLOW, "https://gitlab.com", None), Unproven::Issuer),
            (voucher(WORKFLOW, GITHUB, Some("https://github.com/other/repo")), Unproven::Source),
        ] {
            assert_eq!(archive().prove(&document, &voucher, &trust), Err(why));
        }
        let Archive::Npm { name, version, sha512 } = archive() else { panic!("a package of npm") };
        let mut bytes = sha512;
        bytes[0] ^= 1;
        for (name, version, sha512) in [
            (name.clone(), version.clone(), bytes),
            (name, "2.0.1".to_owned(), sha512),
            ("sigstore-js".to_owned(), version, sha512),
        ] {
            let other = Archive::Npm { name, version, sha512 };
            assert_eq!(other.prove(&document, &right, &trust), Err(Unproven::Artefact), "{other:?}");
        }
        assert_eq!(archive().prove(b"{}", &right, &trust), Err(Unproven::Malformed));
        let none = br#"{"attestations":[]}"#;
        assert_eq!(archive().prove(none, &right, &trust), Err(Unproven::Artefact));
    }

    /// SAFE-T1002, second case, of an index of Python. No attestation of `PyPI` is at hand, so it is a package of conda, which
    /// signs the same kind of statement, in the form of PEP 740.
    #[test]
    fn a_document_of_pypi_proves_one_file_of_one_maker() {
        let Some(bundle) = bundle("conda-attestation.sigstore.json") else { return };
        let bundle: serde_json::Value = serde_json::from_str(&bundle).unwrap();
        let (material, envelope) = (&bundle["verificationMaterial"], &bundle["dsseEnvelope"]);
        let document = serde_json::json!({ "version": 1, "attestation_bundles": [{ "publisher": {}, "attestations": [{
            "version": 1,
            "verification_material": {
                "certificate": material["certificate"]["rawBytes"], "transparency_entries": material["tlogEntries"]
            },
            "envelope": { "statement": envelope["payload"], "signature": envelope["signatures"][0]["sig"] }
        }] }] });
        let document = document.to_string();
        let statement = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
        let statement: serde_json::Value = serde_json::from_slice(&statement).unwrap();
        let digest = statement["subject"][0]["digest"]["sha256"].as_str().unwrap();
        let (_, sha256) = Wheel::read(&format!("a.whl sha256:{digest}")).unwrap();
        let trust = Trust::embedded().unwrap();
        let file = "signed-package-2.1.0-hb0f4dca_0.conda";
        let prove = |file: &str, sha256, workflow: &str| {
            let (name, version) = ("signed-package".to_owned(), "2.1.0".to_owned());
            let archive = Archive::Pypi { name, version, file: file.to_owned(), sha256 };
            archive
                .prove(document.as_bytes(), &voucher(workflow, GITHUB, None), &trust)
                .map(|proven| proven.names)
        };
        let right =
            "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main";
        assert_eq!(prove(file, sha256, right), Ok(vec![file.to_owned()]));
        assert_eq!(prove(file, sha256, WORKFLOW), Err(Unproven::Identity));
        assert_eq!(prove(file, [0; 32], right), Err(Unproven::Artefact));
        assert_eq!(prove("another-2.1.0-py3-none-any.whl", sha256, right), Err(Unproven::Artefact));
    }

    #[test]
    fn registries_are_asked_so() {
        let scoped = Archive::Npm { name: "@a/b".to_owned(), version: "1.0.0".to_owned(), sha512: [0; 64] };
        let address = scoped.address("https://registry.example/");
        assert_eq!(address, "https://registry.example/-/npm/v1/attestations/@a%2fb@1.0.0");
        let wheel = Archive::Pypi {
            name: "a".to_owned(),
            version: "1.0".to_owned(),
            file: "a-1.0-py3-none-any.whl".to_owned(),
            sha256: [0; 32],
        };
        let address = wheel.address("https://index.example");
        assert_eq!(address, "https://index.example/integrity/a/1.0/a-1.0-py3-none-any.whl/provenance");
    }

    #[test]
    fn what_was_fetched_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Attestations::new(&folder.path().join("attestations"));
        assert_eq!(kept.find(&archive()), None);
        kept.keep(&archive(), b"one").unwrap();
        kept.keep(&archive(), b"two").unwrap();
        assert_eq!(kept.find(&archive()), Some(b"two".to_vec()));
        assert_eq!(fs::read_dir(folder.path().join("attestations")).unwrap().count(), 1);
    }
}

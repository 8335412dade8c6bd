//! Signed configurations: every file that decides anything is the one that was signed.
//!
//! Where keys are trusted, a configuration is in force only with its signature beside it (`lockgate.yaml.sig`): a DSSE
//! envelope around an in-toto statement whose subjects are the configuration and all files that it refers to. They are read
//! once, compared, and what was compared is what is parsed. Files with secrets are not signed: secrets change.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lockgate_attest::{Envelope, PAYLOAD, PublicKey, Statement, Subject};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::error::{Place, Report, quoted};
use super::secret::{Surroundings, plain};
use super::signature::INVALID;
use super::{Config, ConfigErrors, intercept};

/// The kind of statement that the signature of a configuration is.
const PREDICATE: &str = "https://github.com/lockgate/lockgate/configuration/v1";

/// The lock file, which stands beside the configuration and counts without being named in it.
const LOCK: &str = "lockgate.lock";

/// Most files of one configuration.
const FILES: usize = 1_024;

/// A file that is no secret and was not signed, where all must be.
#[derive(Debug, thiserror::Error)]
#[error("{INVALID}: it is not among the files that were signed")]
struct Unsigned;

/// What is said of a file that a signature knows nothing of; none of any other error.
pub(super) fn unsigned(error: &io::Error) -> Option<String> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Unsigned>()).map(ToString::to_string)
}

/// What a configuration was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The SHA-256 of each file by its whole path: the configuration, what it refers to, the trusted keys. None of a secret.
    pub digests: BTreeMap<PathBuf, [u8; 32]>,
    /// Had all of them to be signed, and were they?
    pub signed: bool,
}

/// The surroundings of a configuration, with the files that were signed, where they must be.
pub(super) struct Seal<'s> {
    surroundings: &'s dyn Surroundings,
    /// What was compared, by its whole path; none where nothing need be signed.
    files: Option<BTreeMap<PathBuf, Vec<u8>>>,
    /// What was read of them.
    read: RefCell<BTreeMap<PathBuf, [u8; 32]>>,
}

impl<'s> Seal<'s> {
    /// Reads and verifies the signature of a configuration, if keys are trusted.
    pub(super) fn open(file: &Path, surroundings: &'s dyn Surroundings) -> Result<Self, ConfigErrors> {
        let shown = file.to_string_lossy();
        let trusted = surroundings.trusted_keys().map_err(|error| {
            let message = format!("the trusted keys cannot be read: {}", plain(&error));
            ConfigErrors::one(
                &shown,
                Place::default(),
                message,
                "LOCKGATE_TRUSTED_KEYS or `--trusted-keys` names them",
            )
        })?;
        let Some((place, pem)) = trusted else {
            return Ok(Self { surroundings, files: None, read: RefCell::default() });
        };
        let keys = PublicKey::all_from_pem(&String::from_utf8_lossy(&pem)).map_err(|error| {
            let message = format!("{} holds no trusted keys: {error}", quoted(&place.to_string_lossy()));
            ConfigErrors::one(
                &shown,
                Place::default(),
                message,
                "write public keys in PEM, as `lockgate keys new` makes them",
            )
        })?;
        let files = verified(file, &keys, surroundings)?;
        let root = (whole(&place, surroundings), Sha256::digest(&pem).into());
        Ok(Self { surroundings, files: Some(files), read: RefCell::new([root].into()) })
    }

    /// What was read so far.
    pub(super) fn read(&self) -> Files {
        Files { digests: self.read.borrow().clone(), signed: self.files.is_some() }
    }

    fn heard(&self, path: &Path, bytes: &[u8]) {
        self.read.borrow_mut().insert(whole(path, self.surroundings), Sha256::digest(bytes).into());
    }
}

impl Surroundings for Seal<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.surroundings.variable(name)
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        match &self.files {
            None => {
                let bytes = self.surroundings.file(path)?;
                self.heard(path, &bytes);
                Ok(bytes)
            }
            Some(files) => {
                if let Some(bytes) = files.get(&whole(path, self.surroundings)) {
                    self.heard(path, bytes);
                    return Ok(bytes.clone());
                }
                // What is not there may be asked for; what is there and was not signed may not be read.
                self.surroundings.file(path)?;
                Err(io::Error::new(io::ErrorKind::PermissionDenied, Unsigned))
            }
        }
    }

    fn secret(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.surroundings.secret(path)
    }

    fn files(&self, folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
        self.surroundings.files(folder, most)
    }

    fn folder(&self) -> PathBuf {
        self.surroundings.folder()
    }
}

/// The files that these keys have signed, each read once; else what differs.
fn verified(
    file: &Path,
    keys: &[PublicKey],
    surroundings: &dyn Surroundings,
) -> Result<BTreeMap<PathBuf, Vec<u8>>, ConfigErrors> {
    let shown = file.to_string_lossy();
    let signature = signature_of(file);
    let wrong = |message: String| {
        let hint = format!("look at what changed, then sign it: lockgate config sign {shown} --key KEY");
        ConfigErrors::one(&shown, Place::default(), format!("{INVALID}: {message}"), hint)
    };
    let bytes = surroundings.file(&signature).map_err(|error| {
        wrong(format!(
            "the signature {} cannot be read: {}",
            quoted(&signature.to_string_lossy()),
            plain(&error)
        ))
    })?;
    let signed = Envelope::read(&bytes)
        .and_then(|envelope| {
            let (payload, _) = envelope.verify(PAYLOAD, keys)?;
            Statement::read(payload)
        })
        .map_err(|error| wrong(format!("{}: {error}", quoted(&signature.to_string_lossy()))))?;
    if signed.predicate_type != PREDICATE || signed.subjects.len() > FILES {
        return Err(wrong(format!("{} is of something else", quoted(&signature.to_string_lossy()))));
    }
    let own = file.file_name().unwrap_or_default().to_string_lossy();
    let named = |name: &str| signed.subjects.iter().any(|subject| subject.name == name);
    if !named(&own) {
        return Err(wrong(format!("{} is of another file", quoted(&signature.to_string_lossy()))));
    }
    let base = folder_of(file, surroundings);
    let report = Report::default();
    let differs = |message: String| {
        let hint = "look at what changed, then sign it again with `lockgate config sign`";
        report.error(Place::default(), format!("{INVALID}: {message}"), hint);
    };
    let mut files = BTreeMap::new();
    for Subject { name, digest } in &signed.subjects {
        let path = tidy(&base.join(name));
        let was = digest.get("sha256").map_or("", String::as_str);
        match surroundings.file(&path) {
            Err(error) => {
                differs(format!("{} was signed and cannot be read: {}", quoted(name), plain(&error)));
            }
            Ok(bytes) => {
                let is = lockgate_audit::digest(&bytes);
                if is == was {
                    files.insert(path, bytes);
                } else {
                    differs(format!(
                        "{} is not the file that was signed: it was sha256:{was} and is sha256:{is}",
                        quoted(name)
                    ));
                }
            }
        }
    }
    if !named(LOCK) && surroundings.file(&base.join(LOCK)).is_ok() {
        differs(format!("{} is not among the files that were signed", quoted(LOCK)));
    }
    report.finish(&shown, Some(files))
}

/// The statement that says of a configuration and of all files it refers to what they are, for whoever signs it. Secrets
/// are not read, and which environment counts is told by `LOCKGATE_ENVIRONMENT` as ever.
pub fn to_sign(file: &Path, surroundings: &dyn Surroundings) -> Result<Vec<u8>, ConfigErrors> {
    let heard = Heard { surroundings, files: RefCell::default() };
    if !intercept::is_intercept(file, &heard) {
        Config::load(file, &heard)?;
    }
    let base = folder_of(file, surroundings);
    // A missing lock file is none.
    let _read = heard.file(&base.join(LOCK));
    let files = heard.files.into_inner();
    let name = |path: &Path| path.strip_prefix(&base).unwrap_or(path).to_string_lossy().into_owned();
    let subjects: Vec<Subject> =
        files.iter().map(|(path, digest)| Subject::sha256(&name(path), digest)).collect();
    Ok(Statement::write(&subjects, PREDICATE, &json!({})))
}

/// Where the signature of a configuration stands: beside it.
pub fn signature_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Remembers which files were read, and what they were.
struct Heard<'s> {
    surroundings: &'s dyn Surroundings,
    files: RefCell<BTreeMap<PathBuf, [u8; 32]>>,
}

impl Surroundings for Heard<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.surroundings.variable(name)
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.surroundings.file(path)?;
        self.files.borrow_mut().insert(whole(path, self.surroundings), Sha256::digest(&bytes).into());
        Ok(bytes)
    }

    fn secret(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.surroundings.secret(path)
    }

    fn files(&self, folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
        self.surroundings.files(folder, most)
    }

    fn folder(&self) -> PathBuf {
        self.surroundings.folder()
    }
}

fn folder_of(file: &Path, surroundings: &dyn Surroundings) -> PathBuf {
    tidy(&surroundings.folder().join(file.parent().unwrap_or(Path::new(""))))
}

fn whole(path: &Path, surroundings: &dyn Surroundings) -> PathBuf {
    tidy(&surroundings.folder().join(path))
}

/// Without a `.` in it.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}

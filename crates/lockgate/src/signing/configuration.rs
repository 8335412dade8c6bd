//! `lockgate config`: signs a configuration, and says whether it is the one that was signed.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::keys::SigningKey;
use super::write;
use crate::command::Told;
use crate::config::{Config, INVALID, Surroundings, Trusting, is_intercept, signature_of, to_sign};
use crate::rehearse::Unset;

/// What is done with a configuration as a whole.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Sign a configuration and all files it refers to: policies, manifests, keys, the lock file; not secrets. Writes
    /// FILE.sig. What belongs to another environment (`$LOCKGATE_ENVIRONMENT`) is signed there
    #[command(after_help = "Example: lockgate config sign lockgate.yaml --key release.pem")]
    Sign {
        /// The configuration
        #[arg(default_value = "lockgate.yaml")]
        file: PathBuf,
        /// The private key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Say whether a configuration is the one that was signed; exit code 1 where it is not
    #[command(after_help = "Example: lockgate config verify lockgate.yaml --trusted-keys release.pub")]
    Verify {
        /// The configuration
        #[arg(default_value = "lockgate.yaml")]
        file: PathBuf,
        #[command(flatten)]
        trusted: Trusted,
        /// One JSON object for machines
        #[arg(long)]
        json: bool,
    },
}

/// Whose signatures count.
#[derive(clap::Args)]
pub(crate) struct Trusted {
    /// Public keys, one of which must have signed the configuration [default: `$LOCKGATE_TRUSTED_KEYS`, else
    /// /etc/lockgate/trusted-keys.pem if it is there, else it need not be signed]
    #[arg(long, value_name = "FILE")]
    trusted_keys: Option<PathBuf>,
}

impl Trusted {
    /// What a configuration may read, with these keys.
    pub(crate) fn surroundings(&self) -> Trusting {
        Trusting(self.trusted_keys.clone())
    }
}

pub(super) fn run(command: &Command) -> Result<Told, String> {
    match command {
        Command::Sign { file, key } => sign(file, key),
        Command::Verify { file, trusted, json } => verify(file, trusted, *json),
    }
}

fn sign(file: &Path, key: &Path) -> Result<Told, String> {
    let key = SigningKey::read(key)?;
    let statement = to_sign(file, &Files::of(file, Trusting(None))?).map_err(|errors| errors.to_string())?;
    let signature = signature_of(file);
    write(&signature, &key.sign(&statement))?;
    let signed = lockgate_attest::Statement::read(&statement).map_err(|error| error.to_string())?;
    let mut text = format!("{} is signed with {}:", file.display(), key.public().id());
    for subject in &signed.subjects {
        let digest = subject.digest.get("sha256").map_or("", String::as_str);
        text.push_str(&format!("\n  sha256:{digest}  {}", subject.name));
    }
    Ok(Told { text, code: 0 })
}

fn verify(file: &Path, trusted: &Trusted, json: bool) -> Result<Told, String> {
    let surroundings = trusted.surroundings();
    if let Ok(None) = surroundings.trusted_keys() {
        let hint = "name public keys with `--trusted-keys FILE` or `LOCKGATE_TRUSTED_KEYS`";
        return Err(format!("{}: no keys are trusted\n  hint: {hint}", file.display()));
    }
    let seen = Files::of(file, surroundings)?;
    let outcome = if is_intercept(file, &seen) {
        match Config::for_intercept(file, Vec::new(), &seen) {
            Some(read) => read.map(drop),
            None => Err(format!("{} has changed while it was read", file.display())),
        }
    } else {
        Config::load(file, &seen).map(drop).map_err(|errors| errors.to_string())
    };
    let shown = file.to_string_lossy();
    match outcome {
        Ok(()) if json => {
            Ok(Told { text: serde_json::json!({ "file": shown, "signed": true }).to_string(), code: 0 })
        }
        Ok(()) => Ok(Told { text: format!("{shown} is the one that was signed"), code: 0 }),
        Err(error) if error.contains(INVALID) && json => {
            let text =
                serde_json::json!({ "file": shown, "signed": false, "code": INVALID, "errors": error });
            Ok(Told { text: text.to_string(), code: 1 })
        }
        Err(error) if error.contains(INVALID) => Ok(Told { text: error, code: 1 }),
        Err(error) => Err(error),
    }
}

/// What a configuration may read where files are compared: no secret is needed for that, nor a variable, except where it
/// is part of a file's name.
struct Files {
    unset: Unset,
    trusting: Trusting,
}

impl Files {
    fn of(file: &Path, trusting: Trusting) -> Result<Self, String> {
        Ok(Self { unset: Unset::new(&crate::rehearse::read(file)?), trusting })
    }
}

impl Surroundings for Files {
    fn variable(&self, name: &str) -> Option<String> {
        self.trusting.variable(name).or_else(|| self.unset.variable(name))
    }

    fn file(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.trusting.file(path)
    }

    fn secret(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.unset.secret(path)
    }

    fn files(&self, folder: &Path, most: usize) -> std::io::Result<Vec<PathBuf>> {
        self.trusting.files(folder, most)
    }

    fn folder(&self) -> PathBuf {
        self.trusting.folder()
    }

    fn trusted_keys(&self) -> std::io::Result<Option<(PathBuf, Vec<u8>)>> {
        self.trusting.trusted_keys()
    }
}

//! `lockgate keys`: Ed25519 keys in files.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use clap::Subcommand;
use lockgate_attest::{PAYLOAD, PublicKey, armour, disarm, pae, write_envelope};

use super::read;
use crate::command::Told;
use crate::config::plain;

/// The label of a private key in PEM.
const LABEL: &str = "PRIVATE KEY";

/// What is done with keys.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a pair of Ed25519 keys: NAME.pem, for whoever signs, and NAME.pub, for everybody. Overwrites nothing
    #[command(after_help = "Example: lockgate keys new release")]
    New {
        /// The name of the files, with a folder before it if need be
        name: PathBuf,
    },
}

pub(super) fn run(command: &Command) -> Result<Told, String> {
    let Command::New { name } = command;
    let (private, public) = (ending(name, "pem"), ending(name, "pub"));
    let failed = || "the system gives no randomness".to_owned();
    let (key, pem) = SigningKey::generate().ok_or_else(failed)?;
    create(&public, 0o644, &key.public().pem())?;
    if let Err(error) = create(&private, 0o600, &pem) {
        // Nobody has the other half of it.
        let _removed = std::fs::remove_file(&public);
        return Err(error);
    }
    let text = format!(
        "{} is for whoever signs, and for nobody else\n{} is for everybody; its id is {}",
        private.display(),
        public.display(),
        key.public().id()
    );
    Ok(Told { text, code: 0 })
}

fn ending(name: &Path, end: &str) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(".");
    path.push(end);
    PathBuf::from(path)
}

fn create(path: &Path, mode: u32, text: &str) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })
    .map_err(|error| {
        let why = if error.kind() == std::io::ErrorKind::AlreadyExists {
            "it is there already, and keys are not overwritten".to_owned()
        } else {
            plain(&error)
        };
        format!("{}: the key cannot be written: {why}\n  hint: choose another name", path.display())
    })
}

/// A private key. It shows nothing of itself.
pub(crate) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Reads the private key in a file, as `lockgate keys new` or `openssl genpkey -algorithm ed25519` writes it.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let bytes = read(path, "the private key, which `lockgate keys new` has written with `.pem`")?;
        let blocks = disarm(&String::from_utf8_lossy(&bytes)).unwrap_or_default();
        let key = match blocks.as_slice() {
            [(label, der)] if label == LABEL => Self::from_der(der),
            _ => None,
        };
        key.ok_or_else(|| {
            let shown = path.display();
            format!("{shown}: not a private Ed25519 key in PEM (PKCS#8)\n  hint: `lockgate keys new NAME` makes one")
        })
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Self)
    }

    /// A new one, with its file for whoever signs: PKCS#8 in PEM.
    pub(crate) fn generate() -> Option<(Self, String)> {
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).ok()?;
        Some((Self::from_der(document.as_ref())?, armour(LABEL, document.as_ref())))
    }

    /// The signature of a message.
    pub(crate) fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        // An Ed25519 signature has 64 bytes.
        self.0.sign(message).as_ref().try_into().unwrap_or([0; 64])
    }

    /// The 32 bytes of the other half.
    pub(crate) fn public_bytes(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap_or_default()
    }

    /// The other half.
    pub(crate) fn public(&self) -> PublicKey {
        let raw = self.0.public_key().as_ref().try_into().unwrap_or_default();
        PublicKey::ed25519(raw)
    }

    /// A statement, signed: the text of an envelope.
    pub(crate) fn sign(&self, statement: &[u8]) -> String {
        let signature = self.0.sign(&pae(PAYLOAD, statement));
        write_envelope(PAYLOAD, statement, &self.public(), signature.as_ref())
    }
}

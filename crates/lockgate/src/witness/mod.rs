//! A witness of logs: signs that each checkpoint it is shown continues the one before (<https://c2sp.org/tlog-witness>).

mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use lockgate_audit::log::{NoteKey, Refusal, Submission, Use};
use lockgate_store::{LogError, Witnessed};

use crate::log::{is_right, read_key};
use crate::signing::SigningKey;
use crate::state;

/// The file in the folder that holds the key.
const KEY: &str = "witness.pem";

/// What is witnessed, and where.
#[derive(Args)]
pub(crate) struct Options {
    /// Where logs reach it
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8125")]
    listen: SocketAddr,
    /// The folder that holds its key and what it has signed last of each log
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// The keys of the logs: each as it is written, or a file with it
    #[arg(long, value_name = "KEY", required = true, num_args = 1..)]
    log: Vec<String>,
    /// Its name, as `example.org/witness`; else one that is made from its key
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Witnesses until the process is told to stop.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let logs: Vec<NoteKey> = options.log.iter().map(|key| read_key(key)).collect::<Result<_, _>>()?;
    if let Some(other) = logs.iter().find(|key| key.is_of_witness()) {
        return Err(format!("{} is the key of a witness, not of a log", other.name()));
    }
    let key = state::signing_key(&options.state, KEY)?;
    let id: String = key.public().id().chars().take(16).collect();
    let name = options.name.clone().unwrap_or_else(|| format!("lockgate-witness/{id}"));
    let named = NoteKey::new(&name, Use::Witness, key.public_bytes());
    let named =
        named.ok_or_else(|| format!("`{}` cannot be the name of a witness", name.escape_default()))?;
    let seen = Witnessed::open(&options.state.join("logs")).map_err(|error| error.to_string())?;
    serve::run(options.listen, Witness { logs, key, named, seen })
}

/// Who signs.
struct Witness {
    logs: Vec<NoteKey>,
    key: SigningKey,
    named: NoteKey,
    seen: Witnessed,
}

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
enum Unsigned {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The disk of the witness: nothing is signed that is not remembered.
    #[error(transparent)]
    Forgetful(#[from] LogError),
}

impl Witness {
    /// The cosignature of what was sent, as lines.
    fn sign(&self, body: &str) -> Result<String, Unsigned> {
        let sent = Submission::parse(body).ok_or(Refusal::Malformed)?;
        let checkpoint = sent.admit(&self.logs, &is_right)?;
        self.seen.follow(&checkpoint, |last| sent.follow(&checkpoint, last).map_err(Unsigned::from))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut note = sent.note;
        note.sign(&self.named, now, &|message| self.key.sign_message(message));
        Ok(note.lines_of(&self.named))
    }
}

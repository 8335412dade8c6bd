//! The log of records that nobody can quietly change: opened for a gateway, and `lockgate log` for people.

mod check;
mod export;
mod find;
mod prove;
mod receipts;
mod verify;
mod witnesses;

use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use clap::{Args, Subcommand};
use lockgate_audit::log::{NoteKey, Use};
use lockgate_store::{LogFolder, RecordLog, RecordsTo, Rotation, Signing, TreeLog};

use crate::command::Told;
use crate::config::{Config, Process, RecordsSettings};
use crate::state;

pub(crate) use receipts::Receipts;
pub(crate) use witnesses::Witnesses;

/// What is done with a log.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say whether every record is the one that was signed; names the first that is not. Needs no gateway and no network
    Verify(verify::Options),
    /// Show the newest records
    Tail(find::Tail),
    /// Show one record, by its number, or all records of one request
    Show(find::Show),
    /// Show the records that all of this is true of
    Search(find::Search),
    /// Show what happened in a session, in order
    Timeline(find::Timeline),
    /// Write a proof that a record is in the log, for somebody who has not got the log
    Prove(prove::Prove),
    /// Check a proof or receipts, without the log
    Check(check::Options),
    /// Write records for other programs, one a line
    Export(find::Export),
}

/// Runs a command. Exit code 0, or 1 where something is damaged, unproven or not there.
pub(crate) fn run(command: &Command) -> Result<Told, String> {
    match command {
        Command::Verify(options) => verify::run(options),
        Command::Tail(options) => find::tail(options),
        Command::Show(options) => find::show(options),
        Command::Search(options) => find::search(options),
        Command::Timeline(options) => find::timeline(options),
        Command::Prove(options) => prove::prove(options),
        Command::Check(options) => check::run(options),
        Command::Export(options) => find::export(options),
    }
}

/// Which log.
#[derive(Args)]
struct Which {
    /// The folder of the log; else the one that the configuration names
    #[arg(long, value_name = "FOLDER")]
    log: Option<PathBuf>,
    /// The configuration that names it
    #[arg(short, long, value_name = "FILE", default_value = "lockgate.yaml", conflicts_with = "log")]
    config: PathBuf,
}

impl Which {
    fn folder(&self) -> Result<PathBuf, String> {
        let named = || {
            let config = Config::load(&self.config, &Process).map_err(|errors| errors.to_string())?;
            config.records.and_then(|records| records.folder).ok_or_else(|| {
                format!(
                    "{}: `records` names no folder\n  hint: add `records: {{ folder: lockgate-log }}`, or name the folder with `--log`",
                    self.config.display()
                )
            })
        };
        let folder = self.log.clone().map_or_else(named, Ok)?;
        if !folder.join("log.vkey").is_file() {
            return Err(format!(
                "{}: there is no log\n  hint: name the folder of `records` with `--log`",
                folder.display()
            ));
        }
        Ok(folder)
    }

    fn open(&self) -> Result<(PathBuf, LogFolder), String> {
        let folder = self.folder()?;
        Ok((folder.clone(), LogFolder::new(folder)))
    }
}

/// Opens what records of a gateway go to.
pub(crate) fn open(settings: &RecordsSettings, state: Option<&Path>) -> Result<RecordLog, String> {
    let tree = settings.folder.as_deref().map(|folder| {
        let state = state.map_or_else(state::folder, Path::to_owned);
        TreeLog::open(folder, signing(&state)?)
            .map_err(|error| format!("the log of records cannot be opened: {error}"))
    });
    let tree = tree.transpose()?;
    let rotation = Rotation { max_bytes: settings.max_bytes, keep: settings.keep };
    let file = settings.file.clone().map(|file| (file, rotation));
    let at = settings.file.as_deref().unwrap_or(Path::new("")).display().to_string();
    RecordLog::start(RecordsTo { file, tree, retention: settings.retention })
        .map_err(|error| format!("records cannot be written to {at}: {error}"))
}

/// Signs receipts with the key of that log; nothing where there is no log.
pub(crate) fn receipts(settings: &RecordsSettings, state: Option<&Path>) -> Result<Option<Receipts>, String> {
    let state = || state.map_or_else(state::folder, Path::to_owned);
    settings.folder.as_ref().map(|_| signing(&state()).map(Receipts::new)).transpose()
}

/// Signs with the key in a state folder, under a name that is made from it.
fn signing(state: &Path) -> Result<Signing, String> {
    let key = state::log_key(state)?;
    let id: String = key.public().id().chars().take(16).collect();
    let named = NoteKey::new(&format!("lockgate/{id}"), Use::Log, key.public_bytes());
    let named = named.ok_or("the name of the log cannot be used")?;
    Ok(Signing { key: named, sign: Box::new(move |message| key.sign_message(message)) })
}

/// Is an Ed25519 signature right?
pub(crate) fn is_right(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
}

/// A key as it is written, or a file with it.
pub(crate) fn read_key(text: &str) -> Result<NoteKey, String> {
    let wrong = || {
        format!(
            "`{}` is neither a key nor a file with one\n  hint: name the file `log.vkey` of the log, or a copy of it",
            text.escape_default()
        )
    };
    let written = if text.contains('+') {
        text.to_owned()
    } else {
        std::fs::read_to_string(text).map_err(|_| wrong())?
    };
    NoteKey::parse(&written).ok_or_else(wrong)
}

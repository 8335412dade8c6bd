//! What there is about an incident, copied into a folder and signed.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use lockgate_attest::{Statement, Subject};
use lockgate_model::ServerName;
use lockgate_store::Labels;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Captured, Incident, Where, With, make};
use crate::config::{self, Config, Process};
use crate::operator::who::local;
use crate::operator::{Common, Problem, approvals, destinations, now, quarantine, show, stops, tokens};
use crate::signing::SigningKey;
use crate::state;

/// What is said of an incident.
pub(super) const PREDICATE: &str = "https://github.com/lockgate/lockgate/incident/v1";
/// The signed list of all files, in the folder.
pub(super) const MANIFEST: &str = "manifest.json";
/// Most files of one capture. The rest is named as missing.
const MOST_FILES: usize = 90_000;

/// Writes a list of the state folder as JSON.
type List<'l> = &'l dyn Fn(&mut Vec<u8>) -> Result<(), Problem>;

/// What is being captured.
struct Evidence<'e> {
    folder: &'e Path,
    files: Vec<Subject>,
    missing: Vec<String>,
}

/// Captures everything into a new folder beside the file of the incident.
pub(super) fn capture(
    incident: &Incident,
    home: &Path,
    with: &With,
    at: &Where,
) -> Result<Captured, Problem> {
    let key = match &with.key {
        Some(file) => SigningKey::read(file),
        None => state::log_key(&at.common.folder()?),
    };
    let key = key.map_err(Problem::Wrong)?;
    let name = format!("capture-{}", incident.captures.len() + 1);
    // A capture that was broken off is begun anew.
    let draft = home.join(format!("{name}.draft"));
    if draft.exists() {
        fs::remove_dir_all(&draft)?;
    }
    make(&draft)?;
    let mut evidence = Evidence { folder: &draft, files: Vec::new(), missing: Vec::new() };
    evidence.state(&at.common)?;
    evidence.configuration(&at.config)?;
    let moment = show::moment(now());
    let predicate = json!({
        "incident": incident.id, "opened": incident.opened, "reason": incident.reason, "captured": moment,
        "by": local(), "lockgate": env!("CARGO_PKG_VERSION"), "missing": evidence.missing,
    });
    let Evidence { files, missing, .. } = evidence;
    let statement = Statement::write(&files, PREDICATE, &predicate);
    write(&draft.join(MANIFEST), key.sign(&statement).as_bytes())?;
    fs::rename(&draft, home.join(&name))?;
    fs::write(home.join("signer.pem"), key.public().pem())?;
    Ok(Captured {
        folder: name,
        at: moment,
        by: local(),
        key: key.public().id(),
        files: files.len(),
        missing,
    })
}

impl Evidence<'_> {
    /// What people decided, what is pinned, and what sessions have read.
    fn state(&mut self, common: &Common) -> Result<(), Problem> {
        let folder = common.folder()?;
        let as_json = || Common { state: common.state.clone(), json: true };
        let lists: [(&str, List<'_>); 5] = [
            ("approvals", &|out| {
                approvals::run(approvals::Command::List { all: true, common: as_json() }, out)
            }),
            ("quarantine", &|out| quarantine::everything(as_json(), out)),
            ("stops", &|out| stops::everything(as_json(), out)),
            ("destinations", &|out| destinations::list(&as_json(), out)),
            ("tokens", &|out| tokens::list(&as_json(), out)),
        ];
        for (name, list) in lists {
            let mut bytes = Vec::new();
            match list(&mut bytes) {
                Ok(()) => self.keep(&format!("state/{name}.json"), &bytes)?,
                Err(Problem::Refused(error) | Problem::Wrong(error)) => self.missing(name, &error),
            }
        }
        match Labels::read(&folder) {
            Ok(labels) => {
                let sessions: Vec<Value> = labels
                    .iter()
                    .map(|one| {
                        let secrecy = one.label.secrecy();
                        let origins: Vec<&str> = one.label.origins().map(ServerName::as_str).collect();
                        json!({
                            "session": one.session, "principal": one.principal, "agent": one.agent,
                            "integrity": one.label.integrity().word(), "secrecy": secrecy.level.word(),
                            "compartments": secrecy.compartments, "origins": origins,
                        })
                    })
                    .collect();
                self.keep("state/sessions.json", json!({ "sessions": sessions }).to_string().as_bytes())?;
            }
            Err(error) => self.missing("sessions", &error.to_string()),
        }
        Ok(())
    }

    /// The configuration without its secrets, the digests of all files it refers to, and the records it names.
    fn configuration(&mut self, file: &Path) -> Result<(), Problem> {
        match config::normal(file, &Process) {
            Ok(text) => self.keep("configuration.yaml", text.as_bytes())?,
            Err(error) => self.missing("configuration", &error.to_string()),
        }
        if let Ok(statement) = config::to_sign(file, &Process) {
            self.keep("configuration.files.json", &statement)?;
        }
        let Some(records) = Config::load(file, &Process).ok().and_then(|config| config.records) else {
            self.missing("records", "the configuration names none, or cannot be read");
            return Ok(());
        };
        if let Some(folder) = &records.folder {
            self.tree("log", folder)?;
        }
        if let Some(file) = &records.file {
            self.copy("records.jsonl", file)?;
            for number in 1..=records.keep {
                let mut aside = file.clone().into_os_string();
                aside.push(format!(".{number}"));
                if Path::new(&aside).exists() {
                    self.copy(&format!("records.jsonl.{number}"), Path::new(&aside))?;
                }
            }
        }
        Ok(())
    }

    fn missing(&mut self, what: &str, why: &str) {
        self.missing.push(format!("{what}: {}", why.lines().next().unwrap_or_default()));
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        let to = self.place(name)?;
        write(&to, bytes)?;
        self.files.push(Subject::sha256(name, &sha256(&mut &*bytes, &mut std::io::sink())?));
        Ok(())
    }

    /// Copies a file as it is now, in small parts: a log may be large.
    fn copy(&mut self, name: &str, from: &Path) -> Result<(), Problem> {
        let mut file = match File::open(from) {
            Ok(file) => file,
            Err(error) => {
                self.missing(name, &error.to_string());
                return Ok(());
            }
        };
        let to = self.place(name)?;
        let mut copy = create(&to)?;
        let digest = sha256(&mut file, &mut copy)?;
        copy.sync_all()?;
        self.files.push(Subject::sha256(name, &digest));
        Ok(())
    }

    /// Copies a folder with all that is in it; links are not followed. Parts of the log are never changed once they are full, and
    /// its checkpoint is copied first, so that all that it signs is there.
    fn tree(&mut self, name: &str, folder: &Path) -> Result<(), Problem> {
        self.copy(&format!("{name}/checkpoint"), &folder.join("checkpoint"))?;
        let mut left = vec![(name.to_owned(), folder.to_owned())];
        while let Some((name, folder)) = left.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.missing(&name, &error.to_string());
                    continue;
                }
            };
            for entry in entries {
                let entry = entry?;
                let (kind, inner) = (entry.file_type()?, entry.file_name().to_string_lossy().into_owned());
                let below = format!("{name}/{inner}");
                if kind.is_dir() {
                    left.push((below, entry.path()));
                } else if self.files.len() >= MOST_FILES {
                    self.missing(&below, "there are too many files");
                    return Ok(());
                } else if kind.is_file() && below != "log/checkpoint" {
                    self.copy(&below, &entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// Where a file of that name goes; its folder is made.
    fn place(&self, name: &str) -> Result<std::path::PathBuf, Problem> {
        let to = self.folder.join(name);
        if let Some(parent) = to.parent() {
            make(parent)?;
        }
        Ok(to)
    }
}

fn create(to: &Path) -> Result<File, Problem> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(to)?)
}

fn write(to: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let mut file = create(to)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Reads to the end, writes what was read, and says its SHA-256.
pub(super) fn sha256(from: &mut impl Read, to: &mut impl Write) -> Result<[u8; 32], Problem> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = from.read(&mut buffer)?;
        let part = buffer.get(..length).unwrap_or_default();
        if part.is_empty() {
            return Ok(digest.finalize().into());
        }
        digest.update(part);
        to.write_all(part)?;
    }
}

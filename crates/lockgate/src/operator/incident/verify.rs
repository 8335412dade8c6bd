//! Is a capture what was signed?

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use lockgate_attest::{Envelope, PAYLOAD, PublicKey, Statement, Subject};
use serde_json::json;

use super::capture::{MANIFEST, PREDICATE, sha256};
use crate::operator::Problem;

/// What to verify.
#[derive(Args)]
pub struct Options {
    /// The folder of a capture
    pub(super) folder: PathBuf,
    /// The public key that must have signed it: a copy of `signer.pem` that was kept elsewhere
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// JSON for machines
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(options: &Options, out: &mut impl Write) -> Result<(), Problem> {
    let folder = &options.folder;
    let wrong =
        |path: &Path, error: &dyn std::fmt::Display| Problem::Wrong(format!("{}: {error}", path.display()));
    let pem = fs::read_to_string(&options.key).map_err(|error| wrong(&options.key, &error))?;
    let keys = PublicKey::all_from_pem(&pem).map_err(|error| wrong(&options.key, &error))?;
    let manifest = folder.join(MANIFEST);
    let bytes = fs::read(&manifest).map_err(|error| wrong(&manifest, &error))?;
    let unproven = |error| Problem::Refused(format!("{}: {error}", manifest.display()));
    let envelope = Envelope::read(&bytes).map_err(unproven)?;
    let (payload, key) = envelope.verify(PAYLOAD, &keys).map_err(unproven)?;
    let statement = Statement::read(payload).map_err(unproven)?;
    if statement.predicate_type != PREDICATE {
        return Err(Problem::Refused(format!("{}: it is not of an incident", manifest.display())));
    }
    let faults = faults(folder, &statement)?;
    let count = statement.subjects.len();
    if options.json {
        let good = faults.is_empty();
        let incident = &statement.predicate;
        writeln!(
            out,
            "{}",
            json!({ "good": good, "files": count, "key": key.id(), "incident": incident, "faults": faults })
        )?;
    } else if faults.is_empty() {
        writeln!(out, "All {count} files are those that {} has signed.", key.id())?;
        if folder.join("log").is_dir() {
            writeln!(
                out,
                "  hint: `lockgate log verify --log {}` says the same of each record",
                folder.join("log").display()
            )?;
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::Refused(faults.join("\n"))) }
}

/// What is not as it was signed.
fn faults(folder: &Path, statement: &Statement) -> Result<Vec<String>, Problem> {
    let signed: BTreeMap<&str, Option<&String>> =
        statement.subjects.iter().map(|one| (one.name.as_str(), one.digest.get("sha256"))).collect();
    let mut faults = Vec::new();
    for (name, digest) in &signed {
        let path = Path::new(name);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            faults.push(format!("{name}: the name leads out of the folder"));
            continue;
        }
        match File::open(folder.join(path)) {
            Ok(mut file) => {
                let found = sha256(&mut file, &mut std::io::sink())?;
                if *digest != Subject::sha256(name, &found).digest.get("sha256") {
                    faults.push(format!("{name}: it is not the one that was signed"));
                }
            }
            Err(error) => faults.push(format!("{name}: {error}")),
        }
    }
    let mut found = BTreeSet::new();
    walk(folder, "", &mut found)?;
    for name in found {
        if name != MANIFEST && !signed.contains_key(name.as_str()) {
            faults.push(format!("{name}: nobody has signed it"));
        }
    }
    Ok(faults)
}

/// The names of all files below.
fn walk(folder: &Path, name: &str, found: &mut BTreeSet<String>) -> Result<(), Problem> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let inner = entry.file_name().to_string_lossy().into_owned();
        let below = if name.is_empty() { inner } else { format!("{name}/{inner}") };
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &below, found)?;
        } else {
            found.insert(below);
        }
    }
    Ok(())
}

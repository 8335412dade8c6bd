use std::path::PathBuf;

use clap::Args;
use lockgate_audit::log::{Checkpoint, Damage, Note, Verified, consistency, continues, verify};
use lockgate_store::{Grown, LogError, LogFolder};
use serde_json::json;

use super::{Which, is_right, read_key};
use crate::command::Told;

/// What to verify.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    which: Which,
    /// The key that must have signed it: as it is written, or a file with it. Else the one beside the log, which proves nothing to
    /// somebody who does not trust the folder
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Keys of witnesses that must have signed it as well
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    /// A checkpoint of earlier, kept elsewhere: the log must continue it
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
}

/// What a log turns out to be.
enum Found {
    Good(Verified),
    Damaged(Damage),
    Unsigned(String),
    Forked(Checkpoint),
}

pub(super) fn run(options: &Options) -> Result<Told, String> {
    let (path, log) = options.which.open()?;
    let failed = |error: LogError| error.to_string();
    let key = match &options.key {
        Some(key) => Some(read_key(key)?),
        None => log.key().map_err(failed)?,
    };
    let key = key.ok_or_else(|| format!("{}: there is no key", path.display()))?;
    let witnesses: Vec<_> = options.witness.iter().map(|key| read_key(key)).collect::<Result<_, _>>()?;
    let note = log.checkpoint().map_err(failed)?;
    let note = note.ok_or_else(|| {
        format!("{}: nothing has been signed yet\n  hint: try again in a second", path.display())
    })?;
    let checkpoint = Checkpoint::parse(note.text())
        .ok_or_else(|| format!("{}: the checkpoint is damaged", path.display()))?;
    let earlier = options.since.as_deref().map(|file| {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let note = Note::parse(&text).ok_or_else(|| format!("{}: not a checkpoint", file.display()))?;
        if !note.is_signed_by(&key, &is_right) {
            return Err(format!("{}: not signed with the key of this log", file.display()));
        }
        Checkpoint::parse(note.text()).ok_or_else(|| format!("{}: not a checkpoint", file.display()))
    });
    let earlier = earlier.transpose()?;
    let unsigned = std::iter::once(&key).chain(&witnesses).find(|key| !note.is_signed_by(key, &is_right));
    let found = match unsigned {
        Some(key) => Found::Unsigned(key.name().to_owned()),
        None => match verify(&log, &checkpoint, 0).map_err(failed)? {
            Err(damage) => Found::Damaged(damage),
            Ok(verified) => match earlier {
                Some(earlier) if !grew(&log, &earlier, &checkpoint).map_err(failed)? => {
                    Found::Forked(earlier)
                }
                _ => Found::Good(verified),
            },
        },
    };
    let after = newer(&log, checkpoint.size).map_err(failed)?;
    let good = matches!(found, Found::Good(_));
    let text = if options.json {
        for_machines(&found, &checkpoint, after).to_string()
    } else {
        for_people(&found, &checkpoint, after, options.key.is_some())
    };
    Ok(Told { text, code: u8::from(!good) })
}

fn grew(log: &LogFolder, earlier: &Checkpoint, now: &Checkpoint) -> Result<bool, LogError> {
    if earlier.size == 0 {
        return Ok(true);
    }
    let path = consistency(&Grown { log, size: now.size }, earlier.size, now.size)?;
    Ok(path.is_some_and(|path| continues((earlier.size, earlier.root), (now.size, now.root), &path)))
}

/// Records that came after the checkpoint.
fn newer(log: &LogFolder, size: u64) -> Result<u64, LogError> {
    let mut tile = size / lockgate_audit::log::WIDTH;
    let mut records = 0;
    while let Some(more) = log.records(tile)? {
        records += u64::try_from(more.len()).unwrap_or_default();
        tile += 1;
    }
    Ok(records.saturating_sub(size % lockgate_audit::log::WIDTH))
}

fn for_people(found: &Found, checkpoint: &Checkpoint, after: u64, trusted: bool) -> String {
    let size = checkpoint.size;
    let mut text = match found {
        Found::Good(Verified { removed: 0, .. }) => {
            format!("all {size} records of {} are as they were signed\n", checkpoint.origin)
        }
        Found::Good(Verified { records, removed }) => format!(
            "{records} records of {} are as they were signed; of {removed} older ones the hashes are left\n",
            checkpoint.origin
        ),
        Found::Damaged(damage) => format!("the log is damaged: {damage}\n"),
        Found::Unsigned(key) => format!("the checkpoint is not signed by {key}\n"),
        Found::Forked(earlier) => format!(
            "the log does not continue the earlier checkpoint: its first {} records are others\n",
            earlier.size
        ),
    };
    if after > 0 {
        text.push_str(&format!("{after} newer records are not signed yet\n"));
    }
    if matches!(found, Found::Good(_)) && !trusted {
        text.push_str(
            "the key is the one in the folder of the log: compare it with a copy kept elsewhere (`--key`)\n",
        );
    }
    text
}

fn for_machines(found: &Found, checkpoint: &Checkpoint, after: u64) -> serde_json::Value {
    let (good, damage) = match found {
        Found::Good(_) => (true, None),
        Found::Damaged(damage) => (false, Some(damage.to_string())),
        Found::Unsigned(key) => (false, Some(format!("the checkpoint is not signed by {key}"))),
        Found::Forked(_) => (false, Some("the log does not continue the earlier checkpoint".to_owned())),
    };
    let first = match found {
        Found::Damaged(
            Damage::Missing(first)
            | Damage::Changed(first)
            | Damage::ChangedAmong(first, _)
            | Damage::Added(first)
            | Damage::Hashes(first),
        ) => Some(*first),
        Found::Good(_) | Found::Unsigned(_) | Found::Forked(_) => None,
    };
    json!({
        "good": good, "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.to_string(),
        "damage": damage, "first_bad": first, "unsigned": after,
    })
}

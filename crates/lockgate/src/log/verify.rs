use std::path::PathBuf;

use clap::Args;
use lockgate_audit::log::{
    Checkpoint, Damage, Note, NoteKey, Verified, WIDTH, consistency, continues, verify,
};
use lockgate_store::{Grown, LogError, LogFolder};
use serde_json::{Value, json};

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
    /// The key of a witness that must have signed a checkpoint as well: as it is written, or a file with it
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    /// How many of the witnesses must have; else all of them
    #[arg(long, value_name = "NUMBER", requires = "witness")]
    quorum: Option<usize>,
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
    /// It does not continue this, which was signed as well.
    Forked(Checkpoint),
    /// Too few witnesses have signed.
    Unwitnessed,
}

/// What witnesses have signed, and who.
struct Seen {
    checkpoint: Checkpoint,
    signed: Vec<String>,
    missing: Vec<String>,
}

/// All that there is to say.
struct Report {
    found: Found,
    checkpoint: Checkpoint,
    seen: Option<Seen>,
    /// Records that came after the checkpoint.
    after: u64,
    /// Was the key named, and not taken from the folder?
    trusted: bool,
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
    // Before the newest checkpoint, which this one must not be ahead of.
    let seen = if witnesses.is_empty() { None } else { seen(&log, &key, &witnesses).map_err(failed)? };
    let note = log.checkpoint().map_err(failed)?;
    let note = note.ok_or_else(|| {
        format!("{}: nothing has been signed yet\n  hint: try again in a second", path.display())
    })?;
    let checkpoint = Checkpoint::parse(note.text())
        .ok_or_else(|| format!("{}: the checkpoint is damaged", path.display()))?;
    let since = options.since.as_deref().map(|file| {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let note = Note::parse(&text).ok_or_else(|| format!("{}: not a checkpoint", file.display()))?;
        if !note.is_signed_by(&key, &is_right) {
            return Err(format!("{}: not signed with the key of this log", file.display()));
        }
        Checkpoint::parse(note.text()).ok_or_else(|| format!("{}: not a checkpoint", file.display()))
    });
    let earlier: Vec<_> =
        since.transpose()?.into_iter().chain(seen.iter().map(|seen| seen.checkpoint.clone())).collect();
    let quorum = options.quorum.unwrap_or(witnesses.len());
    let enough = seen.as_ref().map_or(0, |seen| seen.signed.len()) >= quorum;
    let found = if note.is_signed_by(&key, &is_right) {
        judge(&log, &checkpoint, earlier, enough).map_err(failed)?
    } else {
        Found::Unsigned(key.name().to_owned())
    };
    let after = newer(&log, checkpoint.size).map_err(failed)?;
    let good = matches!(found, Found::Good(_));
    let report = Report { found, checkpoint, seen, after, trusted: options.key.is_some() };
    let text = if options.json { report.for_machines().to_string() } else { report.for_people() };
    Ok(Told { text, code: u8::from(!good) })
}

fn judge(
    log: &LogFolder,
    now: &Checkpoint,
    earlier: Vec<Checkpoint>,
    enough: bool,
) -> Result<Found, LogError> {
    // What the log itself says was removed may be missing: that it says so is signed as all else.
    let verified = match verify(&log.ahead(now.size), now, log.removed()?)? {
        Err(damage) => return Ok(Found::Damaged(damage)),
        Ok(verified) => verified,
    };
    for earlier in earlier {
        if !grew(log, &earlier, now)? {
            return Ok(Found::Forked(earlier));
        }
    }
    Ok(if enough { Found::Good(verified) } else { Found::Unwitnessed })
}

/// What witnesses have signed of this log; none where there is no such checkpoint.
fn seen(log: &LogFolder, key: &NoteKey, witnesses: &[NoteKey]) -> Result<Option<Seen>, LogError> {
    let note = log.witnessed()?.filter(|note| note.is_signed_by(key, &is_right));
    let checkpoint = note.as_ref().and_then(|note| Checkpoint::parse(note.text()));
    let Some((note, checkpoint)) = note.zip(checkpoint) else { return Ok(None) };
    let (signed, missing): (Vec<_>, Vec<_>) =
        witnesses.iter().partition(|key| note.is_signed_by(key, &is_right));
    let names = |keys: Vec<&NoteKey>| keys.into_iter().map(|key| key.name().to_owned()).collect();
    Ok(Some(Seen { checkpoint, signed: names(signed), missing: names(missing) }))
}

fn grew(log: &LogFolder, earlier: &Checkpoint, now: &Checkpoint) -> Result<bool, LogError> {
    if earlier.size == 0 {
        return Ok(true);
    }
    let path = consistency(&Grown::new(log, now.size), earlier.size, now.size)?;
    Ok(path.is_some_and(|path| continues((earlier.size, earlier.root), (now.size, now.root), &path)))
}

/// Records that came after the checkpoint.
fn newer(log: &LogFolder, size: u64) -> Result<u64, LogError> {
    let mut tile = size / WIDTH;
    let mut records = 0;
    while let Some(more) = log.records(tile)? {
        records += u64::try_from(more.len()).unwrap_or_default();
        tile += 1;
    }
    Ok(records.saturating_sub(size % WIDTH))
}

impl Report {
    fn for_people(&self) -> String {
        let Checkpoint { origin, size, .. } = &self.checkpoint;
        let mut text = match &self.found {
            Found::Good(Verified { removed: 0, .. }) => {
                format!("all {size} records of {origin} are as they were signed\n")
            }
            Found::Good(Verified { records, removed }) => format!(
                "{records} records of {origin} are as they were signed; of {removed} older ones the hashes are left\n"
            ),
            Found::Unwitnessed => {
                format!(
                    "all {size} records of {origin} are as they were signed, and too few witnesses say so\n"
                )
            }
            found @ (Found::Damaged(_) | Found::Unsigned(_) | Found::Forked(_)) => {
                format!("{}\n", found.damage().unwrap_or_default())
            }
        };
        if let Some(Seen { checkpoint, signed, missing }) = &self.seen {
            for (names, what) in [(signed, "signed by"), (missing, "not signed by")] {
                if !names.is_empty() {
                    text.push_str(&format!(
                        "the first {} are {what} {}\n",
                        checkpoint.size,
                        names.join(", ")
                    ));
                }
            }
        }
        if self.after > 0 {
            text.push_str(&format!("{} newer records are not signed yet\n", self.after));
        }
        if matches!(self.found, Found::Good(_)) && !self.trusted {
            text.push_str(
                "the key is the one in the folder of the log: compare it with a copy kept elsewhere (`--key`)\n",
            );
        }
        text
    }

    fn for_machines(&self) -> Value {
        let first = match self.found {
            Found::Damaged(
                Damage::Missing(first)
                | Damage::Changed(first)
                | Damage::ChangedAmong(first, _)
                | Damage::Added(first)
                | Damage::Hashes(first),
            ) => Some(first),
            Found::Good(_) | Found::Unsigned(_) | Found::Forked(_) | Found::Unwitnessed => None,
        };
        let removed = match self.found {
            Found::Good(verified) => verified.removed,
            Found::Damaged(_) | Found::Unsigned(_) | Found::Forked(_) | Found::Unwitnessed => 0,
        };
        let witnessed = self.seen.as_ref().map(
            |seen| json!({ "size": seen.checkpoint.size, "signed": seen.signed, "missing": seen.missing }),
        );
        json!({
            "good": matches!(self.found, Found::Good(_)), "origin": self.checkpoint.origin,
            "size": self.checkpoint.size, "root": self.checkpoint.root.to_string(),
            "damage": self.found.damage(), "first_bad": first, "unsigned": self.after,
            "removed": removed, "witnessed": witnessed,
        })
    }
}

impl Found {
    /// What is wrong; none where nothing is.
    fn damage(&self) -> Option<String> {
        match self {
            Self::Good(_) => None,
            Self::Damaged(damage) => Some(format!("the log is damaged: {damage}")),
            Self::Unsigned(key) => Some(format!("the checkpoint is not signed by {key}")),
            Self::Forked(earlier) => Some(format!(
                "the log does not continue the earlier checkpoint: its first {} records are others",
                earlier.size
            )),
            Self::Unwitnessed => Some("too few witnesses have signed a checkpoint".to_owned()),
        }
    }
}

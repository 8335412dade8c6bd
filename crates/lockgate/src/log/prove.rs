use std::path::PathBuf;

use clap::Args;
use lockgate_audit::log::{Checkpoint, Hash, Note, WIDTH, includes, inclusion};
use lockgate_store::{Grown, LogError};
use serde_json::{Value, json};

use super::{Which, is_right, read_key};
use crate::command::Told;
use crate::records::plain;

/// What to prove.
#[derive(Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    which: Which,
    /// The number of the record, as `lockgate log search` shows it
    #[arg(value_name = "NUMBER")]
    number: u64,
}

/// What to check.
#[derive(Args)]
pub(crate) struct Check {
    /// The proof that `lockgate log prove` wrote
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// The key that must have signed the checkpoint: as it is written, or a file with it
    #[arg(long, value_name = "KEY")]
    key: String,
}

pub(super) fn prove(options: &Prove) -> Result<Told, String> {
    let (path, log) = options.which.open()?;
    let failed = |error: LogError| error.to_string();
    let note = log.checkpoint().map_err(failed)?;
    let checkpoint = note.as_ref().and_then(|note| Checkpoint::parse(note.text()));
    let Some((note, checkpoint)) = note.zip(checkpoint) else {
        return Err(format!("{}: nothing has been signed yet", path.display()));
    };
    let number = options.number;
    let hashes =
        inclusion(&Grown { log: &log, size: checkpoint.size }, number, checkpoint.size).map_err(failed)?;
    let Some(hashes) = hashes else {
        return Err(format!(
            "record {number} is not in the checkpoint, which has {}\n  hint: try again in a second",
            checkpoint.size
        ));
    };
    let records = log.records(number / WIDTH).map_err(failed)?;
    let inside = usize::try_from(number % WIDTH).unwrap_or_default();
    let record = records.and_then(|records| records.into_iter().nth(inside));
    // Records are written as text; what is none is not ours.
    let record = record.and_then(|record| String::from_utf8(record).ok());
    let record = record.ok_or_else(|| format!("record {number} is not kept any more"))?;
    if !includes(checkpoint.root, checkpoint.size, number, Hash::of_leaf(record.as_bytes()), &hashes) {
        return Ok(Told { text: format!("record {number} is not the one that was signed\n"), code: 1 });
    }
    let proof = json!({
        "checkpoint": note.to_string(),
        "number": number,
        "record": record,
        "hashes": hashes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    Ok(Told { text: format!("{proof}\n"), code: 0 })
}

pub(super) fn check(options: &Check) -> Result<Told, String> {
    let key = read_key(&options.key)?;
    let shown = options.proof.display();
    let text = std::fs::read_to_string(&options.proof).map_err(|error| format!("{shown}: {error}"))?;
    let wrong = || format!("{shown}: not a proof\n  hint: `lockgate log prove` writes one");
    let proof: Value = serde_json::from_str(&text).map_err(|_| wrong())?;
    let part = |name: &str| proof.get(name).and_then(Value::as_str);
    let note = part("checkpoint").and_then(Note::parse).ok_or_else(wrong)?;
    let checkpoint = Checkpoint::parse(note.text()).ok_or_else(wrong)?;
    let number = proof.get("number").and_then(Value::as_u64).ok_or_else(wrong)?;
    let record = part("record").ok_or_else(wrong)?;
    let hashes = proof.get("hashes").and_then(Value::as_array).ok_or_else(wrong)?;
    let hashes: Option<Vec<_>> = hashes.iter().map(|hash| Hash::parse(hash.as_str()?)).collect();
    let hashes = hashes.ok_or_else(wrong)?;
    let said = if !note.is_signed_by(&key, &is_right) {
        Err(format!("the checkpoint is not signed by {}", key.name()))
    } else if !includes(checkpoint.root, checkpoint.size, number, Hash::of_leaf(record.as_bytes()), &hashes) {
        Err("the record is not in the log".to_owned())
    } else {
        Ok(format!("record {number} is in the log {}:\n{}", checkpoint.origin, plain(record)))
    };
    Ok(match said {
        Ok(text) => Told { text: format!("{text}\n"), code: 0 },
        Err(text) => Told { text: format!("not proven: {text}\n"), code: 1 },
    })
}

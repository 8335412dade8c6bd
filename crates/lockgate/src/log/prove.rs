use clap::Args;
use lockgate_audit::log::{Checkpoint, Hash, WIDTH, includes, inclusion};
use lockgate_store::{Grown, LogError};
use serde_json::json;

use super::Which;
use crate::command::Told;

/// What to prove.
#[derive(Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    which: Which,
    /// The number of the record, as `lockgate log search` shows it
    #[arg(value_name = "NUMBER")]
    number: u64,
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
    let hashes = inclusion(&Grown::new(&log, checkpoint.size), number, checkpoint.size).map_err(failed)?;
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

use std::path::PathBuf;

use clap::Args;
use lockgate_audit::log::{Checkpoint, Hash, Note, NoteKey, includes};
use lockgate_store::LogFolder;
use serde_json::{Value, json};

use super::receipts::{Given, Judged, judge};
use super::{is_right, read_key};
use crate::command::Told;
use crate::records::plain;

/// What to check.
#[derive(Args)]
#[command(after_help = "Examples:
  lockgate log check proof.json --key log.vkey
  lockgate log check transcript.jsonl --key log.vkey --log lockgate-log")]
pub(crate) struct Options {
    /// What `lockgate log prove` wrote, a receipt, or JSON with results that have receipts in `_meta`, whole or one a line
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key that must have signed: as it is written, or a file with it
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The folder of the log, which must have a record for each receipt that says the same
    #[arg(long, value_name = "FOLDER")]
    log: Option<PathBuf>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> Result<Told, String> {
    let key = read_key(&options.key)?;
    let shown = options.file.display();
    let text = std::fs::read_to_string(&options.file).map_err(|error| format!("{shown}: {error}"))?;
    if let Some(said) = proven(&text, &key) {
        return Ok(tell_proof(said, options.json));
    }
    let log = options.log.as_ref().map(LogFolder::new);
    let given = Given::read(&text).filter(|given| !given.is_empty());
    let given = given.ok_or_else(|| {
        format!("{shown}: neither a proof nor receipts\n  hint: `lockgate log prove` writes a proof; receipts are in `_meta` of results, where `records: {{ receipts: true }}`")
    })?;
    let judged = judge(&given, &key, log.as_ref())?;
    let wrong = judged.iter().filter(|judged| judged.wrong.is_some()).count();
    let code = u8::from(wrong > 0);
    if options.json {
        let receipts: Vec<Value> = judged.iter().map(Judged::json).collect();
        let text =
            format!("{}\n", json!({ "right": wrong == 0, "signer": key.name(), "receipts": receipts }));
        return Ok(Told { text, code });
    }
    let mut text: String = judged.iter().map(Judged::line).collect();
    let count = match judged.len() {
        1 => "1 receipt".to_owned(),
        many => format!("{many} receipts"),
    };
    text.push_str(&match wrong {
        0 => format!("{count} of {}, all right\n", key.name()),
        wrong => format!("{count}, {wrong} wrong\n"),
    });
    Ok(Told { text, code })
}

/// Is what a proof says so? None where the text is no proof at all.
fn proven(text: &str, key: &NoteKey) -> Option<Result<(u64, String, String), String>> {
    let proof: Value = serde_json::from_str(text).ok()?;
    let part = |name: &str| proof.get(name).and_then(Value::as_str);
    let note = part("checkpoint").and_then(Note::parse)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    let number = proof.get("number").and_then(Value::as_u64)?;
    let record = part("record")?;
    let hashes = proof.get("hashes").and_then(Value::as_array)?;
    let hashes: Option<Vec<_>> = hashes.iter().map(|hash| Hash::parse(hash.as_str()?)).collect();
    let hashes = hashes?;
    Some(if !note.is_signed_by(key, &is_right) {
        Err(format!("the checkpoint is not signed by {}", key.name()))
    } else if !includes(checkpoint.root, checkpoint.size, number, Hash::of_leaf(record.as_bytes()), &hashes) {
        Err("the record is not in the log".to_owned())
    } else {
        Ok((number, checkpoint.origin, record.to_owned()))
    })
}

fn tell_proof(said: Result<(u64, String, String), String>, json: bool) -> Told {
    let code = u8::from(said.is_err());
    let text = match said {
        Ok((number, log, record)) if json => {
            json!({ "proven": true, "number": number, "log": log, "record": record }).to_string()
        }
        Err(why) if json => json!({ "proven": false, "wrong": why }).to_string(),
        Ok((number, log, record)) => format!("record {number} is in the log {log}:\n{}", plain(&record)),
        Err(why) => format!("not proven: {why}"),
    };
    Told { text: text + "\n", code }
}

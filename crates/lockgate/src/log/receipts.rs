//! Receipts, as a gateway gives them and as people check them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use lockgate_audit::log::{Note, NoteKey};
use lockgate_audit::{Receipt, Record, digest};
use lockgate_model::{Json, Kind};
use lockgate_provenance::jcs_without;
use lockgate_store::{LogFolder, Signing, rfc3339};
use serde_json::{Map, Value, json};

use super::{find, is_right};
use crate::records::plain;

/// Signs receipts with the key of a log.
pub(crate) struct Receipts(Signing);

impl Receipts {
    pub(super) fn new(signing: Signing) -> Self {
        Self(signing)
    }

    /// The signed receipt for a record; none where none is due.
    pub(crate) fn of(&self, record: &Record, time: SystemTime) -> Option<String> {
        record.result.as_ref()?;
        let receipt = Receipt::of_line(self.0.key.name(), record.to_json(&rfc3339(time)).as_bytes())?;
        let mut note = receipt.note()?;
        note.sign(&self.0.key, 0, &*self.0.sign);
        Some(note.to_string())
    }
}

/// A receipt as somebody got it, and the digest of the result that it came with, if it did.
pub(super) struct Given {
    text: String,
    result: Option<String>,
}

impl Given {
    /// All receipts in a file: one by itself, or in results, which may be part of other JSON; one text of it, or one a line.
    /// None where the file holds something else.
    pub(super) fn read(file: &str) -> Option<Vec<Self>> {
        if Note::parse(file).is_some_and(|note| Receipt::of_note(&note).is_some()) {
            return Some(vec![Self { text: file.to_owned(), result: None }]);
        }
        let mut given = Vec::new();
        if let Ok(whole) = Json::check(file.as_bytes(), Receipt::DEPTH) {
            collect(whole, &mut given);
            return Some(given);
        }
        for line in file.lines().filter(|line| !line.trim().is_empty()) {
            collect(Json::check(line.as_bytes(), Receipt::DEPTH).ok()?, &mut given);
        }
        Some(given)
    }

    /// What it states, if it is a receipt and signed; else what is wrong.
    fn read_signed(&self, key: &NoteKey) -> Result<Receipt, (Option<Receipt>, String)> {
        let note = Note::parse(&self.text);
        let read = note.and_then(|note| Some((Receipt::of_note(&note)?, note)));
        let (receipt, note) = read.ok_or_else(|| (None, "it is not a receipt".to_owned()))?;
        if !note.is_signed_by(key, &is_right) {
            Err((Some(receipt), format!("it is not signed by {}", key.name())))
        } else if self.result.as_deref().is_some_and(|result| receipt.get("result-sha256") != Some(result)) {
            Err((Some(receipt), "the result is another one".to_owned()))
        } else {
            Ok(receipt)
        }
    }
}

/// Says of each receipt whether it is right: signed with the key, of the result that it came with, and where a log is given,
/// what that says as well. Reads the log once.
pub(super) fn judge(given: &[Given], key: &NoteKey, log: Option<&LogFolder>) -> Result<Vec<Judged>, String> {
    let read: Vec<_> = given.iter().map(|given| given.read_signed(key)).collect();
    let mut logged = BTreeMap::new();
    if let Some(log) = log {
        let ids = read.iter().flatten().filter_map(|receipt| receipt.get("ref")).collect();
        find::of_requests(log, &ids, &mut |number, line| {
            if let Some(receipt) = Receipt::of_line(key.name(), line)
                && let Some(id) = receipt.get("ref").map(str::to_owned)
            {
                logged.insert(id, (number, receipt));
            }
        })?;
    }
    let judged = |read| match read {
        Err((receipt, wrong)) => Judged { receipt, wrong: Some(wrong), record: None },
        Ok(receipt) => {
            let of = |receipt: &Receipt| logged.get(receipt.get("ref")?);
            let (record, wrong) = match of(&receipt) {
                Some((number, said)) if *said == receipt => (Some(*number), None),
                Some((number, _)) => (None, Some(format!("record {number} of the log says something else"))),
                None => (None, log.map(|_| "the log has no record of it".to_owned())),
            };
            Judged { receipt: Some(receipt), wrong, record }
        }
    };
    Ok(read.into_iter().map(judged).collect())
}

/// Takes the receipts out of a value, each with the digest of the object whose `_meta` it is in.
fn collect(value: Json<'_>, given: &mut Vec<Given>) {
    let receipt = value.get("_meta").and_then(|meta| meta.get(Receipt::KEY)?.text());
    if let Some(text) = receipt {
        let result = Some(digest(jcs_without("_meta", value).as_bytes()));
        given.push(Given { text: text.into_owned(), result });
    }
    value.members().for_each(|(_, member)| collect(member, given));
    if value.kind() == Kind::Array {
        value.elements().for_each(|element| collect(element, given));
    }
}

/// What there is to say of a receipt.
pub(super) struct Judged {
    receipt: Option<Receipt>,
    pub(super) wrong: Option<String>,
    record: Option<u64>,
}

impl Judged {
    /// One line for people.
    pub(super) fn line(&self) -> String {
        let part =
            |word| plain(self.receipt.as_ref().and_then(|receipt| receipt.get(word)).unwrap_or_default());
        let of = match self.record {
            Some(number) => format!(", record {number}"),
            None => String::new(),
        };
        let why = self.wrong.as_ref().map_or_else(String::new, |wrong| format!(": {wrong}"));
        let word = if self.wrong.is_some() { "WRONG" } else { "right" };
        let server = part("server");
        let on = if server.is_empty() { String::new() } else { format!(" on {server}") };
        format!(
            "{word}  {}  {:7}  {} {}{on}  ({}{of}){why}\n",
            part("time"),
            part("verdict"),
            part("method"),
            part("target"),
            part("ref"),
        )
    }

    /// One object for machines.
    pub(super) fn json(&self) -> Value {
        let mut fields = Map::new();
        for (word, value) in self.receipt.iter().flat_map(Receipt::lines) {
            fields.insert(word.to_owned(), json!(value));
        }
        json!({ "right": self.wrong.is_none(), "wrong": self.wrong, "record": self.record, "receipt": fields })
    }
}

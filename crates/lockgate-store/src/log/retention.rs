//! What is old goes, and the log says so: the tree and its proofs stay.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use lockgate_audit::log::{Tile, WIDTH};
use lockgate_audit::{Happening, Record};

use super::folder::{LogError, contents_path};
use super::tree::{Noted, TreeLog};
use crate::rfc3339;

/// How long what is in a log is kept. A tile goes when its newest record is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// What records refer to by its digest, as arguments of calls.
    pub contents: Duration,
    /// The records themselves. Of what goes, the hashes stay.
    pub records: Duration,
}

impl Default for Retention {
    /// A hundred years.
    fn default() -> Self {
        let long = Duration::from_hours(24 * 36_500);
        Self { contents: long, records: long }
    }
}

/// What a record says of what was removed.
const CONTENTS: &str = "contents_removed";
const RECORDS: &str = "records_removed";

/// How much of a log is gone already, as far as this process knows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gone {
    contents: u64,
    records: u64,
}

impl TreeLog {
    /// Removes what is too old. First a record says so and is signed, so that what is missing without one is told from it.
    pub(super) fn retire(
        &mut self,
        keep: Retention,
        now: SystemTime,
        gone: &mut Gone,
    ) -> Result<(), LogError> {
        let whole = self.size() / WIDTH;
        let records = self.older(gone.records, whole, now.checked_sub(keep.records))?;
        let contents = self.older(gone.contents, whole, now.checked_sub(keep.contents.min(keep.records)))?;
        let some = |from: u64, to: u64, path: fn(u64) -> String| {
            (from..to).any(|tile| self.folder().at(path(tile)).exists())
        };
        let mut said = VecDeque::new();
        for (there, until, note) in [
            (some(gone.contents, contents, contents_path), contents, CONTENTS),
            (some(gone.records, records, records_path), records, RECORDS),
        ] {
            if there {
                let (count, notes) = (Some(until * WIDTH), vec![note]);
                let record = Record { count, notes, ..Record::of_gateway(Happening::Log) };
                said.push_back(Noted::from(record.to_json(&rfc3339(now)).into_bytes()));
            }
        }
        if !said.is_empty() {
            self.append(&mut said)?;
            self.sign()?;
        }
        for (from, until, path) in [
            (gone.contents, contents, contents_path as fn(u64) -> String),
            (gone.records, records, records_path),
        ] {
            for tile in from..until {
                let path = self.folder().at(path(tile));
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(LogError::Disk(path, error));
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        *gone = Gone { contents, records };
        Ok(())
    }

    /// The first tile, from `from` on and before `whole`, that is not older than this.
    fn older(&self, from: u64, whole: u64, than: Option<SystemTime>) -> Result<u64, LogError> {
        let Some(than) = than.map(rfc3339) else { return Ok(from) };
        for tile in from..whole {
            // What has no records any more went before; what does not say when it was made stays.
            let Some(records) = self.folder().records(tile)? else { continue };
            if records.last().and_then(|last| time(last)).is_none_or(|newest| newest >= than) {
                return Ok(tile);
            }
        }
        Ok(whole)
    }
}

/// Where the records of a whole tile are.
fn records_path(tile: u64) -> String {
    Tile::Records { number: tile, width: WIDTH }.path()
}

/// When a record was made, as it says. Times in UTC with as many digits stand in their order.
fn time(record: &[u8]) -> Option<String> {
    let record = std::str::from_utf8(record).ok()?;
    Some(record.split_once("\"time\":\"")?.1.split_once('"')?.0.to_owned())
}

/// Up to which record the oldest are gone, as the newest record says that was signed; 0 where none says so. Asked only where
/// the first tile is missing.
pub(super) fn removed(record: &[u8]) -> Option<u64> {
    let record = std::str::from_utf8(record).ok()?;
    // What it is about stands behind its time, before anything that is not ours.
    let (_, said) = record.split_once("\"time\":\"")?.1.split_once('"')?;
    let said = said.strip_prefix(",\"event\":\"log\",")?;
    let (_, count) = said.split_once(&format!("\"notes\":[\"{RECORDS}\"],\"count\":"))?;
    count.split(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use lockgate_audit::log::{Checkpoint, Damage, NoteKey, Use, Verified, verify};

    use super::super::{LogFolder, Signing};
    use super::*;

    fn at(day: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(24 * (20_000 + day))
    }

    fn days(contents: u64, records: u64) -> Retention {
        let of = |days| Duration::from_hours(24 * days);
        Retention { contents: of(contents), records: of(records) }
    }

    fn add(log: &mut TreeLog, day: u64, many: u64) {
        let mut waiting: VecDeque<Noted> = (0..many)
            .map(|number| {
                let record = format!("{{\"v\":1,\"time\":\"{}\",\"number\":{number}}}", rfc3339(at(day)));
                Noted {
                    record: record.into_bytes(),
                    content: Some(format!("{{\"day\":{day}}}").into_bytes()),
                }
            })
            .collect();
        log.append(&mut waiting).unwrap();
        log.sign().unwrap();
    }

    #[test]
    fn only_a_record_of_the_log_says_what_was_removed() {
        let gone = Record { count: Some(512), notes: vec![RECORDS], ..Record::of_gateway(Happening::Log) };
        let gone = gone.to_json("2026-01-31T08:00:00.000000Z");
        assert_eq!(removed(gone.as_bytes()), Some(512), "{gone}");
        for (from, to) in [
            ("\"event\":\"log\"", "\"event\":\"request\",\"arguments\":{\"time\":\"\",\"event\":\"log\"}"),
            (RECORDS, CONTENTS),
            ("512", "-1"),
        ] {
            assert_eq!(removed(gone.replacen(from, to, 1).as_bytes()), None, "{to}");
        }
    }

    #[test]
    fn what_does_not_say_when_it_was_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let key = NoteKey::new("example.org/log", Use::Log, [7; 32]).unwrap();
        let mut log = TreeLog::open(folder.path(), Signing { key, sign: Box::new(|_| [0; 64]) }).unwrap();
        let mut waiting: VecDeque<Noted> = (0..256).map(|_| Noted::from(b"{}".to_vec())).collect();
        log.append(&mut waiting).unwrap();
        log.retire(days(1, 1), at(9_000), &mut Gone::default()).unwrap();
        assert_eq!(log.size(), 256);
        assert!(LogFolder::new(folder.path()).records(0).unwrap().is_some());
    }

    #[test]
    fn what_is_old_goes_and_what_is_left_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let key = NoteKey::new("example.org/log", Use::Log, [7; 32]).unwrap();
            TreeLog::open(folder.path(), Signing { key, sign: Box::new(|_| [0; 64]) }).unwrap()
        };
        let mut log = open();
        add(&mut log, 0, 512);
        add(&mut log, 20, 300);
        let reader = LogFolder::new(folder.path());
        let check = |kept| {
            let note = reader.checkpoint().unwrap().unwrap();
            verify(&reader, &Checkpoint::parse(note.text()).unwrap(), kept).unwrap()
        };
        // Nothing is old yet.
        log.retire(days(30, 400), at(25), &mut Gone::default()).unwrap();
        assert_eq!((log.size(), reader.removed().unwrap()), (812, 0));
        // Contents of the first two tiles are; the third has newer ones.
        let mut gone = Gone::default();
        log.retire(days(30, 400), at(31), &mut gone).unwrap();
        assert_eq!(log.size(), 813, "which is a record");
        let contents = |tile| reader.contents(tile).unwrap().len();
        assert_eq!((contents(0), contents(1), contents(2)), (0, 0, 1));
        assert_eq!(check(0), Ok(Verified { records: 813, removed: 0 }));
        log.retire(days(30, 400), at(31), &mut gone).unwrap();
        assert_eq!(log.size(), 813, "said once");
        // Then the records, also after a restart.
        let mut log = open();
        log.retire(days(30, 400), at(401), &mut Gone::default()).unwrap();
        assert_eq!(reader.removed().unwrap(), 512);
        assert!(reader.records(0).unwrap().is_none() && reader.records(2).unwrap().is_some());
        let size = log.size();
        assert_eq!(check(512), Ok(Verified { records: size - 512, removed: 512 }));
        assert_eq!(check(0), Ok::<_, Damage>(Verified::default()).and(Err(Damage::Missing(0))));
        // What is removed without a word is missing.
        fs::remove_file(folder.path().join(records_path(2))).unwrap();
        assert_eq!(check(reader.removed().unwrap()), Err(Damage::Missing(512)));
        // The log goes on.
        add(&mut log, 402, 300);
        assert_eq!(
            reader.records(log.size() / WIDTH).unwrap().map(|records| records.len() as u64),
            Some(log.size() % WIDTH)
        );
    }
}

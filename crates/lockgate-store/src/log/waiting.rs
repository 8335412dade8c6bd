use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use lockgate_audit::log::LONGEST;
use lockgate_audit::{Happening, Record};

use super::retention::{Gone, Retention};
use super::{Noted, TreeLog};
use crate::rfc3339;

/// Shortest time between two checkpoints.
const SIGN: Duration = Duration::from_secs(1);
/// Most records that are kept in memory while nothing can be written. What comes then is counted, and the log says so where it
/// would stand.
const KEPT: usize = 65_536;
/// Most bytes of them.
const KEPT_BYTES: usize = 64 << 20;

/// Records on their way into a log that nobody can quietly change.
pub(super) struct Waiting {
    log: TreeLog,
    records: VecDeque<Noted>,
    bytes: usize,
    signed: Instant,
    /// Records that were made while nothing could be written and memory was full, since the last one that was kept.
    lost: u64,
    failing: Arc<AtomicBool>,
    retention: Retention,
    gone: Gone,
    /// When it was looked last for what is too old.
    retired: Option<Instant>,
}

/// How often it is looked for what is too old.
const RETIRE: Duration = Duration::from_hours(1);

impl Waiting {
    pub(super) fn new(log: TreeLog, retention: Retention, failing: Arc<AtomicBool>) -> Self {
        Self {
            log,
            records: VecDeque::new(),
            bytes: 0,
            signed: Instant::now(),
            lost: 0,
            failing,
            retention,
            gone: Gone::default(),
            retired: None,
        }
    }

    /// How many records the log has.
    pub(super) fn size(&self) -> u64 {
        self.log.size()
    }

    pub(super) fn take(&mut self, time: &str, mut record: Box<Record>) {
        if self.is_full() {
            self.lost += 1;
        } else {
            self.say_lost();
            let content = record.part().map(String::into_bytes);
            self.push(Noted { record: record.to_json_within(time, LONGEST).into_bytes(), content });
        }
    }

    pub(super) fn flush(&mut self) {
        self.write();
        if self.signed.elapsed() >= SIGN {
            self.sign();
        }
        self.retire();
    }

    /// Removes what is too old, now and then.
    fn retire(&mut self) {
        let recently = self.retired.is_some_and(|when| when.elapsed() < RETIRE);
        if recently || self.failing.load(Ordering::Relaxed) {
            return;
        }
        self.retired = Some(Instant::now());
        if let Err(error) = self.log.retire(self.retention, SystemTime::now(), &mut self.gone) {
            eprintln!("lockgate: records that are too old cannot be removed: {error}");
        }
    }

    fn write(&mut self) {
        while !self.records.is_empty() {
            let written = self.log.append(&mut self.records);
            self.bytes = self.records.iter().map(size).sum();
            match written {
                Ok(_) => {
                    if self.failing.swap(false, Ordering::Relaxed) {
                        eprintln!("lockgate: records are written again; {} were lost meanwhile", self.lost);
                    }
                    // Which is a record as well.
                    self.say_lost();
                }
                Err(error) => {
                    if !self.failing.swap(true, Ordering::Relaxed) {
                        eprintln!("lockgate: records cannot be written, and calls are refused: {error}");
                    }
                    break;
                }
            }
        }
    }

    pub(super) fn sign(&mut self) {
        if !self.log.is_unsigned() || self.failing.load(Ordering::Relaxed) {
            return;
        }
        self.signed = Instant::now();
        if let Err(error) = self.log.sign() {
            eprintln!("lockgate: the checkpoint of the records cannot be written: {error}");
        }
    }

    /// Writes and signs what there is, for the last time.
    pub(super) fn end(mut self) {
        self.write();
        self.sign();
        let lost = self.records.len() as u64 + self.lost;
        if lost > 0 {
            eprintln!("lockgate: {lost} records could not be written, and are lost");
        }
    }

    fn is_full(&self) -> bool {
        self.records.len() >= KEPT || self.bytes >= KEPT_BYTES
    }

    /// Where records were lost, a record says how many, in their place.
    fn say_lost(&mut self) {
        if self.lost > 0 {
            let (count, notes) = (Some(std::mem::take(&mut self.lost)), vec!["lost"]);
            let record = Record { count, notes, ..Record::of_gateway(Happening::Log) };
            self.push(record.to_json(&rfc3339(SystemTime::now())).into_bytes().into());
        }
    }

    fn push(&mut self, kept: Noted) {
        self.bytes += size(&kept);
        self.records.push_back(kept);
    }
}

fn size(kept: &Noted) -> usize {
    kept.record.len() + kept.content.as_ref().map_or(0, Vec::len)
}

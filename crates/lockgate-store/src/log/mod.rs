//! The records of decisions, on their way to the disk.

mod folder;
mod lines;
mod tree;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use lockgate_audit::Record;
use lockgate_audit::log::LONGEST;

use self::lines::Segment;
use crate::rfc3339;

pub use folder::{LogError, LogFolder};
pub use lines::Rotation;
pub use tree::{Sign, Signing, TreeLog};

/// Most records that wait for the writer; then the calls that make them wait too.
const WAITING: usize = 8_192;
/// Longest time a record stays in memory.
const FLUSH: Duration = Duration::from_millis(100);
/// So many records go to the disk at once, at the latest.
const BATCH: usize = 256;
/// Shortest time between two checkpoints.
const SIGN: Duration = Duration::from_secs(1);
/// Most records that are kept in memory while nothing can be written. What comes then is counted, and said once it can be.
const KEPT: usize = 65_536;

/// Where records go: at least one of the two.
#[derive(Debug, Default)]
pub struct RecordsTo {
    /// A plain file that rotates.
    pub file: Option<(PathBuf, Rotation)>,
    /// A log that nobody can quietly change.
    pub tree: Option<TreeLog>,
}

/// Records of decisions. Written by a thread of its own in the order they were made; on the disk at most 100 ms later, and
/// all of them when the log is dropped.
#[derive(Debug)]
pub struct RecordLog {
    entries: Option<SyncSender<Entry>>,
    writer: Option<JoinHandle<()>>,
    failing: Arc<AtomicBool>,
}

enum Entry {
    Record(SystemTime, Box<Record>),
    /// Everything before is to be on the disk, and then word given.
    Flush(SyncSender<()>),
}

impl RecordLog {
    /// Opens a plain file for appending; makes it where there is none, readable by its owner alone.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        Self::start(RecordsTo { file: Some((path.to_owned(), rotation)), tree: None })
    }

    /// Starts to write.
    pub fn start(to: RecordsTo) -> io::Result<Self> {
        let file = to.file.map(|(path, rotation)| Segment::open(path, rotation)).transpose()?;
        let failing = Arc::new(AtomicBool::new(false));
        let (entries, incoming) = sync_channel(WAITING);
        let tree = to.tree.map(|log| Tree {
            log,
            waiting: VecDeque::new(),
            since: None,
            signed: Instant::now(),
            uncounted: 0,
            failing: Arc::clone(&failing),
        });
        let writer = Writer { file, tree };
        let writer =
            std::thread::Builder::new().name("records".to_owned()).spawn(move || writer.run(&incoming))?;
        Ok(Self { entries: Some(entries), writer: Some(writer), failing })
    }

    /// Writes a record down. Waits where 8 192 records are waiting for the disk already.
    pub fn write(&self, time: SystemTime, record: Box<Record>) {
        if let Some(entries) = &self.entries {
            // The writer ends only after this sender has.
            let _sent = entries.send(Entry::Record(time, record));
        }
    }

    /// Can the log that nobody can quietly change not be written at the moment? Nothing that must be recorded may pass then.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Waits until all that was written before is on the disk.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if let Some(entries) = &self.entries
            && entries.send(Entry::Flush(done)).is_ok()
        {
            let _done = wait.recv();
        }
    }
}

impl Drop for RecordLog {
    fn drop(&mut self) {
        self.entries = None;
        if let Some(writer) = self.writer.take() {
            let _joined = writer.join();
        }
    }
}

struct Writer {
    file: Option<Segment>,
    tree: Option<Tree>,
}

impl Writer {
    fn run(mut self, incoming: &Receiver<Entry>) {
        loop {
            match incoming.recv_timeout(FLUSH) {
                Ok(Entry::Record(time, record)) => {
                    let time = rfc3339(time);
                    if let Some(file) = &mut self.file {
                        file.write(&record.to_json(&time));
                    }
                    if let Some(tree) = &mut self.tree {
                        tree.take(record.to_json_within(&time, LONGEST));
                    }
                }
                Ok(Entry::Flush(done)) => {
                    self.flush();
                    // Whoever asked may have stopped waiting.
                    let _told = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(file) = &mut self.file {
                        file.flush();
                    }
                    if let Some(tree) = &mut self.tree {
                        tree.flush();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        if let Some(file) = &mut self.file {
            file.flush();
        }
        if let Some(tree) = &mut self.tree {
            tree.write();
            tree.sign();
        }
    }
}

/// Records on their way into a log that nobody can quietly change.
struct Tree {
    log: TreeLog,
    waiting: VecDeque<Vec<u8>>,
    /// When the oldest that waits came.
    since: Option<Instant>,
    signed: Instant,
    /// Records that were made while nothing could be written and memory was full.
    uncounted: u64,
    failing: Arc<AtomicBool>,
}

impl Tree {
    fn take(&mut self, line: String) {
        if self.waiting.len() >= KEPT {
            self.uncounted += 1;
        } else {
            self.waiting.push_back(line.into_bytes());
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        // While nothing can be written it is tried again when nothing else is to be done, and now and then.
        let many = self.waiting.len() >= BATCH && !self.failing.load(Ordering::Relaxed);
        if many || since.elapsed() >= FLUSH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.write();
        if self.signed.elapsed() >= SIGN {
            self.sign();
        }
    }

    fn write(&mut self) {
        self.since = None;
        if self.waiting.is_empty() {
            return;
        }
        match self.log.append(&mut self.waiting) {
            Ok(_) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    eprintln!(
                        "lockgate: records are written again; {} more were made meanwhile",
                        self.uncounted
                    );
                    self.uncounted = 0;
                }
            }
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    eprintln!("lockgate: records cannot be written, and calls are refused: {error}");
                }
            }
        }
    }

    fn sign(&mut self) {
        if !self.log.is_unsigned() || self.failing.load(Ordering::Relaxed) {
            return;
        }
        self.signed = Instant::now();
        if let Err(error) = self.log.sign() {
            eprintln!("lockgate: the checkpoint of the records cannot be written: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use lockgate_audit::{Happening, Measure};
    use lockgate_model::{Principal, SessionId, Verdict};

    fn record(number: usize) -> Box<Record> {
        Box::new(Record {
            happening: Happening::Request,
            session: SessionId::new("s"),
            principal: Principal::new("local"),
            client: None,
            correlation: format!("s-{number}"),
            method: Some("ping"),
            server: None,
            target: None,
            arguments: None,
            argument_text: None,
            measure: Measure::default(),
            verdict: Verdict::Forward,
            would: None,
            finding: None,
            sources: Vec::new(),
            changes: Vec::new(),
            label_before: None,
            label_after: None,
            notes: Vec::new(),
            detected: Vec::new(),
            score: None,
            duration: 0,
        })
    }

    #[test]
    fn rotates_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        let log = RecordLog::open(&path, Rotation { max_bytes: 4_096, keep: 100 }).unwrap();
        for number in 0..200 {
            log.write(SystemTime::now(), record(number));
        }
        drop(log);
        let mut seen = 0;
        let mut files = 0;
        for entry in fs::read_dir(folder.path()).unwrap() {
            files += 1;
            for line in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
                seen += 1;
            }
        }
        assert_eq!(seen, 200);
        assert!(files > 3, "{files} files");
    }

    #[test]
    fn keeps_only_as_many_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.jsonl");
        let log = RecordLog::open(&path, Rotation { max_bytes: 1_024, keep: 2 }).unwrap();
        for number in 0..200 {
            log.write(SystemTime::now(), record(number));
        }
        drop(log);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}

//! The records of decisions, on their way to the disk.

mod ahead;
mod folder;
mod lines;
mod queue;
mod retention;
mod tree;
mod waiting;
mod witness;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use lockgate_audit::Record;

use self::lines::Segment;
use self::queue::{Queue, Taken};
use self::waiting::Waiting;
use crate::rfc3339;

pub use ahead::Ahead;
pub use folder::{Grown, LogError, LogFolder};
pub use lines::Rotation;
pub use retention::Retention;
pub use tree::{Noted, Sign, Signing, TreeLog};
pub use witness::Witnessed;

/// Longest time a record stays in memory.
const FLUSH: Duration = Duration::from_millis(100);
/// Where records go: at least one of the two.
#[derive(Debug, Default)]
pub struct RecordsTo {
    /// A plain file that rotates.
    pub file: Option<(PathBuf, Rotation)>,
    /// A log that nobody can quietly change.
    pub tree: Option<TreeLog>,
    /// How long it is kept.
    pub retention: Retention,
}

/// Records of decisions. Written by a thread of its own in the order they were made; on the disk at most 100 ms later, and
/// all of them when the log is dropped.
#[derive(Debug)]
pub struct RecordLog {
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
    failing: Arc<AtomicBool>,
    progress: Arc<Progress>,
}

/// How far the writer is.
#[derive(Debug, Default)]
struct Progress {
    taken: AtomicU64,
    written: AtomicU64,
    logged: AtomicU64,
    /// Is there a log that nobody can quietly change?
    logs: bool,
}

impl RecordLog {
    /// Opens a plain file for appending; makes it where there is none, readable by its owner alone.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        Self::start(RecordsTo { file: Some((path.to_owned(), rotation)), ..RecordsTo::default() })
    }

    /// Starts to write.
    pub fn start(to: RecordsTo) -> io::Result<Self> {
        let file = to.file.map(|(path, rotation)| Segment::open(path, rotation)).transpose()?;
        let failing = Arc::new(AtomicBool::new(false));
        let tree = to.tree.map(|log| Waiting::new(log, to.retention, Arc::clone(&failing)));
        let progress = Arc::new(Progress { logs: tree.is_some(), ..Progress::default() });
        progress.logged.store(tree.as_ref().map_or(0, Waiting::size), Ordering::Relaxed);
        let queue = Arc::new(Queue::default());
        let left = Left(Arc::clone(&queue), Arc::clone(&failing));
        let writer = Writer { file, tree, left, progress: Arc::clone(&progress) };
        let writer = std::thread::Builder::new().name("records".to_owned()).spawn(move || writer.run())?;
        Ok(Self { queue, writer: Some(writer), failing, progress })
    }

    /// Writes a record down. Waits where 8 192 records are waiting for the disk already.
    pub fn write(&self, time: SystemTime, record: Box<Record>) {
        self.progress.taken.fetch_add(1, Ordering::Relaxed);
        self.queue.put((time, record));
    }

    /// Can the log that nobody can quietly change not be written at the moment? Nothing that must be recorded may pass then.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// How many records are on their way to the writer.
    pub fn waiting(&self) -> u64 {
        let written = self.progress.written.load(Ordering::Relaxed);
        self.progress.taken.load(Ordering::Relaxed).saturating_sub(written)
    }

    /// How long the log is that nobody can quietly change, where there is one.
    pub fn logged(&self) -> Option<u64> {
        Some(self.progress.logged.load(Ordering::Relaxed)).filter(|_| self.progress.logs)
    }

    /// Waits until all that was written before is on the disk, and signed.
    pub fn flush(&self) {
        self.queue.flush();
    }
}

impl Drop for RecordLog {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            let _joined = writer.join();
        }
    }
}

struct Writer {
    file: Option<Segment>,
    tree: Option<Waiting>,
    progress: Arc<Progress>,
    left: Left,
}

/// Says that the writer has ended, however that comes: without it nothing is recorded.
struct Left(Arc<Queue>, Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
        self.0.leave();
    }
}

impl Writer {
    fn run(mut self) {
        let queue = Arc::clone(&self.left.0);
        loop {
            let Taken { entries, flush, closed } = queue.take(FLUSH);
            let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            for (time, record) in entries {
                let time = rfc3339(time);
                if let Some(file) = &mut self.file {
                    file.write(&record.to_json(&time));
                }
                if let Some(tree) = &mut self.tree {
                    tree.take(&time, record);
                }
            }
            if closed {
                break;
            }
            if let Some(file) = &mut self.file {
                file.flush();
            }
            if let Some(tree) = &mut self.tree {
                tree.flush();
                if flush.is_some() {
                    tree.sign();
                }
                self.progress.logged.store(tree.size(), Ordering::Relaxed);
            }
            self.progress.written.fetch_add(count, Ordering::Relaxed);
            if let Some(asked) = flush {
                queue.answer(asked);
            }
        }
        if let Some(file) = &mut self.file {
            file.flush();
        }
        if let Some(tree) = self.tree {
            tree.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use lockgate_audit::Happening;
    use lockgate_audit::log::{NoteKey, Use};

    fn record(number: usize) -> Box<Record> {
        let correlation = format!("s-{number}");
        Box::new(Record { correlation, ..Record::of_gateway(Happening::Request) })
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

    fn values(folder: &Path) -> Vec<serde_json::Value> {
        let log = LogFolder::new(folder);
        let tiles = (0..).map_while(|tile| log.records(tile).unwrap());
        tiles.flatten().map(|line| serde_json::from_slice(&line).unwrap()).collect()
    }

    #[test]
    fn what_is_lost_while_nothing_can_be_written_is_said_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let key = NoteKey::new("example.org/log", Use::Log, [7; 32]).unwrap();
        let tree = TreeLog::open(folder.path(), Signing { key, sign: Box::new(|_| [0; 64]) }).unwrap();
        let log =
            RecordLog::start(RecordsTo { file: None, tree: Some(tree), ..RecordsTo::default() }).unwrap();
        // Files stand where folders must be.
        let blocked = ["head", "tile"].map(|name| folder.path().join(name));
        fs::remove_dir(&blocked[0]).unwrap();
        for path in &blocked {
            fs::write(path, "").unwrap();
        }
        (0..66_000).for_each(|number| log.write(SystemTime::now(), record(number)));
        log.flush();
        assert!(log.is_failing());
        for path in &blocked {
            fs::remove_file(path).unwrap();
        }
        fs::create_dir(&blocked[0]).unwrap();
        log.write(SystemTime::now(), record(66_000));
        log.flush();
        log.write(SystemTime::now(), record(66_001));
        drop(log);
        let values = values(folder.path());
        let lost = values.iter().position(|value| value["event"] == "log").unwrap();
        assert_eq!(values[lost]["notes"], serde_json::json!(["lost"]));
        // What is there and what is said to be lost is everything.
        assert_eq!(values[lost]["count"].as_u64().unwrap(), 66_002 - (values.len() as u64 - 1));
        assert_eq!(values[lost - 1]["correlation"], "s-65535");
        assert_eq!(values.last().unwrap()["correlation"], "s-66001");
    }
}

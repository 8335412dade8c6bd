mod folder;
mod tree;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use lockgate_audit::Record;

use crate::rfc3339;

pub use folder::{LogError, LogFolder};
pub use tree::{Sign, Signing, TreeLog};

/// Most records that wait for the disk; then the calls that make them wait too.
const WAITING: usize = 8_192;
/// Longest time a written record stays in memory.
const FLUSH: Duration = Duration::from_millis(100);

/// When a file is put aside and a new one begun.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// Largest size of the file. Bytes; a record is never split, so it may be passed by one record.
    pub max_bytes: u64,
    /// How many older files are kept, as `<file>.1` (the newest) to `<file>.<keep>`.
    pub keep: u32,
}

/// Records of decisions, one JSON object a line, in a file that rotates. Written by a thread of its own in the order
/// they were made; in the file at most 100 ms later, and all of them when the log is dropped.
#[derive(Debug)]
pub struct RecordLog {
    entries: Option<SyncSender<Entry>>,
    writer: Option<JoinHandle<()>>,
}

enum Entry {
    Record(SystemTime, Box<Record>),
    /// Everything before is to be in the file, and then word given.
    Flush(SyncSender<()>),
}

impl RecordLog {
    /// Opens the file for appending; makes it where there is none, readable by its owner alone.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let mut segment = Segment::open(path.to_owned(), rotation)?;
        let (entries, incoming) = sync_channel(WAITING);
        let writer = std::thread::Builder::new().name("records".to_owned()).spawn(move || {
            loop {
                match incoming.recv_timeout(FLUSH) {
                    Ok(Entry::Record(time, record)) => segment.write(&record.to_json(&rfc3339(time))),
                    Ok(Entry::Flush(done)) => {
                        segment.flush();
                        // Whoever asked may have stopped waiting.
                        let _told = done.send(());
                    }
                    Err(RecvTimeoutError::Timeout) => segment.flush(),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            segment.flush();
        })?;
        Ok(Self { entries: Some(entries), writer: Some(writer) })
    }

    /// Writes a record down. Waits where 8 192 records are waiting for the disk already.
    pub fn write(&self, time: SystemTime, record: Box<Record>) {
        if let Some(entries) = &self.entries {
            // The writer ends only after this sender has.
            let _sent = entries.send(Entry::Record(time, record));
        }
    }

    /// Waits until all that was written before is in the file.
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

struct Segment {
    path: PathBuf,
    rotation: Rotation,
    file: File,
    size: u64,
    buffer: Vec<u8>,
    /// A failure of the disk is reported once, until it works again.
    failing: bool,
}

impl Segment {
    fn open(path: PathBuf, rotation: Rotation) -> io::Result<Self> {
        let file = append(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, rotation, file, size, buffer: Vec::with_capacity(1 << 16), failing: false })
    }

    fn write(&mut self, line: &str) {
        self.buffer.extend_from_slice(line.as_bytes());
        self.buffer.push(b'\n');
        if self.buffer.len() >= 1 << 16 || self.size + self.buffer.len() as u64 >= self.rotation.max_bytes {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let written = self.file.write_all(&self.buffer);
        self.size += self.buffer.len() as u64;
        self.buffer.clear();
        let rotated = if self.size >= self.rotation.max_bytes { self.rotate() } else { Ok(()) };
        match written.and(rotated) {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                self.failing = true;
                eprintln!("lockgate: records cannot be written to {}: {error}", self.path.display());
            }
            Err(_) => {}
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        let numbered = |number: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..self.rotation.keep).rev() {
            if numbered(number).exists() {
                fs::rename(numbered(number), numbered(number + 1))?;
            }
        }
        if self.rotation.keep > 0 {
            fs::rename(&self.path, numbered(1))?;
        } else {
            fs::remove_file(&self.path)?;
        }
        self.file = append(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockgate_audit::Happening;
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

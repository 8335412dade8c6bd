use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// When a file is put aside and a new one begun.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// Largest size of the file. Bytes; a record is never split, so it may be passed by one record.
    pub max_bytes: u64,
    /// How many older files are kept, as `<file>.1` (the newest) to `<file>.<keep>`.
    pub keep: u32,
}

/// A file of records, one JSON object a line, that rotates.
pub(super) struct Segment {
    path: PathBuf,
    rotation: Rotation,
    file: File,
    size: u64,
    buffer: Vec<u8>,
    /// A failure of the disk is reported once, until it works again.
    failing: bool,
}

impl Segment {
    pub(super) fn open(path: PathBuf, rotation: Rotation) -> io::Result<Self> {
        let file = append(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, rotation, file, size, buffer: Vec::with_capacity(1 << 16), failing: false })
    }

    pub(super) fn write(&mut self, line: &str) {
        self.buffer.extend_from_slice(line.as_bytes());
        self.buffer.push(b'\n');
        if self.buffer.len() >= 1 << 16 || self.size + self.buffer.len() as u64 >= self.rotation.max_bytes {
            self.flush();
        }
    }

    pub(super) fn flush(&mut self) {
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

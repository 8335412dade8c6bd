//! The digest of files and folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_model::hex;
use sha2::{Digest, Sha256};

use crate::unresolved::Unresolved;

/// Most files and folders of one tree.
const MOST_FILES: usize = 200_000;
/// Most bytes of one tree.
const MOST_BYTES: u64 = 4 << 30;
/// Deepest nesting of folders.
const DEEPEST: usize = 64;
/// Most trees that are remembered.
const REMEMBERED: usize = 1024;
/// A file that changed less than this before it was read may change once more without its times telling. Seconds.
const YOUNG: i64 = 2;
/// How much is read at once. Bytes.
const PIECE: usize = 128 << 10;

pub(crate) type Sha = [u8; 32];

/// The digests of trees that were read, by what the file system says of all their files: path, device, inode, size, and
/// the times of the last change of content and of anything. Whoever changes a file changes one of them, for nobody can set
/// the last at will. Kept in memory alone: on the disk it could be written by whoever changes the files.
#[derive(Debug, Default)]
pub struct Cache(Mutex<BTreeMap<Sha, Sha>>);

impl Cache {
    fn find(&self, fingerprint: &Sha) -> Option<Sha> {
        self.0.lock().ok()?.get(fingerprint).copied()
    }

    fn keep(&self, fingerprint: Sha, digest: Sha) {
        if let Ok(mut known) = self.0.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(fingerprint, digest);
        }
    }
}

/// Files and folders that are one thing together.
#[derive(Default)]
pub(crate) struct Tree {
    roots: BTreeMap<Vec<u8>, PathBuf>,
    skipped: &'static [&'static str],
    expected: BTreeMap<PathBuf, Sha>,
    unhashed_first_line: Vec<PathBuf>,
}

/// One file or folder of it.
struct Entry {
    label: Vec<u8>,
    path: PathBuf,
    metadata: Metadata,
    link: Option<PathBuf>,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Leaves out folders and files of these names.
    pub(crate) fn without(mut self, names: &'static [&'static str]) -> Self {
        self.skipped = names;
        self
    }

    /// Takes a file, or a folder with all that is in it. The label stands for its place in the digest, so that the same
    /// files elsewhere have the same digest.
    pub(crate) fn add(&mut self, label: impl AsRef<[u8]>, path: impl Into<PathBuf>) {
        self.roots.insert(label.as_ref().to_vec(), path.into());
    }

    /// The file must have this SHA-256, else [`Unresolved::Tampered`].
    pub(crate) fn expect(&mut self, path: PathBuf, digest: Sha) {
        self.expected.insert(path, digest);
    }

    /// Of the file only what comes after the first line counts: that names an interpreter by where it is installed.
    pub(crate) fn add_script(&mut self, label: impl AsRef<[u8]>, path: impl Into<PathBuf>) {
        let path = path.into();
        self.unhashed_first_line.push(path.clone());
        self.add(label, path);
    }

    /// The digest as `sha256:…`.
    pub(crate) fn digest(&self, cache: &Cache) -> Result<String, Unresolved> {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started = i64::try_from(started.as_secs()).unwrap_or(i64::MAX);
        let entries = self.entries()?;
        let mut fingerprint = Sha256::new();
        let mut newest = i64::MIN;
        for entry in &entries {
            feed(&mut fingerprint, &entry.label);
            feed(&mut fingerprint, entry.path.as_os_str().as_bytes());
            let of = &entry.metadata;
            for number in [of.dev(), of.ino(), of.size(), u64::from(of.mode())] {
                fingerprint.update(number.to_be_bytes());
            }
            for number in [of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec()] {
                fingerprint.update(number.to_be_bytes());
            }
            if let Some(link) = &entry.link {
                feed(&mut fingerprint, link.as_os_str().as_bytes());
            }
            newest = newest.max(of.ctime());
        }
        let fingerprint: Sha = fingerprint.finalize().into();
        if let Some(digest) = cache.find(&fingerprint) {
            return Ok(text(&digest));
        }
        let mut whole = Sha256::new();
        let mut piece = vec![0; PIECE];
        for entry in &entries {
            self.read(entry, &mut whole, &mut piece)?;
        }
        let there: BTreeSet<&Path> = entries.iter().map(|entry| entry.path.as_path()).collect();
        if !self.expected.keys().all(|path| there.contains(path.as_path())) {
            return Err(Unresolved::Tampered);
        }
        let digest: Sha = whole.finalize().into();
        if newest < started - YOUNG {
            cache.keep(fingerprint, digest);
        }
        Ok(text(&digest))
    }

    /// All that is in it, sorted by label.
    fn entries(&self) -> Result<Vec<Entry>, Unresolved> {
        let mut entries = Vec::new();
        let mut bytes = 0_u64;
        let mut next: Vec<(Vec<u8>, PathBuf, usize)> =
            self.roots.iter().map(|(label, path)| (label.clone(), path.clone(), 0)).collect();
        while let Some((label, path, depth)) = next.pop() {
            let mut metadata = path.symlink_metadata().map_err(|_| Unresolved::Unreadable)?;
            let mut link = None;
            if metadata.is_symlink() {
                link = Some(path.read_link().map_err(|_| Unresolved::Unreadable)?);
                // What a link leads to counts as its content; where it leads nowhere, only where it would.
                if let Ok(end) = path.metadata() {
                    if end.is_dir() && depth > 0 && !self.holds(&path)? {
                        return Err(Unresolved::LeadsOutside);
                    }
                    metadata = end;
                }
            }
            if metadata.is_dir() && (link.is_none() || depth == 0) {
                if depth == DEEPEST {
                    return Err(Unresolved::TooLarge);
                }
                for found in std::fs::read_dir(&path).map_err(|_| Unresolved::Unreadable)? {
                    let name = found.map_err(|_| Unresolved::Unreadable)?.file_name();
                    if self.skipped.iter().any(|skipped| name == *skipped) {
                        continue;
                    }
                    let label = [label.as_slice(), b"/", name.as_bytes()].concat();
                    next.push((label, path.join(&name), depth + 1));
                }
            }
            if metadata.is_file() {
                bytes = bytes.saturating_add(metadata.size());
            }
            entries.push(Entry { label, path, metadata, link });
            if entries.len() + next.len() > MOST_FILES || bytes > MOST_BYTES {
                return Err(Unresolved::TooLarge);
            }
        }
        entries.sort_unstable_by(|one, other| one.label.cmp(&other.label));
        Ok(entries)
    }

    /// Does a link lead into the tree itself?
    fn holds(&self, path: &Path) -> Result<bool, Unresolved> {
        let real = path.canonicalize().map_err(|_| Unresolved::Unreadable)?;
        let mut roots = self.roots.values().filter_map(|root| root.canonicalize().ok());
        Ok(roots.any(|root| real.starts_with(root)))
    }

    fn read(&self, entry: &Entry, whole: &mut Sha256, piece: &mut [u8]) -> Result<(), Unresolved> {
        feed(whole, &entry.label);
        if let Some(link) = &entry.link {
            whole.update(b"l");
            feed(whole, link.as_os_str().as_bytes());
        }
        if !entry.metadata.is_file() {
            whole.update(if entry.metadata.is_dir() { b"d" } else { b"o" });
            return Ok(());
        }
        whole.update(if entry.metadata.mode() & 0o111 == 0 { b"f" } else { b"x" });
        let mut file = File::open(&entry.path).map_err(|_| Unresolved::Unreadable)?;
        let mut content = Sha256::new();
        let mut skip = self.unhashed_first_line.contains(&entry.path);
        let expected = self.expected.get(&entry.path);
        let mut all = expected.map(|_| Sha256::new());
        let mut size = 0_u64;
        loop {
            let count = file.read(piece).map_err(|_| Unresolved::Unreadable)?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
            size += read.len() as u64;
            if let Some(all) = &mut all {
                all.update(read);
            }
            let mut counted = read;
            if skip && let Some(end) = read.iter().position(|byte| *byte == b'\n') {
                counted = read.get(end..).unwrap_or_default();
                skip = false;
            }
            if !skip {
                content.update(counted);
            }
        }
        let now = file.metadata().map_err(|_| Unresolved::Unreadable)?;
        let times = |of: &Metadata| (of.ino(), of.size(), of.mtime(), of.mtime_nsec());
        if times(&now) != times(&entry.metadata) || size != now.size() {
            return Err(Unresolved::Unreadable);
        }
        if let (Some(expected), Some(all)) = (expected, all)
            && *expected != <Sha>::from(all.finalize())
        {
            return Err(Unresolved::Tampered);
        }
        whole.update(content.finalize());
        Ok(())
    }
}

/// With its length, so that no two lists of texts read alike.
fn feed(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

fn text(digest: &Sha) -> String {
    format!("sha256:{}", hex(digest))
}

#[cfg(test)]
mod tests;

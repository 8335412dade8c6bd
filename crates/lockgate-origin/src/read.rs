//! Reads small files whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

/// Largest file that describes packages. Bytes.
const LARGEST: u64 = 32 << 20;
/// How much of a program is looked at for the line that names its interpreter. Bytes.
const HEAD: u64 = 1024;

/// The text of a file; none where it is not there, not text, or too large.
pub(crate) fn text(path: &Path) -> Option<String> {
    let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|of| of.is_file()))?;
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).ok()?;
    (text.len() as u64 <= LARGEST).then_some(text)
}

/// The JSON in a file.
pub(crate) fn json(path: &Path) -> Option<Value> {
    serde_json::from_str(&text(path)?).ok()
}

/// A text at a key.
pub(crate) fn at<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

/// The first lines of a script; empty where it is none.
pub(crate) fn head(path: &Path) -> Vec<String> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    if read.is_err() || !head.starts_with(b"#!") {
        return Vec::new();
    }
    String::from_utf8_lossy(&head).lines().take(2).map(str::to_owned).collect()
}

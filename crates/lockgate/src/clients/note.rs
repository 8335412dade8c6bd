//! What `connect` did to a client's file, for `disconnect`: kept beside it, without any value of it.

use std::path::{Path, PathBuf};

pub(super) use lockgate_audit::digest;
use serde_json::{Value, json};

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The word for the client.
    pub(super) client: String,
    /// The keys to the section.
    pub(super) section: Vec<String>,
    /// The entries that were taken out.
    pub(super) entries: Vec<String>,
    /// The digest of the file before.
    pub(super) original: String,
    /// The digest of the file after.
    pub(super) written: String,
}

impl Note {
    /// Where the note of a file is, and the file as it was.
    pub(super) fn places(file: &Path) -> (PathBuf, PathBuf) {
        let beside = |end: &str| {
            let mut name = file.file_name().unwrap_or_default().to_owned();
            name.push(end);
            file.with_file_name(name)
        };
        (beside(".lockgate-note"), beside(".lockgate-backup"))
    }

    pub(super) fn write(&self) -> String {
        let note = json!({
            "note": "Written by `lockgate connect`; `lockgate disconnect` needs it.",
            "client": self.client,
            "section": self.section,
            "entries": self.entries,
            "original": self.original,
            "written": self.written,
        });
        format!("{note:#}\n")
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let note: Value = serde_json::from_str(text).ok()?;
        let text = |key: &str| Some(note.get(key)?.as_str()?.to_owned());
        let list = |key: &str| -> Option<Vec<String>> {
            note.get(key)?.as_array()?.iter().map(|item| Some(item.as_str()?.to_owned())).collect()
        };
        Some(Self {
            client: text("client")?,
            section: list("section")?,
            entries: list("entries")?,
            original: text("original")?,
            written: text("written")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let note = Note {
            client: "zed".to_owned(),
            section: vec!["context_servers".to_owned()],
            entries: vec!["a \"b\"".to_owned()],
            original: digest(b"a"),
            written: digest(b"b"),
        };
        assert_eq!(Note::read(&note.write()), Some(note));
        assert_eq!(Note::read("{}"), None);
        let (note, backup) = Note::places(Path::new("/x/mcp.json"));
        assert_eq!(note, Path::new("/x/mcp.json.lockgate-note"));
        assert_eq!(backup, Path::new("/x/mcp.json.lockgate-backup"));
    }
}

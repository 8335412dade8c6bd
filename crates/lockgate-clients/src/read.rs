//! Bytes of a file to a text, whatever they are.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::Place;
use crate::tree::{Fault, Trouble};

/// Largest file that is read. Bytes.
pub const LARGEST: u64 = 32 << 20;

/// The text of a file, and what is wrong with it.
#[derive(Clone)]
pub struct Text {
    /// The text, without the mark of the byte order.
    pub text: String,
    /// Had it such a mark?
    pub marked: bool,
    /// What keeps it from being read by others.
    pub fault: Option<Fault>,
}

/// Reads a file. Only files are opened: a pipe would wait for ever.
pub fn read(path: &Path) -> Result<Text, Trouble> {
    let about = std::fs::metadata(path).map_err(|error| Trouble::Unreadable(words(&error)))?;
    if !about.is_file() {
        return Err(Trouble::NotAFile);
    }
    if about.len() > LARGEST {
        return Err(Trouble::TooLarge);
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| Trouble::Unreadable(words(&error)))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Trouble::TooLarge);
    }
    Ok(decode(bytes))
}

pub(crate) fn decode(bytes: Vec<u8>) -> Text {
    let start = Place { line: 1, column: 1 };
    let wide = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(read)).skip(1).collect();
        let fault = Some(Fault { trouble: Trouble::Utf16, place: start });
        Text { text: String::from_utf16_lossy(&units), marked: true, fault }
    };
    match bytes.get(..2) {
        Some([0xff, 0xfe]) => return wide(u16::from_le_bytes),
        Some([0xfe, 0xff]) => return wide(u16::from_be_bytes),
        _ => {}
    }
    let (text, fault) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let place = Place::of(&text, error.utf8_error().valid_up_to());
            (text, Some(Fault { trouble: Trouble::NotUtf8, place }))
        }
    };
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Text { text: rest.to_owned(), marked: true, fault },
        None => Text { text, marked: false, fault },
    }
}

/// An error of the system without its number.
pub(crate) fn words(error: &std::io::Error) -> String {
    let known = [
        (ErrorKind::NotFound, "there is no such file"),
        (ErrorKind::PermissionDenied, "this user may not read it"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map_or_else(|| error.kind().to_string(), |(_, words)| (*words).to_owned())
}

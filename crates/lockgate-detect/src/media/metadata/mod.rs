//! What is written in images and sound beside what is seen and heard: comments, EXIF, XMP, ID3, and whatever stands behind
//! the end.
//!
//! Nothing is decoded but compressed text, and of that no more than is kept. Cleaning takes parts out whole and leaves every
//! byte of pixels and sound as it was. It also takes the orientation of a photograph, which stands in its EXIF.

mod gif;
mod jpeg;
mod mp3;
mod png;
mod strings;
mod webp;

use std::borrow::Cow;
use std::ops::Range;

use thiserror::Error;

use super::sniff;

/// Most notes on one file; the last covers all that comes after.
pub const MOST: usize = 64;
/// Most text of one note. Bytes.
pub const TEXT: usize = 4096;
/// Most parts of one file. One with more is refused.
const PARTS: usize = 100_000;

/// Something beside what is seen or heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// The bytes of the file that it takes up.
    pub span: Range<usize>,
    /// What is written there and can be read, to be judged as text: at most [`TEXT`] bytes. Often empty.
    pub text: String,
}

/// Sorts of notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// A comment or a text with a name.
    Comment,
    /// EXIF: of the camera, and of whoever wrote there.
    Exif,
    /// XMP, IPTC and other descriptions.
    Description,
    /// A part that no known reader needs.
    Unknown,
    /// What stands behind the end of the file.
    Trailing,
    /// What stands behind the end and begins like a file of its own: one file that is two.
    Polyglot,
    /// From here on it cannot be read.
    Malformed,
}

impl NoteKind {
    /// The rule, as it stands in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Comment => "media_comment",
            Self::Exif => "media_exif",
            Self::Description => "media_description",
            Self::Unknown => "media_unknown_part",
            Self::Trailing => "media_trailing",
            Self::Polyglot => "media_polyglot",
            Self::Malformed => "media_malformed",
        }
    }
}

/// Why a file cannot be cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadMedia {
    /// It is no PNG, JPEG, GIF, WebP or MP3.
    #[error("the media type cannot be cleaned")]
    Unknown,
    /// It breaks the rules of its format.
    #[error("the file cannot be read from byte {at} on")]
    Malformed {
        /// The first byte of what cannot be read.
        at: usize,
    },
}

/// What is written beside what is seen or heard, in order. Nothing for types that cannot be read. Linear.
pub fn look(bytes: &[u8]) -> Vec<Note> {
    let mut parts = Parts::new(bytes);
    match parts.read() {
        Ok(()) | Err(BadMedia::Unknown) => {}
        Err(BadMedia::Malformed { at }) => {
            let text = strings::all(bytes.get(at..).unwrap_or_default());
            parts.notes.push(Note { kind: NoteKind::Malformed, span: at..bytes.len(), text });
        }
    }
    parts.notes
}

/// The file with nothing in it but what is seen or heard. Pixels, samples and colour profiles are as they were, byte for byte;
/// a clean file is given back as it is. Cleaning twice changes nothing.
pub fn clean(bytes: &[u8]) -> Result<Cow<'_, [u8]>, BadMedia> {
    let mut parts = Parts::new(bytes);
    parts.read()?;
    if parts.cuts.is_empty() {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut kept = 0;
    for cut in &parts.cuts {
        out.extend_from_slice(bytes.get(kept..cut.start).unwrap_or_default());
        kept = cut.end;
    }
    out.extend_from_slice(bytes.get(kept..).unwrap_or_default());
    if sniff(bytes) == Some("image/webp") {
        webp::settle(&mut out);
    }
    Ok(Cow::Owned(out))
}

/// What is found while a file is read.
struct Parts<'b> {
    bytes: &'b [u8],
    notes: Vec<Note>,
    cuts: Vec<Range<usize>>,
    count: usize,
}

impl<'b> Parts<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, notes: Vec::new(), cuts: Vec::new(), count: 0 }
    }

    fn read(&mut self) -> Result<(), BadMedia> {
        let end = match sniff(self.bytes) {
            Some("image/png") => png::read(self)?,
            Some("image/jpeg") => jpeg::read(self)?,
            Some("image/gif") => gif::read(self)?,
            Some("image/webp") => webp::read(self)?,
            Some("audio/mpeg") => mp3::read(self)?,
            _ => return Err(BadMedia::Unknown),
        };
        let rest = self.bytes.get(end..).unwrap_or_default();
        if !rest.is_empty() {
            let kind = if sniff(rest).is_some() { NoteKind::Polyglot } else { NoteKind::Trailing };
            self.cut(kind, end..self.bytes.len(), strings::all(rest));
        }
        Ok(())
    }

    /// A part that is no pixels and no sound.
    fn cut(&mut self, kind: NoteKind, span: Range<usize>, text: String) {
        self.cuts.push(span.clone());
        if self.notes.len() < MOST {
            self.notes.push(Note { kind, span, text });
        } else if let Some(last) = self.notes.last_mut() {
            last.span.end = span.end;
            let room = TEXT.saturating_sub(last.text.len());
            last.text.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
        }
    }

    /// Goes on to the next part, of which there are not many.
    fn step(&mut self, at: usize) -> Result<(), BadMedia> {
        self.count += 1;
        if self.count > PARTS { Err(BadMedia::Malformed { at }) } else { Ok(()) }
    }

    fn get(&self, span: Range<usize>) -> Result<&'b [u8], BadMedia> {
        let at = span.start.min(self.bytes.len());
        self.bytes.get(span).ok_or(BadMedia::Malformed { at })
    }

    fn byte(&self, at: usize) -> Result<u8, BadMedia> {
        self.bytes.get(at).copied().ok_or(BadMedia::Malformed { at: at.min(self.bytes.len()) })
    }
}

#[cfg(test)]
mod tests;

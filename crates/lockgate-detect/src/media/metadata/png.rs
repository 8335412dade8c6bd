//! PNG (W3C Portable Network Graphics, third edition).

use flate2::{Decompress, FlushDecompress};

use super::{BadMedia, NoteKind, Parts, TEXT, strings};

/// Chunks that change what is seen.
const SEEN: [&[u8]; 20] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"bKGD",
    b"hIST", b"pHYs", b"sPLT", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT",
];

/// Where the image ends.
pub(super) fn read(parts: &mut Parts<'_>) -> Result<usize, BadMedia> {
    let mut at = 8;
    if parts.get(at + 4..at + 8)? != b"IHDR" {
        return Err(BadMedia::Malformed { at });
    }
    loop {
        parts.step(at)?;
        let Some(length) = parts.get(at..at + 4)?.first_chunk() else {
            return Err(BadMedia::Malformed { at });
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| BadMedia::Malformed { at })?;
        let kind = parts.get(at + 4..at + 8)?;
        let data = parts.get(at + 8..(at + 8).saturating_add(length))?;
        let end = at + 12 + length;
        if end > parts.bytes.len() || !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(BadMedia::Malformed { at });
        }
        if !SEEN.contains(&kind) {
            let (kind, text) = match kind {
                b"tEXt" => (NoteKind::Comment, latin(data)),
                b"zTXt" => (NoteKind::Comment, compressed(data)),
                b"iTXt" => (NoteKind::Comment, international(data)),
                b"eXIf" => (NoteKind::Exif, strings::all(data)),
                _ => (NoteKind::Unknown, strings::all(data)),
            };
            parts.cut(kind, at..end, text);
        }
        at = end;
        if kind == b"IEND" {
            return Ok(at);
        }
    }
}

/// A name and a text in Latin-1.
fn latin(data: &[u8]) -> String {
    let text = data.iter().take(TEXT / 2).map(|byte| if *byte == 0 { '\n' } else { char::from(*byte) });
    let read: String = text.collect();
    // Most programs write UTF-8 all the same.
    let utf8 = std::str::from_utf8(data).ok().map(|text| text.replace('\0', "\n"));
    utf8.filter(|text| text.len() <= TEXT).unwrap_or(read)
}

/// A name, and a compressed text.
fn compressed(data: &[u8]) -> String {
    let Some(named) = data.iter().position(|byte| *byte == 0) else { return String::new() };
    let name = String::from_utf8_lossy(data.get(..named.min(79)).unwrap_or_default());
    format!("{name}\n{}", inflate(data.get(named + 2..).unwrap_or_default()))
}

/// A name, two flags, a language, the name in that language, and a text.
fn international(data: &[u8]) -> String {
    let mut fields = data.splitn(2, |byte| *byte == 0);
    let name = fields.next().unwrap_or_default();
    let (flags, rest) = fields.next().and_then(|rest| rest.split_at_checked(2)).unwrap_or_default();
    let mut fields = rest.splitn(3, |byte| *byte == 0).skip(1);
    let (translated, text) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    let text = if flags.first() == Some(&1) { inflate(text) } else { bounded(text) };
    let name = String::from_utf8_lossy(name.get(..name.len().min(79)).unwrap_or_default());
    [name.into_owned(), bounded(translated), text]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn bounded(text: &[u8]) -> String {
    String::from_utf8_lossy(text.get(..text.len().min(TEXT)).unwrap_or_default()).into_owned()
}

/// The beginning of a compressed text: as much as is kept, whatever it would become.
fn inflate(data: &[u8]) -> String {
    let mut out = Vec::with_capacity(TEXT);
    // What was read before an error counts.
    let _ = Decompress::new(true).decompress_vec(data, &mut out, FlushDecompress::Finish);
    String::from_utf8_lossy(&out).into_owned()
}

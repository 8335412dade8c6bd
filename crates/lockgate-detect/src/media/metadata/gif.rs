//! GIF (version 89a).

use super::{BadMedia, NoteKind, Parts, strings};

/// Where the image ends.
pub(super) fn read(parts: &mut Parts<'_>) -> Result<usize, BadMedia> {
    let mut at = 13 + table(parts.byte(10)?);
    loop {
        parts.step(at)?;
        match parts.byte(at)? {
            0x3b => return Ok(at + 1),
            0x2c => {
                let data = at + 10 + table(parts.byte(at + 9)?) + 1;
                (_, at) = blocks(parts, data, false)?;
            }
            0x21 => {
                let label = parts.byte(at + 1)?;
                let (text, end) = blocks(parts, at + 2, label != 0xf9)?;
                let kind = match label {
                    // How long each picture is shown.
                    0xf9 => None,
                    0xfe => Some(NoteKind::Comment),
                    0xff if is_seen(&text) => None,
                    0xff => Some(NoteKind::Description),
                    _ => Some(NoteKind::Unknown),
                };
                if let Some(kind) = kind {
                    parts.cut(kind, at..end, strings::all(&text));
                }
                at = end;
            }
            _ => return Err(BadMedia::Malformed { at }),
        }
    }
}

/// How often it is played, and its colours.
fn is_seen(text: &[u8]) -> bool {
    text.starts_with(b"NETSCAPE2.0") || text.starts_with(b"ANIMEXTS1.0") || text.starts_with(b"ICCRGBG1012")
}

/// The length of a table of colours, by the byte that announces it.
fn table(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// What stands in blocks of up to 255 bytes, where it is wanted, and the end of the last.
fn blocks(parts: &mut Parts<'_>, from: usize, wanted: bool) -> Result<(Vec<u8>, usize), BadMedia> {
    let mut at = from;
    let mut text = Vec::new();
    loop {
        let length = usize::from(parts.byte(at)?);
        let data = parts.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        if length == 0 {
            return Ok((text, at));
        }
        if wanted {
            text.extend_from_slice(data);
        }
    }
}

//! JPEG (ITU-T T.81), JFIF, EXIF.

use super::{BadMedia, NoteKind, Parts, strings};

/// Where the image ends.
pub(super) fn read(parts: &mut Parts<'_>) -> Result<usize, BadMedia> {
    let mut at = 2;
    loop {
        parts.step(at)?;
        if parts.byte(at)? != 0xff {
            return Err(BadMedia::Malformed { at });
        }
        let marker = parts.byte(at + 1)?;
        match marker {
            // Filling.
            0xff => at += 1,
            0xd9 => return Ok(at + 2),
            0x01 | 0xd0..=0xd7 => at += 2,
            0xc0..=0xfe => {
                let end = segment_end(parts, at)?;
                let data = parts.get(at + 4..end)?;
                if let Some(kind) = note(marker, data) {
                    parts.cut(kind, at..end, strings::all(data));
                }
                // Behind the head of a scan are pixels, up to the next marker.
                at = if marker == 0xda { scan_end(parts.bytes, end) } else { end };
            }
            _ => return Err(BadMedia::Malformed { at }),
        }
    }
}

fn segment_end(parts: &Parts<'_>, at: usize) -> Result<usize, BadMedia> {
    let length = usize::from(parts.byte(at + 2)?) << 8 | usize::from(parts.byte(at + 3)?);
    if length < 2 { Err(BadMedia::Malformed { at }) } else { Ok(at + 2 + length) }
}

/// What the segment is, if it is nothing that is seen.
fn note(marker: u8, data: &[u8]) -> Option<NoteKind> {
    match marker {
        0xfe => Some(NoteKind::Comment),
        0xe0 if data.starts_with(b"JFIF\0") => None,
        0xe1 if data.starts_with(b"Exif\0") => Some(NoteKind::Exif),
        0xe1 | 0xed => Some(NoteKind::Description),
        0xe2 if data.starts_with(b"ICC_PROFILE\0") => None,
        0xee if data.starts_with(b"Adobe") => None,
        0xe0..=0xef => Some(NoteKind::Unknown),
        _ => None,
    }
}

/// Where a marker comes that is neither a stuffed byte nor one to start again at.
fn scan_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) {
        at += found;
        match bytes.get(at + 1) {
            Some(0x00 | 0xd0..=0xd7) => at += 2,
            _ => return at,
        }
    }
    bytes.len()
}

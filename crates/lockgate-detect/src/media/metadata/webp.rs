//! WebP (RFC 9649).

use super::{BadMedia, NoteKind, Parts, strings};

/// Chunks that change what is seen.
const SEEN: [&[u8]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// Those that an image begins with.
const FIRST: [&[u8]; 3] = [b"VP8 ", b"VP8L", b"VP8X"];
/// The flags of EXIF and of XMP in `VP8X`.
const NOTES: u8 = 0x08 | 0x04;

/// Where the image ends.
pub(super) fn read(parts: &mut Parts<'_>) -> Result<usize, BadMedia> {
    let end = 8_usize.saturating_add(number(parts, 4)?);
    if end > parts.bytes.len() || end < 12 {
        return Err(BadMedia::Malformed { at: 4 });
    }
    let mut at = 12;
    if !FIRST.contains(&parts.get(at..at + 4)?) {
        return Err(BadMedia::Malformed { at });
    }
    while at < end {
        parts.step(at)?;
        let kind = parts.get(at..at + 4)?;
        let length = number(parts, at + 4)?;
        let next = (at + 8).saturating_add(length).saturating_add(length % 2);
        // Some writers leave out the filling of the last one.
        let next = if next == end + 1 { end } else { next };
        if next > end {
            return Err(BadMedia::Malformed { at });
        }
        if !SEEN.contains(&kind) {
            let note = match kind {
                b"EXIF" => NoteKind::Exif,
                b"XMP " => NoteKind::Description,
                _ => NoteKind::Unknown,
            };
            parts.cut(note, at..next, strings::all(parts.get(at + 8..next)?));
        }
        at = next;
    }
    Ok(end)
}

fn number(parts: &Parts<'_>, at: usize) -> Result<usize, BadMedia> {
    let Some(bytes) = parts.get(at..at + 4)?.first_chunk() else { return Err(BadMedia::Malformed { at }) };
    usize::try_from(u32::from_le_bytes(*bytes)).map_err(|_| BadMedia::Malformed { at })
}

/// Writes the length of what is left, and that it has no notes.
pub(super) fn settle(out: &mut [u8]) {
    let length = u32::try_from(out.len().saturating_sub(8)).unwrap_or_default();
    if let Some(field) = out.get_mut(4..8) {
        field.copy_from_slice(&length.to_le_bytes());
    }
    if out.get(12..16) == Some(b"VP8X")
        && let Some(flags) = out.get_mut(20)
    {
        *flags &= !NOTES;
    }
}

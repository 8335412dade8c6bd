//! MP3: what ID3 (versions 1, 2.2 to 2.4) and APE write before and behind the sound.

use super::{BadMedia, NoteKind, Parts, sniff, strings};

/// The length of an `ID3v1` tag.
const OLD: usize = 128;

/// Where the sound and the tags end.
pub(super) fn read(parts: &mut Parts<'_>) -> Result<usize, BadMedia> {
    let mut at = 0;
    while parts.bytes.get(at..at + 3) == Some(b"ID3") {
        parts.step(at)?;
        let flags = parts.byte(at + 5)?;
        let mut length = 0_usize;
        for byte in parts.get(at + 6..at + 10)? {
            if *byte > 0x7f {
                return Err(BadMedia::Malformed { at });
            }
            length = length << 7 | usize::from(*byte);
        }
        let foot = if flags & 0x10 == 0 { 0 } else { 10 };
        let end = at + 10 + length + foot;
        let data = parts.get(at + 10..end)?;
        parts.cut(NoteKind::Description, at..end, strings::all(data));
        at = end;
    }
    // Sound begins with a frame; between it and the tags there may be zeros, which are part of neither.
    let sound = parts.bytes.get(at..).unwrap_or_default().iter().position(|byte| *byte != 0);
    let frame = sound
        .map(|zeros| at + zeros)
        .filter(|frame| sniff(parts.bytes.get(*frame..).unwrap_or_default()) == Some("audio/mpeg"));
    let Some(frame) = frame else { return Err(BadMedia::Malformed { at }) };
    if frame > at {
        parts.cut(NoteKind::Unknown, at..frame, String::new());
    }
    let mut end = parts.bytes.len();
    let mut tails = Vec::new();
    while let Some(start) = tail(parts.bytes, frame, end) {
        parts.step(start)?;
        tails.push(start..end);
        end = start;
    }
    for tail in tails.into_iter().rev() {
        let text = strings::all(parts.get(tail.clone())?);
        parts.cut(NoteKind::Description, tail, text);
    }
    Ok(parts.bytes.len())
}

/// Where a tag begins that ends here.
fn tail(bytes: &[u8], frame: usize, end: usize) -> Option<usize> {
    let behind = |length: usize| end.checked_sub(length).filter(|start| *start > frame);
    let begins = |start: usize, mark: &[u8]| bytes.get(start..end).is_some_and(|tag| tag.starts_with(mark));
    if let Some(start) = behind(OLD).filter(|start| begins(*start, b"TAG")) {
        return Some(start);
    }
    // The foot of an APE tag says how long it is, with the foot and without the head.
    let foot = behind(32).filter(|start| begins(*start, b"APETAGEX"))?;
    let length = bytes.get(foot + 12..foot + 16)?.first_chunk().map(|length| u32::from_le_bytes(*length))?;
    let items = behind(usize::try_from(length).ok()?).filter(|items| *items <= foot)?;
    Some(items.checked_sub(32).filter(|head| *head > frame && begins(*head, b"APETAGEX")).unwrap_or(items))
}

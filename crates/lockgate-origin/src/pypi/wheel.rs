//! The list of files in a wheel, which is a zip archive (PEP 427, APPNOTE.TXT 4.3).

use std::io::Read;

use flate2::read::DeflateDecoder;

/// Largest list of files. Bytes.
const LARGEST: u64 = 8 << 20;
/// Where the directory of an archive ends; behind it stands a comment of at most 64 KiB.
const END: [u8; 4] = *b"PK\x05\x06";
const END_SIZE: usize = 22;
const COMMENT: usize = 0xffff;
/// An entry of the directory, and what stands before a file.
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const ENTRY_SIZE: usize = 46;
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_SIZE: usize = 30;

/// The text of one file of an archive; none where it is not there, is there twice, or cannot be read.
pub(super) fn file(archive: &[u8], name: &str) -> Option<String> {
    let tail = archive.len().saturating_sub(END_SIZE + COMMENT);
    let end = tail + archive.get(tail..)?.windows(END.len()).rposition(|four| four == END)?;
    if end + END_SIZE + short(archive, end + 20)? != archive.len() {
        return None;
    }
    let count = short(archive, end + 10)?;
    let mut at = long(archive, end + 16)?;
    let mut found = None;
    for _ in 0..count {
        if archive.get(at..at + 4)? != ENTRY {
            return None;
        }
        let length = short(archive, at + 28)?;
        let next = at + ENTRY_SIZE + length;
        if archive.get(at + ENTRY_SIZE..next)? == name.as_bytes() && found.replace(at).is_some() {
            return None;
        }
        at = next + short(archive, at + 30)? + short(archive, at + 32)?;
    }
    let entry = found?;
    let (method, size) = (short(archive, entry + 10)?, long(archive, entry + 20)?);
    let local = long(archive, entry + 42)?;
    if archive.get(local..local + 4)? != LOCAL {
        return None;
    }
    let start = local + LOCAL_SIZE + short(archive, local + 26)? + short(archive, local + 28)?;
    let packed = archive.get(start..start.checked_add(size)?)?;
    let mut text = String::new();
    match method {
        0 => packed.take(LARGEST + 1).read_to_string(&mut text).ok()?,
        8 => DeflateDecoder::new(packed).take(LARGEST + 1).read_to_string(&mut text).ok()?,
        _ => return None,
    };
    (text.len() as u64 <= LARGEST).then_some(text)
}

fn short(archive: &[u8], at: usize) -> Option<usize> {
    let two = archive.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*two)))
}

fn long(archive: &[u8], at: usize) -> Option<usize> {
    let four = archive.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*four)).ok()
}

//! What a text holds in other spellings of bytes: base64, base32, hex, escapes, and characters that show nothing.

use super::escape;
use super::fold::visible;
use super::kind::{self, Role, digit, kinds, role};
use super::runs::runs;

/// How often what was decoded is decoded again.
const DEPTH: usize = 3;
/// Shortest readable stretch of what a run decodes to that is kept: shorter ones are chance.
const READABLE: usize = 6;

/// Appends what the text holds in other spellings to `out`, a line for each find, at most `limit` bytes. Gives false
/// where there was no room for all. Linear in the length of the text.
pub(crate) fn decode(text: &str, limit: usize, out: &mut String) -> bool {
    let mut finds = Finds { text: String::new(), limit, complete: true };
    once(text, &mut finds);
    for _ in 1..DEPTH {
        if finds.text.is_empty() {
            break;
        }
        let layer = std::mem::take(&mut finds.text);
        finds.limit -= layer.len();
        once(&layer, &mut finds);
        if out.is_empty() {
            // The first is the longest, and is not copied.
            *out = layer;
        } else {
            out.push_str(&layer);
        }
    }
    out.push_str(&finds.text);
    finds.complete
}

fn once(text: &str, finds: &mut Finds) {
    if !text.is_ascii()
        && let Some(seen) = visible(text)
    {
        unseen(text, finds);
        return narrow(&seen, finds);
    }
    narrow(text, finds);
}

fn narrow(text: &str, finds: &mut Finds) {
    escape::find(text, |found| finds.add(found));
    let mut bytes = Vec::new();
    runs(text.as_bytes(), |run| spelled(run, &mut bytes, finds));
}

/// Tries what a run may spell, with room for its bytes.
fn spelled(run: &[u8], bytes: &mut Vec<u8>, finds: &mut Finds) {
    let kinds = kinds(run);
    // Words, names and paths: what spells bytes has digits or capitals.
    if !kinds.has(kind::UPPER | kind::DIGIT) {
        return;
    }
    let digits_of_hex = !kinds.has(kind::NO_HEX) || matches!(run, [b'0', b'x' | b'X', ..]);
    if digits_of_hex && hex(run, bytes) {
        finds.add_readable(bytes);
    }
    let both = kinds.has(kind::UPPER) && kinds.has(kind::LOWER);
    if !both && !kinds.has(kind::NO_BASE32) && base32(run, bytes) {
        finds.add_readable(bytes);
    }
    // A run of one case only is words or hex; base64 of a text never is.
    if both {
        // What stands before the run without a break shifts it.
        let shifts = if run.len() < 4096 { 4 } else { 1 };
        let _ = (0..shifts)
            .any(|shift| base64(run.get(shift..).unwrap_or_default(), bytes) && finds.add_readable(bytes));
    }
}

/// Text that was written in tags or variation selectors, each of which shows nothing and stands for one byte.
fn unseen(text: &str, finds: &mut Finds) {
    let bytes: Vec<u8> = text
        .chars()
        .filter_map(|letter| {
            let code = match u32::from(letter) {
                code @ 0xe_0020..=0xe_007e => code - 0xe_0000,
                code @ 0xfe00..=0xfe0f => code - 0xfe00,
                code @ 0xe_0100..=0xe_01ef => code - 0xe_0100 + 16,
                _ => return None,
            };
            u8::try_from(code).ok()
        })
        .collect();
    finds.add_readable(&bytes);
}

/// Whether a stretch of the bytes may be readable. Cheap, and never wrong where it says no.
fn may_be_read(bytes: &[u8]) -> bool {
    let (mut before, mut row, mut longest) = (Role::NOTHING, 0, 0);
    for byte in bytes {
        let role = role(*byte);
        row = if role.follows(before) { row } else { 0 } + usize::from(role != Role::NOTHING);
        longest = longest.max(row);
        before = role;
    }
    longest >= READABLE
}

/// What was found so far, and for how much there is room.
struct Finds {
    text: String,
    limit: usize,
    complete: bool,
}

impl Finds {
    fn add(&mut self, found: &str) {
        if self.text.len() + found.len() < self.limit {
            self.text.push_str(found);
            self.text.push('\n');
        } else {
            self.complete = false;
        }
    }

    /// Keeps the stretches that can be read, and says whether there was one.
    fn add_readable(&mut self, bytes: &[u8]) -> bool {
        if !may_be_read(bytes) {
            return false;
        }
        let mut any = false;
        for chunk in bytes.utf8_chunks() {
            let stretches =
                chunk.valid().split(|letter: char| letter.is_control() && !letter.is_whitespace());
            for stretch in stretches.filter(|stretch| stretch.len() >= READABLE) {
                any = true;
                self.add(stretch);
            }
        }
        any
    }
}

fn base64(run: &[u8], out: &mut Vec<u8>) -> bool {
    bits(run, 6, out, digit)
}

/// For a run of one case without marks and digits that base32 has not.
fn base32(run: &[u8], out: &mut Vec<u8>) -> bool {
    bits(run, 5, out, |byte| match byte.to_ascii_uppercase() {
        upper @ b'A'..=b'Z' => Some(upper - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    })
}

fn hex(run: &[u8], out: &mut Vec<u8>) -> bool {
    let run = run.strip_prefix(b"0x").or_else(|| run.strip_prefix(b"0X")).unwrap_or(run);
    bits(run, 4, out, |byte| u8::try_from(char::from(byte).to_digit(16)?).ok())
}

/// The bytes that characters of so many bits each make. False where one of them is none.
fn bits(run: &[u8], width: u32, out: &mut Vec<u8>, value: impl Fn(u8) -> Option<u8>) -> bool {
    out.clear();
    out.reserve(run.len());
    let (mut held, mut count) = (0_u32, 0);
    for byte in run {
        let Some(value) = value(*byte) else { return false };
        held = held << width | u32::from(value);
        count += width;
        if count >= 8 {
            count -= 8;
            out.extend(u8::try_from(held >> count & 0xff));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{READABLE, may_be_read};

    proptest! {
        #[test]
        fn what_can_be_read_may_be_read(
            parts in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..4),
                    "[a-z\\n]{1,8}|[é–漢]{1,4}|\\PC{1,6}".prop_map(String::into_bytes),
                ],
                0..6,
            )
        ) {
            let bytes = parts.concat();
            if bytes.utf8_chunks().any(|chunk| chunk.valid().split(char::is_control).any(|part| part.len() >= READABLE)) {
                prop_assert!(may_be_read(&bytes), "{bytes:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read() {
        for bytes in
            [&b"short"[..], b"abc\x01def\x7fghi", b"ab\x80cd\x80ef\x80gh", b"\xc3ab\xc3cd\xc3ef\xc3gh", b""]
        {
            assert!(!may_be_read(bytes), "{bytes:?}");
        }
    }
}

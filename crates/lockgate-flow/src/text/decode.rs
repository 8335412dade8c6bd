//! What a text holds in other spellings of bytes: base64, base32, hex, escapes, and characters that show nothing.

use super::escape;
use super::fold::visible;
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
        out.push_str(&finds.text);
        let layer = std::mem::take(&mut finds.text);
        finds.limit -= layer.len();
        once(&layer, &mut finds);
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
    runs(text.as_bytes(), |run| spelled(run, finds));
}

fn spelled(run: &[u8], finds: &mut Finds) {
    // Words, names and paths: what spells bytes has digits or capitals.
    if !run.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
        return;
    }
    for spelling in [hex, base32] {
        if let Some(bytes) = spelling(run) {
            finds.add_readable(&bytes);
        }
    }
    // A run of one case only is words or hex; base64 of a text never is.
    if run.iter().any(u8::is_ascii_uppercase) && run.iter().any(u8::is_ascii_lowercase) {
        // What stands before the run without a break shifts it.
        let shifts = if run.len() < 4096 { 4 } else { 1 };
        let _ = (0..shifts).any(|shift| finds.add_readable(&base64(run.get(shift..).unwrap_or_default())));
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

fn base64(run: &[u8]) -> Vec<u8> {
    bits(run, 6, |byte| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    })
    .unwrap_or_default()
}

fn base32(run: &[u8]) -> Option<Vec<u8>> {
    let one_case = [u8::is_ascii_uppercase, u8::is_ascii_lowercase]
        .iter()
        .any(|case| run.iter().all(|byte| case(byte) || (b'2'..=b'7').contains(byte)));
    if !one_case {
        return None;
    }
    bits(run, 5, |byte| match byte.to_ascii_uppercase() {
        upper @ b'A'..=b'Z' => Some(upper - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    })
}

fn hex(run: &[u8]) -> Option<Vec<u8>> {
    let run = run.strip_prefix(b"0x").or_else(|| run.strip_prefix(b"0X")).unwrap_or(run);
    if !run.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    bits(run, 4, |byte| u8::try_from(char::from(byte).to_digit(16)?).ok())
}

/// The bytes that characters of so many bits each make. Nothing where one of them is none.
fn bits(run: &[u8], width: u32, value: impl Fn(u8) -> Option<u8>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len());
    let (mut held, mut count) = (0_u32, 0);
    for byte in run {
        held = held << width | u32::from(value(*byte)?);
        count += width;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(held >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

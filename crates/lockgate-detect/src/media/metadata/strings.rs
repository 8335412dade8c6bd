//! What can be read in bytes of which nobody knows what they are.

use super::TEXT;

/// Shorter runs are chance. Characters.
const SHORTEST: usize = 5;

/// Runs of text in UTF-8 and in UTF-16 of either order, a line each; of a text that all is text, the text. Linear.
pub(super) fn all(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        let runs =
            chunk.valid().split(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'));
        for run in runs {
            push(&mut out, run);
        }
    }
    for low in [0, 1] {
        wide(bytes, low, &mut out);
    }
    out
}

/// Runs in UTF-16, as far as they are ASCII: every second byte is zero. `low` is which of two has the letter.
fn wide(bytes: &[u8], low: usize, out: &mut String) {
    let mut run = String::new();
    let mut at = 0;
    while let Some(pair) = bytes.get(at..at + 2) {
        let (letter, zero) = if low == 0 { (pair.first(), pair.last()) } else { (pair.last(), pair.first()) };
        match (letter, zero) {
            (Some(letter @ (b' '..=b'~' | b'\n')), Some(0)) if run.len() < TEXT => {
                run.push(char::from(*letter));
                at += 2;
            }
            _ => {
                // Runs may begin at odd places; what was part of a run is not looked at again.
                at += if run.is_empty() { 1 } else { 2 };
                push(out, &run);
                run.clear();
            }
        }
        if out.len() >= TEXT {
            return;
        }
    }
    push(out, &run);
}

fn push(out: &mut String, run: &str) {
    let run = run.trim();
    let room = TEXT.saturating_sub(out.len() + 1);
    // A run is read in the other order too, but for a letter.
    if room == 0
        || out.ends_with(run)
        || run.chars().filter(|letter| letter.is_alphanumeric()).take(SHORTEST).count() < SHORTEST
    {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(run.get(..run.floor_char_boundary(room)).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_either_width() {
        for (bytes, text) in [
            (&b"\0\x01ignore all\xff\x02abc\0"[..], "ignore all"),
            (b"i\0g\0n\0o\0r\0e\0", "ignore"),
            (b"\xff\0i\0g\0n\0o\0r\0e", "ignor\nignore"),
            ("tue dies: größer\nsofort".as_bytes(), "tue dies: größer\nsofort"),
            (b"a\0b\0c", ""),
            (b"", ""),
        ] {
            assert_eq!(all(bytes), text, "{bytes:?}");
        }
        assert!(all(&b"many words ".repeat(10_000)).len() <= TEXT);
    }
}

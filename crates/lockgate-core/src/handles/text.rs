//! How handles are written, and where they stand in a text.

use std::ops::Range;

/// How every handle begins. After it come `secret` or `personal`, the kind, and the tail, with hyphens between.
pub(super) const PREFIX: &str = "lockgate-";
/// What a handle may stand for, with the hyphen.
const STANDS: [&str; 2] = ["secret-", "personal-"];
/// Characters of the tail, which nobody can guess: 128 bits.
const TAIL: usize = 22;
/// Longest name of a kind of secret. Bytes.
const KIND: usize = 64;

/// The letters of base64 (RFC 4648, section 4).
pub(super) const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The letters of base64 for addresses and names of files (RFC 4648, section 5).
pub(super) const FOR_ADDRESSES: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The tail of a handle.
pub(super) fn tail(digest: &[u8; 32]) -> String {
    base64(digest.get(..16).unwrap_or_default(), FOR_ADDRESSES)
}

/// In base64, without padding.
pub(super) fn base64(bytes: &[u8], letters: &[u8; 64]) -> String {
    let letter = |six: u32| char::from(letters.get((six & 63) as usize).copied().unwrap_or(b'A'));
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        text.extend([18, 12, 6, 0].iter().take(three.len() + 1).map(|shift| letter(bits >> shift)));
    }
    text
}

/// Where handles stand in a text, known or not. Linear in its length.
pub(crate) fn handles(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    text.match_indices(PREFIX).filter_map(move |(start, _)| {
        let length = length(text.get(start.max(from)..)?)?;
        (start >= from).then(|| {
            from = start + length;
            start..from
        })
    })
}

/// Is it all within one of these?
pub(crate) fn within(handles: &[Range<usize>], span: &Range<usize>) -> bool {
    handles.iter().any(|handle| handle.start <= span.start && span.end <= handle.end)
}

/// How long a handle is that a text begins with.
fn length(text: &str) -> Option<usize> {
    let after = text.strip_prefix(PREFIX)?;
    let stands = STANDS.iter().find(|stands| after.starts_with(**stands))?;
    let begins = PREFIX.len() + stands.len();
    let after = text.as_bytes().get(begins..)?;
    let is_kind = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let kind = after.iter().take(KIND + 1).take_while(|byte| is_kind(byte)).count();
    let tail = after.get(kind..)?.strip_prefix(b"-")?.get(..TAIL)?;
    let whole = begins + kind + 1 + TAIL;
    let inner = text.get(begins..whole)?;
    let is_tail = tail.iter().all(|byte| FOR_ADDRESSES.contains(byte)) && !inner.contains(PREFIX);
    ((1..=KIND).contains(&kind) && is_tail).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_what_the_standard_says() {
        let cases = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, expected) in cases {
            assert_eq!(base64(text.as_bytes(), PLAIN), expected);
        }
        assert_eq!(
            (base64(b"\xff\xfe", PLAIN), base64(b"\xff\xfe", FOR_ADDRESSES)),
            ("//4".into(), "__4".into())
        );
    }

    #[test]
    fn handles_are_found() {
        const TAIL: &str = "AAAAAAAAAAAAAAAAAAA-_9";
        let whole = format!("lockgate-secret-github_pat-{TAIL}");
        let personal = format!("lockgate-personal-EMAIL_ADDRESS-{TAIL}");
        let cases = [
            (whole.clone(), vec![whole.as_str()]),
            (format!("Bearer {whole}, {whole}x"), vec![&whole, &whole]),
            (format!("{whole}{whole}"), vec![&whole, &whole]),
            (format!("lockgate-secret-{whole}"), vec![&whole]),
            (whole.replace('9', ""), vec![]),
            (whole.replace("github_pat", ""), vec![]),
            (whole.replace("github_pat", "git.hub"), vec![]),
            (whole.replace("secret", "public"), vec![]),
            (format!("to lockgate-personal-EMAIL_ADDRESS-{TAIL}."), vec![&personal]),
            (whole.replace("AAAA", "A A "), vec![]),
            (format!("lockgate-secret-{}-{TAIL}", "x".repeat(65)), vec![]),
            ("lockgate-secret-".to_owned(), vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(
                handles(&text).map(|at| text.get(at).unwrap()).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
        }
    }
}

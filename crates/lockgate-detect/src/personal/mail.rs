//! Addresses for e-mail (RFC 5321, 4.1.2, without quoted names), and the name that stands before one.

use std::ops::Range;

use super::person;

/// Longest part before the `@`, and longest domain. Bytes.
const LOCAL: usize = 64;
const DOMAIN: usize = 253;
/// How far before an address its scheme may begin. Bytes.
const SCHEME: usize = 128;

/// What ends names of files and not those of domains, as in `icon@2x.png`.
const FILES: [u64; 30] = packed([
    "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "js", "mjs", "jsx", "ts", "tsx", "css", "scss",
    "html", "htm", "json", "yml", "yaml", "toml", "xml", "txt", "lock", "java", "cpp", "pdf", "zip", "gz",
    "tgz", "exe",
]);

/// What a byte may be in: the part before the `@`, the domain, and what goes before an address in one of another kind.
const OF_LOCAL: u8 = 1;
const OF_DOMAIN: u8 = 2;
const OF_USER: u8 = 4;
static PARTS: [u8; 256] = {
    let mut parts = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it counts to 255")]
        let byte = at as u8;
        let of_all = byte.is_ascii_alphanumeric() || byte >= 0x80;
        let local = of_all || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-');
        let domain = of_all || matches!(byte, b'-' | b'.');
        let end = byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b'<' | b'>' | b'/' | b'?' | b'#' | b'=' | b'&' | b',' | b';' | b'('
            );
        #[expect(clippy::indexing_slicing, reason = "it counts to 255")]
        {
            parts[at] = OF_LOCAL * local as u8 + OF_DOMAIN * domain as u8 + OF_USER * !end as u8;
        }
        at += 1;
    }
    parts
};

#[inline]
fn is_of(part: u8, byte: u8) -> bool {
    PARTS.get(usize::from(byte)).is_some_and(|parts| parts & part != 0)
}

/// The letters of each word, the first lowest: to compare with all of them at once.
const fn packed<const N: usize>(words: [&str; N]) -> [u64; N] {
    let mut all = [0; N];
    let mut word = 0;
    while word < N {
        #[expect(clippy::indexing_slicing, reason = "in a constant")]
        {
            let mut letters = words[word].as_bytes();
            while let [rest @ .., last] = letters {
                all[word] = all[word] << 8 | *last as u64;
                letters = rest;
            }
        }
        word += 1;
    }
    all
}

/// Whether a domain does not end so: names of files do.
fn is_file(last: &str) -> bool {
    let letters = last.bytes().rev().fold(0, |all, byte| all << 8 | u64::from(byte.to_ascii_lowercase()));
    last.len() <= size_of::<u64>() && FILES.contains(&letters)
}

/// The address around an `@`, nothing of it before `floor`.
pub(super) fn address(text: &str, at: usize, floor: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = bytes.get(floor.max(at.saturating_sub(LOCAL))..at)?;
    let length = before.iter().rev().take_while(|byte| is_of(OF_LOCAL, **byte)).count();
    let mut local = text.get(text.ceil_char_boundary(at - length)..at)?;
    if text.get(..at - local.len())?.ends_with('\\') && local.starts_with(['n', 'r', 't']) {
        local = local.get(1..)?;
    }
    let local = local.trim_start_matches(['.', '-', '%', '+']);
    let start = at - local.len();
    let domain = domain(text.get(at + 1..text.floor_char_boundary(at + 1 + DOMAIN))?)?;
    let end = at + 1 + domain.len();
    let left = super::number::follows_mark(text, start);
    let copied = local == "git" && text.get(end..)?.starts_with(':');
    (!local.is_empty() && !local.ends_with('.') && !copied && !left && !is_user(text, start))
        .then_some(start..end)
}

/// The domain that a text begins with.
fn domain(text: &str) -> Option<&str> {
    let length = text.as_bytes().iter().take_while(|byte| is_of(OF_DOMAIN, **byte)).count();
    let mut domain = text.get(..text.floor_char_boundary(length))?;
    // What follows a sentence, and what is typed right behind, is not part of it.
    if !domain.is_ascii() {
        domain = domain
            .split(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '.')
            .next()?;
    }
    domain = domain.trim_end_matches(['.', '-']);
    let (_, last) = domain.rsplit_once('.')?;
    let named = domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-'));
    let letters = last.chars().all(char::is_alphabetic) || last.starts_with("xn--");
    (named && letters && (2..=24).contains(&last.chars().count()) && !is_file(last)).then_some(domain)
}

/// Whether this is who logs in to the host of an address: `https://user:password@host`.
fn is_user(text: &str, start: usize) -> bool {
    let before = text.as_bytes().get(start.saturating_sub(SCHEME)..start).unwrap_or_default();
    let length = before.iter().rev().take_while(|byte| is_of(OF_USER, **byte)).count();
    before.get(..before.len() - length).is_some_and(|rest| rest.ends_with(b"://"))
}

/// The name before an address in angles: `Ada Lovelace <ada@…>`.
pub(super) fn name(text: &str, start: usize, floor: usize) -> Option<Range<usize>> {
    let from = text.ceil_char_boundary(floor.max(start.saturating_sub(80)));
    let before = text.get(from..start)?.strip_suffix('<')?;
    let line = before.rsplit(['\n', '\r', ':', ',', ';', '<', '>', '(']).next()?;
    let line = line.trim_end_matches([' ', '"', '\'', '\\']);
    let words = line.rsplit([' ', '"', '\'']).take(4).take_while(|word| person::is_name(word)).count();
    let length =
        line.rsplit([' ', '"', '\'']).take(words).map(|word| word.len() + 1).sum::<usize>().checked_sub(1)?;
    let end = from + before.rfind(line).map(|at| at + line.len())?;
    let group = person::OTHERS.iter().any(|other| line.ends_with(other));
    (words >= 2 && !group).then(|| end - length..end)
}

//! Addresses for e-mail (RFC 5321, 4.1.2, without quoted names), and the name that stands before one.

use std::ops::Range;

use super::person;

/// Longest part before the `@`, and longest domain. Bytes.
const LOCAL: usize = 64;
const DOMAIN: usize = 253;
/// How far before an address its scheme may begin. Bytes.
const SCHEME: usize = 128;

/// What ends names of files and not those of domains, as in `icon@2x.png`.
const FILES: [&str; 30] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "js", "mjs", "jsx", "ts", "tsx", "css", "scss",
    "html", "htm", "json", "yml", "yaml", "toml", "xml", "txt", "lock", "java", "cpp", "pdf", "zip", "gz",
    "tgz", "exe",
];

/// The address around an `@`, nothing of it before `floor`.
pub(super) fn address(text: &str, at: usize, floor: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = bytes.get(floor.max(at.saturating_sub(LOCAL))..at)?;
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte) || *byte >= 0x80;
    let length = before.iter().rev().take_while(|byte| is_local(byte)).count();
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
    let is = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte) || *byte >= 0x80;
    let length = text.as_bytes().iter().take_while(|byte| is(byte)).count();
    let mut domain = text.get(..text.floor_char_boundary(length))?;
    // What follows a sentence, and what is typed right behind, is not part of it.
    domain =
        domain.split(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '.').next()?;
    domain = domain.trim_end_matches(['.', '-']);
    let (_, last) = domain.rsplit_once('.')?;
    let named = domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-'));
    let letters = last.chars().all(char::is_alphabetic) || last.starts_with("xn--");
    let lower = last.to_ascii_lowercase();
    (named && letters && (2..=24).contains(&last.chars().count()) && !FILES.contains(&lower.as_str()))
        .then_some(domain)
}

/// Whether this is who logs in to the host of an address: `https://user:password@host`.
fn is_user(text: &str, start: usize) -> bool {
    let before = text.as_bytes().get(start.saturating_sub(SCHEME)..start).unwrap_or_default();
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>/?#=&,;(".contains(byte);
    let length = before.iter().rev().take_while(|byte| !is_end(byte)).count();
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

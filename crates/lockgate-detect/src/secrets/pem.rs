//! Private keys in blocks of text (RFC 7468), of `OpenPGP`, OpenSSH and `PuTTY`.

use super::{Secret, SecretClass, Sure};

/// Longest block. Bytes.
const LONGEST: usize = 32 << 10;
/// Least base 64 of a block that holds a key. Characters.
const LEAST: usize = 64;
/// Longest name of a block. Bytes.
const LABEL: usize = 40;

/// The block that begins here. One that was cut off is taken as far as it goes.
pub(super) fn block(text: &str, at: usize) -> Option<Secret> {
    let rest = text.get(at..text.ceil_char_boundary(at.saturating_add(LONGEST)))?;
    let label = rest.strip_prefix("-----BEGIN ")?;
    let label = label.get(..label.find("-----").filter(|end| *end <= LABEL)?)?;
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    if !label.contains("PRIVATE KEY") || !label.bytes().all(capital) {
        return None;
    }
    let head = label.len() + 16;
    let body = rest.get(head..)?;
    let (body, tail) = body.split_at_checked(body.find("-----").unwrap_or(body.len()))?;
    let footer = format!("-----END {label}-----");
    let whole = tail.starts_with(&footer);
    let body = if whole { body } else { body.get(..solid(body))? };
    let key = body.bytes().filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)).count();
    let made_up = body.contains("...") || body.to_ascii_lowercase().contains("redacted");
    let is = key >= LEAST && !made_up && super::value::entropy(body) >= 3.5;
    let (length, sure) = if whole { (footer.len(), Sure::Checked) } else { (0, Sure::Likely) };
    let span = at..at + head + body.len() + length;
    is.then_some(Secret { kind: "private_key", class: SecretClass::PrivateKey, span, sure })
}

/// The lines of a `PuTTY` key whose count begins here.
pub(super) fn putty(text: &str, at: usize) -> Option<Secret> {
    let rest = text.get(at..text.ceil_char_boundary(at.saturating_add(LONGEST)))?;
    let lines = rest.trim_start().trim_start_matches(|digit: char| digit.is_ascii_digit());
    let start = at + rest.len() - lines.len();
    let length = solid(lines);
    let key = lines.get(..length)?;
    let is = key.trim().len() >= LEAST && super::value::entropy(key) >= 4.0;
    let span = start..start + length;
    is.then_some(Secret { kind: "putty_key", class: SecretClass::PrivateKey, span, sure: Sure::Checked })
}

/// How far a text is base 64 in lines; their ends may be written `\n` or `\r\n`.
fn solid(text: &str) -> usize {
    let is = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\\ \t\r\n".contains(&byte);
    text.bytes().take_while(|byte| is(*byte)).count()
}

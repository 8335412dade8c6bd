//! What follows `Bearer` (RFC 6750) and `Basic` (RFC 7617), and `-u` in commands that send the latter.

use super::check::base64;
use super::value::{Style, is_password, is_placeholder, is_token};
use super::{Secret, SecretClass, Sure};

/// Longest credential in a header. Bytes.
const LONGEST: usize = 4096;

/// The token that begins here.
pub(super) fn bearer(text: &str, at: usize) -> Option<Secret> {
    let token = word(text, at, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=:%|".contains(&byte))?;
    let is = token.len() >= 16 && !is_placeholder(token) && is_token(token, Style::Quoted);
    let span = at..at + token.len();
    is.then_some(Secret { kind: "bearer_token", class: SecretClass::Token, span, sure: Sure::Likely })
}

/// The name and password that begin here, in base 64.
pub(super) fn basic(text: &str, at: usize) -> Option<Secret> {
    let word = word(text, at, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))?;
    let decoded = base64(word).filter(|_| word.len() >= 12)?;
    let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let printable = decoded.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte >= 0x80);
    let is = printable && password.len() >= 4 && password != name && !is_placeholder(password);
    let span = at..at + word.len();
    is.then_some(Secret { kind: "basic_password", class: SecretClass::Password, span, sure: Sure::Checked })
}

/// The password of the `name:password` that begins here.
pub(super) fn user(text: &str, at: usize) -> Option<Secret> {
    let quoted = text.get(at..)?.starts_with(['"', '\'']);
    let at = at + usize::from(quoted);
    let pair = word(text, at, |byte| !byte.is_ascii_whitespace() && !b"\"'`\\".contains(&byte))?;
    let (name, password) = pair.split_once(':')?;
    let is = !is_placeholder(password) && is_password(password, Style::Plain);
    let start = at + name.len() + 1;
    let span = start..at + pair.len();
    is.then_some(Secret { kind: "basic_password", class: SecretClass::Password, span, sure: Sure::Likely })
}

fn word(text: &str, at: usize, is: impl Fn(u8) -> bool) -> Option<&str> {
    let rest = text.as_bytes().get(at..)?.iter().take(LONGEST);
    text.get(at..at + rest.take_while(|byte| is(**byte)).count())
}

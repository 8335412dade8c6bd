//! Signed JSON Web Tokens in their short form (RFC 7515, 7.1).

use super::check::{base64_url, has_text};
use super::{Secret, SecretClass, Sure};
use crate::shape::begins;

/// Longest token. Bytes.
const LONGEST: usize = 16 << 10;
/// Shortest signature, in base 64: a shorter one says nothing.
const SIGNATURE: usize = 16;

/// The token that begins here. One without a signature opens nothing.
pub(super) fn read(text: &str, at: usize) -> Option<Secret> {
    let bytes = text.as_bytes();
    let last = at.checked_sub(1).and_then(|at| bytes.get(at));
    if matches!(last, Some(b'.' | b'-' | b'/')) || !begins(bytes, at) {
        return None;
    }
    let run = bytes.get(at..)?.iter().take(LONGEST);
    let run = run.take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)).count();
    let token = text.get(at..at + run)?;
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if signature.len() < SIGNATURE || !has_text(header, "alg") {
        return None;
    }
    // In five parts it is encrypted (RFC 7516), and without a signature of its own.
    let length = if has_text(header, "enc") {
        token.trim_end_matches('.').len()
    } else {
        if is_example(&base64_url(claims)?) {
            return None;
        }
        header.len() + claims.len() + signature.len() + 2
    };
    Some(Secret { kind: "jwt", class: SecretClass::Jwt, span: at..at + length, sure: Sure::Checked })
}

/// The claims that documentation of the format shows.
fn is_example(claims: &[u8]) -> bool {
    let claims = String::from_utf8_lossy(claims);
    !claims.starts_with('{') || claims.contains("\"1234567890\"") && claims.contains("John Doe")
}

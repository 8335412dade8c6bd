//! How Lockgate signs what it tells others, and tells what it is told by somebody with the key.

use std::fmt;

use aws_lc_rs::hmac;
use lockgate_model::{hex, unhex};

/// The header with the seconds since 1970 when it was signed.
pub const TIMESTAMP: &str = "lockgate-timestamp";
/// The header with the signature: `v1=` and 64 hexadecimal digits.
pub const SIGNATURE: &str = "lockgate-signature";
/// What a signature of this form begins with.
const FORM: &str = "v1=";
/// Shortest key. Bytes.
const SHORTEST: usize = 16;

/// A key that two sides share. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Signer(hmac::Key);

impl Signer {
    /// A key of these bytes. `None` where there are fewer than 16: it could be guessed.
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= SHORTEST).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// The signature of a body at that time: `v1=` and the HMAC-SHA256 of `seconds.body` in hexadecimal.
    pub fn sign(&self, seconds: u64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(seconds.to_string().as_bytes());
        context.update(b".");
        context.update(body);
        [FORM, &hex(context.sign().as_ref())].concat()
    }

    /// Is it the signature of this body at that time? The time taken does not depend on where it differs.
    pub fn verifies(&self, seconds: u64, body: &[u8], signature: &str) -> bool {
        let Some(tag) = signature.strip_prefix(FORM).and_then(unhex::<32>) else { return false };
        let signed = [seconds.to_string().as_bytes(), b".", body].concat();
        hmac::verify(&self.0, &signed, &tag).is_ok()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_signature_verifies() {
        let key = Signer::new(b"0123456789abcdef").unwrap();
        let good = key.sign(1_790_000_000, b"{}");
        assert!(good.starts_with("v1=") && good.len() == 67, "{good}");
        for (seconds, body, signature, verifies) in [
            (1_790_000_000, "{}", good.clone(), true),
            (1_790_000_001, "{}", good.clone(), false),
            (1_790_000_000, "{ }", good.clone(), false),
            (1_790_000_000, "{}", good.to_uppercase().replace("V1", "v1"), false),
            (1_790_000_000, "{}", good.replace("v1=", "v2="), false),
            (1_790_000_000, "{}", good.replace("v1=", ""), false),
            (1_790_000_000, "{}", format!("{good}0"), false),
            (1_790_000_000, "{}", good.chars().take(65).collect(), false),
            (1_790_000_000, "{}", "v1=".to_owned(), false),
            (1_790_000_000, "{}", String::new(), false),
        ] {
            assert_eq!(
                key.verifies(seconds, body.as_bytes(), &signature),
                verifies,
                "{seconds} {body} {signature}"
            );
        }
        let other = Signer::new(b"0123456789abcdeg").unwrap();
        assert!(!other.verifies(1_790_000_000, b"{}", &good));
        assert!(Signer::new(b"0123456789abcde").is_none());
        assert_eq!(format!("{key:?}"), "***");
    }
}

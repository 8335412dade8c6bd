use std::fmt;

use lockgate_model::{Json, hex, unhex};
use sha2::{Digest as _, Sha256};

use crate::canonical::canonical;

/// SHA-256 of a JSON value in canonical form. Written `sha256:` and 64 digits of `0-9a-f`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    const PREFIX: &'static str = "sha256:";

    /// The digest of [`canonical`] of the value.
    pub fn of(json: Json<'_>) -> Self {
        Self::of_canonical(&canonical(json))
    }

    /// The digest of a text that is in canonical form already.
    pub fn of_canonical(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// A digest that is known as bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the written form. `None` for anything else, also for capital digits.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(Self::PREFIX).and_then(unhex).map(Self)
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The 64 digits alone.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_and_read() {
        let digest = Digest::of_canonical("{}");
        let text = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::parse(text), Some(digest));
        let short: String = text.chars().take(70).collect();
        let bare = digest.hex();
        for wrong in [&short, &bare, &text.to_uppercase(), &format!("{text}0"), &text.replace('4', "é")] {
            assert_eq!(Digest::parse(wrong), None, "{wrong}");
        }
    }
}

//! Public keys that an operator trusts: Ed25519, which Lockgate makes itself, and ECDSA P-256, which cosign makes.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lockgate_model::hex;
use sha2::{Digest, Sha256};
use sigstore_verify::types::DerPublicKey;

use crate::Unproven;

/// What stands before the 32 bytes of an Ed25519 key in its `SubjectPublicKeyInfo` (RFC 8410).
const ED25519_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What stands before the 65 bytes of an uncompressed point of P-256 (RFC 5480).
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The label of a public key in PEM.
const LABEL: &str = "PUBLIC KEY";

/// Most keys in one file.
const MOST: usize = 64;

/// A public key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    kind: Kind,
    /// The key alone.
    raw: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ed25519,
    P256,
}

/// Why a text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// No PEM, or something else beside it.
    #[error("not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)")]
    Form,
    /// A private key, where a public one belongs.
    #[error("a private key, where a public key belongs")]
    Private,
    /// Neither Ed25519 nor ECDSA P-256.
    #[error("neither an Ed25519 nor an ECDSA P-256 key")]
    Kind,
    /// More than 64 keys.
    #[error("more than 64 keys")]
    Many,
}

impl PublicKey {
    /// An Ed25519 key from its 32 bytes.
    pub fn ed25519(raw: [u8; 32]) -> Self {
        Self { kind: Kind::Ed25519, raw: raw.to_vec() }
    }

    /// The keys of a file: one or more in PEM, with nothing between but empty lines and lines that begin with `#`.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, BadKey> {
        let blocks = disarm(text)?;
        if blocks.len() > MOST {
            return Err(BadKey::Many);
        }
        let keys = blocks.iter().map(|(label, der)| match label.as_str() {
            LABEL => Self::from_der(der),
            label if label.ends_with("PRIVATE KEY") => Err(BadKey::Private),
            _ => Err(BadKey::Form),
        });
        let keys: Vec<Self> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(BadKey::Form) } else { Ok(keys) }
    }

    fn from_der(der: &[u8]) -> Result<Self, BadKey> {
        if let Some(raw) = der.strip_prefix(&ED25519_HEAD).filter(|raw| raw.len() == 32) {
            return Ok(Self { kind: Kind::Ed25519, raw: raw.to_vec() });
        }
        match der.strip_prefix(&P256_HEAD).filter(|raw| raw.len() == 65 && raw.first() == Some(&4)) {
            Some(raw) => Ok(Self { kind: Kind::P256, raw: raw.to_vec() }),
            None => Err(BadKey::Kind),
        }
    }

    /// As `SubjectPublicKeyInfo`.
    pub fn der(&self) -> Vec<u8> {
        let head: &[u8] = match self.kind {
            Kind::Ed25519 => &ED25519_HEAD,
            Kind::P256 => &P256_HEAD,
        };
        [head, &self.raw].concat()
    }

    /// In PEM.
    pub fn pem(&self) -> String {
        armour(LABEL, &self.der())
    }

    /// What the key is called: the SHA-256 of its `SubjectPublicKeyInfo`, in hex.
    pub fn id(&self) -> String {
        hex(&Sha256::digest(self.der()))
    }

    /// Has this key signed the message? ECDSA signatures are over its SHA-256.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Unproven> {
        let verified = match self.kind {
            Kind::Ed25519 => UnparsedPublicKey::new(&ED25519, &self.raw).verify(message, signature),
            Kind::P256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.raw).verify(message, signature)
            }
        };
        verified.map_err(|_| Unproven::Signature)
    }

    pub(crate) fn sigstore(&self) -> DerPublicKey {
        DerPublicKey::new(self.der())
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// Bytes in PEM (RFC 7468), with a line break at the end.
pub fn armour(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// What stands in a text in PEM: labels and bytes. Between blocks only empty lines and those that begin with `#`.
pub fn disarm(text: &str) -> Result<Vec<(String, Vec<u8>)>, BadKey> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let label = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        let label = label.ok_or(BadKey::Form)?;
        let end = format!("-----END {label}-----");
        let mut body = String::new();
        loop {
            match lines.next() {
                Some(line) if line == end => break,
                Some(line) => body.push_str(line),
                None => return Err(BadKey::Form),
            }
        }
        blocks.push((label.to_owned(), STANDARD.decode(body).map_err(|_| BadKey::Form)?));
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of test 1 of RFC 8032.
    const KEY: [u8; 32] = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
        0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];
    const SIGNATURE: [u8; 64] = [
        0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80, 0x6e, 0x82, 0x8a, 0x84,
        0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73, 0xe0, 0x65, 0x22, 0x49, 0x01, 0x55, 0x5f, 0xb8,
        0x82, 0x15, 0x90, 0xa3, 0x3b, 0xac, 0xc6, 0x1e, 0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b, 0xd2, 0x5b, 0xf5,
        0xf0, 0x59, 0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b,
    ];

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = PublicKey::ed25519(KEY);
        let text = format!("# ours\n\n{}\r\n{}", key.pem(), key.pem().replace('\n', "\r\n"));
        assert_eq!(PublicKey::all_from_pem(&text).unwrap(), [key.clone(), key.clone()]);
        assert_eq!(key.id().len(), 64);
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let good = PublicKey::ed25519(KEY).pem();
        let rsa = armour("PUBLIC KEY", &[0x30, 0x03, 0x02, 0x01, 0x01]);
        let table = [
            (String::new(), BadKey::Form),
            ("hello".to_owned(), BadKey::Form),
            (format!("{good}hello"), BadKey::Form),
            (good.replace("END", "EMD"), BadKey::Form),
            (good.replace('M', "%"), BadKey::Form),
            (good.replace("PUBLIC", "PRIVATE"), BadKey::Private),
            (format!("{good}{}", armour("CERTIFICATE", b"x")), BadKey::Form),
            (rsa, BadKey::Kind),
            (good.repeat(65), BadKey::Many),
        ];
        for (text, wanted) in table {
            assert_eq!(PublicKey::all_from_pem(&text), Err(wanted), "{text}");
        }
    }

    #[test]
    fn a_signature_is_of_one_text_and_one_key() {
        let key = PublicKey::ed25519(KEY);
        assert_eq!(key.verify(b"", &SIGNATURE), Ok(()));
        assert_eq!(key.verify(b"x", &SIGNATURE), Err(Unproven::Signature));
        assert_eq!(key.verify(b"x", &[0; 64]), Err(Unproven::Signature));
        assert_eq!(key.verify(b"", &[]), Err(Unproven::Signature));
    }
}

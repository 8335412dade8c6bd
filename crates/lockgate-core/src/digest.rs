use sha2::{Digest, Sha256};

/// SHA-256.
pub(crate) fn bytes(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    lockgate_model::hex(&Sha256::digest(bytes))
}

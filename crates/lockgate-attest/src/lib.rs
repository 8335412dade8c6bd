//! Who vouches for an artefact: signatures, bundles, statements and identities, verified over bytes that are handed in.
//!
//! It reads no file and opens no connection. It has no policy of its own: who is trusted is always said by the caller,
//! and nothing here means anybody. It keeps no text of what it refuses.
//!
//! The only crate that knows certificates. They and the logs of Sigstore are verified by `sigstore-verify`, which reads
//! the clock for one thing: a log entry from the future is refused. Read [`Signer`] and [`verify_bundle`] first.

mod build;
mod bundle;
mod envelope;
mod key;
mod manifest;
mod pattern;
mod registry;
mod signer;
mod statement;
mod trust;
mod unproven;

pub use build::{Build, BuildPolicy};
pub use bundle::{Artefact, Claims, Proven, SignedBy, verify_bundle, verify_statement};
pub use envelope::{Envelope, PAYLOAD, pae, write_envelope};
pub use key::{BadKey, PublicKey, armour, disarm};
pub use manifest::{Difference, Manifest, PREDICATE};
pub use pattern::{BadPattern, Pattern};
pub use registry::{NpmAttestation, Publisher, PypiAttestation, npm_attestations, pypi_attestations};
pub use signer::{BadSigner, Identity, Signer};
pub use statement::{Statement, Subject};
pub use trust::{Instance, Trust};
pub use unproven::Unproven;

/// Largest document that is read: a bundle, an envelope, a list of attestations. Bytes.
pub const LARGEST: usize = 16 << 20;

/// Deepest nesting of such a document.
const DEPTH: usize = 64;

/// Reads JSON strictly: no key twice, nothing behind it, not too large and not too deep.
fn strict<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unproven> {
    if bytes.len() > LARGEST {
        return Err(Unproven::TooLarge);
    }
    lockgate_model::Json::check(bytes, DEPTH).map_err(|_| Unproven::Malformed)?;
    serde_json::from_slice(bytes).map_err(|_| Unproven::Malformed)
}

#[cfg(test)]
mod properties;

//! Servers are who their certificate says, and, where their key is pinned, the one that was seen before.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

/// The public key of a server's certificate: the SHA-256 of its subjectPublicKeyInfo, as RFC 7469 pins it. It stays the same
/// when a certificate is renewed with the same key. Written `sha256/` and base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsKey([u8; 32]);

impl TlsKey {
    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        let digest = STANDARD.decode(text.strip_prefix("sha256/")?).ok()?;
        Some(Self(digest.try_into().ok()?))
    }

    fn of(certificate: &CertificateDer<'_>) -> Result<Self, Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        Ok(Self(Sha256::digest(key).into()))
    }
}

impl fmt::Display for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", STANDARD.encode(self.0))
    }
}

/// The keys that one server shows.
#[derive(Debug)]
pub(crate) struct Keys {
    pinned: Option<TlsKey>,
    seen: Mutex<Option<TlsKey>>,
    other: AtomicBool,
}

impl Keys {
    pub(crate) fn new(pinned: Option<TlsKey>) -> Arc<Self> {
        Arc::new(Self { pinned, seen: Mutex::default(), other: AtomicBool::default() })
    }

    /// The key of the last connection whose certificate was in order.
    pub(crate) fn seen(&self) -> Option<TlsKey> {
        self.seen.lock().ok().and_then(|seen| *seen)
    }

    /// Was the last such key another one than is pinned?
    pub(crate) fn is_other(&self) -> bool {
        self.other.load(Ordering::Relaxed)
    }

    fn see(&self, key: TlsKey) -> Result<(), Error> {
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Some(key);
        }
        let other = self.pinned.is_some_and(|pinned| pinned != key);
        self.other.store(other, Ordering::Relaxed);
        if other { Err(CertificateError::ApplicationVerificationFailure.into()) } else { Ok(()) }
    }
}

/// The usual checks of a certificate against these roots, and then its key.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    keys: Arc<Keys>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.usual.verify_server_cert(certificate, intermediates, name, ocsp, now)?;
        self.keys.see(TlsKey::of(certificate)?)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// The system's roots; none where there are none that can be used.
pub(crate) fn system_roots() -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    (!roots.is_empty()).then_some(roots)
}

/// How a server is spoken to whose certificate leads to one of the roots. None where there is no root.
pub(crate) fn client(roots: RootCertStore, keys: Arc<Keys>) -> Option<ClientConfig> {
    let usual = WebPkiServerVerifier::builder(Arc::new(roots)).build().ok()?;
    let verifier = Arc::new(Verifier { usual, keys });
    let config = ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier);
    Some(config.with_no_client_auth())
}

#[cfg(test)]
mod certificate;
#[cfg(test)]
mod tests;

//! Certificates for tests: just enough of X.509 (RFC 5280) in DER.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// An ECDSA key on P-256.
pub(super) struct Key(EcdsaKeyPair);

/// Who signs certificates, with one of its own.
pub(super) struct Issuer {
    key: Key,
    pub(super) certificate: CertificateDer<'static>,
}

const SEQUENCE: u8 = 0x30;
const ECDSA_WITH_SHA256: [u8; 10] = [0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const EC_PUBLIC_KEY_P256: [u8; 19] =
    [0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const COMMON_NAME: [u8; 5] = [0x06, 3, 0x55, 4, 3];
const BASIC_CONSTRAINTS: [u8; 5] = [0x06, 3, 0x55, 0x1d, 19];
const SUBJECT_ALT_NAME: [u8; 5] = [0x06, 3, 0x55, 0x1d, 17];

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let long: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    if content.len() < 128 {
        out.push(u8::try_from(content.len()).unwrap());
    } else {
        out.push(0x80 | u8::try_from(long.len()).unwrap());
        out.extend(long);
    }
    out.extend(content);
    out
}

fn bits(content: &[u8]) -> Vec<u8> {
    der(0x03, &[&[0], content].concat())
}

fn name(text: &str) -> Vec<u8> {
    let one = der(SEQUENCE, &[&COMMON_NAME[..], &der(0x0c, text.as_bytes())].concat());
    der(SEQUENCE, &der(0x31, &one))
}

impl Key {
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// Its public half, as certificates hold it.
    pub(super) fn spki(&self) -> Vec<u8> {
        let algorithm = der(SEQUENCE, &EC_PUBLIC_KEY_P256);
        der(SEQUENCE, &[algorithm, bits(self.0.public_key().as_ref())].concat())
    }

    pub(super) fn private(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.to_pkcs8v1().unwrap().as_ref().to_vec()).into()
    }

    /// A certificate for this subject, its key and an extension.
    fn certify(&self, subject: &str, spki: &[u8], extension: &[u8]) -> CertificateDer<'static> {
        let algorithm = der(SEQUENCE, &ECDSA_WITH_SHA256);
        let validity = [der(0x18, b"20200101000000Z"), der(0x18, b"99991231235959Z")].concat();
        let body = [
            der(0xa0, &[0x02, 1, 2]),
            vec![0x02, 1, 1],
            algorithm.clone(),
            name("issuer"),
            der(SEQUENCE, &validity),
            name(subject),
            spki.to_vec(),
            der(0xa3, &der(SEQUENCE, &der(SEQUENCE, extension))),
        ];
        let body = der(SEQUENCE, &body.concat());
        let signature = self.0.sign(&SystemRandom::new(), &body).unwrap();
        der(SEQUENCE, &[body, algorithm, bits(signature.as_ref())].concat()).into()
    }
}

impl Issuer {
    pub(super) fn new() -> Self {
        let key = Key::new();
        let may_sign = der(0x04, &der(SEQUENCE, &[0x01, 1, 0xff]));
        let extension = [&BASIC_CONSTRAINTS[..], &[0x01, 1, 0xff], &may_sign].concat();
        let certificate = key.certify("issuer", &key.spki(), &extension);
        Self { key, certificate }
    }

    /// A certificate for a host and its key.
    pub(super) fn certificate(&self, host: &str, key: &Key) -> CertificateDer<'static> {
        let names = der(0x04, &der(SEQUENCE, &der(0x82, host.as_bytes())));
        self.key.certify(host, &key.spki(), &[&SUBJECT_ALT_NAME[..], &names].concat())
    }
}

//! DSSE: a text and who has signed it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use serde_json::json;

use crate::{PublicKey, Unproven, strict};

/// The type of a payload that is an in-toto statement.
pub const PAYLOAD: &str = "application/vnd.in-toto+json";

/// Most signatures of one envelope.
const SIGNATURES: usize = 16;

/// A signed text that was not verified yet: it is given out only by [`Envelope::verify`].
pub struct Envelope {
    kind: String,
    payload: Vec<u8>,
    signatures: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize)]
struct WireSignature {
    sig: String,
}

impl Envelope {
    /// Reads an envelope. What else stands in it is not looked at: nothing outside the payload is signed.
    pub fn read(bytes: &[u8]) -> Result<Self, Unproven> {
        let wire: Wire = strict(bytes)?;
        if wire.signatures.is_empty() || wire.signatures.len() > SIGNATURES {
            return Err(Unproven::Malformed);
        }
        let signatures = wire.signatures.iter().map(|one| base64(&one.sig)).collect::<Result<_, _>>()?;
        Ok(Self { kind: wire.payload_type, payload: base64(&wire.payload)?, signatures })
    }

    /// The text, if one of these keys has signed it as a text of this type, and the key.
    pub fn verify<'k>(&self, kind: &str, keys: &'k [PublicKey]) -> Result<(&[u8], &'k PublicKey), Unproven> {
        if self.kind != kind {
            return Err(Unproven::Unsupported);
        }
        let signed = pae(kind, &self.payload);
        let has_signed =
            |key: &&PublicKey| self.signatures.iter().any(|one| key.verify(&signed, one).is_ok());
        let key = keys.iter().find(has_signed).ok_or(Unproven::Signature)?;
        Ok((&self.payload, key))
    }
}

/// What is signed: the type and the text, each with its length (DSSE's pre-authentication encoding).
pub fn pae(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// An envelope of one signature, of a text of this type, with a line break at the end.
pub fn write_envelope(kind: &str, payload: &[u8], key: &PublicKey, signature: &[u8]) -> String {
    let envelope = json!({
        "payloadType": kind,
        "payload": STANDARD.encode(payload),
        "signatures": [{ "keyid": key.id(), "sig": STANDARD.encode(signature) }],
    });
    format!("{envelope}\n")
}

/// DSSE allows both alphabets.
fn base64(text: &str) -> Result<Vec<u8>, Unproven> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).map_err(|_| Unproven::Malformed)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn key(seed: u8) -> (Ed25519KeyPair, PublicKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = PublicKey::ed25519(pair.public_key().as_ref().try_into().unwrap());
        (pair, public)
    }

    fn sealed(seed: u8, kind: &str, payload: &[u8]) -> String {
        let (pair, public) = key(seed);
        write_envelope(kind, payload, &public, pair.sign(&pae(kind, payload)).as_ref())
    }

    #[test]
    fn what_is_signed_has_its_lengths() {
        // The example of the specification.
        let wanted = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), wanted);
    }

    #[test]
    fn only_what_an_expected_key_has_signed_is_given_out() {
        let text = sealed(1, PAYLOAD, b"{}");
        let keys = [key(2).1, key(1).1];
        let read = |text: &str| Envelope::read(text.as_bytes()).unwrap();
        let whole = read(&text);
        let (payload, by) = whole.verify(PAYLOAD, &keys).unwrap();
        assert_eq!((payload, by.id()), (&b"{}"[..], keys[1].id()));
        assert_eq!(read(&text).verify(PAYLOAD, &keys[..1]).err(), Some(Unproven::Signature));
        assert_eq!(read(&text).verify(PAYLOAD, &[]).err(), Some(Unproven::Signature));
        assert_eq!(read(&text).verify("text/plain", &keys).err(), Some(Unproven::Unsupported));
        // Another text, and the same as one of another type.
        assert_eq!(
            read(&text.replace("e30=", "W10=")).verify(PAYLOAD, &keys).err(),
            Some(Unproven::Signature)
        );
        let renamed = text.replace(PAYLOAD, "text/plain");
        assert_eq!(read(&renamed).verify("text/plain", &keys).err(), Some(Unproven::Signature));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let good = sealed(1, PAYLOAD, b"{}");
        let table = [
            String::new(),
            "[]".to_owned(),
            "{}".to_owned(),
            good.replace("e30=", "e3"),
            good.replace("\"payload\"", "\"payload\":\"e30=\",\"payload\""),
            format!("{good}{{}}"),
            good.replace("\"sig\"", "\"other\""),
            r#"{"payloadType":"a","payload":"e30=","signatures":[]}"#.to_owned(),
            format!(
                r#"{{"payloadType":"a","payload":"e30=","signatures":[{}]}}"#,
                vec![r#"{"sig":"YQ=="}"#; 17].join(",")
            ),
        ];
        for text in table {
            assert_eq!(Envelope::read(text.as_bytes()).err(), Some(Unproven::Malformed), "{text}");
        }
    }
}

//! What leaves Lockgate and must come back. The agent keeps it, and can neither read nor change it, nor use it anywhere but
//! where it was given: XChaCha20-Poly1305, with a nonce that is a keyed digest of all that is sealed, so that no randomness
//! is needed and the same content has the same seal.

mod carry;
mod spent;
mod task;
#[cfg(test)]
mod tests;
mod vault;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as TEXT;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use lockgate_model::{
    Confidentiality, Integrity, Json, Kind as JsonKind, Label, Reason, Secrecy, ServerName, quote,
};

pub(crate) use self::spent::Spent;
pub(crate) use self::task::Tasks;
pub(crate) use self::vault::{keep, recall};
use crate::session::Identity;
use crate::{Token, digest};

/// How every seal begins. After it come the nonce, what is sealed and its tag, in base64 for addresses.
const PREFIX: &str = "lockgate-seal-";
/// Bytes of a nonce.
const NONCE: usize = 24;
/// Longest value of a server that is sealed, as it stands in the message. Bytes; then `state_too_large`.
const LONGEST: usize = 64 << 10;
/// How deep what is sealed may be.
const DEPTH: usize = 4;

/// What a value of a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `requestState`
    State,
    /// `taskId`
    Task,
    /// `nextCursor`
    Cursor,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Task => "task",
            Self::Cursor => "cursor",
        }
    }
}

/// Where a seal holds: with any other bond it is not opened.
#[derive(Clone, Copy)]
pub(crate) struct Bond<'b> {
    pub(crate) kind: Kind,
    pub(crate) server: &'b ServerName,
    /// What it is for: of a state the digest of the request, of a cursor the method.
    pub(crate) matter: &'b str,
    pub(crate) identity: &'b Identity,
}

impl Bond<'_> {
    fn bytes(self) -> Vec<u8> {
        let identity = self.identity;
        let parts = [
            self.kind.word(),
            self.server.as_str(),
            self.matter,
            identity.principal.as_str(),
            &identity.bound,
        ];
        parts.iter().flat_map(|part| digest::bytes(part.as_bytes())).collect()
    }
}

/// What a seal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// The server's own value, as it stood in its message: a JSON string.
    pub(crate) value: String,
    /// Until when it is good, by the wall clock. Milliseconds.
    pub(crate) until: u64,
    /// The session that it was made in.
    pub(crate) session: String,
    /// The exchange that it was made for, where two of the same content must not be one; else 0.
    pub(crate) number: u64,
    /// What that session had read.
    pub(crate) label: Label,
}

/// Seals. Fails only where the value is too long.
pub(crate) fn seal(key: &[u8; 32], bond: Bond<'_>, sealed: &Sealed) -> Result<String, Reason> {
    if sealed.value.len() > LONGEST {
        return Err(Reason::StateTooLarge);
    }
    let text = lock(key, &bond.bytes(), sealed.write().as_bytes()).ok_or(Reason::InternalFault)?;
    Ok(format!("{PREFIX}{text}"))
}

/// Opens what was sealed with this key and for this bond, and nothing else.
pub(crate) fn open(key: &[u8; 32], bond: Bond<'_>, text: &str) -> Option<Sealed> {
    Sealed::read(&unlock(key, &bond.bytes(), text.strip_prefix(PREFIX)?)?)
}

/// The nonce, the content hidden and its tag, in base64 for addresses. It is unlocked with the same key and bond alone.
fn lock(key: &[u8; 32], bond: &[u8], content: &[u8]) -> Option<String> {
    // A keyed digest of a keyed digest: what is known of one text tells nothing of a longer one.
    let of_key = subkey(key, b"nonce");
    let inner = digest::bytes(&[&of_key[..], bond, content].concat());
    let outer = digest::bytes(&[&of_key[..], &inner[..]].concat());
    let nonce = outer.first_chunk::<NONCE>().map(|nonce| XNonce::from(*nonce)).unwrap_or_default();
    let hidden = cipher(key).encrypt(&nonce, Payload { msg: content, aad: bond }).ok()?;
    Some(TEXT.encode([&nonce[..], &hidden].concat()))
}

fn unlock(key: &[u8; 32], bond: &[u8], text: &str) -> Option<Vec<u8>> {
    let bytes = TEXT.decode(text).ok()?;
    let (nonce, hidden) = bytes.split_first_chunk::<NONCE>()?;
    cipher(key).decrypt(&XNonce::from(*nonce), Payload { msg: hidden, aad: bond }).ok()
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&subkey(key, b"text").into())
}

fn subkey(key: &[u8; 32], use_for: &[u8]) -> [u8; 32] {
    digest::bytes(&[b"lockgate seal ", use_for, b" ", &key[..]].concat())
}

impl Sealed {
    fn write(&self) -> String {
        let secrecy = self.label.secrecy();
        let list = |texts: &mut dyn Iterator<Item = &str>| texts.map(quote).collect::<Vec<_>>().join(",");
        format!(
            "{{\"value\":{},\"until\":{},\"session\":{},\"number\":{},\"integrity\":\"{}\",\"level\":\"{}\",\"compartments\":[{}],\"origins\":[{}]}}",
            self.value,
            self.until,
            quote(&self.session),
            self.number,
            self.label.integrity().word(),
            secrecy.level.word(),
            list(&mut secrecy.compartments.iter().map(String::as_str)),
            list(&mut self.label.origins().map(ServerName::as_str)),
        )
    }

    fn read(content: &[u8]) -> Option<Self> {
        let all = Json::check(content, DEPTH).ok()?;
        let value = all.get("value").filter(|value| value.kind() == JsonKind::String)?;
        let word = |name| all.get(name).and_then(Json::text);
        let integrity = word("integrity")?;
        let integrity = Integrity::ALL.into_iter().find(|known| known.word() == integrity)?;
        let level = word("level")?;
        let level = Confidentiality::ALL.into_iter().find(|known| known.word() == level)?;
        let texts = |name| all.get(name).into_iter().flat_map(Json::elements).filter_map(Json::text);
        let compartments = texts("compartments").map(std::borrow::Cow::into_owned).collect();
        let secrecy = Secrecy { level, compartments };
        let mut label = Label::clean();
        for origin in texts("origins") {
            label.absorb(&ServerName::parse(&origin)?, integrity, &secrecy);
        }
        Some(Self {
            value: value.written().to_owned(),
            until: all.get("until")?.unsigned()?,
            session: word("session")?.into_owned(),
            number: all.get("number")?.unsigned()?,
            label,
        })
    }
}

//! Handles: what the agent is shown in place of secrets and personal data. A handle says nothing and cannot be guessed. That of a
//! secret means something only in the session that it was made for; that of personal data is the same in every session of its
//! principal.

mod expand;
mod text;
mod vault;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use lockgate_detect::Known;
use lockgate_model::{ExchangeId, ServerName, quote};

pub(crate) use self::expand::reach;
pub(crate) use self::text::{handles as handles_in, within};
use crate::session::Identity;
use crate::{Boundary, digest};

/// Most secrets of a session that are remembered; then the oldest is forgotten, and its handle is refused.
const MOST: usize = 1_000;
/// Most bytes of secrets of a session that are remembered; then the oldest are forgotten.
const MOST_BYTES: usize = 1 << 20;
/// Longest secret that gets a handle. Bytes. A longer one is cut out, and nothing stands for it.
const LONGEST: usize = 16 << 10;
/// A secret of at least so many bytes is known again wherever its own server writes it. A shorter one may be a word.
const TELLING: usize = 12;

/// The secrets of one session and the handles that stand for them.
#[derive(Default)]
pub(crate) struct Handles {
    kept: BTreeMap<String, Kept>,
    /// The same, oldest first.
    order: VecDeque<String>,
    /// The handle of what a server has given before, by the digest of the secret.
    given: BTreeMap<(ServerName, Stands, [u8; 32]), String>,
    /// What each server knows and must not say to the agent again. Made when it is asked for.
    told: BTreeMap<ServerName, Told>,
    /// Those of personal data that nobody keeps for later sessions yet.
    fresh: Vec<String>,
    /// How many were ever made.
    made: u64,
    bytes: usize,
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stands {
    /// A credential.
    Secret,
    /// Personal data.
    Personal,
}

impl Stands {
    /// The word in its handles.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Personal => "personal",
        }
    }

    /// What a handle stands for, by how it is written.
    pub(crate) fn of(handle: &str) -> Self {
        let after = handle.strip_prefix(text::PREFIX).unwrap_or_default();
        if after.starts_with(Self::Personal.word()) { Self::Personal } else { Self::Secret }
    }
}

/// A secret, or personal data.
struct Kept {
    secret: String,
    stands: Stands,
    /// Who gave it.
    origin: ServerName,
    /// Who knows it and may say it again: whom it was sent to, and who gave it.
    told: BTreeSet<ServerName>,
}

/// The secrets that a server knows, in the ways in which it may write them, and the handle of each.
pub(crate) struct Told {
    pub(crate) texts: Known,
    pub(crate) handles: Vec<String>,
}

/// What makes the handles of a session, or of a principal, its own.
pub(crate) struct Seal<'s> {
    /// For those of secrets: of this process.
    key: [u8; 16],
    /// For those of personal data: the same for all gateways of a state folder.
    lasting: [u8; 32],
    identity: &'s Identity,
}

impl Handles {
    /// The handle for a secret that a server gave: the same for the same secret of the same server, as long as it is
    /// remembered. None where the secret is too long.
    pub(crate) fn stand_in(
        &mut self,
        secret: &str,
        stands: Stands,
        kind: &str,
        origin: &ServerName,
        seal: &Seal<'_>,
    ) -> Option<String> {
        if secret.len() > LONGEST {
            return None;
        }
        let known = (origin.clone(), stands, digest::bytes(secret.as_bytes()));
        if let Some(handle) = self.given.get(&known) {
            return Some(handle.clone());
        }
        self.made += 1;
        let digest = match stands {
            Stands::Secret => seal.digest(origin, self.made),
            Stands::Personal => seal.lasting(origin, secret),
        };
        let handle = format!("{}{}-{kind}-{}", text::PREFIX, stands.word(), text::tail(&digest));
        if stands == Stands::Personal {
            self.fresh.push(handle.clone());
        }
        self.insert(handle.clone(), secret, stands, origin, known);
        Some(handle)
    }

    /// An earlier session of the principal was shown this handle for personal data.
    fn recall(&mut self, handle: &str, value: &str, origin: &ServerName) {
        let known = (origin.clone(), Stands::Personal, digest::bytes(value.as_bytes()));
        if value.len() <= LONGEST && !self.given.contains_key(&known) {
            self.made += 1;
            self.insert(handle.to_owned(), value, Stands::Personal, origin, known);
        }
    }

    fn insert(
        &mut self,
        handle: String,
        secret: &str,
        stands: Stands,
        origin: &ServerName,
        known: (ServerName, Stands, [u8; 32]),
    ) {
        self.bytes += secret.len();
        while self.kept.len() >= MOST || self.bytes > MOST_BYTES {
            if !self.forget_oldest() {
                break;
            }
        }
        let secret = secret.to_owned();
        let kept = Kept { secret, stands, origin: origin.clone(), told: BTreeSet::new() };
        let telling = kept.secret.len() >= TELLING;
        self.kept.insert(handle.clone(), kept);
        self.order.push_back(handle.clone());
        self.given.insert(known, handle.clone());
        if telling {
            self.tell(&handle, origin);
        }
    }

    /// How many were ever made.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(handle) = self.order.pop_front() else { return false };
        if let Some(kept) = self.kept.remove(&handle) {
            self.bytes = self.bytes.saturating_sub(kept.secret.len());
            self.given.remove(&(kept.origin, kept.stands, digest::bytes(kept.secret.as_bytes())));
            for server in &kept.told {
                self.told.remove(server);
            }
        }
        true
    }

    /// From now on the server knows the secret.
    fn tell(&mut self, handle: &str, server: &ServerName) {
        if let Some(kept) = self.kept.get_mut(handle)
            && kept.told.insert(server.clone())
        {
            self.told.remove(server);
        }
    }

    /// What the server knows. To be given back with [`Self::keep_told`] where nothing new was told meanwhile.
    pub(crate) fn take_told(&mut self, server: &ServerName) -> Told {
        self.told.remove(server).unwrap_or_else(|| {
            let known = self.kept.iter().filter(|(_, kept)| kept.told.contains(server));
            let (texts, handles): (Vec<_>, Vec<_>) = known
                .flat_map(|(handle, kept)| {
                    spellings(&kept.secret).into_iter().map(|text| (text, handle.clone()))
                })
                .unzip();
            Told { texts: Known::new(texts), handles }
        })
    }

    pub(crate) fn keep_told(&mut self, server: &ServerName, told: Told) {
        self.told.insert(server.clone(), told);
    }
}

/// The secret, and how it looks inside of JSON and of base64.
fn spellings(secret: &str) -> Vec<String> {
    let quoted = quote(secret);
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let mut all = vec![secret.to_owned()];
    if inner != secret {
        all.push(inner.to_owned());
    }
    if secret.len() >= TELLING {
        // What comes after the last three bytes depends on what follows.
        let whole = secret.as_bytes().get(..secret.len() / 3 * 3).unwrap_or_default();
        let (plain, for_addresses) =
            (text::base64(whole, text::PLAIN), text::base64(whole, text::FOR_ADDRESSES));
        all.extend((plain != for_addresses).then_some(for_addresses));
        all.push(plain);
    }
    all
}

impl<'s> Seal<'s> {
    pub(crate) fn of(boundary: &Boundary, identity: &'s Identity) -> Self {
        Self { key: boundary.flow.key, lasting: boundary.seal, identity }
    }

    /// For personal data: the same for the same value of the same server, for one principal.
    fn lasting(&self, origin: &ServerName, value: &str) -> [u8; 32] {
        let mut parts = b"lockgate personal data".to_vec();
        parts.extend_from_slice(&self.lasting);
        for part in [self.identity.principal.as_str(), origin.as_str(), value] {
            parts.extend_from_slice(&digest::bytes(part.as_bytes()));
        }
        digest::bytes(&parts)
    }

    /// A word that nobody can guess, for one answer.
    pub(crate) fn word(&self, origin: &ServerName, exchange: ExchangeId) -> String {
        text::tail(&digest::bytes(&[&self.digest(origin, exchange.0)[..], b"boundary"].concat()))
    }

    fn digest(&self, origin: &ServerName, number: u64) -> [u8; 32] {
        let Identity { session, principal, .. } = self.identity;
        let mut parts = Vec::new();
        for part in [session.as_str(), principal.as_str(), origin.as_str()] {
            parts.extend_from_slice(&digest::bytes(part.as_bytes()));
        }
        digest::bytes(&[&self.key[..], &parts, &number.to_be_bytes()].concat())
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handles({})", self.kept.len())
    }
}

#[cfg(test)]
mod tests {
    use lockgate_model::{Principal, SessionId};

    use super::*;

    fn identity(session: &str, principal: &str) -> Identity {
        Identity {
            session: SessionId::new(session),
            principal: Principal::new(principal),
            client: None,
            bound: String::new(),
        }
    }

    fn server(name: &str) -> ServerName {
        ServerName::parse(name).unwrap()
    }

    #[test]
    fn a_handle_belongs_to_session_principal_and_server() {
        let make = |key, session, principal, origin| {
            let identity = identity(session, principal);
            let seal = Seal { key: [key; 16], lasting: [0; 32], identity: &identity };
            Handles::default()
                .stand_in("a secret that is", Stands::Secret, "kind", &server(origin), &seal)
                .unwrap()
        };
        let first = make(0, "s", "p", "a");
        assert_eq!(first, make(0, "s", "p", "a"));
        let others =
            [make(1, "s", "p", "a"), make(0, "t", "p", "a"), make(0, "s", "q", "a"), make(0, "s", "p", "b")];
        assert!(others.iter().all(|other| *other != first), "{first} {others:?}");
        assert_eq!(first.len(), "lockgate-secret-kind-".len() + 22);
    }

    #[test]
    fn that_of_personal_data_is_the_same_in_every_session_of_a_principal() {
        let make = |lasting, session, principal, origin, value| {
            let identity = identity(session, principal);
            let seal = Seal { key: [0; 16], lasting: [lasting; 32], identity: &identity };
            let personal = Stands::Personal;
            Handles::default().stand_in(value, personal, "EMAIL_ADDRESS", &server(origin), &seal).unwrap()
        };
        let first = make(0, "s", "p", "a", "x@y.example");
        assert_eq!(first, make(0, "t", "p", "a", "x@y.example"));
        assert!(first.starts_with("lockgate-personal-EMAIL_ADDRESS-"), "{first}");
        assert_eq!(Stands::of(&first), Stands::Personal);
        assert_eq!(handles_in(&first).next(), Some(0..first.len()));
        let others = [
            make(1, "s", "p", "a", "x@y.example"),
            make(0, "s", "q", "a", "x@y.example"),
            make(0, "s", "p", "b", "x@y.example"),
            make(0, "s", "p", "a", "z@y.example"),
        ];
        assert!(others.iter().all(|other| *other != first), "{first} {others:?}");
    }

    #[test]
    fn the_oldest_secrets_are_forgotten() {
        let identity = identity("s", "p");
        let seal = Seal { key: [0; 16], lasting: [0; 32], identity: &identity };
        for (count, size) in [(MOST + 5, 20), (100, 15_000)] {
            let mut handles = Handles::default();
            let secret = |number: usize| format!("{number:08}{}", "x".repeat(size));
            let made: Vec<_> = (0..count)
                .map(|number| {
                    handles.stand_in(&secret(number), Stands::Secret, "k", &server("a"), &seal).unwrap()
                })
                .collect();
            assert!(handles.kept.len() <= MOST && handles.bytes <= MOST_BYTES);
            assert_eq!(handles.bytes, handles.kept.values().map(|kept| kept.secret.len()).sum::<usize>());
            assert_eq!((handles.kept.len(), handles.kept.len()), (handles.given.len(), handles.order.len()));
            assert!(!handles.kept.contains_key(&made[0]) && handles.kept.contains_key(&made[count - 1]));
            let again = handles.stand_in(&secret(0), Stands::Secret, "k", &server("a"), &seal).unwrap();
            assert_ne!(again, made[0], "what was forgotten comes back under another name");
        }
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(Handles::default().stand_in(&long, Stands::Secret, "k", &server("a"), &seal), None);
    }

    #[test]
    fn nothing_secret_is_printed() {
        let identity = identity("s", "p");
        let mut handles = Handles::default();
        handles.stand_in(
            "hunter22hunter22",
            Stands::Secret,
            "k",
            &server("a"),
            &Seal { key: [0; 16], lasting: [0; 32], identity: &identity },
        );
        assert_eq!(format!("{handles:?}"), "Handles(1)");
    }
}

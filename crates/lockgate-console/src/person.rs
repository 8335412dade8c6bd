use std::fmt;

use aws_lc_rs::{constant_time, digest};

/// Who asks: the name that belongs to their token, or `local:UID` for a user of this machine on the Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person(String);

impl Person {
    /// A user of this machine, as the kernel names the other end of a Unix socket.
    pub fn local(uid: u32) -> Self {
        Self(format!("local:{uid}"))
    }

    /// Is it a user of this machine, known by their user id alone? A person who has a token may use the socket too, so
    /// a desk that counts different people should not take such a name and a token's for two.
    pub fn is_local(&self) -> bool {
        self.0.starts_with("local:")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why tokens cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// A name has another form. The colon is left out so that no token can speak as `local:0`.
    #[error("a token's name must be 1 to 64 of `A-Z a-z 0-9 . _ @ -`")]
    Name,
    /// Two people cannot be told apart.
    #[error("`{0}` and `{1}` have the same token")]
    Shared(String, String),
}

/// Bearer tokens, each kept as its SHA-256, and whose they are. One person may have several.
#[derive(Clone, Default)]
pub struct Tokens(Vec<(Person, [u8; 32])>);

impl Tokens {
    /// No tokens: then only the Unix socket can be used.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes names, each with the SHA-256 of a token.
    pub fn new(tokens: Vec<(String, [u8; 32])>) -> Result<Self, BadToken> {
        let mut known: Vec<(Person, [u8; 32])> = Vec::new();
        for (name, hash) in tokens {
            let usable = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-');
            if !(1..=64).contains(&name.len()) || !name.bytes().all(usable) {
                return Err(BadToken::Name);
            }
            if let Some((other, _)) = known.iter().find(|(other, known)| *known == hash && other.0 != name) {
                return Err(BadToken::Shared(other.0.clone(), name));
            }
            known.push((Person(name), hash));
        }
        Ok(Self(known))
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is.
    pub(crate) fn owner(&self, token: &str) -> Option<Person> {
        let given = digest::digest(&digest::SHA256, token.as_bytes());
        let mut found = None;
        // Every token is compared in full: the time tells nothing of which one is near.
        for (person, known) in &self.0 {
            if constant_time::verify_slices_are_equal(known, given.as_ref()).is_ok() {
                found = Some(person.clone());
            }
        }
        found
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(person, _)| person.as_str())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, hash: u8) -> (String, [u8; 32]) {
        (name.to_owned(), [hash; 32])
    }

    #[test]
    fn no_token_speaks_for_a_user_of_this_machine() {
        for name in ["", "local:0", "a b", "ä", "a\n", &"x".repeat(65)] {
            assert_eq!(Tokens::new(vec![named(name, 1)]).unwrap_err(), BadToken::Name, "{name}");
        }
        assert!(Tokens::new(vec![named("alice", 1), named("alice", 2), named("b.o@b-x_1", 3)]).is_ok());
    }

    #[test]
    fn a_token_has_one_owner() {
        let shared = Tokens::new(vec![named("alice", 1), named("bob", 1)]).unwrap_err();
        assert_eq!(shared, BadToken::Shared("alice".to_owned(), "bob".to_owned()));
        let hash = digest::digest(&digest::SHA256, b"token-of-alice").as_ref().try_into().unwrap();
        let tokens = Tokens::new(vec![("alice".to_owned(), hash), named("bob", 2)]).unwrap();
        assert_eq!(tokens.owner("token-of-alice").unwrap().as_str(), "alice");
        for wrong in ["", "token-of-alic", "token-of-alice ", "alice"] {
            assert_eq!(tokens.owner(wrong), None, "{wrong}");
        }
        assert_eq!(format!("{tokens:?}"), r#"["alice", "bob"]"#);
    }
}

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is. Whoever reads it from outside has checked it.
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// One agent's run. Chosen by Lockgate, never by a server.
    SessionId
);
name!(
    /// Who the agent acts for. Comes from authentication, never from a message.
    Principal
);
name!(
    /// What the agent's program calls itself (`clientInfo.name`). A claim, not an identity.
    ClientName
);

/// A server's name in the configuration: 1 to 32 of `a-z`, `0-9` and `-`, a letter first. Never what a server says of
/// itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName(Arc<str>);

impl ServerName {
    /// Longest server name. Leaves room for a tool name in the 64 characters clients accept.
    pub const MAX: usize = 32;

    /// Checks the form. `None` where it is not a server name.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let first = bytes.next()?;
        let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (first.is_ascii_lowercase() && rest && text.len() <= Self::MAX).then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for ServerName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A tool's name as its server gives it. Server text: print it through [`ToolName::shown`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolName(Arc<str>);

impl ToolName {
    /// Takes the text as it is.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for comparing and for sending to its server. For people and models use [`ToolName::shown`].
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for a person, a model or a record: unchanged when it is 1 to 128 of `A-Z a-z 0-9 _ - . /` (the form the
    /// specification asks for), else a fixed text, so that a name can carry no instruction.
    pub fn shown(&self) -> &str {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
        if !self.0.is_empty() && self.0.len() <= 128 && self.0.bytes().all(plain) {
            &self.0
        } else {
            "(unusual name)"
        }
    }
}

impl std::borrow::Borrow<str> for ToolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// One request and all that belongs to it, within one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u64);

impl ExchangeId {
    /// Reads an id of a message as the number of an exchange. None where it is anything else than plain digits.
    pub fn read(id: &[u8]) -> Option<Self> {
        std::str::from_utf8(id).ok()?.parse().ok().map(Self)
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

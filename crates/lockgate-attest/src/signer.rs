//! Who must have signed.

use crate::{BadPattern, Pattern, PublicKey};

/// Who must have signed. There is no default, and no value that means anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Somebody whom an issuer knows by name, with a certificate of a trusted authority.
    Identity(Identity),
    /// Whoever has one of these keys.
    Keys(Vec<PublicKey>),
}

/// A name and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name in the certificate: a mail address, or the address of a workflow with its branch or tag.
    pub name: Pattern,
    /// Who has checked the name, exactly: such as `https://token.actions.githubusercontent.com`.
    pub issuer: String,
}

/// Why a signer cannot be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSigner {
    /// The name is wrong.
    #[error(transparent)]
    Name(#[from] BadPattern),
    /// The issuer is no address.
    #[error("an issuer is an address that begins with `https://`, without `*`")]
    Issuer,
}

impl Signer {
    /// Somebody known by name.
    pub fn identity(name: &str, issuer: &str) -> Result<Self, BadSigner> {
        let name = Pattern::new(name)?;
        let host = issuer.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || issuer.contains(['*', ' ']) {
            return Err(BadSigner::Issuer);
        }
        Ok(Self::Identity(Identity { name, issuer: issuer.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_one_address() {
        for issuer in
            ["", "*", "https://", "https:///x", "http://a.example", "https://*.example", "a.example"]
        {
            assert_eq!(Signer::identity("a@b.example", issuer), Err(BadSigner::Issuer), "{issuer}");
        }
        assert!(Signer::identity("a@b.example", "https://accounts.google.com").is_ok());
        assert_eq!(Signer::identity("*", "https://a.example"), Err(BadSigner::Name(BadPattern::Anybody)));
    }
}

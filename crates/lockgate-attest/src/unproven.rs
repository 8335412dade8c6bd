//! Why something is not proven.

use sigstore_verify::{CertificateError, Error, TransparencyLogError};

/// Why something is not proven. Holds nothing of what was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unproven {
    /// Larger than [`crate::LARGEST`].
    #[error("it is too large")]
    TooLarge,
    /// Not of the form that it must have.
    #[error("it has not the form that it must have")]
    Malformed,
    /// Well formed, but of a version, key or kind that is not verified here.
    #[error("it is of a kind that is not verified here")]
    Unsupported,
    /// The signature is of another text or another key.
    #[error("the signature is wrong")]
    Signature,
    /// Signed by a key that is not one of the expected.
    #[error("it is signed by another key")]
    Key,
    /// The certificate is not from a trusted authority, or was not valid when it signed.
    #[error("the certificate is not trusted")]
    Certificate,
    /// The log entry is missing, wrong or of another signature.
    #[error("the entry in the log is missing or wrong")]
    Log,
    /// There is no trusted time of the signature, or it is wrong.
    #[error("the time of the signature is not proven")]
    Time,
    /// It is about another artefact.
    #[error("it is about another artefact")]
    Artefact,
    /// The signer is somebody else.
    #[error("it is signed by somebody else")]
    Identity,
    /// Who says who the signer is, is somebody else.
    #[error("the signer's identity comes from another issuer")]
    Issuer,
    /// The statement is of another kind.
    #[error("the statement is of another kind")]
    Predicate,
    /// Built by another builder.
    #[error("it was built by another builder")]
    Builder,
    /// Built from another repository.
    #[error("it was built from another repository")]
    Source,
    /// Built from another branch or tag.
    #[error("it was built from another branch or tag")]
    Ref,
    /// The statement says something else than the certificate of its signer.
    #[error("the statement and the certificate do not agree")]
    Contradiction,
    /// The roots of trust cannot be used.
    #[error("the roots of trust cannot be used")]
    Roots,
}

impl Unproven {
    /// A short name, for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Signature => "signature",
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Log => "log",
            Self::Time => "time",
            Self::Artefact => "artefact",
            Self::Identity => "identity",
            Self::Issuer => "issuer",
            Self::Predicate => "predicate",
            Self::Builder => "builder",
            Self::Source => "source",
            Self::Ref => "ref",
            Self::Contradiction => "contradiction",
            Self::Roots => "roots",
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of the library may grow, and what is new is no proof"
)]
impl From<Error> for Unproven {
    fn from(error: Error) -> Self {
        match error {
            Error::IdentityMismatch { .. } => Self::Identity,
            Error::IssuerMismatch { .. } => Self::Issuer,
            Error::SignatureInvalid(_) | Error::Crypto(_) => Self::Signature,
            Error::ArtifactMismatch(_) => Self::Artefact,
            Error::Certificate(CertificateError::Malformed(_)) => Self::Malformed,
            Error::Certificate(_) => Self::Certificate,
            Error::TransparencyLog(TransparencyLogError::IntegratedTime(_)) | Error::Timestamp(_) => {
                Self::Time
            }
            Error::TransparencyLog(_) => Self::Log,
            Error::UnsupportedArtifact(_) | Error::UnsupportedBundle(_) => Self::Unsupported,
            Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => Self::Roots,
            _ => Self::Malformed,
        }
    }
}

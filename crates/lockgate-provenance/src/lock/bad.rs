use std::fmt;

use lockgate_model::Reason;

/// Why a lock file cannot be used, and where in it. Written `12:5: what is wrong`, so that a path and a colon may go before
/// it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {fault}")]
pub struct BadLock {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not JSON that everybody reads in one way.
    Json(Reason),
    /// It is larger than 64 MiB.
    TooLarge,
    /// Its `version` is missing or not 1.
    Version,
    /// There must be something else here.
    Expected(&'static str),
    /// A key that means nothing here, escaped.
    Unknown(String),
    /// A key that is not there.
    Missing(&'static str),
    /// What stands for a server's name is none, escaped.
    Server(String),
    /// The digest is not that of the definition: somebody changed one and not the other.
    Digest,
    /// The definition says another name than it stands under.
    Name,
    /// The same definition stands here twice, in two ways of writing its name.
    Twice,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(Reason::DuplicateKey) => f.write_str("the object that ends here has the same key twice"),
            Self::Json(Reason::TooDeep) => f.write_str("this is nested too deep"),
            Self::Json(Reason::TrailingBytes) => f.write_str("the file must end here"),
            Self::Json(Reason::LoneSurrogate) => f.write_str("half a surrogate pair is no character"),
            Self::Json(Reason::NumberOutOfRange) => f.write_str("the number is too large"),
            Self::Json(Reason::NotUtf8 | Reason::ByteOrderMark) => {
                f.write_str("the file must be UTF-8 without a byte order mark")
            }
            Self::Json(_) => f.write_str("this is not JSON"),
            Self::TooLarge => f.write_str("the file is larger than 64 MiB"),
            Self::Version => {
                f.write_str("this version of the file is not known\n  hint: a newer Lockgate may have written it")
            }
            Self::Expected(what) => write!(f, "here must be {what}"),
            Self::Unknown(key) => write!(f, "unknown key `{key}`"),
            Self::Missing(key) => write!(f, "`{key}` is missing"),
            Self::Server(name) => write!(f, "`{name}` is not a server's name"),
            Self::Digest => f.write_str(
                "the digest is not that of the definition\n  hint: one was changed without the other; `lockgate pin` writes both",
            ),
            Self::Name => f.write_str("the definition says another name than the one it stands under"),
            Self::Twice => f.write_str("the same definition stands here twice"),
        }
    }
}

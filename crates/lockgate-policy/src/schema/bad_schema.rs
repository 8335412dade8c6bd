use lockgate_model::Untrusted;

use super::misfit::pointer;

/// Why a schema cannot be used, and where. Nothing of the server's text is in the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct BadSchema {
    fault: Fault,
    place: Untrusted<String>,
}

/// What is wrong with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the schema is larger or deeper than a schema may be")]
    TooLarge,
    #[error("the schema names a dialect other than draft-07, 2019-09 and 2020-12")]
    Dialect,
    #[error("a schema is neither an object nor `true` or `false`")]
    NotASchema,
    #[error("the value of `{0}` is not one it can have")]
    Keyword(&'static str),
    #[error("a number has an exponent too large to compute with")]
    Number,
    #[error("a reference leaves the schema; nothing is ever fetched")]
    OutsideReference,
    #[error("a reference points to nothing")]
    LostReference,
    #[error("two schemas have one name")]
    Ambiguous,
    #[error("a dynamic reference in a schema of several documents is not supported")]
    DynamicReference,
}

impl BadSchema {
    pub(super) fn new(fault: Fault, path: &[impl AsRef<str>]) -> Self {
        Self { fault, place: Untrusted::new(pointer(path.iter().map(AsRef::as_ref))) }
    }

    /// JSON Pointer into the schema, at most 256 characters; past them it ends in `…`.
    pub fn place(&self) -> &Untrusted<String> {
        &self.place
    }
}

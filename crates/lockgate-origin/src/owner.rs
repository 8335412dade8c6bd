use lockgate_model::Untrusted;

/// Longest text of an owner that is kept. Characters.
const LONGEST: usize = 200;

/// Who answers for a server, as far as its package or the operator says. A package may say anything of itself: what it says
/// helps people to find its maker, and proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Who maintains it.
    pub maintainer: Option<String>,
    /// Where its source is.
    pub repository: Option<String>,
    /// How it is released.
    pub release: Option<String>,
    /// Whom to tell of a weakness.
    pub security: Option<String>,
    /// Under which licence.
    pub licence: Option<String>,
}

impl Owner {
    /// This owner, and for what it leaves open the other one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            maintainer: self.maintainer.or(other.maintainer),
            repository: self.repository.or(other.repository),
            release: self.release.or(other.release),
            security: self.security.or(other.security),
            licence: self.licence.or(other.licence),
        }
    }
}

/// A package's text about itself in a form that can be shown: escaped, at most 200 characters; none where it is empty.
pub(crate) fn shown(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| Untrusted::new(text).escaped(LONGEST))
}

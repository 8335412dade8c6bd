use std::collections::BTreeMap;

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

/// What can be known of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Who maintains it.
    Maintainer,
    /// Where its source is.
    Repository,
    /// How it is released.
    Release,
    /// Whom to tell of a weakness.
    Security,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Maintainer, Self::Repository, Self::Release, Self::Security];

    /// Its word in configurations and lock files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Maintainer => "maintainer",
            Self::Repository => "repository",
            Self::Release => "release",
            Self::Security => "security",
        }
    }
}

impl Owner {
    /// What is known of it.
    pub fn part(&self, part: Part) -> Option<&str> {
        match part {
            Part::Maintainer => self.maintainer.as_deref(),
            Part::Repository => self.repository.as_deref(),
            Part::Release => self.release.as_deref(),
            Part::Security => self.security.as_deref(),
        }
    }

    /// As keys and texts, the form of a lock file.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let parts = Part::ALL.iter().map(|part| (part.word(), self.part(*part)));
        let all = parts.chain([("licence", self.licence.as_deref())]);
        all.filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()
    }

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

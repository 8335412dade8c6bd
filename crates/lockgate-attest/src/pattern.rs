//! Texts that an operator expects, with a little room.

use std::fmt;

/// What a text must be. `*` stands for any run of characters but `/` and `@`; `**`, only at the end, for any run at all.
///
/// So no name of a branch or a file that somebody chooses can stand for what is beside it: a branch
/// `x/.github/workflows/release.yml@refs/tags/v1` is no tag.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// Empty, or longer than 1024 characters.
    #[error("a pattern has 1 to 1024 characters")]
    Length,
    /// `**` before the end, or `***`.
    #[error("`**` stands only at the end")]
    Rest,
    /// Nothing in it tells one from another.
    #[error("the pattern would match anybody")]
    Anybody,
}

/// Longest pattern. Characters.
const LONGEST: usize = 1024;

/// Most `*` in a pattern, so that matching is never slow.
const STARS: usize = 4;

impl Pattern {
    /// Reads a pattern. One that begins with `*` must say what comes after an `@`, and one of an address what comes after
    /// its host.
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(BadPattern::Length);
        }
        let fixed = text.strip_suffix("**").unwrap_or(text);
        if fixed.contains("**")
            || fixed.len() < text.len() && fixed.ends_with('*')
            || fixed.matches('*').count() > STARS
        {
            return Err(BadPattern::Rest);
        }
        let pattern = Self(text.to_owned());
        if pattern.means_anybody() { Err(BadPattern::Anybody) } else { Ok(pattern) }
    }

    /// Is there no owner before the first `*`? The owner of an address is its host and the first step of its path; that of a
    /// mail address, its host.
    fn means_anybody(&self) -> bool {
        let Some(star) = self.0.find('*') else { return false };
        let (before, after) = self.0.split_at(star);
        match before.split_once("://") {
            Some((_, rest)) => {
                let mut steps = rest.split('/');
                let (host, owner) = (steps.next().unwrap_or_default(), steps.next().unwrap_or_default());
                // The step in which the star stands may be anything, and a short beginning of it is no owner.
                host.is_empty() || owner.is_empty() || steps.next().is_none()
            }
            None => match after.split_once('@') {
                Some((_, host)) => host.is_empty() || host.contains('*'),
                None => before.is_empty(),
            },
        }
    }

    /// Is the text one that is meant?
    pub fn matches(&self, text: &str) -> bool {
        match self.0.strip_suffix("**") {
            Some(pattern) => {
                // What a `**` stands for begins anywhere; only the parts before it are matched.
                (0..=text.len()).filter_map(|end| text.get(..end)).any(|head| run(pattern, head))
            }
            None => run(&self.0, text),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does it stand for one text alone?
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }
}

/// Matches a pattern whose `*` stand for runs without `/` and `@`.
fn run(pattern: &str, text: &str) -> bool {
    let Some((fixed, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(fixed) else { return false };
    let room = text.find(['/', '@']).unwrap_or(text.len());
    (0..=room).filter_map(|skip| text.get(skip..)).any(|text| run(rest, text))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_within_a_step() {
        let release = "https://github.com/org/repo/.github/workflows/release.yml@refs/tags/";
        let table = [
            ("https://a.example/x", "https://a.example/x", true),
            ("https://a.example/x", "https://a.example/x/", false),
            (&format!("{release}*"), &format!("{release}v1.2"), true),
            (&format!("{release}*"), release, true),
            (&format!("{release}*"), &format!("{release}v1/x"), false),
            (&format!("{release}**"), &format!("{release}v1/x"), true),
            (&format!("{release}v*"), &format!("{release}1"), false),
            (
                "https://github.com/org/*/.github/workflows/release.yml@refs/tags/*",
                "https://github.com/org/repo/.github/workflows/evil.yml@refs/heads/x/.github/workflows/release.yml@refs/tags/v1",
                false,
            ),
            ("https://github.com/org/*/a.yml@**", "https://github.com/org/repo/a.yml@refs/heads/main", true),
            ("https://github.com/org/*/a.yml@**", "https://github.com/org/x/y/a.yml@refs/heads/main", false),
            ("*@corp.example", "ann@corp.example", true),
            ("*@corp.example", "ann@evil.example@corp.example", false),
            ("*@corp.example", "ann@corp.example.evil", false),
        ];
        for (pattern, text, wanted) in table {
            assert_eq!(Pattern::new(pattern).unwrap().matches(text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn nothing_means_anybody() {
        let table = [
            ("", BadPattern::Length),
            ("*", BadPattern::Anybody),
            ("**", BadPattern::Anybody),
            ("https://*", BadPattern::Anybody),
            ("https://**", BadPattern::Anybody),
            ("https://github.com/*", BadPattern::Anybody),
            ("https://github.com/**", BadPattern::Anybody),
            ("https://github.com/o*", BadPattern::Anybody),
            ("https://github.com/o**", BadPattern::Anybody),
            ("https://*/org/repo", BadPattern::Anybody),
            ("*@*", BadPattern::Anybody),
            ("*@*.example", BadPattern::Anybody),
            ("a**b", BadPattern::Rest),
            ("https://a.example/o/***", BadPattern::Rest),
        ];
        for (pattern, wanted) in table {
            assert_eq!(Pattern::new(pattern), Err(wanted), "{pattern}");
        }
        assert!(Pattern::new("https://github.com/org/*").is_ok());
    }
}

use std::fmt;

/// A name with `*` for any run of characters. Nothing else is special. Compared with regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

/// Why a pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It would match only the empty name.
    #[error("the pattern is empty")]
    Empty,
    /// `**` matches what `*` matches.
    #[error("`**` means the same as `*`")]
    DoubleStar,
    /// Longer than any name can be.
    #[error("the pattern is longer than 256 characters")]
    TooLong,
    /// `?`, `[` and `{` mean something in other pattern languages and nothing here.
    #[error("only `*` is special in a pattern; `?`, `[`, `]`, `{{`, `}}` and `!` are not supported")]
    OtherSyntax,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        if text.is_empty() {
            return Err(BadPattern::Empty);
        }
        if text.contains("**") {
            return Err(BadPattern::DoubleStar);
        }
        if text.chars().count() > 256 {
            return Err(BadPattern::TooLong);
        }
        if text.contains(['?', '[', ']', '{', '}', '!']) {
            return Err(BadPattern::OtherSyntax);
        }
        Ok(Self(text.to_owned()))
    }

    /// Does it name exactly one thing?
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// What stands before the first `*`: every name that matches begins with it.
    pub fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Does the whole name match? O(pattern × name) at worst, without recursion.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            let Some(found) = rest.find(part) else { return false };
            rest = rest.get(found + part.len()..).unwrap_or_default();
        }
        true
    }

    /// As the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same language by the textbook recursion.
    fn slow(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|cut| slow(rest, &name[cut..])),
            Some((c, rest)) => name.split_first().is_some_and(|(n, more)| n == c && slow(rest, more)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(pattern in "[ab*]{1,8}", name in "[ab]{0,10}") {
            if let Ok(parsed) = Pattern::parse(&pattern) {
                prop_assert_eq!(parsed.matches(&name), slow(pattern.as_bytes(), name.as_bytes()));
            }
        }
    }

    #[test]
    fn refuses_what_it_would_misread() {
        for (text, why) in [
            ("", BadPattern::Empty),
            ("a**b", BadPattern::DoubleStar),
            ("read_?", BadPattern::OtherSyntax),
            ("{a,b}", BadPattern::OtherSyntax),
        ] {
            assert_eq!(Pattern::parse(text), Err(why));
        }
    }
}

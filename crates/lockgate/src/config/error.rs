//! What is wrong with a configuration, and where.

use std::cell::RefCell;
use std::fmt;

/// A place in a file, both numbers from 1. Line 0 stands for the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<T> At<T> {
    /// Does it stand in the file? A default does not.
    pub(super) fn is_written(&self) -> bool {
        self.place.line > 0
    }

    /// What a function makes of it, at the same place.
    pub(super) fn map<U>(at: &Self, make: impl FnOnce(&Self) -> Option<U>) -> Option<At<U>> {
        Some(At { value: make(at)?, place: at.place })
    }
}

/// One thing the operator can fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    place: Place,
    message: String,
    hint: String,
}

impl ConfigError {
    /// The line in the file, from 1; 0 where it is about the file as a whole.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The column in the line, from 1; 0 where it is about the file as a whole.
    pub fn column(&self) -> usize {
        self.place.column
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, in one line.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// Everything that is wrong with one file, in the order of the file. Never empty, and never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: String,
    errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// One error; without a line it is about the file as a whole.
    pub(super) fn one(file: &str, place: Place, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let error = ConfigError { place, message: message.into(), hint: hint.into() };
        Self { file: shown(file), errors: vec![error] }
    }

    /// Each error.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.errors.iter()
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, error) in self.errors.iter().enumerate() {
            if count > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.file)?;
            if error.place.line > 0 {
                write!(f, "{}:{}:", error.place.line, error.place.column)?;
            }
            write!(f, " {}\n  hint: {}", error.message, error.hint)?;
        }
        Ok(())
    }
}

/// Collects errors, so that all of them can be reported at once.
#[derive(Debug, Default)]
pub(super) struct Report(RefCell<Vec<ConfigError>>);

impl Report {
    /// Adds one.
    pub(super) fn error(&self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.0.borrow_mut().push(ConfigError { place, message: message.into(), hint: hint.into() });
    }

    /// How much was wrong so far.
    pub(super) fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// Nothing wrong so far?
    pub(super) fn is_clean(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// The value, if nothing was wrong with it.
    pub(super) fn finish<T>(self, file: &str, value: Option<T>) -> Result<T, ConfigErrors> {
        let mut errors = self.0.into_inner();
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            _ => {
                if errors.is_empty() {
                    return Err(ConfigErrors::one(
                        file,
                        Place::default(),
                        "the file holds nothing",
                        "is it the right file?",
                    ));
                }
                errors.sort_by_key(|error| error.place);
                errors.dedup();
                Err(ConfigErrors { file: shown(file), errors })
            }
        }
    }
}

/// The operator's own text in backticks: on one line, not too long.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == 200 {
            out.push('…');
            break;
        }
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A list of words for a hint: `a`, `b` or `c`.
pub(super) fn either(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// The start of a hint: what was probably meant, if anything comes close.
pub(crate) fn perhaps(word: &str, known: &[&str]) -> String {
    let far = (word.chars().count() / 3).max(1);
    let near =
        known.iter().map(|known| (distance(&word.to_lowercase(), &known.to_lowercase()), *known)).min();
    match near {
        Some((distance, known)) if distance <= far => format!("did you mean `{known}`? "),
        _ => String::new(),
    }
}

/// How many letters must be put in, left out, replaced or swapped with their neighbour to come from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut last: Option<(char, Vec<usize>)> = None;
    for (count, a) in from.chars().enumerate() {
        let mut next = vec![count + 1];
        let mut previous = None;
        for (place, b) in to.iter().enumerate() {
            let mut best = at(&row, place) + usize::from(a != *b);
            best = best.min(at(&row, place + 1) + 1).min(at(&next, place) + 1);
            if let (Some((before, older)), Some(left)) = (&last, previous)
                && *before == *b
                && a == left
            {
                best = best.min(at(older, place - 1) + 1);
            }
            previous = Some(*b);
            next.push(best);
        }
        last = Some((a, std::mem::replace(&mut row, next)));
    }
    at(&row, to.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_letters() {
        for (a, b, count) in [
            ("", "", 0),
            ("tier", "tier", 0),
            ("tierr", "tier", 1),
            ("tear", "tier", 2),
            ("teir", "tier", 1),
            ("opne", "open", 1),
            ("ab", "ba", 1),
            ("abc", "", 3),
            ("", "abc", 3),
        ] {
            assert_eq!(distance(a, b), count, "{a} {b}");
        }
    }

    #[test]
    fn only_near_words_are_proposed() {
        assert_eq!(perhaps("opens-all", &["open", "core"]), "");
        assert_eq!(perhaps("Opem", &["open", "core"]), "did you mean `open`? ");
        assert_eq!(perhaps("servrs", &["listen", "servers"]), "did you mean `servers`? ");
        assert_eq!(perhaps("createisue", &["createIssue"]), "did you mean `createIssue`? ");
    }
}

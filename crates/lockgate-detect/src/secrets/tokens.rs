//! The rules of the data files: tokens that tell themselves, and values that a name tells.

use super::check::Check;
use super::{SecretClass, Sure};
use crate::shape::{Shape, counts};

/// Tokens whose form is enough.
pub(crate) const TOKENS: &str = include_str!("tokens.rules");
/// Values whose form is only enough beside the name of a service.
pub(crate) const NAMED: &str = include_str!("named.rules");

/// One block of a data file.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) kind: &'static str,
    pub(super) what: &'static str,
    pub(super) class: SecretClass,
    pub(super) check: Check,
    /// Least entropy, bits per character.
    pub(super) entropy: f64,
    pub(super) sure: Sure,
    /// In lower case, without marks: the name of the value has one of these in it.
    pub(super) beside: Vec<&'static str>,
    pub(super) shapes: Vec<Look>,
}

/// A shape, and where to look for it.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) shape: Shape,
    /// What is looked for in the text: any of these.
    pub(super) clues: Vec<String>,
    /// How many bytes of the shape are before that, least and most.
    pub(super) before: (usize, usize),
}

/// All blocks of a file.
#[derive(Debug, Default)]
pub(super) struct Tokens(pub(super) Vec<Rule>);

/// A line of a data file says nothing known, or a block lacks something.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the rules cannot be read")]
pub(super) struct BadRules {
    line: usize,
}

impl BadRules {
    /// The rules are read, and cannot be looked for together.
    pub(super) fn all() -> Self {
        Self { line: 0 }
    }
}

impl Tokens {
    pub(super) fn read(text: &'static str) -> Result<Self, BadRules> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut find = None;
        for (at, line) in text.lines().enumerate() {
            let bad = BadRules { line: at + 1 };
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(field) = line.strip_prefix("  ") {
                rules.last_mut().and_then(|rule| rule.field(field, &mut find)).ok_or(bad)?;
            } else {
                let (kind, what) = line.split_once(' ').ok_or(bad)?;
                find = None;
                rules.push(Rule::new(kind, what.trim_start()));
            }
        }
        if let Some(rule) = rules.iter().find(|rule| !rule.is_whole()) {
            let line = text.lines().position(|line| line.starts_with(rule.kind)).unwrap_or_default();
            return Err(BadRules { line: line + 1 });
        }
        Ok(Self(rules))
    }
}

impl Rule {
    fn new(kind: &'static str, what: &'static str) -> Self {
        let (beside, shapes) = (Vec::new(), Vec::new());
        let (class, check, sure) = (SecretClass::Token, Check::Nothing, Sure::Checked);
        Self { kind, what, class, check, entropy: 3.0, sure, beside, shapes }
    }

    fn field(&mut self, field: &'static str, find: &mut Option<Clue>) -> Option<()> {
        let (name, value) =
            field.split_once(' ').map_or((field, ""), |(name, value)| (name, value.trim_start()));
        match name {
            "find" => *find = Some(Clue::read(value)?),
            "shape" => {
                let shape = Shape::read(value)?;
                let clue = find.clone().unwrap_or_else(|| Clue { texts: vec![shape.head()], before: (0, 0) });
                self.shapes.push(Look { shape, clues: clue.texts, before: clue.before });
            }
            "beside" => {
                self.beside = value.split(' ').collect();
                self.sure = Sure::Likely;
            }
            "check" => self.check = Check::read(value)?,
            "class" => self.class = SecretClass::read(value)?,
            "entropy" => self.entropy = value.parse().ok()?,
            "likely" if value.is_empty() => self.sure = Sure::Likely,
            _ => return None,
        }
        Some(())
    }

    /// Whether it can be looked for.
    fn is_whole(&self) -> bool {
        let found = self.shapes.iter().flat_map(|look| &look.clues).all(|clue| clue.len() >= 2);
        !self.shapes.is_empty() && (found || !self.beside.is_empty())
    }
}

#[derive(Clone)]
struct Clue {
    texts: Vec<String>,
    before: (usize, usize),
}

impl Clue {
    fn read(value: &str) -> Option<Self> {
        let (text, before) = value.split_once(" after ")?;
        let texts = match text.split_once('#') {
            Some((start, end)) => (0..10).map(|digit| format!("{start}{digit}{end}")).collect(),
            None => vec![text.to_owned()],
        };
        Some(Self { texts, before: counts(before, '-')? })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_block_is_read() {
        let (tokens, named) = (Tokens::read(TOKENS).unwrap(), Tokens::read(NAMED).unwrap());
        assert!(tokens.0.iter().all(|rule| rule.beside.is_empty()));
        assert!(named.0.iter().all(|rule| !rule.beside.is_empty()));
        let kinds: BTreeSet<_> = tokens.0.iter().chain(&named.0).map(|rule| rule.kind).collect();
        assert_eq!(kinds.len(), tokens.0.len() + named.0.len(), "each kind is named once");
        assert!(kinds.len() > 150);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let cases = [
            ("  shape ab\n", 1),
            ("kind\n", 1),
            ("kind what\n", 1),
            ("kind what\n  shape a*\n", 2),
            ("kind what\n  shape [ab]c\n", 1),
            ("kind what\n  shape abc\n  colour red\n", 3),
            ("kind what\n  find x\n", 2),
            ("kind what\n  entropy much\n  shape abc\n", 2),
            ("kind what\n  check magic\n", 2),
            ("kind what\n  class gold\n", 2),
        ];
        for (text, line) in cases {
            assert_eq!(Tokens::read(text).unwrap_err(), BadRules { line }, "{text}");
        }
    }
}

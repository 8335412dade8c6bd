//! How a check ends, and what it has seen on the way.

use std::borrow::Cow;

use super::misfit::{Misfit, Why, pointer};
use super::node::Types;

/// Why a check came to its end.
pub(super) struct Stop<'s> {
    pub(super) why: Why,
    /// From the value outwards.
    pub(super) path: Vec<Step<'s>>,
    pub(super) member: Option<&'s str>,
}

/// One step of the way from the whole to a value.
pub(super) enum Step<'s> {
    Declared(&'s str),
    Index(usize),
    Undeclared,
}

pub(super) type Checked<'s> = Result<(), Stop<'s>>;

/// Which members or elements of a value some schema has spoken about.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) all: bool,
    marks: Vec<bool>,
}

impl<'s> Stop<'s> {
    /// The same, seen from one step further out.
    pub(super) fn below(mut self, step: Step<'s>) -> Self {
        self.path.push(step);
        self
    }

    pub(super) fn into_misfit(self) -> Misfit {
        let steps: Vec<Cow<'s, str>> = self
            .path
            .into_iter()
            .rev()
            .map(|step| match step {
                Step::Declared(name) => Cow::Borrowed(name),
                Step::Index(index) => Cow::Owned(index.to_string()),
                Step::Undeclared => Cow::Borrowed("*"),
            })
            .collect();
        Misfit::new(self.why, pointer(steps.iter().map(AsRef::as_ref)), self.member)
    }
}

impl From<Why> for Stop<'_> {
    fn from(why: Why) -> Self {
        Self { why, path: Vec::new(), member: None }
    }
}

impl Seen {
    pub(super) fn mark(&mut self, index: usize) {
        if self.marks.len() <= index {
            self.marks.resize(index + 1, false);
        }
        if let Some(mark) = self.marks.get_mut(index) {
            *mark = true;
        }
    }

    pub(super) fn has(&self, index: usize) -> bool {
        self.all || self.marks.get(index).copied().unwrap_or(false)
    }

    pub(super) fn join(&mut self, other: Self) {
        self.all |= other.all;
        for (index, _) in other.marks.iter().enumerate().filter(|(_, mark)| **mark) {
            self.mark(index);
        }
    }
}

/// Of several alternatives that all failed, the misfit that says most: the one alternative of the right type, or all
/// the types there are.
pub(super) fn nearest(misfits: Vec<Stop<'_>>, why: Why) -> Stop<'_> {
    let mut types = Types::default();
    let mut nearest = None;
    for misfit in misfits {
        if let Why::Type(own) = misfit.why
            && misfit.path.is_empty()
        {
            types = types.with(own);
        } else if nearest.replace(misfit).is_some() {
            return why.into();
        }
    }
    nearest.unwrap_or_else(|| if types.is_empty() { why.into() } else { Why::Type(types).into() })
}

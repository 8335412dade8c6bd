//! What the name of a value says of it.

use super::Inspector;
use crate::Genre;
use crate::attack::Input;
use crate::personal::Field;
use crate::secrets::may_name;

/// What a name says: asked once, where many values have the same.
#[derive(Clone, Copy, Default)]
pub(super) struct Called {
    /// What kind of value it is, where it is an argument.
    pub(super) input: Option<Input>,
    /// It may be secret for its name alone.
    pub(super) secret: bool,
    /// What is personal in it.
    pub(super) field: Field,
}

impl Called {
    pub(super) fn new(inspector: &Inspector, genre: Genre, name: &str) -> Self {
        if name.is_empty() {
            return Self::nothing(genre);
        }
        let input = (genre == Genre::Arguments).then(|| Input::infer(name, None));
        Self { input, secret: may_name(name), field: inspector.personal.field(name) }
    }

    /// No more than any other name does, unless there is a number in the value.
    pub(super) fn is_nothing(self) -> bool {
        self.input.is_none() && !self.secret && !self.field.is_of_words()
    }

    /// Of what has no name, or is one itself.
    pub(super) fn nothing(genre: Genre) -> Self {
        Self { input: (genre == Genre::Arguments).then_some(Input::Prose), ..Self::default() }
    }
}

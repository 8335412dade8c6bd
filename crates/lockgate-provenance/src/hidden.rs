//! Characters that a person who reads a text does not see, or that move what is seen.

pub(crate) use lockgate_model::letter::{hidden_in, is_hidden};

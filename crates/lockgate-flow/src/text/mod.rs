//! Forms of text in which values are compared: what was said and what is used rarely agree byte for byte.

mod date;
mod decode;
mod escape;
mod fold;
mod kind;
mod letters;
mod mask;
mod number;
mod runs;

pub(crate) use date::{Dates, Day};
pub(crate) use decode::decode;
pub(crate) use fold::{bare, fold_wide, plain, skeleton, visible};
pub(crate) use letters::{is_letter, letters};
pub(crate) use mask::{BLOCK, block, mask};
pub(crate) use number::{canonical, grouped, numbers};

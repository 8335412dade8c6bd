//! What texts say that gives orders to a model: phrases as data, and one engine that reads them.
//!
//! [`Listener`] reads every word and is for short texts, such as definitions; `gate` finds the few passages of a long one that
//! are worth that.

mod chunk;
mod decode;
mod gate;
mod marker;
mod phrase;
mod read;
mod rule;
mod terms;
mod text;

pub use read::{is_double, reading, words};
pub use rule::{Force, Rule, all};
pub use text::{Found, Listener, Nobody, Others};

pub(crate) use decode::{base64, decoded};
pub(crate) use gate::{Gate, Ring};
pub(crate) use marker::mark_at;
pub(crate) use rule::{named, rules};
pub(crate) use terms::{TermReader, Terms};
pub(crate) use text::marked;

use phrase::Reader;

/// What the words of a parameter's name say.
pub struct Names(Reader<'static>);

impl Default for Names {
    fn default() -> Self {
        Self(rules().parameters.reader())
    }
}

impl Names {
    /// The rules that the name matches, in order.
    pub fn judge(&mut self, name: &str, found: &mut dyn FnMut(&'static Rule)) {
        for word in words(&reading(name)) {
            self.0.word(&word, 0..name.len(), &mut |rule, _| {
                rules().list.get(rule).into_iter().for_each(&mut *found);
            });
        }
        self.0.stop();
    }
}

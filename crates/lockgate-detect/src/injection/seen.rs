//! What is come to in an object, read once for whoever judges it.

use std::borrow::Cow;

use lockgate_model::{Json, Kind, Visit};

/// One of the things in an object, in the order of [`Json::walk`].
pub(super) enum Seen<'j, 't> {
    /// An object or an array begins.
    Enter(Kind),
    /// It ends.
    Leave,
    /// The name of a member: its value comes next.
    Name(Cow<'j, str>),
    /// A text.
    Text(&'t str),
    /// Another value.
    Other,
}

impl<'j> Seen<'j, '_> {
    /// Everything in an object.
    pub(super) fn each(object: Json<'j>, mut see: impl FnMut(Seen<'j, '_>)) {
        object.walk(&mut |seen| {
            match seen {
                Visit::Enter(inside) => see(Seen::Enter(inside.kind())),
                Visit::Leave => see(Seen::Leave),
                Visit::Name(name) => see(Seen::Name(name.text())),
                Visit::Value(value) => match value.text() {
                    Some(text) => see(Seen::Text(&text)),
                    None => see(Seen::Other),
                },
            }
            true
        });
    }
}

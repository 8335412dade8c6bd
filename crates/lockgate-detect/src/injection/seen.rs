//! What is come to in an object, read once for whoever judges it.

use std::borrow::Cow;

use lockgate_model::{Json, Kind, Visit};

/// One of the things in an object, in the order of [`Json::walk`].
pub(super) enum Seen<'j> {
    /// An object or an array begins.
    Enter(Kind),
    /// It ends.
    Leave,
    /// The name of a member: its value comes next.
    Name(Cow<'j, str>),
    /// A text.
    Text(Cow<'j, str>),
    /// Another value.
    Other,
}

impl<'j> Seen<'j> {
    /// Everything in an object.
    pub(super) fn each(object: Json<'j>, mut see: impl FnMut(Self)) {
        object.walk(&mut |seen| {
            see(match seen {
                Visit::Enter(inside) => Self::Enter(inside.kind()),
                Visit::Leave => Self::Leave,
                Visit::Name(name) => Self::Name(name.text()),
                Visit::Value(value) => value.text().map_or(Self::Other, Self::Text),
            });
            true
        });
    }
}

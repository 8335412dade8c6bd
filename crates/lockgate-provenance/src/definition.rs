use std::borrow::Cow;

use lockgate_model::Json;

pub use lockgate_model::DefinitionKind as Kind;

use crate::canonical::text;
use crate::digest::Digest;
use crate::value::{Value, composed};

/// Which definition of a server it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// What it is of.
    pub kind: Kind,
    /// A tool's or a prompt's `name`, a resource's `uri`, a template's `uriTemplate`; empty where a server has only one.
    /// In Unicode normal form C. The server's text.
    pub name: String,
}

impl Name {
    /// A name as a server gives it.
    pub fn new(kind: Kind, name: &str) -> Self {
        Self { kind, name: composed(Cow::Borrowed(name)).into_owned() }
    }

    /// The name that a definition gives itself. `None` where it has none.
    pub fn of(kind: Kind, definition: Json<'_>) -> Option<Self> {
        match kind.key() {
            Some(key) => Some(Self::new(kind, &definition.get(key)?.text()?)),
            None => Some(Self::new(kind, "")),
        }
    }
}

/// What of a definition is pinned, in canonical form: all of it, except what changes by itself: of a resource `size` and
/// `annotations.lastModified`, of an identity `version`, which is pinned with the program itself.
pub fn pinned(kind: Kind, definition: Json<'_>) -> String {
    text(&read(kind, definition))
}

/// The digest of [`pinned`].
pub fn digest(kind: Kind, definition: Json<'_>) -> Digest {
    Digest::of_canonical(&pinned(kind, definition))
}

/// The digest of a definition without its name, by which one is known that was renamed. `None` where the kind has no
/// names.
pub fn nameless(kind: Kind, definition: Json<'_>) -> Option<Digest> {
    let mut value = read(kind, definition);
    value.remove(kind.key()?);
    Some(Digest::of_canonical(&text(&value)))
}

/// What of a definition is pinned.
pub(crate) fn read(kind: Kind, definition: Json<'_>) -> Value<'_> {
    let mut value = Value::read(definition);
    if kind == Kind::Resource {
        value.remove("size");
        value.change("annotations", |annotations| annotations.remove("lastModified"));
    }
    if kind == Kind::Identity {
        value.remove("version");
    }
    value
}

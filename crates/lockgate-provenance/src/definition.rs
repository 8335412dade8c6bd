use std::borrow::Cow;

use lockgate_model::Json;

use crate::canonical::text;
use crate::digest::Digest;
use crate::value::{Value, composed};

/// What a definition is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An entry of `tools/list`.
    Tool,
    /// An entry of `prompts/list`.
    Prompt,
    /// An entry of `resources/list`.
    Resource,
    /// An entry of `resources/templates/list`.
    Template,
    /// The server's `instructions`: a JSON string, or null where it gives none.
    Instructions,
    /// The server's `serverInfo`.
    Identity,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Tool, Self::Prompt, Self::Resource, Self::Template, Self::Instructions, Self::Identity];

    /// The word used in the lock file, in the store and for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::Template => "template",
            Self::Instructions => "instructions",
            Self::Identity => "identity",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The member of the definition that names it. None where a server has only one.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::Tool | Self::Prompt => Some("name"),
            Self::Resource => Some("uri"),
            Self::Template => Some("uriTemplate"),
            Self::Instructions | Self::Identity => None,
        }
    }
}

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

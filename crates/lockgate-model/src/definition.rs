/// What a server defines: of what a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefinitionKind {
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

impl DefinitionKind {
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

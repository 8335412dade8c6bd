//! What every finder says: which rule, where, and how bad.

use std::ops::Range;

/// What sort of text is looked at. What is ordinary in one is suspicious in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Genre {
    /// What a server says of itself and of what it offers: descriptions, schemas, instructions.
    Definition,
    /// What a server returns, and everything else that it says.
    Result,
    /// What an agent sends to a tool.
    Arguments,
    /// What a user writes, or a server proposes as a prompt.
    Prompt,
}

impl Genre {
    /// Every genre.
    pub const ALL: [Self; 4] = [Self::Definition, Self::Result, Self::Arguments, Self::Prompt];

    /// The word for it, as `lockgate inspect` reads it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Definition => "tool_description",
            Self::Result => "tool_result",
            Self::Arguments => "tool_args",
            Self::Prompt => "prompt",
        }
    }
}

/// How bad a text is. Ordered: of two findings the worse counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing stands against it.
    #[default]
    None,
    /// A person should look at it; it may well be harmless.
    Review,
    /// It must not pass.
    Block,
}

impl Level {
    /// The word used in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threat {
    /// Something that people do not see and models read.
    Hidden,
    /// An order to a model, seen or hidden.
    Injection,
    /// An attack on what is behind a tool.
    Attack,
    /// Something that a program should not do.
    Code,
}

/// One finding in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot<'d> {
    /// The rule, as `conceals_from_user`.
    pub rule: &'d str,
    /// What it is about.
    pub threat: Threat,
    /// The bytes of the text that it is about; it begins and ends between characters. Empty where it is about all of it.
    pub span: Range<usize>,
    /// How bad it is.
    pub level: Level,
}

//! What the parts of a definition are for, which says what a change of them means.

use super::code::Code;
use crate::definition::Kind;

/// What a value is for.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// A whole definition.
    Whole(Kind),
    /// What arguments, or one of them, must be. Without it, anything.
    Schema,
    /// Schemas by the names of parameters.
    Parameters,
    /// Schemas by names that other schemas refer to.
    Schemas,
    /// A schema of several that are allowed.
    Alternatives,
    /// A schema of several that all hold.
    Together,
    /// Names of parameters that must be given.
    Required,
    /// Values that are allowed.
    Values,
    /// Types that are allowed.
    Types,
    /// The largest number of something.
    Most,
    /// The smallest number of something.
    Least,
    /// Any other limit.
    Constraint,
    /// The only value that is allowed.
    Constant,
    /// What a server says of its tool's dangers.
    Hints,
    /// One of them, with what is assumed without it.
    Hint(bool),
    /// A prompt's arguments.
    Arguments,
    /// One of them.
    Argument,
    /// Must the prompt's argument be given?
    Needed,
    /// A title.
    Title,
    /// Where something is shown or explained.
    Address,
    /// Pictures.
    Icons,
    /// Every change inside means the same.
    Other(Code),
}

impl Meaning {
    /// What a member of such a value is for.
    pub(super) fn of(self, name: &str) -> Self {
        match self {
            Self::Whole(kind) => of_definition(kind, name),
            Self::Schema => of_schema(name),
            Self::Parameters | Self::Schemas => Self::Schema,
            Self::Hints => of_hints(name),
            Self::Argument => match name {
                "required" => Self::Needed,
                "title" => Self::Title,
                "description" => Self::Other(Code::TextChanged),
                _ => Self::Other(Code::Changed),
            },
            Self::Other(_) => self,
            Self::Alternatives
            | Self::Together
            | Self::Required
            | Self::Values
            | Self::Types
            | Self::Most
            | Self::Least
            | Self::Constraint
            | Self::Constant
            | Self::Hint(_)
            | Self::Arguments
            | Self::Needed
            | Self::Title
            | Self::Address
            | Self::Icons => Self::Other(Code::Changed),
        }
    }
}

fn of_definition(kind: Kind, name: &str) -> Meaning {
    if kind.key() == Some(name) {
        return Meaning::Other(Code::Renamed);
    }
    match (kind, name) {
        (_, "title") => Meaning::Title,
        (_, "description") => Meaning::Other(Code::TextChanged),
        (_, "icons") => Meaning::Icons,
        (_, "_meta") => Meaning::Other(Code::MetaChanged),
        (Kind::Tool, "inputSchema") => Meaning::Schema,
        (Kind::Tool, "outputSchema") => Meaning::Other(Code::OutputChanged),
        (Kind::Tool, "annotations") => Meaning::Hints,
        (Kind::Tool, "execution") => Meaning::Other(Code::ExecutionChanged),
        (Kind::Prompt, "arguments") => Meaning::Arguments,
        (Kind::Identity, "name") => Meaning::Other(Code::IdentityChanged),
        (Kind::Identity, "websiteUrl") => Meaning::Address,
        _ => Meaning::Other(Code::Changed),
    }
}

fn of_schema(name: &str) -> Meaning {
    match name {
        "properties" | "patternProperties" => Meaning::Parameters,
        "$defs" | "definitions" | "dependentSchemas" => Meaning::Schemas,
        "items"
        | "propertyNames"
        | "additionalProperties"
        | "unevaluatedProperties"
        | "additionalItems"
        | "unevaluatedItems" => Meaning::Schema,
        "anyOf" | "oneOf" => Meaning::Alternatives,
        "allOf" | "prefixItems" => Meaning::Together,
        "required" => Meaning::Required,
        "enum" => Meaning::Values,
        "type" => Meaning::Types,
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => {
            Meaning::Most
        }
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => {
            Meaning::Least
        }
        "pattern" | "format" | "multipleOf" | "uniqueItems" | "contentEncoding" | "contentMediaType"
        | "contentSchema" | "contains" | "not" | "if" | "then" | "else" | "dependentRequired"
        | "dependencies" => Meaning::Constraint,
        "const" => Meaning::Constant,
        "default" => Meaning::Other(Code::DefaultChanged),
        "examples" | "example" => Meaning::Other(Code::ExamplesChanged),
        "title" => Meaning::Title,
        "description" | "$comment" => Meaning::Other(Code::TextChanged),
        "$ref" | "$dynamicRef" | "$recursiveRef" | "$id" | "$anchor" | "$dynamicAnchor" => {
            Meaning::Other(Code::ReferenceChanged)
        }
        "x-mcp-header" => Meaning::Other(Code::HeaderChanged),
        _ => Meaning::Other(Code::Changed),
    }
}

/// The defaults are those of `ToolAnnotations` in the specification.
fn of_hints(name: &str) -> Meaning {
    match name {
        "readOnlyHint" | "idempotentHint" => Meaning::Hint(false),
        "destructiveHint" | "openWorldHint" => Meaning::Hint(true),
        "title" => Meaning::Title,
        _ => Meaning::Other(Code::Changed),
    }
}

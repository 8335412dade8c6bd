use std::fmt;

use lockgate_model::Untrusted;

use super::node::Types;

/// Longest pointer that is shown. Characters.
const LONGEST_POINTER: usize = 256;

/// Why a value does not fit its schema, and where.
///
/// `Display` is one sentence in our own words: no value of the call and no text of the server is in it. Names of
/// properties come from the server's schema and are handed out apart, marked as untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    why: Why,
    place: Untrusted<String>,
    member: Option<Untrusted<String>>,
}

/// The keyword that failed, with what its sentence needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Type(Types),
    NotAnObject,
    Undeclared,
    Required,
    Nothing,
    Const,
    Enum,
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
    MultipleOf,
    MinLength,
    MaxLength,
    Pattern,
    MinItems,
    MaxItems,
    UniqueItems,
    Items,
    MinContains,
    MaxContains,
    UnevaluatedItems,
    MinProperties,
    MaxProperties,
    PropertyNames,
    AdditionalProperties,
    UnevaluatedProperties,
    DependentRequired,
    AnyOf,
    OneOfNone,
    OneOfSeveral,
    Not,
    /// A pattern that cannot be matched.
    UnknownPattern,
    /// A number that cannot be computed with.
    UnknownNumber,
    /// Too much work, or schemas that lead into each other without end.
    Endless,
}

impl Misfit {
    pub(super) fn new(why: Why, place: String, member: Option<&str>) -> Self {
        Self { why, place: Untrusted::new(place), member: member.map(|name| Untrusted::new(name.to_owned())) }
    }

    /// JSON Pointer to the value that does not fit, empty for the whole. At most 256 characters; past them it ends in
    /// `…`. A name that the schema does not declare is written `*`: the caller chose it.
    pub fn place(&self) -> &Untrusted<String> {
        &self.place
    }

    /// The declared property that is missing there, if that is why.
    pub fn missing(&self) -> Option<&Untrusted<String>> {
        self.member.as_ref()
    }

    /// Could the value not be judged, rather than judged unfit? It is refused all the same.
    pub fn is_undecided(&self) -> bool {
        self.why.is_undecided()
    }

    /// The keyword of JSON Schema that failed. For an argument that is refused because the schema does not declare
    /// it: `additionalProperties`. For a value that
    /// may not be there at all: `false`. For a check that was given up: `$ref`.
    pub fn keyword(&self) -> &'static str {
        self.why.parts().0
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Why::Type(types) = self.why
            && !types.is_empty()
        {
            f.write_str("must be of type ")?;
            for (index, name) in types.names().enumerate() {
                if index > 0 {
                    f.write_str(" or ")?;
                }
                f.write_str(name)?;
            }
            return Ok(());
        }
        f.write_str(self.why.parts().1)
    }
}

impl std::error::Error for Misfit {}

impl Why {
    pub(super) fn is_undecided(self) -> bool {
        matches!(self, Self::UnknownPattern | Self::UnknownNumber | Self::Endless)
    }

    /// The keyword and the sentence.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Type(_) => ("type", "is of a type that is not declared"),
            Self::NotAnObject => ("type", "must be of type object"),
            Self::Undeclared => ("additionalProperties", "has an argument that the tool does not declare"),
            Self::Required => ("required", "lacks a required property"),
            Self::Nothing => ("false", "must not be there"),
            Self::Const => ("const", "must be the declared constant"),
            Self::Enum => ("enum", "must be one of the declared values"),
            Self::Minimum => ("minimum", "is below the declared minimum"),
            Self::Maximum => ("maximum", "is above the declared maximum"),
            Self::ExclusiveMinimum => ("exclusiveMinimum", "is not above the declared bound"),
            Self::ExclusiveMaximum => ("exclusiveMaximum", "is not below the declared bound"),
            Self::MultipleOf => ("multipleOf", "is not a multiple of the declared number"),
            Self::MinLength => ("minLength", "is shorter than declared"),
            Self::MaxLength => ("maxLength", "is longer than declared"),
            Self::Pattern => ("pattern", "does not match the declared pattern"),
            Self::MinItems => ("minItems", "has fewer elements than declared"),
            Self::MaxItems => ("maxItems", "has more elements than declared"),
            Self::UniqueItems => ("uniqueItems", "has an element twice"),
            Self::Items => ("items", "has an element that is not declared"),
            Self::MinContains => ("contains", "has too few elements of the declared kind"),
            Self::MaxContains => ("maxContains", "has too many elements of the declared kind"),
            Self::UnevaluatedItems => ("unevaluatedItems", "has an element that is not declared"),
            Self::MinProperties => ("minProperties", "has fewer properties than declared"),
            Self::MaxProperties => ("maxProperties", "has more properties than declared"),
            Self::PropertyNames => ("propertyNames", "has a property whose name is not allowed"),
            Self::AdditionalProperties => ("additionalProperties", "has a property that is not declared"),
            Self::UnevaluatedProperties => ("unevaluatedProperties", "has a property that is not declared"),
            Self::DependentRequired => ("dependentRequired", "lacks a property that another one requires"),
            Self::AnyOf => ("anyOf", "fits none of the declared alternatives"),
            Self::OneOfNone => ("oneOf", "fits none of the declared alternatives"),
            Self::OneOfSeveral => ("oneOf", "fits more than one of the declared alternatives"),
            Self::Not => ("not", "fits what is excluded"),
            Self::UnknownPattern => ("pattern", "cannot be checked against the declared pattern"),
            Self::UnknownNumber => ("type", "has a number too large or too small to compute with"),
            Self::Endless => ("$ref", "cannot be checked: the schema takes too many steps"),
        }
    }
}

/// Writes a JSON Pointer of limited length.
pub(super) fn pointer<'a>(steps: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    let mut count = 0;
    for step in steps {
        let escaped = step.chars().flat_map(|c| match c {
            '~' => ['~', '0'].into_iter().take(2),
            '/' => ['~', '1'].into_iter().take(2),
            c => [c, c].into_iter().take(1),
        });
        for c in std::iter::once('/').chain(escaped) {
            count += 1;
            if count == LONGEST_POINTER {
                out.push('…');
                return out;
            }
            out.push(c);
        }
    }
    out
}

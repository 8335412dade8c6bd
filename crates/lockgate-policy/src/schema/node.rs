use std::collections::BTreeMap;

use lockgate_model::Kind;

use super::value::Value;
use crate::number::Number;

/// Which of a schema's nodes. Nodes refer to each other by number, so that a schema may contain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(pub(super) usize);

/// Which of a schema's patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PatternId(pub(super) usize);

/// One schema: the whole, or one inside it.
pub(super) enum Node {
    /// `true`, or no keyword that asserts.
    Anything,
    /// `false`
    Nothing,
    Rules(Box<Rules>),
}

/// What one schema asserts. Absent keywords are empty.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) types: Option<Types>,
    pub(super) constant: Option<Value<'static>>,
    /// Sorted.
    pub(super) choices: Option<Vec<Value<'static>>>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) text: Option<Box<TextRules>>,
    pub(super) array: Option<Box<ArrayRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
    pub(super) applied: Option<Box<Applied>>,
    pub(super) unevaluated_items: Option<NodeId>,
    pub(super) unevaluated_properties: Option<NodeId>,
}

#[derive(Default)]
pub(super) struct NumberRules {
    pub(super) minimum: Option<Number<'static>>,
    pub(super) maximum: Option<Number<'static>>,
    pub(super) exclusive_minimum: Option<Number<'static>>,
    pub(super) exclusive_maximum: Option<Number<'static>>,
    pub(super) multiple_of: Option<Number<'static>>,
}

/// Lengths count characters.
#[derive(Default)]
pub(super) struct TextRules {
    pub(super) length: Range,
    pub(super) pattern: Option<PatternId>,
}

#[derive(Default)]
pub(super) struct ArrayRules {
    pub(super) length: Range,
    pub(super) unique: bool,
    pub(super) first: Vec<NodeId>,
    pub(super) rest: Option<NodeId>,
    pub(super) contains: Option<Contains>,
}

pub(super) struct Contains {
    pub(super) node: NodeId,
    pub(super) count: Range,
    /// Since 2020-12 an element that `contains` found counts as evaluated.
    pub(super) marks: bool,
}

#[derive(Default)]
pub(super) struct ObjectRules {
    pub(super) count: Range,
    pub(super) properties: BTreeMap<Box<str>, NodeId>,
    /// Sorted.
    pub(super) required: Vec<Box<str>>,
    pub(super) patterns: Vec<(PatternId, NodeId)>,
    pub(super) additional: Option<NodeId>,
    pub(super) names: Option<NodeId>,
    /// If the first is there, all the others must be.
    pub(super) dependent_required: Vec<(Box<str>, Vec<Box<str>>)>,
    pub(super) dependent_schemas: Vec<(Box<str>, NodeId)>,
}

/// Schemas that apply to the same value.
#[derive(Default)]
pub(super) struct Applied {
    pub(super) reference: Option<NodeId>,
    pub(super) dynamic_reference: Option<NodeId>,
    pub(super) all: Vec<NodeId>,
    pub(super) any: Option<Vec<NodeId>>,
    pub(super) one: Option<Vec<NodeId>>,
    pub(super) not: Option<NodeId>,
    pub(super) condition: Option<Condition>,
}

pub(super) struct Condition {
    pub(super) test: NodeId,
    pub(super) then: Option<NodeId>,
    pub(super) otherwise: Option<NodeId>,
}

/// A count from `least` to `most`, both allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Range {
    pub(super) const ANY: Self = Self { least: 0, most: usize::MAX };
}

impl Default for Range {
    fn default() -> Self {
        Self::ANY
    }
}

/// A set of the seven types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    /// The names, as JSON Schema has them.
    const NAMES: [&'static str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];
    const INTEGER: u8 = 1 << 4;

    /// Adds one by its name; false if there is no such type.
    pub(super) fn add(&mut self, name: &str) -> bool {
        let found = Self::NAMES.iter().position(|known| *known == name);
        self.0 |= found.map_or(0, |bit| 1 << bit);
        found.is_some()
    }

    /// Is a value of that sort in it? An integer may need a look at the number.
    pub(super) fn has(self, kind: Kind, is_integer: impl FnOnce() -> bool) -> bool {
        let bit = match kind {
            Kind::Object => 0,
            Kind::Array => 1,
            Kind::String => 2,
            Kind::Number => 3,
            Kind::Bool => 5,
            Kind::Null => 6,
        };
        self.0 & (1 << bit) != 0 || (kind == Kind::Number && self.0 & Self::INTEGER != 0 && is_integer())
    }

    /// None of them?
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Their names.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| name)
    }
}

use std::collections::BTreeMap;

use lockgate_model::{Json, Kind};

use super::number::{Decimal, read};

/// A value the operator wrote, to compare arguments with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(Decimal),
    /// A text.
    Text(String),
    /// A list, in this order.
    Array(Vec<Value>),
    /// Members in any order.
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// What sort of value it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::String,
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
        }
    }

    /// Are they the same value? Nothing where a number is beyond the limits of [`Decimal`].
    pub(super) fn equals(&self, json: Json<'_>) -> Option<bool> {
        match self {
            Self::Null => Some(json.kind() == Kind::Null),
            Self::Bool(value) => Some(json.bool() == Some(*value)),
            Self::Number(value) => match json.kind() {
                Kind::Number => Some(read(json.raw())? == *value.number()),
                Kind::Object | Kind::Array | Kind::String | Kind::Bool | Kind::Null => Some(false),
            },
            Self::Text(value) => Some(json.text().is_some_and(|text| text == value.as_str())),
            Self::Array(values) => {
                if json.kind() != Kind::Array || json.elements().count() != values.len() {
                    return Some(false);
                }
                all(values.iter().zip(json.elements()).map(|(value, element)| value.equals(element)))
            }
            Self::Object(values) => {
                // No key comes twice in checked JSON: equal counts and every member found make equal sets.
                if json.kind() != Kind::Object || json.members().count() != values.len() {
                    return Some(false);
                }
                all(json.members().map(|(key, member)| match values.get(key.text().as_ref()) {
                    Some(value) => value.equals(member),
                    None => Some(false),
                }))
            }
        }
    }
}

/// One difference is enough, wherever it stands; without one, one doubt is.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => result = None,
        }
    }
    result
}

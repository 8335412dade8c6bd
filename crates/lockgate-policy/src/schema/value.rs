use std::borrow::Cow;
use std::collections::BTreeMap;

use lockgate_model::{Json, Kind};

use super::decimal::Decimal;

/// A JSON value that can be compared: numbers by value, objects without regard to order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Decimal<'a>),
    Text(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    Object(BTreeMap<Cow<'a, str>, Value<'a>>),
}

impl<'a> Value<'a> {
    /// Reads a value; none where a number in it cannot be computed with.
    pub(super) fn read(json: Json<'a>) -> Option<Self> {
        Some(match json.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(json.bool()?),
            Kind::Number => Self::Number(Decimal::parse(json.raw())?),
            Kind::String => Self::Text(json.text()?),
            Kind::Array => Self::Array(json.elements().map(Value::read).collect::<Option<_>>()?),
            Kind::Object => Self::Object(
                json.members()
                    .map(|(key, value)| Some((key.text(), Value::read(value)?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }

    /// The same value, kept for longer than its text.
    pub(super) fn into_owned(self) -> Value<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number.into_owned()),
            Self::Text(text) => Value::Text(owned(text)),
            Self::Array(list) => Value::Array(list.into_iter().map(Value::into_owned).collect()),
            Self::Object(map) => {
                Value::Object(map.into_iter().map(|(key, value)| (owned(key), value.into_owned())).collect())
            }
        }
    }
}

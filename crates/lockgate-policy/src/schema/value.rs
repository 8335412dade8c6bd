use std::borrow::Cow;
use std::collections::BTreeMap;

use lockgate_model::{Json, Kind};

use crate::number::{Bounds, Number};

/// Beyond these, numbers are not computed with.
const BOUNDS: Bounds = Bounds { bytes: usize::MAX, exponent: 1 << 40 };

/// A JSON value that can be compared: numbers by value, objects without regard to order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
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
            Kind::Number => Self::Number(number(json)?),
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

/// The number that a value is; none where it cannot be computed with.
pub(super) fn number(json: Json<'_>) -> Option<Number<'_>> {
    Number::read(json.raw(), BOUNDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_up_on_absurd_exponents() {
        for (text, is) in [
            ("1e-1099511627776", true),
            ("1e-1099511627777", false),
            ("1e-9999999999999999", false),
            ("1e-99999999999999999999", false),
        ] {
            assert_eq!(number(Json::check(text.as_bytes(), 1).unwrap()).is_some(), is, "{text}");
        }
    }
}

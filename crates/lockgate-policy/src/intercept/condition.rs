//! Conditions with the exact verdicts of the original.

use std::borrow::Cow;

use lockgate_model::{Json, Kind};
use regex::Regex;

use super::counters::{Key, Window};
use super::value::{Value, number_of, show_float, show_json};
use super::{Amount, re2};

/// `path op value`
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) subject: Subject,
    pub(super) test: Test,
}

/// What a condition looks at.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// An argument: the names on the way, objects only.
    Argument(Vec<String>),
    /// A counter of this policy, and its window.
    Counter(Key, Window),
}

/// What it wants to see.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Equal(Expected),
    Different(Expected),
    OneOf(Vec<Expected>),
    NoneOf(Vec<Expected>),
    Compare(Comparison, Value),
    /// Without a regex it never holds.
    Matches(String, Option<Regex>),
    Contains(Expected),
    /// Without a wish it never holds.
    Exists(Option<bool>),
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// A value to compare with, in the two ways it is compared.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) value: Value,
    pub(super) number: Option<f64>,
    pub(super) shown: String,
}

/// What was found at the path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Actual<'a> {
    Argument(Json<'a>),
    Count(Amount),
}

/// What came of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Holds,
    Fails,
    /// There is nothing to look at, or nothing this operator can look at. Where a condition must hold it fails; where
    /// it leads to a refusal or a question it counts as met.
    Unclear,
}

impl Test {
    /// Reads operator and value. What is wrong with them goes to `wrong`; the test then has the verdicts that the
    /// original has without its validation.
    pub(super) fn read(op: &str, value: Value, wrong: &mut Vec<String>) -> Self {
        let comparison = match op {
            "eq" => return Self::Equal(Expected::new(value)),
            "neq" => return Self::Different(Expected::new(value)),
            "contains" => return Self::Contains(Expected::new(value)),
            "in" | "not_in" => {
                let list = if let Value::List(items) = value {
                    items.into_iter().map(Expected::new).collect()
                } else {
                    wrong.push(format!("operator {op:?} requires a list value"));
                    Vec::new()
                };
                return if op == "in" { Self::OneOf(list) } else { Self::NoneOf(list) };
            }
            "exists" => {
                if let Value::Bool(wish) = value {
                    return Self::Exists(Some(wish));
                }
                wrong.push(format!("operator {op:?} requires a boolean value"));
                return Self::Exists(None);
            }
            "regex" => return Self::pattern(value, wrong),
            "lt" => Comparison::Below,
            "lte" => Comparison::AtMost,
            "gt" => Comparison::Above,
            "gte" => Comparison::AtLeast,
            _ => {
                wrong.push(format!("unknown operator {op:?}"));
                return Self::Never;
            }
        };
        // The original takes `.nan` and then never lets it pass: a rule that cannot take effect.
        if value.number().is_none_or(f64::is_nan) {
            wrong.push(format!("operator {op:?} requires a numeric value"));
        }
        Self::Compare(comparison, value)
    }

    fn pattern(value: Value, wrong: &mut Vec<String>) -> Self {
        let Value::Text(pattern) = value else {
            wrong.push("regex value must be a string".to_owned());
            return Self::Matches(String::new(), None);
        };
        let regex = match re2::compile(&pattern) {
            Ok(regex) => Some(regex),
            Err(error) => {
                wrong.push(format!("invalid regex {pattern:?}: error parsing regexp: {error}"));
                None
            }
        };
        Self::Matches(pattern, regex)
    }

    /// Does it hold for what was found? `None` is an absent argument.
    pub(super) fn check(&self, actual: Option<Actual<'_>>) -> Outcome {
        if let Self::Exists(wish) = self {
            let present = actual.is_some_and(|actual| !actual.is_null());
            return Outcome::from(*wish == Some(present));
        }
        let Some(actual) = actual else { return Outcome::Unclear };
        match self {
            Self::Equal(expected) => Outcome::from(expected.equals(actual)),
            Self::Different(expected) => Outcome::from(!expected.equals(actual)),
            Self::OneOf(list) => Outcome::from(list.iter().any(|expected| expected.equals(actual))),
            Self::NoneOf(list) => Outcome::from(!list.iter().any(|expected| expected.equals(actual))),
            Self::Compare(comparison, value) => match (actual.number(), value.number()) {
                (Some(actual), Some(value)) => Outcome::from(comparison.holds(actual, value)),
                _ => Outcome::Unclear,
            },
            Self::Matches(_, regex) => match (actual.text(), regex) {
                (Some(text), Some(regex)) => Outcome::from(regex.is_match(&text)),
                _ => Outcome::Unclear,
            },
            Self::Contains(expected) => match (actual, actual.text()) {
                (_, Some(text)) => {
                    let Value::Text(part) = &expected.value else { return Outcome::Unclear };
                    Outcome::from(text.contains(part.as_str()))
                }
                (Actual::Argument(json), None) if json.kind() == Kind::Array => {
                    Outcome::from(json.elements().any(|item| expected.equals(Actual::Argument(item))))
                }
                _ => Outcome::Unclear,
            },
            Self::Exists(_) | Self::Never => Outcome::Unclear,
        }
    }
}

impl Comparison {
    fn holds(self, actual: f64, value: f64) -> bool {
        match self {
            Self::Below => actual < value,
            Self::AtMost => actual <= value,
            Self::Above => actual > value,
            Self::AtLeast => actual >= value,
        }
    }
}

impl Expected {
    fn new(value: Value) -> Self {
        Self { number: value.number(), shown: value.shown(), value }
    }

    /// Two numbers are compared as numbers, everything else as Go writes it: `"5"` equals 5.
    #[expect(clippy::float_cmp, reason = "the original compares exactly")]
    fn equals(&self, actual: Actual<'_>) -> bool {
        match (actual.number(), self.number) {
            (Some(actual), Some(number)) => actual == number,
            _ => actual.shown() == self.shown,
        }
    }
}

impl<'a> Actual<'a> {
    fn is_null(self) -> bool {
        matches!(self, Self::Argument(json) if json.kind() == Kind::Null)
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::Argument(json) => number_of(json),
            Self::Count(amount) => Some(amount.to_float()),
        }
    }

    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Argument(json) => json.text(),
            Self::Count(_) => None,
        }
    }

    fn shown(self) -> Cow<'a, str> {
        match self {
            Self::Argument(json) => json.text().unwrap_or_else(|| show_json(json).into()),
            Self::Count(amount) => amount.to_string().into(),
        }
    }
}

impl From<bool> for Outcome {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

/// The argument at that path.
pub(super) fn argument<'a>(arguments: Option<Json<'a>>, path: &[String]) -> Option<Json<'a>> {
    path.iter().try_fold(arguments?, |json, name| json.get(name))
}

/// The path as it is written in the file.
pub(super) fn argument_path(path: &[String]) -> String {
    format!("args.{}", path.join("."))
}

impl Value {
    /// As a limit: `None` where it is no number that can be counted to.
    pub(super) fn amount(&self) -> Option<Amount> {
        match self {
            Self::Int(int) => Some(Amount::whole(*int)),
            Self::Float(float) => Amount::from_float(*float),
            Self::Null
            | Self::Bool(_)
            | Self::Unsigned(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::List(_)
            | Self::Map(_) => None,
        }
    }

    /// As JSON, which is YAML too. A float that JSON cannot write becomes the text that Go shows.
    pub(super) fn json(&self) -> String {
        use lockgate_model::quote;
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(bool) => bool.to_string(),
            Self::Int(int) => int.to_string(),
            Self::Unsigned(int) => int.to_string(),
            Self::Float(float) if float.is_finite() => float.to_string(),
            Self::Float(float) => quote(&show_float(*float)),
            Self::Text(text) | Self::Time(text) => quote(text),
            Self::List(items) => format!("[{}]", items.iter().map(Self::json).collect::<Vec<_>>().join(", ")),
            Self::Map(members) => {
                let members: Vec<_> =
                    members.iter().map(|(key, value)| format!("{}: {}", quote(key), value.json())).collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }
}

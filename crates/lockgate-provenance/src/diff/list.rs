//! Lists, each compared as what it is: a set of names, of values, of types, of schemas or of pictures.

use std::collections::{BTreeMap, BTreeSet};

use super::code::Code;
use super::compare::Comparison;
use super::meaning::Meaning;
use crate::canonical::text;
use crate::value::Value;

impl Comparison {
    pub(super) fn required(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        self.set([Code::NewlyRequired, Code::NoLongerRequired], old, new);
    }

    /// Values that are allowed; without a list, all are.
    pub(super) fn values(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        if old.is_some() && new.is_some() {
            self.set([Code::WiderValues, Code::NarrowerValues], old, new);
        } else {
            self.either([Code::NarrowerValues, Code::WiderValues, Code::Changed], old, new);
        }
    }

    /// A list as a set: what is new and what is gone is noted one by one. What is missing is as good as empty.
    fn set(&mut self, [added, removed]: [Code; 2], old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let (Some(before), Some(after)) = (list(old), list(new)) else {
            return self.note(Code::ConstraintChanged, old, new);
        };
        let (gone, come) = differences(before, after);
        for value in &gone {
            self.note(removed, Some(value), None);
        }
        for value in &come {
            self.note(added, None, Some(value));
        }
        if gone.is_empty() && come.is_empty() {
            self.note(Code::OrderChanged, old, new);
        }
    }

    pub(super) fn types(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let code = match (old.map(types), new.map(types)) {
            (Some(old), Some(new)) if old == new => Code::OrderChanged,
            (Some(old), Some(new)) if old.is_subset(&new) => Code::WiderType,
            (Some(old), Some(new)) if new.is_subset(&old) => Code::NarrowerType,
            (Some(_), Some(_)) => Code::TypeChanged,
            (_, None) => Code::WiderType,
            (None, _) => Code::NarrowerType,
        };
        self.note(code, old, new);
    }

    /// Schemas of which one or all must hold. Where as many are new as are gone, they are taken for the same ones,
    /// changed.
    pub(super) fn schemas(
        &mut self,
        [added, removed]: [Code; 2],
        old: Option<&Value<'_>>,
        new: Option<&Value<'_>>,
    ) {
        let (Some(Value::List(before)), Some(Value::List(after))) = (old, new) else {
            return self.either(
                [Code::ConstraintTightened, Code::ConstraintDropped, Code::ConstraintChanged],
                old,
                new,
            );
        };
        let (gone, come) = differences(before, after);
        let place = |list: &[Value<'_>], value: &Value<'_>| {
            list.iter().position(|other| std::ptr::eq(other, value)).unwrap_or_default().to_string()
        };
        if gone.len() == come.len() {
            for (was, is) in gone.iter().zip(&come) {
                self.at(&place(after, is), |inner| inner.compare(Meaning::Schema, Some(was), Some(is)));
            }
        } else {
            for value in &gone {
                self.at(&place(before, value), |inner| inner.note(removed, Some(value), None));
            }
            for value in &come {
                self.at(&place(after, value), |inner| inner.note(added, None, Some(value)));
            }
        }
        if gone.is_empty() && come.is_empty() {
            self.note(Code::OrderChanged, old, new);
        }
    }

    /// A prompt's arguments, by their names.
    pub(super) fn arguments(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let (Some(before), Some(after)) = (named(old), named(new)) else {
            return self.note(Code::Changed, old, new);
        };
        let mut noted = false;
        for (name, (index, was)) in &before {
            let is = after.get(name).map(|(_, is)| *is);
            noted |= is != Some(was);
            let index = after.get(name).map_or(index, |(index, _)| index);
            self.at(&index.to_string(), |inner| match is {
                Some(is) => inner.compare(Meaning::Argument, Some(was), Some(is)),
                None => inner.note(Code::ParameterRemoved, Some(was), None),
            });
        }
        for (index, is) in after.iter().filter(|(name, _)| !before.contains_key(*name)).map(|(_, new)| new) {
            noted = true;
            self.at(&index.to_string(), |inner| inner.note(Code::ParameterAdded, None, Some(is)));
        }
        if !noted {
            self.note(Code::OrderChanged, old, new);
        }
    }

    pub(super) fn icons(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let code = match (list(old), list(new)) {
            (Some(before), Some(after)) => {
                let hosts =
                    |icons: &[Value<'_>]| icons.iter().map(|icon| icon.get("src").and_then(host)).collect();
                let (old, new): (BTreeSet<_>, BTreeSet<_>) = (hosts(before), hosts(after));
                let (gone, come) = differences(before, after);
                if !new.is_subset(&old) {
                    Code::HostChanged
                } else if gone.is_empty() && come.is_empty() {
                    Code::OrderChanged
                } else {
                    Code::IconsChanged
                }
            }
            _ => Code::HostChanged,
        };
        self.note(code, old, new);
    }

    pub(super) fn address(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let same = new.is_none() || old.and_then(host) == new.and_then(host) && new.and_then(host).is_some();
        self.note(if same { Code::Changed } else { Code::HostChanged }, old, new);
    }
}

/// Scheme and host of an address. None where it is no text.
fn host(address: &Value<'_>) -> Option<String> {
    let Value::Text(address) = address else { return None };
    let (scheme, rest) = address.split_once(':').unwrap_or_default();
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '\\', '?', '#']).next());
    Some(format!("{scheme}:{}", authority.unwrap_or_default()).to_lowercase())
}

/// What is in one list and not in the other, in their orders: first what is gone, then what is new.
fn differences<'v, 'a>(
    old: &'v [Value<'a>],
    new: &'v [Value<'a>],
) -> (Vec<&'v Value<'a>>, Vec<&'v Value<'a>>) {
    let without = |some: &'v [Value<'a>], other: &[Value<'_>]| {
        let known: BTreeSet<String> = other.iter().map(text).collect();
        some.iter().filter(|value| !known.contains(&text(value))).collect()
    };
    (without(old, new), without(new, old))
}

/// The elements; none where nothing is there. `None` where it is no list.
fn list<'v, 'a>(value: Option<&'v Value<'a>>) -> Option<&'v [Value<'a>]> {
    match value {
        None => Some(&[]),
        Some(Value::List(list)) => Some(list),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Table(_)) => None,
    }
}

/// The elements by their `name`, with their places. `None` where one has no name, or two have the same.
fn named<'v, 'a>(value: Option<&'v Value<'a>>) -> Option<BTreeMap<&'v str, (usize, &'v Value<'a>)>> {
    let list = list(value)?;
    let mut named = BTreeMap::new();
    for (index, value) in list.iter().enumerate() {
        let Value::Text(name) = value.get("name")? else { return None };
        named.insert(&**name, (index, value));
    }
    (named.len() == list.len()).then_some(named)
}

/// The types that are allowed. Every integer is a number.
fn types(value: &Value<'_>) -> BTreeSet<String> {
    let mut types: BTreeSet<String> = match list(Some(value)) {
        Some(list) => list.iter().map(text).collect(),
        None => BTreeSet::from([text(value)]),
    };
    if types.contains("\"number\"") {
        types.insert("\"integer\"".to_owned());
    }
    types
}

use std::borrow::Cow;
use std::cmp::Ordering;

use icu_normalizer::ComposingNormalizerBorrowed;
use lockgate_model::{Json, Kind, Visit};

/// A JSON value as it means, not as it is written: numbers as everybody reads them, texts in Unicode's composed form, and
/// members in the order of RFC 8785.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// Never infinite: what was read was checked.
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Table(Vec<Member<'a>>),
}

/// A name and what it stands for.
pub(crate) type Member<'a> = (Cow<'a, str>, Value<'a>);

impl<'a> Value<'a> {
    /// Reads each byte once. A value is as deep as the document was allowed to be.
    pub(crate) fn read(json: Json<'a>) -> Self {
        Self::read_with(json, true)
    }

    /// The same with all texts and names as they came: not composed.
    pub(crate) fn read_exactly(json: Json<'a>) -> Self {
        Self::read_with(json, false)
    }

    fn read_with(json: Json<'a>, composes: bool) -> Self {
        let mut open: Vec<Open<'a>> = Vec::new();
        let mut whole = Self::Null;
        json.walk(&mut |visit| {
            let done = match visit {
                Visit::Enter(inside) => {
                    let table = inside.kind() == Kind::Object;
                    let value = if table { Self::Table(Vec::new()) } else { Self::List(Vec::new()) };
                    open.push(Open { value, name: Cow::Borrowed("") });
                    return true;
                }
                Visit::Name(key) => {
                    if let Some(table) = open.last_mut() {
                        table.name = key.text();
                    }
                    return true;
                }
                Visit::Leave => open.pop().map_or(Self::Null, |open| open.value.ordered(composes)),
                Visit::Value(value) => Self::scalar(value, composes),
            };
            match open.last_mut() {
                Some(Open { value: Self::List(list), .. }) => list.push(done),
                Some(Open { value: Self::Table(table), name }) => table.push((std::mem::take(name), done)),
                _ => whole = done,
            }
            true
        });
        whole
    }

    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Table(members) = self else { return None };
        members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Takes out the member of that name.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Self::Table(members) = self {
            members.retain(|(key, _)| key != name);
        }
    }

    /// Changes the member of that name.
    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut Self)) {
        if let Self::Table(members) = self
            && let Some((_, value)) = members.iter_mut().find(|(key, _)| key == name)
        {
            change(value);
        }
    }

    fn scalar(json: Json<'a>, composes: bool) -> Self {
        match json.kind() {
            Kind::Bool => Self::Bool(json.raw() == b"true"),
            Kind::String if composes => Self::Text(composed(json.text().unwrap_or_default())),
            Kind::String => Self::Text(json.text().unwrap_or_default()),
            Kind::Number => {
                let text = json.written();
                Self::Number(text.parse().unwrap_or_default())
            }
            Kind::Null | Kind::Object | Kind::Array => Self::Null,
        }
    }

    /// With the names of members in order, and composed where that is wanted.
    fn ordered(mut self, composes: bool) -> Self {
        if let Self::Table(members) = &mut self {
            if composes {
                compose_names(members);
            }
            if !members.is_sorted_by(|(a, _), (b, _)| by_units(a, b) != Ordering::Greater) {
                members.sort_by(|(a, _), (b, _)| by_units(a, b));
            }
        }
        self
    }
}

struct Open<'a> {
    value: Value<'a>,
    /// Of the member that comes next.
    name: Cow<'a, str>,
}

/// Composes the names of an object. Where two would then be one, all stay as they came, so that nothing gets lost.
fn compose_names(members: &mut [Member<'_>]) {
    if members.iter().all(|(name, _)| name.is_ascii()) {
        return;
    }
    let names: Vec<String> =
        members.iter().map(|(name, _)| composed(Cow::Borrowed(name)).into_owned()).collect();
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    if distinct.len() == names.len() {
        for ((name, _), composed) in members.iter_mut().zip(names) {
            *name = Cow::Owned(composed);
        }
    }
}

/// Unicode normal form C.
pub(crate) fn composed(text: Cow<'_, str>) -> Cow<'_, str> {
    let normalizer = ComposingNormalizerBorrowed::new_nfc();
    if text.is_ascii() || normalizer.is_normalized(&text) {
        return text;
    }
    Cow::Owned(normalizer.normalize(&text).into_owned())
}

/// Compares by UTF-16 units, RFC 8785 section 3.2.3.
pub(crate) fn by_units(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

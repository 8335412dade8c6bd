//! The single values of a JSON document, with the names they stand under.

use std::borrow::Cow;

use lockgate_model::{Json, Kind};

/// How deep JSON within a text is looked into.
const DEPTH: usize = 32;

/// One string or number.
pub(crate) struct Leaf<'p, 'j> {
    /// The members and elements it stands in, outermost first.
    pub(crate) path: &'p [Step<'j>],
    pub(crate) text: Cow<'j, str>,
    /// Is it a string? Else a number.
    pub(crate) is_text: bool,
}

/// A step into a document.
#[derive(Clone, Debug)]
pub(crate) enum Step<'j> {
    Member(Cow<'j, str>),
    Element(usize),
}

impl Leaf<'_, '_> {
    /// The nearest name it stands under.
    pub(crate) fn name(&self) -> &str {
        self.path.iter().rev().find_map(Step::member).unwrap_or_default()
    }

    /// The outermost name it stands under.
    pub(crate) fn outermost(&self) -> &str {
        self.path.iter().find_map(Step::member).unwrap_or_default()
    }

    /// Where it stands, as a JSON pointer (RFC 6901). Names that are not plain words are shown as `*`, for they may be
    /// somebody's text.
    pub(crate) fn pointer(&self) -> String {
        let plain = |name: &str| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        self.path.iter().fold(String::new(), |pointer, step| match step {
            Step::Member(name) if plain(name) => pointer + "/" + name,
            Step::Member(_) => pointer + "/*",
            Step::Element(at) => format!("{pointer}/{at}"),
        })
    }
}

impl Step<'_> {
    fn member(&self) -> Option<&str> {
        match self {
            Self::Member(name) => Some(name),
            Self::Element(_) => None,
        }
    }
}

/// Visits every string and number, in order. Depth is that of the accepted document, which is bounded.
pub(crate) fn leaves<'j>(json: Json<'j>, visit: &mut dyn FnMut(&Leaf<'_, 'j>)) {
    walk(json, &mut Vec::new(), visit);
}

/// Visits the names of all members, in order.
pub(crate) fn names<'j>(json: Json<'j>, visit: &mut dyn FnMut(&str)) {
    for (name, value) in json.members() {
        visit(&name.text());
        names(value, visit);
    }
    json.elements().for_each(|element| names(element, visit));
}

/// What a text says that may be JSON itself: its names and values, each on a line, without escapes.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    let written = text.contains('\\') && text.trim_start().starts_with(['{', '[', '"']);
    let Some(json) = written.then(|| Json::check(text.trim().as_bytes(), DEPTH).ok()).flatten() else {
        return Cow::Borrowed(text);
    };
    let mut said = String::new();
    names(json, &mut |name| said.extend([name, "\n"]));
    leaves(json, &mut |leaf| said.extend([leaf.text.as_ref(), "\n"]));
    Cow::Owned(said)
}

fn walk<'j>(json: Json<'j>, path: &mut Vec<Step<'j>>, visit: &mut dyn FnMut(&Leaf<'_, 'j>)) {
    match json.kind() {
        Kind::Object => {
            for (name, value) in json.members() {
                path.push(Step::Member(name.text()));
                walk(value, path, visit);
                path.pop();
            }
        }
        Kind::Array => {
            for (at, value) in json.elements().enumerate() {
                path.push(Step::Element(at));
                walk(value, path, visit);
                path.pop();
            }
        }
        Kind::String => {
            let text = json.text().unwrap_or_default();
            visit(&Leaf { path, text, is_text: true });
        }
        Kind::Number => {
            let text = String::from_utf8_lossy(json.raw());
            visit(&Leaf { path, text, is_text: false });
        }
        Kind::Bool | Kind::Null => {}
    }
}

/// Visits the text of every string and number of a document, in order.
pub fn for_each_text(json: Json<'_>, visit: &mut dyn FnMut(&str)) {
    leaves(json, &mut |leaf| visit(&leaf.text));
}

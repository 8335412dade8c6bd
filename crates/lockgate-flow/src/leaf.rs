//! The single values of a JSON document, with the names they stand under.

use std::borrow::Cow;

use lockgate_model::{Json, Kind, Texts, Visit};

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
    leaves_with(json, Texts::none(), visit);
}

/// The same of a document some of whose texts are known.
pub(crate) fn leaves_with<'j>(json: Json<'j>, texts: &'j Texts<'j>, visit: &mut dyn FnMut(&Leaf<'_, 'j>)) {
    let mut path: Vec<Step<'j>> = Vec::new();
    texts.walk(json, &mut |seen| {
        if matches!(seen, Visit::Enter(_) | Visit::Value(_))
            && let Some(Step::Element(at)) = path.last_mut()
        {
            *at = at.wrapping_add(1);
        }
        match seen {
            Visit::Enter(inside) if inside.kind() == Kind::Object => {
                path.push(Step::Member(Cow::Borrowed("")));
            }
            Visit::Enter(_) => path.push(Step::Element(usize::MAX)),
            Visit::Leave => drop(path.pop()),
            Visit::Name(name) => {
                if let Some(step) = path.last_mut() {
                    *step = Step::Member(name.text());
                }
            }
            Visit::Value(value) => match value.kind() {
                Kind::String => {
                    let text = texts.text(value).unwrap_or_default();
                    visit(&Leaf { path: &path, text, is_text: true });
                }
                Kind::Number => {
                    let text = value.written().into();
                    visit(&Leaf { path: &path, text, is_text: false });
                }
                Kind::Object | Kind::Array | Kind::Bool | Kind::Null => {}
            },
        }
        true
    });
}

/// Visits the names of all members, in order.
pub(crate) fn names<'j>(json: Json<'j>, visit: &mut dyn FnMut(&str)) {
    json.walk(&mut |seen| {
        if let Visit::Name(name) = seen {
            visit(&name.text());
        }
        true
    });
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

/// Visits the text of every string and number of a document, in order.
pub fn for_each_text(json: Json<'_>, visit: &mut dyn FnMut(&str)) {
    leaves(json, &mut |leaf| visit(&leaf.text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_stand_where_they_stand() {
        let text =
            r#" {"a":1,"b":{"c":["x",[2,"y"],{},{"d":"z"},null]},"e":true,"f":[],"g":{"h":"w"},"i j":"v"} "#;
        let json = Json::check(text.as_bytes(), 16).unwrap();
        let mut found = Vec::new();
        leaves(json, &mut |leaf| found.push(format!("{} {} {}", leaf.pointer(), leaf.text, leaf.name())));
        assert_eq!(
            found,
            ["/a 1 a", "/b/c/0 x c", "/b/c/1/0 2 c", "/b/c/1/1 y c", "/b/c/3/d z d", "/g/h w h", "/* v i j"]
        );
        let mut all = Vec::new();
        names(json, &mut |name| all.push(name.to_owned()));
        assert_eq!(all, ["a", "b", "c", "d", "e", "f", "g", "h", "i j"]);
        let mut alone = Vec::new();
        leaves(Json::check(b"\"s\"", 1).unwrap(), &mut |leaf| alone.push(leaf.text.clone().into_owned()));
        assert_eq!(alone, ["s"]);
    }
}

//! A strict JSON scanner and a borrowed view of what it accepted.
//!
//! The scanner goes over the text once and refuses whatever two readers could read differently: duplicate keys, lone
//! surrogates, text that is not UTF-8, over-deep nesting. The view then walks the accepted text without checking again.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use crate::Reason;

mod eight;
mod scanner;
mod texts;
mod unescape;

use eight::quote_or_escape;
pub(crate) use scanner::{Keys, Scanner, same_folded};
pub use texts::Texts;
use unescape::decode;

/// One value of an accepted document: the text it came as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

/// What sort of value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Json({:?}, {} bytes)", self.kind(), self.0.len())
    }
}

impl<'a> Json<'a> {
    /// Checks a whole document strictly. `depth` is the deepest nesting allowed.
    pub fn check(bytes: &'a [u8], depth: usize) -> Result<Self, Reason> {
        Self::locate(bytes, depth).map_err(|(reason, _)| reason)
    }

    /// The same, for a file that people mend: also says at which byte the fault was noticed.
    pub fn locate(bytes: &'a [u8], depth: usize) -> Result<Self, (Reason, usize)> {
        let mut scanner = Scanner::new(bytes, depth).map_err(|reason| (reason, 0))?;
        scanner.space();
        let value = scanner.value(1).and_then(|value| scanner.end().map(|()| value));
        value.map_err(|reason| (reason, scanner.at()))
    }

    /// Where it lies in the message that it was read from; none where it is not part of it.
    pub fn place_in(self, message: &[u8]) -> Option<Range<usize>> {
        crate::splice::place(message, self.raw())
    }

    /// The bytes as they came.
    pub fn raw(self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// The same, as text: a string with its quotes and escapes, a number with its digits.
    pub fn written(self) -> &'a str {
        self.0
    }

    /// What sort of value it is.
    pub fn kind(self) -> Kind {
        match self.raw().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The members of an object, in order; nothing for another value.
    pub fn members(self) -> Members<'a> {
        Members { text: if self.kind() == Kind::Object { self.0 } else { "" }, at: 1 }
    }

    /// The elements of an array, in order; nothing for another value.
    pub fn elements(self) -> Elements<'a> {
        Elements { text: if self.kind() == Kind::Array { self.0 } else { "" }, at: 1 }
    }

    /// Visits everything inside in order, however deep, and reads each byte once. Where `visit` gives false of an object or
    /// an array that begins, what is in it is passed over, and it is not left.
    pub fn walk(self, visit: &mut dyn FnMut(Visit<'a>) -> bool) {
        Texts::none().walk(self, visit);
    }

    /// The member of that name.
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        self.members().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    /// The text of a string.
    pub fn text(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| decode(self.0.get(1..self.0.len() - 1).unwrap_or_default()))
    }

    /// `true` or `false`.
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// An integer written in plain digits, as the code of an error.
    pub fn integer(self) -> Option<i64> {
        self.0.parse().ok().filter(|_| self.kind() == Kind::Number)
    }

    /// A non-negative integer written in plain digits.
    pub fn unsigned(self) -> Option<u64> {
        self.0.parse().ok().filter(|_| self.kind() == Kind::Number)
    }
}

/// What [`Json::walk`] comes to.
#[derive(Clone, Copy)]
pub enum Visit<'a> {
    /// An object or an array begins.
    Enter(Inside<'a>),
    /// It ends.
    Leave,
    /// The name of a member of the innermost object; its value comes next.
    Name(Key<'a>),
    /// A string, a number, a truth value or null.
    Value(Json<'a>),
}

/// An object or an array that [`Json::walk`] comes to, not yet read.
#[derive(Clone, Copy)]
pub struct Inside<'a>(&'a str);

impl<'a> Inside<'a> {
    /// [`Kind::Object`] or [`Kind::Array`].
    pub fn kind(self) -> Kind {
        Json(self.0).kind()
    }

    /// All of it, which is to read it to its end.
    pub fn whole(self) -> Json<'a> {
        Json(self.0.get(..skip_value(self.0.as_bytes(), 0)).unwrap_or_default())
    }
}

/// A member's name.
#[derive(Clone, Copy)]
pub struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// The name, unescaped.
    pub fn text(self) -> Cow<'a, str> {
        decode(self.0)
    }

    /// The bytes between the quotes, as they came.
    pub(crate) fn raw(self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// The bytes of a name that is ASCII without escapes, as nearly all are.
    fn plain(self) -> Option<&'a [u8]> {
        self.raw().iter().all(|b| b.is_ascii() && *b != b'\\').then_some(self.raw())
    }

    /// Is it that name?
    pub fn is(self, name: &str) -> bool {
        let escaped = || self.0.contains('\\');
        // An escape is longer than what it stands for.
        match self.0.len().cmp(&name.len()) {
            Ordering::Less => false,
            Ordering::Equal => self.0 == name && !escaped(),
            Ordering::Greater => escaped() && self.text() == name,
        }
    }
}

/// See [`Json::members`].
pub struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = member(self.text.as_bytes(), self.at)?;
        self.at = value.end;
        Some((Key(self.text.get(name)?), Json(self.text.get(value)?)))
    }
}

/// See [`Json::elements`].
pub struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let start = skip_filler(bytes, self.at);
        if matches!(bytes.get(start), None | Some(b']')) {
            return None;
        }
        self.at = skip_value(bytes, start);
        self.text.get(start..self.at).map(Json)
    }
}

/// What the members of that name have in an object that was not checked: on any bytes, and may be nonsense.
pub(crate) fn unchecked<'a>(object: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let first = if object.first() == Some(&b'{') { member(object, 1) } else { None };
    let members = std::iter::successors(first, |(_, value)| member(object, value.end));
    let bytes = |place: Range<usize>| object.get(place).unwrap_or_default();
    let is_it = |key: &[u8]| std::str::from_utf8(key).is_ok_and(|key| Key(key).is(name));
    members.filter(move |(key, _)| is_it(bytes(key.clone()))).map(move |(_, value)| bytes(value))
}

/// The members of an object, remembered as it was checked: to look one up is not to read the object again.
#[derive(Clone, Default)]
pub struct Fields<'a> {
    members: Vec<(Key<'a>, Json<'a>)>,
    texts: Texts<'a>,
}

impl<'a> Fields<'a> {
    pub(crate) fn push(&mut self, key: Key<'a>, value: Json<'a>) {
        self.members.push((key, value));
    }

    /// The same, with what is remembered of the texts inside.
    pub(crate) fn with(self, texts: Texts<'a>) -> Self {
        Self { texts, ..self }
    }

    /// The long texts anywhere inside.
    pub fn texts(&self) -> &Texts<'a> {
        &self.texts
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<Json<'a>> {
        self.members.iter().find(|(key, _)| key.is(name)).map(|(_, value)| *value)
    }
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fields({})", self.members.len())
    }
}

/// Writes a string as JSON, with quotes.
pub fn quote(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\u{7f}' || matches!(c, '\u{2028}' | '\u{2029}') => {
                let written = write!(out, "\\u{:04x}", u32::from(c));
                debug_assert!(written.is_ok(), "writing to a String does not fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Where the name and the value are of the member that stands there, if there is one.
fn member(bytes: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>)> {
    let name = skip_filler(bytes, at);
    if bytes.get(name) != Some(&b'"') {
        return None;
    }
    let end = skip_string(bytes, name);
    let value = skip_filler(bytes, end);
    (end > name + 1).then(|| (name + 1..end - 1, value..skip_value(bytes, value)))
}

fn skip_filler(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
        at += 1;
    }
    at
}

/// From an opening quote to just past the closing one.
fn skip_string(bytes: &[u8], at: usize) -> usize {
    let mut from = at + 1;
    loop {
        let Some(found) = bytes.get(from..).and_then(quote_or_escape) else {
            return bytes.len();
        };
        if bytes.get(from + found) == Some(&b'"') {
            return from + found + 1;
        }
        from += found + 2;
    }
}

fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => {
            let mut depth = 0_usize;
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => {
                        at = skip_string(bytes, at);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return at + 1;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            at
        }
        _ => {
            while !matches!(bytes.get(at), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')) {
                at += 1;
            }
            at
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) -> Result<(), Reason> {
        Json::check(text.as_bytes(), 8).map(drop)
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for (text, reason) in [
            (r#"{"a":1,"a":2}"#, Reason::DuplicateKey),
            (r#"{"a":1,"\u0061":2}"#, Reason::DuplicateKey),
            (r#"{"x":{"a":1,"b":[],"a":2}}"#, Reason::DuplicateKey),
            (r#""\ud800""#, Reason::LoneSurrogate),
            (r#""\udc00""#, Reason::LoneSurrogate),
            (r#""\ud800\u0041""#, Reason::LoneSurrogate),
            ("1 2", Reason::TrailingBytes),
            ("[[[[[[[[[1]]]]]]]]]", Reason::TooDeep),
            ("01", Reason::TrailingBytes),
            ("1.", Reason::NotJson),
            ("+1", Reason::NotJson),
            ("NaN", Reason::NotJson),
            ("[1,]", Reason::NotJson),
            (r#"{"a":1,}"#, Reason::NotJson),
            ("\"a\nb\"", Reason::NotJson),
            ("'a'", Reason::NotJson),
            ("1e309", Reason::NumberOutOfRange),
            ("-1E+999999999999", Reason::NumberOutOfRange),
            ("", Reason::NotJson),
            ("\u{feff}1", Reason::ByteOrderMark),
        ] {
            assert_eq!(check(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn walks_what_it_accepted() {
        let text = br#" {"a" : [1, {"b":"x\"y"} ,"\ud83d\ude00"], "c":null} "#;
        let json = Json::check(text, 8).unwrap();
        let list: Vec<_> = json.get("a").unwrap().elements().collect();
        assert_eq!(list.len(), 3);
        assert_eq!(list[1].get("b").unwrap().text().unwrap(), "x\"y");
        assert_eq!(list[2].text().unwrap(), "😀");
        assert_eq!(json.get("c").unwrap().kind(), Kind::Null);
        assert!(json.get("d").is_none());
    }

    #[test]
    fn what_is_not_entered_is_passed_over() {
        let text = br#"{"a":{"b":["]}",{}]},"c":[1,[2]],"d":"e\\"}"#;
        let json = Json::check(text, 8).unwrap();
        let seen = |enters: &dyn Fn(Kind) -> bool| {
            let mut seen = String::new();
            json.walk(&mut |visit| {
                match visit {
                    Visit::Enter(inside) if seen.is_empty() => {
                        seen.push_str(&format!("{:?} ", inside.kind()));
                    }
                    Visit::Enter(inside) => {
                        seen.push_str(inside.whole().written());
                        return enters(inside.kind());
                    }
                    Visit::Leave => seen.push('<'),
                    Visit::Name(name) => seen.push_str(&format!(" {}:", name.text())),
                    Visit::Value(value) => seen.push_str(value.written()),
                }
                true
            });
            seen
        };
        assert_eq!(seen(&|_| false), r#"Object  a:{"b":["]}",{}]} c:[1,[2]] d:"e\\"<"#);
        assert_eq!(
            seen(&|kind| kind == Kind::Array),
            r#"Object  a:{"b":["]}",{}]} c:[1,[2]]1[2]2<< d:"e\\"<"#
        );
        assert_eq!(
            seen(&|kind| kind == Kind::Object),
            r#"Object  a:{"b":["]}",{}]} b:["]}",{}]< c:[1,[2]] d:"e\\"<"#
        );
    }

    proptest! {
        /// Whatever we accept, a second parser accepts and reads the same; whatever it refuses, we refuse.
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:\\ 0-9a-cu.eE+-]{0,24}"#) {
            let ours = check(&text).is_ok();
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            if ours { prop_assert!(theirs.is_ok()); }
            if theirs.is_err() { prop_assert!(!ours); }
        }

        #[test]
        fn quoted_text_reads_back(text in any::<String>()) {
            let quoted = quote(&text);
            let json = Json::check(quoted.as_bytes(), 4).unwrap();
            prop_assert_eq!(json.text().unwrap(), text.as_str());
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}

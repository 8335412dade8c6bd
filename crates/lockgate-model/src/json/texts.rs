//! Long texts that are written with escapes: found as a document is checked, and unescaped once, whoever reads them.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::{Inside, Json, Key, Visit, decode, skip_filler, skip_string, skip_value};

/// Shortest text that is remembered, in bytes with its quotes: what is remembered stays smaller than the document.
const LONG: usize = 256;

/// The long texts of one document that are written with escapes, in their order.
#[derive(Clone, Debug, Default)]
pub struct Texts<'a>(Vec<Escaped<'a>>);

#[derive(Clone)]
struct Escaped<'a> {
    /// With its quotes.
    raw: &'a str,
    plain: OnceLock<String>,
}

impl Texts<'static> {
    /// Nothing is remembered.
    pub fn none() -> &'static Self {
        static NONE: Texts<'static> = Texts(Vec::new());
        &NONE
    }
}

impl<'a> Texts<'a> {
    /// Remembers a string with escapes, where it is long; with its quotes, and behind all that are known.
    pub(super) fn push(&mut self, raw: &'a str) {
        if raw.len() >= LONG {
            self.0.push(Escaped { raw, plain: OnceLock::new() });
        }
    }

    /// The text of a string, as [`Json::text`] has it.
    pub fn text<'t>(&'t self, value: Json<'a>) -> Option<Cow<'t, str>> {
        let raw = value.written();
        let known = self.from(raw).first().filter(|known| std::ptr::eq(known.raw, raw));
        known.map_or_else(|| value.text(), |known| Some(Cow::Borrowed(known.text())))
    }

    /// Visits everything inside of a value in order, as [`Json::walk`] does; what is remembered is not read.
    pub fn walk(&self, json: Json<'a>, visit: &mut dyn FnMut(Visit<'a>) -> bool) {
        let (text, bytes) = (json.written(), json.raw());
        let mut known = self.from(text).iter().peekable();
        let mut objects = Vec::new();
        let (mut at, mut names) = (skip_filler(bytes, 0), false);
        while let Some(byte) = bytes.get(at) {
            let within = objects.last() == Some(&true);
            let end = match byte {
                b'{' | b'[' => {
                    if visit(Visit::Enter(Inside(text.get(at..).unwrap_or_default()))) {
                        names = *byte == b'{';
                        objects.push(names);
                        at + 1
                    } else {
                        names = true;
                        skip_value(bytes, at).max(at + 1)
                    }
                }
                b'}' | b']' => {
                    objects.pop();
                    names = true;
                    visit(Visit::Leave);
                    at + 1
                }
                b'"' if within && names => {
                    let end = skip_string(bytes, at);
                    names = false;
                    visit(Visit::Name(Key(text.get(at + 1..end - 1).unwrap_or_default())));
                    end
                }
                _ => {
                    let here = std::ptr::from_ref(byte);
                    while known.next_if(|known| known.raw.as_ptr() < here).is_some() {}
                    let long = known.next_if(|known| known.raw.as_ptr() == here);
                    let end =
                        long.map_or_else(|| skip_value(bytes, at).max(at + 1), |long| at + long.raw.len());
                    names = true;
                    visit(Visit::Value(Json(text.get(at..end).unwrap_or_default())));
                    end
                }
            };
            at = skip_filler(bytes, end);
        }
    }

    /// What is remembered from the beginning of this text on. Where two slices that live begin at one place, they are
    /// parts of one document.
    fn from(&self, place: &str) -> &[Escaped<'a>] {
        let before = self.0.partition_point(|text| text.raw.as_ptr() < place.as_ptr());
        self.0.get(before..).unwrap_or_default()
    }
}

impl Escaped<'_> {
    fn text(&self) -> &str {
        self.plain
            .get_or_init(|| decode(self.raw.get(1..self.raw.len() - 1).unwrap_or_default()).into_owned())
    }
}

impl std::fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Escaped({})", self.raw.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Scanner;

    /// What a walk comes to, in words.
    fn said(texts: &Texts<'_>, json: Json<'_>, passed: usize) -> Vec<String> {
        let (mut all, mut entered) = (Vec::new(), 0);
        texts.walk(json, &mut |seen| {
            all.push(match seen {
                Visit::Enter(inside) => format!("enter {:?}", inside.kind()),
                Visit::Leave => "leave".to_owned(),
                Visit::Name(key) => format!("name {}", key.text()),
                Visit::Value(value) => format!("{value:?} {:?}", texts.text(value)),
            });
            entered += usize::from(matches!(seen, Visit::Enter(_)));
            entered != passed
        });
        all
    }

    proptest! {
        #[test]
        fn what_is_remembered_changes_nothing(
            parts in prop::collection::vec((0..5_usize, 0..3_usize, 200..300_usize), 0..12),
            passed in 0..6_usize,
        ) {
            let mut text = "[".to_owned();
            for (shape, escape, length) in parts {
                let value = format!("\"{}{}\"", ["", "\\n", "\\u00e9\\\""][escape], "x".repeat(length));
                text += &match shape {
                    0 => format!("{value},"),
                    1 => format!("{{{value}:{value}}},"),
                    2 => format!("[{value},{value},1],"),
                    3 => format!("{{\"a\":{{\"b\":[{value}]}},\"c\":{value}}},"),
                    _ => "\"\\t\",".to_owned(),
                };
            }
            text += "true]";
            let mut scanner = Scanner::new(text.as_bytes(), 9).unwrap();
            let json = scanner.value(1).unwrap();
            let texts = scanner.texts();
            prop_assert!(texts.0.iter().map(|text| text.raw.len()).sum::<usize>() < text.len());
            prop_assert_eq!(said(&texts, json, passed), said(Texts::none(), json, passed));
            for element in json.elements() {
                prop_assert_eq!(said(&texts, element, 0), said(Texts::none(), element, 0));
            }
        }
    }
}

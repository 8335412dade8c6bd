//! One row of a file.

use std::borrow::Cow;

use lockgate_detect::Genre;
use lockgate_model::{Json, Kind, Untrusted};

/// Deepest nesting of a row.
const DEPTH: usize = 128;

/// Something to be looked at.
#[derive(Debug)]
pub(super) struct Row<'l> {
    /// A string or a number, as it came.
    pub(super) id: Json<'l>,
    pub(super) genre: Genre,
    pub(super) matter: Matter<'l>,
}

#[derive(Debug)]
pub(super) enum Matter<'l> {
    Text(Cow<'l, str>),
    Object(Json<'l>),
}

impl<'l> Row<'l> {
    /// Reads a line. Members that are not known are for others. What is wrong is said without repeating what the row is about.
    pub(super) fn read(line: &'l [u8]) -> Result<Self, String> {
        let row = Json::check(line, DEPTH).map_err(|reason| reason.meaning().to_owned())?;
        if row.kind() != Kind::Object {
            return Err("a row is an object".to_owned());
        }
        let missing = |name: &str| format!("`{name}` is missing");
        let id = row.get("id").ok_or_else(|| missing("id"))?;
        if !matches!(id.kind(), Kind::String | Kind::Number) {
            return Err("`id` is neither a string nor a number".to_owned());
        }
        let kind = row.get("kind").ok_or_else(|| missing("kind"))?;
        let genre = genre(&kind.text().ok_or("`kind` is not a string")?)?;
        let matter = match (row.get("text"), row.get("object")) {
            (Some(text), None) => Matter::Text(text.text().ok_or("`text` is not a string")?),
            (None, Some(object)) => Matter::Object(object),
            (Some(_), Some(_)) => return Err("there is both a `text` and an `object`".to_owned()),
            (None, None) => return Err("there is neither a `text` nor an `object`".to_owned()),
        };
        Ok(Self { id, genre, matter })
    }
}

/// What sort of text a word stands for.
pub(super) fn genre(word: &str) -> Result<Genre, String> {
    if word == "trace" {
        return Err("a `trace` is many texts of several kinds: give each a row of its own".to_owned());
    }
    Genre::ALL.into_iter().find(|genre| genre.word() == word).ok_or_else(|| {
        let words = Genre::ALL.map(Genre::word).join(", ");
        format!("`{}` is no kind: write one of {words}", Untrusted::new(word).escaped(40))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read() {
        let row = Row::read(br#"{"id":7,"kind":"tool_args","label":"x","object":{"a":[1]}}"#).unwrap();
        assert_eq!((row.id.raw(), row.genre), (&b"7"[..], Genre::Arguments));
        assert!(matches!(row.matter, Matter::Object(object) if object.raw() == br#"{"a":[1]}"#));
        let row = Row::read(br#"{"kind":"prompt","text":"a\nb","id":"q"}"#).unwrap();
        assert!(matches!(row.matter, Matter::Text(text) if text == "a\nb"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, wrong) in [
            ("[]", "a row is an object"),
            ("{\"id\":1", "the message is not well-formed JSON"),
            (r#"{"kind":"prompt","text":""}"#, "`id` is missing"),
            (r#"{"id":{},"kind":"prompt","text":""}"#, "`id` is neither a string nor a number"),
            (r#"{"id":1,"text":""}"#, "`kind` is missing"),
            (r#"{"id":1,"kind":3,"text":""}"#, "`kind` is not a string"),
            (r#"{"id":1,"kind":"prompt","text":1}"#, "`text` is not a string"),
            (r#"{"id":1,"kind":"prompt"}"#, "there is neither a `text` nor an `object`"),
            (r#"{"id":1,"kind":"prompt","text":"","object":{}}"#, "there is both a `text` and an `object`"),
            (
                r#"{"id":1,"kind":"mail\u202e","text":""}"#,
                "`mail\\u{202e}` is no kind: write one of tool_description, tool_result, tool_args, prompt",
            ),
            (
                r#"{"id":1,"kind":"trace","object":{}}"#,
                "a `trace` is many texts of several kinds: give each a row of its own",
            ),
        ] {
            assert_eq!(Row::read(line.as_bytes()).unwrap_err(), wrong, "{line}");
        }
    }
}

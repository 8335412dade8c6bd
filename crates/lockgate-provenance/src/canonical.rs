use std::fmt::Write;

use lockgate_model::Json;

use crate::number;
use crate::value::Value;

/// A JSON value in the one way of writing it: RFC 8785, of texts and names in Unicode normal form C. Two values that mean
/// the same to every reader who takes numbers for doubles are written alike, and what is written reads back as itself.
/// Linear, but for sorting.
///
/// Where two names of one object differ only in their normal form, the names of that object stay as they are.
pub fn canonical(json: Json<'_>) -> String {
    text(&Value::read(json))
}

/// A JSON object in the form of RFC 8785, without the member of that name: what others can make with a library for it, and
/// compare. Texts and names stay as they came.
pub fn jcs_without(name: &str, object: Json<'_>) -> String {
    let mut value = Value::read_exactly(object);
    value.remove(name);
    text(&value)
}

/// A value in canonical form.
pub(crate) fn text(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// Appends a value in canonical form.
fn write(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => number::write(*number, out),
        Value::Text(text) => quote(text, out),
        Value::List(list) => {
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(value, out);
            }
            out.push(']');
        }
        Value::Table(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                quote(name, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// Appends a text with quotes and no more escapes than there must be, RFC 8785 section 3.2.2.2.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or_default();
        out.push_str(plain);
        let mut letters = special.chars();
        match letters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\r') => out.push_str("\\r"),
            other => {
                let written = write!(out, "\\u{:04x}", other.map_or(0, u32::from));
                debug_assert!(written.is_ok(), "writing to a String does not fail");
            }
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

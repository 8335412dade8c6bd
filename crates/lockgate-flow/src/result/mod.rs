//! What a server returned, taken apart: short values that stand alone in a structured field, and prose.
//!
//! The difference is who shaped it. A scalar in a field of its own was put there by the server's program; in prose anybody
//! who could write to the server may have put anything anywhere.

mod lines;
mod literal;

use lockgate_model::{Json, Kind, Texts};

use crate::leaf::{Leaf, Step, leaves_with};
use crate::list::lists;

/// Longest record in characters; anything longer is prose.
const LONGEST: usize = 120;
/// Most words of a record.
const WORDS: usize = 8;
/// How often text inside a string is read as a document of its own.
const NESTED: u8 = 3;
/// Deepest nesting of JSON inside a string.
const DEPTH: usize = 64;

/// Last words of fields that hold what people write, however short it is.
const PROSE: &str = "\
    body content contents text message messages description comment comments snippet excerpt html markdown \
    summary abstract note notes bio about review reviews reply caption";

/// One piece of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// A short value alone in a structured field.
    Record(&'t str),
    /// Anything else: it may hold instructions.
    Prose(&'t str),
    /// What the server says of itself, in every result of the stateless era. Where there is a handshake it says so there, and
    /// like any definition it taints nothing.
    About(&'t str),
}

/// Names with their values, and names alone.
type Found = Vec<(String, Option<String>)>;

/// Takes apart whatever a server says: a result, an error, the parameters of a notification. `document`: it is what a tool
/// like `read_file` or `fetch` returns, whose form is somebody's text whatever it looks like. O(length).
pub(crate) fn pieces<'s>(
    said: Json<'s>,
    texts: &'s Texts<'s>,
    document: bool,
    piece: &mut dyn FnMut(Piece<'_>),
) {
    leaves_with(said, texts, &mut |leaf| {
        let outermost = leaf.outermost();
        let structured = outermost == "structuredContent";
        let own = leaf.path.len() == 3 && outermost == "content" && leaf.name() == "text";
        if is_data(leaf) {
            return;
        }
        if is_about(leaf) {
            return piece(Piece::About(&leaf.text));
        }
        if document || !(structured || own) {
            piece(Piece::Prose(&leaf.text));
        } else if structured {
            scalar(leaf.name(), &leaf.text, 0, piece);
        } else {
            text(&leaf.text, 0, piece);
        }
    });
}

/// Takes apart a text that somebody sends, in the same way: its values where it is a document, and all of it where it is none.
pub(crate) fn taken_apart(whole: &str, part: &mut dyn FnMut(&str)) {
    text(whole, 0, &mut |piece| {
        let (Piece::Record(value) | Piece::Prose(value) | Piece::About(value)) = piece;
        part(value);
    });
}

/// Bytes of a picture or a sound, and the words of the protocol itself.
fn is_data(leaf: &Leaf<'_, '_>) -> bool {
    match leaf.name() {
        "data" | "blob" => matches!(leaf.outermost(), "content" | "contents"),
        "type" | "resultType" | "mimeType" => leaf.text.len() <= 64,
        _ => false,
    }
}

/// The name, the version and so on of the server.
fn is_about(leaf: &Leaf<'_, '_>) -> bool {
    let member = |at: usize, name: &str| matches!(leaf.path.get(at), Some(Step::Member(own)) if own == name);
    member(0, "_meta") && member(1, "io.modelcontextprotocol/serverInfo")
}

/// A text that may be a document: JSON, a literal of Python, or lines of names and values.
fn text(whole: &str, nested: u8, piece: &mut dyn FnMut(Piece<'_>)) {
    if is_figure(whole) {
        return piece(Piece::Record(whole.trim()));
    }
    let first = whole.trim_start().bytes().next();
    let read = match first {
        _ if nested >= NESTED => false,
        Some(b'{' | b'[') => json(whole, nested, piece) || said(literal::read(whole), nested, piece),
        Some(_) => said(lines::read(whole), nested, piece),
        None => true,
    };
    if !read {
        piece(Piece::Prose(whole));
    }
}

/// Says what was found in a text, where it was of a form that is known.
fn said(found: Option<Found>, nested: u8, piece: &mut dyn FnMut(Piece<'_>)) -> bool {
    let known = found.is_some();
    for (name, value) in found.into_iter().flatten() {
        match value {
            Some(value) => scalar(&name, &value, nested, piece),
            None => key(&name, piece),
        }
    }
    known
}

fn json(whole: &str, nested: u8, piece: &mut dyn FnMut(Piece<'_>)) -> bool {
    let Ok(json) = Json::check(whole.trim().as_bytes(), DEPTH) else { return false };
    if !matches!(json.kind(), Kind::Object | Kind::Array) {
        return false;
    }
    walk(json, "", nested, piece);
    true
}

/// Visits names and values in order, so that what belongs together stays together.
fn walk(json: Json<'_>, name: &str, nested: u8, piece: &mut dyn FnMut(Piece<'_>)) {
    match json.kind() {
        Kind::Object => {
            for (name, value) in json.members() {
                let name = name.text();
                key(&name, piece);
                walk(value, &name, nested, piece);
            }
        }
        Kind::Array => json.elements().for_each(|element| walk(element, name, nested, piece)),
        Kind::String => scalar(name, &json.text().unwrap_or_default(), nested, piece),
        Kind::Number => scalar(name, json.written(), nested, piece),
        Kind::Bool | Kind::Null => {}
    }
}

/// Names that are no plain identifiers are text as well.
fn key(name: &str, piece: &mut dyn FnMut(Piece<'_>)) {
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        piece(if is_record(name) { Piece::Record(name) } else { Piece::Prose(name) });
    }
}

/// A value under a name.
fn scalar(name: &str, value: &str, nested: u8, piece: &mut dyn FnMut(Piece<'_>)) {
    if value.starts_with(['{', '[']) && value.len() > 2 && nested < NESTED {
        return text(value, nested + 1, piece);
    }
    if matches!(value, "" | "[]" | "{}") {
        return;
    }
    let last = crate::effect::words(name).pop().unwrap_or_default();
    let prose = lists(PROSE, &last);
    piece(if !prose && is_record(value) { Piece::Record(value) } else { Piece::Prose(value) });
}

/// A number, a date or a time, and nothing else: it orders nothing.
fn is_figure(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 40
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b" .,:+-/TZ%".contains(&b))
}

fn is_record(value: &str) -> bool {
    value.len() <= LONGEST * 4
        && !value.contains(['\n', '\r'])
        && value.chars().count() <= LONGEST
        && value.split_whitespace().count() <= WORDS
}

#[cfg(test)]
mod tests;

//! Can a page be parsed in linear time?
//!
//! The standard lets a parser copy elements for formatting into every paragraph, look through all open elements for each end
//! tag, and move what stands between the cells of a table. A page that makes use of that a lot is an attack, and none that
//! people read: here its tags are counted as if what is doubtful were always open.

use super::cut::RAW;
use crate::tags::{Manner, Piece, Tag, pieces};

/// Most elements in each other.
const DEPTH: usize = 128;
/// Most attributes of one element.
const ATTRIBUTES: usize = 128;
/// Most elements and texts in a table that are in no cell.
const BETWEEN: usize = 256;
/// How many bytes of formatting may be copied, at most: so many for each byte of the page, and some to begin with.
const COPIES: (usize, usize) = (8, 64 * 1024);
/// For each reference, as `&amp;`, our parser looks on to the end of the line: at most so many bytes in all, for each byte of
/// the page. Lines of up to ten thousand bytes never get there.
const LOOKED: usize = 1024;

/// Elements that a parser opens again in the next paragraph (WHATWG HTML, *formatting*).
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Other elements within lines: end tags of these do not reach over a block.
pub(super) const PHRASES: [&str; 30] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u", "span",
    "sub", "sup", "label", "abbr", "cite", "q", "kbd", "td", "th", "tr", "tbody", "thead", "li", "img",
    "pre",
];
/// Blocks, by which end tags of phrases are stopped (*special*).
const BLOCKS: [&str; 41] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "button",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "li",
    "listing",
    "main",
    "marquee",
    "menu",
    "nav",
    "ol",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
    "object",
    "applet",
    "caption",
];
/// What no end tag reaches over (*scope*).
const SCOPES: [&str; 4] = ["table", "marquee", "object", "applet"];
/// What is never open beside another of its kind, or only within something that is counted.
const UNCOUNTED: [&str; 12] =
    ["p", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup", "col", "caption", "frame", "param"];

/// The elements that may be open.
struct Stack<'t> {
    /// Name, length of the tag, and whether it stands for formatting.
    open: Vec<(&'t str, usize, bool)>,
    copied: usize,
    /// For each open table, whether a cell is open.
    cells: Vec<bool>,
    between: usize,
}

/// Can it? What is left to parse must have no element whose inside is no markup.
pub(super) fn is_tame(html: &str) -> bool {
    if looked(html) > LOOKED.saturating_mul(html.len()) {
        return false;
    }
    let mut stack = Stack { open: Vec::new(), copied: 0, cells: Vec::new(), between: 0 };
    let most = COPIES.0.saturating_mul(html.len()).saturating_add(COPIES.1);
    let mut from = 0;
    for piece in pieces(html, Manner::Browser) {
        let span = piece.span();
        let text = html.get(from..span.start).unwrap_or_default();
        from = span.end;
        let Piece::Tag(tag) = piece else { continue };
        if tag.is_one_of(&RAW) || tag.is("title") || tag.is("plaintext") || has_many_attributes(&tag) {
            return false;
        }
        stack.table(&tag, !text.trim().is_empty());
        if tag.closes {
            stack.close(tag.name);
        } else if !tag.is_void() && !tag.is_one_of(&UNCOUNTED) {
            stack.open(&tag);
        }
        let formatting = stack.open.iter().filter(|(_, _, formatting)| *formatting);
        stack.copied = stack.copied.saturating_add(formatting.map(|(_, length, _)| length).sum());
        if stack.open.len() > DEPTH || stack.copied > most || stack.between > BETWEEN {
            return false;
        }
    }
    true
}

/// How many bytes are looked at for references.
fn looked(html: &str) -> usize {
    let of_line =
        |line: &str| -> usize { memchr::memchr_iter(b'&', line.as_bytes()).map(|at| line.len() - at).sum() };
    html.split('\n').map(of_line).sum()
}

fn has_many_attributes(tag: &Tag<'_>) -> bool {
    tag.inside.len() > ATTRIBUTES && tag.attributes().nth(ATTRIBUTES).is_some()
}

impl<'t> Stack<'t> {
    fn open(&mut self, tag: &Tag<'t>) {
        // Some elements end where the next of the kind begins.
        let alike = |open: &str| {
            tag.is(open) && tag.is_one_of(&["li", "option"])
                || tag.is_one_of(&["dt", "dd"]) && is_one_of(open, &["dt", "dd"])
        };
        if tag.is("a") {
            self.close("a");
        } else if self.open.last().is_some_and(|(open, _, _)| alike(open)) {
            self.open.pop();
        }
        self.open.push((tag.name, tag.span.len(), tag.is_one_of(&FORMATTING)));
    }

    fn close(&mut self, name: &str) {
        let block = is_one_of(name, &BLOCKS);
        let stops = |open: &str| {
            is_one_of(open, if block { &SCOPES } else { &BLOCKS }) && !open.eq_ignore_ascii_case(name)
        };
        for at in (0..self.open.len()).rev() {
            let Some((open, _, _)) = self.open.get(at) else { return };
            if open.eq_ignore_ascii_case(name) {
                // What is in it ends too, but formatting goes on behind.
                let within = self.open.split_off(at);
                self.open.extend(within.into_iter().skip(1).filter(|(_, _, formatting)| *formatting));
                return;
            }
            if stops(open) || block && name.eq_ignore_ascii_case("li") && is_one_of(open, &["ul", "ol"]) {
                return;
            }
        }
    }

    /// What stands in a table and in no cell is moved before it, each time at the cost of all that was moved there.
    fn table(&mut self, tag: &Tag<'_>, text_before: bool) {
        let within = self.cells.last() == Some(&false);
        let parts = tag.is_one_of(&["td", "th", "caption"]);
        let rows = tag.is_one_of(&["tr", "tbody", "thead", "tfoot", "colgroup", "col"]);
        let table = tag.is("table");
        if within && (text_before || !(parts || rows || table)) {
            self.between += 1;
        }
        match (table, tag.closes) {
            (true, true) => {
                self.cells.pop();
            }
            (true, false) if self.cells.len() <= DEPTH => self.cells.push(false),
            (false, closes) if parts || rows => {
                if let Some(cell) = self.cells.last_mut() {
                    *cell = parts && !closes;
                }
            }
            _ => {}
        }
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

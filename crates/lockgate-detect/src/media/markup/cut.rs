//! What is taken out of HTML before it is parsed.

use crate::hidden::unseen;
use crate::tags::{Manner, Piece, Pieces, Tag, pieces};

/// Elements that go with all that is in them.
const GONE: [&str; 17] = [
    "script", "style", "svg", "math", "template", "iframe", "object", "embed", "applet", "noscript",
    "noembed", "noframes", "xmp", "textarea", "select", "frameset", "audio",
];
/// Of these, what ends with the first end tag of their own, whatever comes before it.
pub(super) const RAW: [&str; 8] =
    ["script", "style", "iframe", "noscript", "noembed", "noframes", "xmp", "textarea"];
/// Elements of which only the tags go.
const OPENED: [&str; 8] = ["html", "head", "body", "title", "form", "base", "meta", "link"];
/// Longest name of a reference.
const REFERENCE: usize = 32;
/// What ends where the next of them begins.
const SHORT: [&str; 8] = ["p", "li", "dt", "dd", "td", "th", "tr", "option"];

/// The text without elements that nobody sees or that do something, without comments and declarations. Linear.
pub(super) fn cut(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut all = pieces(html, Manner::Browser);
    let mut from = 0;
    while let Some(piece) = all.next() {
        let span = piece.span();
        let end = match piece {
            Piece::Comment(..) | Piece::Other(_) | Piece::Open(_) => span.end,
            Piece::Tag(tag) if tag.is("plaintext") => html.len(),
            Piece::Tag(tag) if tag.is_one_of(&OPENED) || (tag.closes && tag.is_one_of(&GONE)) => tag.span.end,
            Piece::Tag(tag) if tag.is_one_of(&RAW) => raw_end(html, &tag),
            Piece::Tag(tag) if !tag.closes && (tag.is_one_of(&GONE) || unseen(&tag).is_some()) => {
                element_end(html, &tag, &mut all)
            }
            Piece::Tag(_) => continue,
        };
        out.push_str(html.get(from..span.start).unwrap_or_default());
        // So that what stands around does not become one.
        if end < html.len() {
            out.push(' ');
        }
        all.seek(end);
        from = end;
    }
    out.push_str(html.get(from..).unwrap_or_default());
    references(out)
}

/// Every `&` that begins no reference is written as one: a parser would look at each more than once.
pub(super) fn references(html: String) -> String {
    if !html.contains('&') {
        return html;
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        out.push_str(if is_reference(after) { "&" } else { "&amp;" });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Is it `name;`, `#number;` or `#xnumber;`?
fn is_reference(after: &str) -> bool {
    let name = after.as_bytes().iter().take(REFERENCE).position(|b| !b.is_ascii_alphanumeric() && *b != b'#');
    name.is_some_and(|length| length > 0 && after.as_bytes().get(length) == Some(&b';'))
}

/// The end of an element in which there are no tags but its own end.
fn raw_end(html: &str, tag: &Tag<'_>) -> usize {
    let bytes = html.as_bytes();
    let mut at = tag.span.end;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'<', rest)) {
        at += found + 1;
        let ends = bytes.get(at..).is_some_and(|rest| {
            let name = rest.get(1..=tag.name.len()).unwrap_or_default();
            let after = rest.get(tag.name.len() + 1);
            rest.starts_with(b"/")
                && name.eq_ignore_ascii_case(tag.name.as_bytes())
                && after.is_none_or(|after| matches!(after, b'>' | b'/') || after.is_ascii_whitespace())
        });
        if ends {
            let close = bytes.get(at..).and_then(|rest| memchr::memchr(b'>', rest));
            return close.map_or(html.len(), |close| at + close + 1);
        }
    }
    html.len()
}

/// The end of an element, by counting those of the same name in it; where it has none, all that comes belongs to it.
fn element_end(html: &str, tag: &Tag<'_>, all: &mut Pieces<'_>) -> usize {
    if tag.is_void() || (tag.is("embed")) {
        return tag.span.end;
    }
    let short = tag.is_one_of(&SHORT);
    let mut depth = 1_usize;
    let mut others = 0_usize;
    for piece in all.by_ref() {
        let Piece::Tag(next) = piece else { continue };
        if next.is(tag.name) {
            if short && !next.closes && others == 0 {
                return next.span.start;
            }
            depth = if next.closes { depth - 1 } else { depth + 1 };
            if depth == 0 {
                return next.span.end;
            }
        } else if short && !next.is_void() && !next.is_one_of(&SHORT) {
            match (next.closes, others) {
                (true, 0) => return next.span.start,
                (true, _) => others -= 1,
                (false, _) => others += 1,
            }
        }
    }
    html.len()
}

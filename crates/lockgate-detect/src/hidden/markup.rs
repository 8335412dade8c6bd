//! Comments, and elements of HTML that are not drawn.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::found::Found;
use super::{DECODED, HiddenKind, style};
use crate::Level;
use crate::tags::{Manner, Piece, Tag, pieces};

/// An element that is not seen and has not ended yet.
struct Open<'t> {
    name: &'t str,
    start: usize,
    /// Elements of the same name that are open.
    depth: usize,
    level: Level,
    said: String,
}

/// Comments, and elements that are not seen. What is in an element that is not seen counts as part of it.
pub(super) fn elements(text: &str, found: &mut Found<'_>) {
    let mut open: Option<Open<'_>> = None;
    let mut from = 0;
    for piece in pieces(text, Manner::Text) {
        let span = piece.span();
        if let Some(open) = &mut open {
            say(&mut open.said, text.get(from..span.start).unwrap_or_default());
        }
        from = span.end;
        match piece {
            Piece::Comment(span, inside) => {
                let said = text.get(inside).unwrap_or_default().trim();
                if said.contains(char::is_alphanumeric) {
                    let said = bounded(said);
                    if !found.push(HiddenKind::Comment, span, Level::None, Some(said)) {
                        return;
                    }
                }
            }
            Piece::Open(span) => {
                found.push(HiddenKind::Unread, span.start..span.start, Level::Review, None);
            }
            Piece::Tag(tag) => match &mut open {
                None => {
                    if let Some(level) = unseen(&tag).or_else(|| unheard(&tag))
                        && !tag.closes
                        && !tag.is_void()
                    {
                        let said = String::new();
                        open = Some(Open { name: tag.name, start: tag.span.start, depth: 1, level, said });
                    }
                }
                Some(seen) if tag.is(seen.name) => {
                    seen.depth = if tag.closes { seen.depth - 1 } else { seen.depth + 1 };
                    if seen.depth == 0
                        && let Some(seen) = open.take()
                        && !end(seen, tag.span.end, found)
                    {
                        return;
                    }
                }
                Some(_) => {}
            },
            Piece::Other(_) => {}
        }
    }
    if let Some(mut open) = open {
        say(&mut open.said, text.get(from..).unwrap_or_default());
        end(open, text.len(), found);
    }
}

fn end(open: Open<'_>, end: usize, found: &mut Found<'_>) -> bool {
    // What says nothing hides nothing.
    let said = open.said.trim();
    if !said.contains(char::is_alphanumeric) {
        return true;
    }
    found.push(HiddenKind::Styled, open.start..end, open.level, Some(said.to_owned()))
}

fn say(said: &mut String, text: &str) {
    let text = text.trim();
    if !text.is_empty() && said.len() < DECODED {
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(&bounded(text));
    }
}

fn bounded(text: &str) -> String {
    text.get(..text.floor_char_boundary(DECODED)).unwrap_or_default().to_owned()
}

/// How bad it is that the element is not seen; nothing where it is seen.
pub(crate) fn unseen(tag: &Tag<'_>) -> Option<Level> {
    // Nearly all tags end here.
    if tag.inside.len() < " hidden".len() {
        return None;
    }
    let hides = |(name, value): (&str, &str)| {
        if name.eq_ignore_ascii_case("style") {
            return style::hides(value);
        }
        let hidden = name.eq_ignore_ascii_case("hidden") && !value.eq_ignore_ascii_case("false");
        hidden.then_some(Level::None)
    };
    tag.attributes().filter_map(hides).max()
}

/// An element that is seen and not read aloud, so that readers of pages may pass over it or not.
fn unheard(tag: &Tag<'_>) -> Option<Level> {
    let value = tag.inside.contains("aria-hidden").then(|| tag.attribute("aria-hidden")).flatten()?;
    value.eq_ignore_ascii_case("true").then_some(Level::None)
}

/// What comments of Markdown begin with.
static NOTES: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["[//]:", "[comment]:"].map(Finder::new));

/// Comments of Markdown: definitions of a link that no link can use, as `[//]: # (a note)`.
pub(super) fn notes(text: &str, found: &mut Found<'_>) {
    for mark in NOTES.iter() {
        let mut past = 0;
        for start in mark.find_iter(text.as_bytes()) {
            if start < past {
                continue;
            }
            let behind = start + mark.needle().len();
            let rest = text.get(behind..).unwrap_or_default();
            let line = rest.lines().next().unwrap_or_default();
            past = behind + line.len();
            let said = line.trim_matches([' ', '#', '(', ')', '<', '>', '"', '\'']);
            let said = (!said.is_empty()).then(|| bounded(said));
            if said.is_some() && !found.push(HiddenKind::Comment, start..past, Level::None, said) {
                return;
            }
        }
    }
}

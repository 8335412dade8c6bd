//! HTML that comes from a server: is it HTML, and what is left of it when it can do nothing but be read.

mod carry;
mod cut;
mod tame;

use std::sync::LazyLock;

use ammonia::Builder;

use crate::tags::{Manner, Piece, pieces};

pub use carry::{Carrier, carriers};

/// Addresses that a link or a picture may have.
const SCHEMES: [&str; 5] = ["http", "https", "mailto", "ftp", "tel"];
/// Most lines that servers write before a page.
const HEADING: usize = 4;
/// Most times that a text is sanitised until nothing changes any more.
const ROUNDS: usize = 4;

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder.url_schemes(SCHEMES.into_iter().collect());
    // What is rewritten is rewritten as little as can be.
    builder.link_rel(None);
    builder
});

/// The page with nothing in it but text, its structure, pictures and links: no scripts, handlers, styles, forms, frames,
/// comments, elements that are not seen, and no addresses but of the web, mail and telephones.
///
/// What is so nested that a parser would need more than linear time is given as text alone. Sanitising twice changes nothing.
/// Linear; about a fifth of a microsecond a byte, since what was cleaned is parsed again to see that nothing is left.
pub fn sanitise(html: &str) -> String {
    let mut text = once(html);
    for _ in 0..ROUNDS {
        let next = once(&text);
        if next == text {
            return text;
        }
        text = next;
    }
    flat(&text)
}

/// Is the text a page or a piece of one, and not a program, or prose with some tags in it? Reads no more of a text than its
/// beginning where that is none of HTML.
pub fn is_html(text: &str) -> bool {
    const BLOCKS: [&str; 17] = [
        "div", "p", "table", "ul", "ol", "section", "article", "main", "header", "h1", "h2", "h3", "span",
        "form", "nav", "body", "center",
    ];
    let trimmed = text.trim();
    if !trimmed.starts_with('<') || !trimmed.ends_with('>') {
        return super::sniff(text.as_bytes()) == Some("text/html") && is_page(trimmed);
    }
    if is_page(trimmed) {
        return true;
    }
    // Programs and prose have lines that begin in other ways.
    let mut first = None;
    let (mut known, mut unknown) = (0_usize, 0_usize);
    for piece in pieces(trimmed, Manner::Text).take(64) {
        let Piece::Tag(tag) = piece else { continue };
        let block = tag.is_one_of(&BLOCKS);
        first = first.or(Some(block));
        if block || tag.is_void() || tag.is_one_of(&tame::PHRASES) {
            known += 1;
        } else {
            unknown += 1;
        }
    }
    let fenced = trimmed.contains("```") || trimmed.contains("](");
    first == Some(true) && known > 4 * unknown && !fenced
}

/// Where a page begins that a server has written some lines before, as those do that fetch pages. A page in a block of code is none.
pub fn page_below(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n').take(HEADING) {
        if line.contains("```") {
            return None;
        }
        if line.trim_start().starts_with('<') && text.get(at..).is_some_and(|rest| is_page(rest.trim_start()))
        {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// Does it begin as a page does?
fn is_page(text: &str) -> bool {
    let mut all = pieces(text, Manner::Text).skip_while(|piece| matches!(piece, Piece::Comment(..)));
    match all.next() {
        Some(Piece::Tag(tag)) => tag.is("html"),
        Some(Piece::Other(span)) => {
            text.get(span).is_some_and(|inside| inside.to_ascii_lowercase().starts_with("<!doctype html"))
        }
        _ => false,
    }
}

fn once(html: &str) -> String {
    let cut = cut::cut(html);
    if tame::is_tame(&cut) { SANITISER.clean(&cut).to_string() } else { flat(&cut) }
}

/// The text alone, so that nothing in it is markup.
fn flat(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut from = 0;
    for piece in pieces(html, Manner::Browser) {
        let span = piece.span();
        out.push_str(&html.get(from..span.start).unwrap_or_default().replace('<', "&lt;"));
        out.push(' ');
        from = span.end;
    }
    out.push_str(&html.get(from..).unwrap_or_default().replace('<', "&lt;"));
    let out = cut::references(out);
    if tame::is_tame(&out) { SANITISER.clean(&out).to_string() } else { out }
}

#[cfg(test)]
mod tests;

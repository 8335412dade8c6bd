//! Addresses that carry data out: whoever draws the picture, or follows the link, tells the server what stands in it.

use std::ops::Range;

use memchr::memmem;

use crate::tags::{Manner, Piece, pieces};

/// Most findings.
pub(super) const MOST: usize = 256;
/// Longer values are more than a number, a size or a name.
const VALUE: usize = 24;
/// Longer addresses are read as if they ended here. Bytes.
const ADDRESS: usize = 4096;
/// Longer texts of a link are told from here on. Bytes.
const LABEL: usize = 512;

/// A picture or a link whose address carries data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// All of it: the element's tag, or the Markdown.
    pub span: Range<usize>,
    /// The address.
    pub address: Range<usize>,
    /// A picture is fetched by whoever shows the text; a link, only by who follows it.
    pub picture: bool,
}

/// Pictures and links in Markdown and HTML whose address has a place for data: a long value behind `?` or `#`, a long label
/// of a name, or a gap for a model to fill in, as `{data}`. At most 256. Linear.
pub fn carriers(text: &str) -> Vec<Carrier> {
    let mut found = Vec::new();
    inline(text, &mut found);
    if memchr::memchr(b'<', text.as_bytes()).is_some() {
        elements(text, &mut found);
    }
    found.truncate(MOST);
    found.sort_by_key(|carrier| carrier.span.start);
    found
}

/// `[text](address)` and `![text](address)`, and definitions `[name]: address`.
fn inline(text: &str, found: &mut Vec<Carrier>) {
    let mut past = 0;
    for at in memmem::find_iter(text.as_bytes(), "](").chain(memmem::find_iter(text.as_bytes(), "]: ")) {
        if found.len() >= MOST {
            return;
        }
        let Some(rest) = text.get(at + 2..text.floor_char_boundary(at + ADDRESS)) else { continue };
        let start = at + 2 + (rest.len() - rest.trim_start_matches([' ', '<']).len());
        let rest = rest.trim_start_matches([' ', '<']);
        let definition = text.get(at..).is_some_and(|rest| rest.starts_with("]: "));
        let ends = |letter: char| letter.is_whitespace() || letter == '>' || letter == ')' && !definition;
        let address = start..start + rest.find(ends).unwrap_or(rest.len());
        if !text.get(address.clone()).is_some_and(carries) {
            continue;
        }
        let from = past.max(text.ceil_char_boundary(at.saturating_sub(LABEL))).min(at);
        let open = text.get(from..at).and_then(|before| before.rfind('[')).map_or(at, |open| from + open);
        let picture = text.get(..open).is_some_and(|before| before.ends_with('!'));
        let end = text.get(address.end..).is_some_and(|rest| rest.starts_with(')'));
        past = address.end + usize::from(end);
        found.push(Carrier { span: open - usize::from(picture)..past, address, picture });
        if definition {
            past = 0;
        }
    }
}

fn elements(text: &str, found: &mut Vec<Carrier>) {
    const PICTURES: [&str; 9] =
        ["img", "source", "video", "audio", "image", "iframe", "embed", "link", "input"];
    for piece in pieces(text, Manner::Text) {
        let Piece::Tag(tag) = piece else { continue };
        if tag.closes || tag.inside.len() < VALUE {
            continue;
        }
        for (name, value) in tag.attributes() {
            const PLACES: [&str; 7] = ["src", "href", "srcset", "poster", "data", "background", "action"];
            if PLACES.iter().any(|place| name.eq_ignore_ascii_case(place)) && carries(value.trim()) {
                // The value is part of the text: so much stands before it.
                let start = (value.as_ptr().addr()).saturating_sub(text.as_ptr().addr());
                let picture = tag.is_one_of(&PICTURES);
                found.push(Carrier { span: tag.span.clone(), address: start..start + value.len(), picture });
                break;
            }
        }
        if found.len() >= 2 * MOST {
            return;
        }
    }
}

/// Does an address of the web carry more than where something is?
fn carries(address: &str) -> bool {
    let address = address.get(..address.floor_char_boundary(ADDRESS)).unwrap_or_default();
    let scheme = address.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    let rest = match scheme {
        Some((scheme, rest)) if scheme == "http" || scheme == "https" => rest,
        None => match address.strip_prefix("//") {
            Some(rest) => rest,
            None => return false,
        },
        Some(_) => return false,
    };
    let gap = |text: &str| {
        (text.contains('{') && text.contains('}'))
            || text.contains("%7B")
            || text.contains("${")
            || text.contains('<')
    };
    let (place, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let values =
        query.split(['&', ';', '#']).map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    gap(rest)
        || values.clone().any(|value| value.len() > VALUE)
        || host.split('.').any(|label| label.len() > 2 * VALUE)
        || path.split('/').any(|step| step.len() > 4 * VALUE)
}

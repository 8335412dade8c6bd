//! Orders to a terminal (ECMA-48, and what xterm added).

use crate::Level;

/// Longest order. Bytes.
const LONGEST: usize = 4096;

/// An order, and what it does.
pub(super) struct Order {
    pub(super) end: usize,
    /// Nothing for what is ordinary, as colours.
    pub(super) level: Option<Level>,
    pub(super) decoded: Option<String>,
}

/// The order that begins here, if `letter` begins one.
pub(super) fn read(text: &str, at: usize, letter: char) -> Option<Order> {
    let from = at + letter.len_utf8();
    let rest = text.get(from..)?;
    let bytes = rest.as_bytes();
    match (letter, bytes.first()) {
        ('\u{1b}', Some(b'[')) => control(text, from + 1).or(Some(alone(from))),
        ('\u{1b}', Some(b']')) => system(text, from + 1).or(Some(alone(from))),
        ('\u{1b}', Some(b'P' | b'X' | b'^' | b'_')) => {
            let (inside, end) = ended(text, from + 1)?;
            Some(Order { end, level: Some(Level::Review), decoded: Some(inside.to_owned()) })
        }
        // A reset clears what was read so far.
        ('\u{1b}', Some(b'c')) => Some(Order { end: from + 1, level: Some(Level::Review), decoded: None }),
        ('\u{1b}', Some(b'(' | b')' | b'#')) if bytes.get(1).is_some_and(u8::is_ascii_graphic) => {
            Some(Order { end: from + 2, level: None, decoded: None })
        }
        ('\u{1b}', Some(b'7' | b'8' | b'=' | b'>' | b'D' | b'E' | b'H' | b'M' | b'\\')) => {
            Some(Order { end: from + 1, level: None, decoded: None })
        }
        ('\u{1b}', _) => Some(alone(from)),
        // In one byte of its own, where it is not a `›` that was read in the wrong encoding.
        ('\u{9b}', Some(b'0'..=b'9')) => control(text, from).filter(|order| order.level.is_some()),
        _ => None,
    }
}

/// An escape that begins nothing.
fn alone(end: usize) -> Order {
    Order { end, level: Some(Level::Review), decoded: None }
}

/// `ESC [` parameters, and a letter that says what.
fn control(text: &str, from: usize) -> Option<Order> {
    let rest = text.get(from..text.floor_char_boundary(from + 256))?;
    let length = rest.bytes().position(|b| !(b' '..=b'?').contains(&b))?;
    let parameters = rest.get(..length)?;
    let order = *rest.as_bytes().get(length).filter(|b| (b'@'..=b'~').contains(*b))?;
    let end = from + length + 1;
    match order {
        b'm' if conceals(parameters) => Some(concealed(text, end)),
        // To an absolute place, or back to one that was kept: over what was read already.
        b'H' | b'f' | b's' | b'u' | b'd' | b'T' => Some(alone(end)),
        b'J' if parameters.contains(['2', '3']) => Some(alone(end)),
        _ => Some(Order { end, level: None, decoded: None }),
    }
}

/// Hides the text, or gives it the colour of what is behind it?
fn conceals(parameters: &str) -> bool {
    let (mut ink, mut paper, mut hides) = (None, None, false);
    let mut parts = parameters.split([';', ':']).map(|part| part.parse::<u16>().unwrap_or(0));
    while let Some(part) = parts.next() {
        match part {
            0 => (ink, paper, hides) = (None, None, false),
            8 => hides = true,
            28 => hides = false,
            30..=37 => ink = Some([5, part - 30, 0, 0]),
            90..=97 => ink = Some([5, part - 82, 0, 0]),
            40..=47 => paper = Some([5, part - 40, 0, 0]),
            100..=107 => paper = Some([5, part - 92, 0, 0]),
            38 | 48 => {
                let kind = parts.next().unwrap_or(0);
                let mut next = || parts.next().unwrap_or(0);
                let colour = if kind == 2 { [2, next(), next(), next()] } else { [5, next(), 0, 0] };
                if part == 38 {
                    ink = Some(colour);
                } else {
                    paper = Some(colour);
                }
            }
            _ => {}
        }
    }
    hides || (ink.is_some() && ink == paper)
}

/// What stands after an order that hides, up to one that shows again: only where that is text.
fn concealed(text: &str, from: usize) -> Order {
    let rest = text.get(from..).unwrap_or_default();
    let length = memchr::memchr2(b'\x1b', b'\n', rest.as_bytes()).unwrap_or(rest.len());
    let said = rest.get(..length).unwrap_or_default();
    if !said.contains(char::is_alphanumeric) {
        return Order { end: from, level: None, decoded: None };
    }
    Order { end: from + length, level: Some(Level::Block), decoded: Some(said.to_owned()) }
}

/// `ESC ]` number `;` text: titles, links, the clipboard.
fn system(text: &str, from: usize) -> Option<Order> {
    let (inside, end) = ended(text, from)?;
    let (number, said) = inside.split_once(';').unwrap_or((inside, ""));
    let level = match number {
        "52" => Some(Level::Block),
        // The end of a link.
        "8" if said == ";" => None,
        "0" | "1" | "2" | "8" => Some(Level::None),
        "4" | "7" | "9" | "10" | "11" | "12" | "104" | "110" | "111" | "112" | "133" | "633" | "1337" => None,
        _ => Some(Level::Review),
    };
    Some(Order { end, level, decoded: Some(said.trim_start_matches(';').to_owned()) })
}

/// The text up to `BEL` or `ESC \`, and where it ends.
fn ended(text: &str, from: usize) -> Option<(&str, usize)> {
    let rest = text.get(from..text.floor_char_boundary(from + LONGEST))?;
    let length = memchr::memchr2(b'\x07', b'\x1b', rest.as_bytes())?;
    let inside = rest.get(..length)?;
    let closing = rest.get(length..)?;
    let close = if closing.starts_with('\x07') { 1 } else { closing.starts_with("\x1b\\").then_some(2)? };
    Some((inside, from + length + close))
}

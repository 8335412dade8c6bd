//! The tags and comments of HTML, SVG and of texts that have some, one after the other.
//!
//! This reads what a browser's tokeniser would see (WHATWG HTML, section 13.2.5), and keeps no tree.

use std::ops::Range;

use memchr::memmem;

/// Texts are read again where a tag turns out to be none; so many times their length, and no more.
const AGAIN: usize = 4;

/// Something between `<` and `>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// `<name …>` or `</name>`.
    Tag(Tag<'t>),
    /// `<!-- … -->`, and where its inside is.
    Comment(Range<usize>, Range<usize>),
    /// A declaration, an instruction, or the like.
    Other(Range<usize>),
    /// A tag that does not end. Nothing comes after.
    Open(Range<usize>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'t> {
    pub(crate) span: Range<usize>,
    /// As it is written.
    pub(crate) name: &'t str,
    pub(crate) closes: bool,
    /// All between the name and the end.
    pub(crate) inside: &'t str,
}

/// How to read a `<`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As browsers do: a tag goes on to its `>`, whatever comes.
    Browser,
    /// In a text that may be anything: where a `<` comes first, it was no tag.
    Text,
}

/// The pieces of a text. Linear.
pub(crate) struct Pieces<'t> {
    text: &'t str,
    at: usize,
    manner: Manner,
    wasted: usize,
    /// No `-->` comes any more.
    endless: bool,
}

pub(crate) fn pieces(text: &str, manner: Manner) -> Pieces<'_> {
    Pieces { text, at: 0, manner, wasted: 0, endless: false }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        loop {
            let bytes = self.text.as_bytes();
            let start = self.at + memchr::memchr(b'<', bytes.get(self.at..)?)?;
            self.at = start + 1;
            let piece = match (bytes.get(start + 1)?, bytes.get(start + 2)) {
                (b'!', _) if bytes.get(start..)?.starts_with(b"<!--") => self.comment(start),
                (b'!' | b'?', _) => self.other(start),
                (b'/', Some(b)) if b.is_ascii_alphabetic() => self.tag(start),
                (b'/', Some(_)) if self.manner == Manner::Browser => self.other(start),
                (b, _) if b.is_ascii_alphabetic() => self.tag(start),
                _ => None,
            };
            let Some(piece) = piece else { continue };
            self.at = piece.span().end;
            return Some(piece);
        }
    }
}

impl<'t> Pieces<'t> {
    /// Goes on from here.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    fn comment(&mut self, start: usize) -> Option<Piece<'t>> {
        let inside = start + 4;
        let rest = self.text.as_bytes().get(inside..)?;
        // An empty comment may be written shorter.
        for (short, length) in [(&b">"[..], 1), (&b"->"[..], 2)] {
            if rest.starts_with(short) {
                return Some(Piece::Comment(start..inside + length, inside..inside));
            }
        }
        if self.endless && self.manner == Manner::Text {
            return None;
        }
        let plain = memmem::find(rest, b"-->").map(|at| (at, 3));
        let end = match self.manner {
            Manner::Text => plain,
            // Browsers take `--!>` too, and a comment without an end for one up to the end.
            Manner::Browser => {
                let within = rest.get(..plain.map_or(rest.len(), |(at, _)| at)).unwrap_or_default();
                memmem::find(within, b"--!>").map(|at| (at, 4)).or(plain).or(Some((rest.len(), 0)))
            }
        };
        self.endless = end.is_none();
        let (length, mark) = end?;
        Some(Piece::Comment(start..inside + length + mark, inside..inside + length))
    }

    fn other(&self, start: usize) -> Option<Piece<'t>> {
        let rest = self.text.as_bytes().get(start..)?;
        match (memchr::memchr2(b'>', b'\n', rest), self.manner) {
            (Some(length), Manner::Text) => Some(Piece::Other(start..start + length + 1)),
            (None, Manner::Text) => None,
            (_, Manner::Browser) => {
                let length = memchr::memchr(b'>', rest).map_or(rest.len(), |length| length + 1);
                Some(Piece::Other(start..start + length))
            }
        }
    }

    fn tag(&mut self, start: usize) -> Option<Piece<'t>> {
        match tag_at(self.text, start, self.manner) {
            Ok(tag) => Some(Piece::Tag(tag)),
            Err(end) => {
                self.wasted += end - start;
                let over = self.wasted > AGAIN * self.text.len();
                let open = over || (self.manner == Manner::Browser);
                open.then_some(Piece::Open(start..self.text.len()))
            }
        }
    }
}

impl Piece<'_> {
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Self::Tag(tag) => tag.span.clone(),
            Self::Comment(span, _) | Self::Other(span) | Self::Open(span) => span.clone(),
        }
    }
}

impl<'t> Tag<'t> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(crate) fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(name))
    }

    /// Whether no end tag can follow, in HTML.
    pub(crate) fn is_void(&self) -> bool {
        const VOID: [&str; 13] = [
            "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
            "wbr",
        ];
        self.is_one_of(&VOID)
    }

    /// Names and values of its attributes, as they are written, without quotes.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        let mut rest = self.inside;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(is_between);
            if rest.is_empty() {
                return None;
            }
            // A first `=` is part of the name.
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let length = rest.get(first..)?.find(|letter| is_between(letter) || letter == '=');
            let (name, after) = rest.split_at_checked(length.map_or(rest.len(), |length| first + length))?;
            let Some(value) = after.trim_start_matches(is_space).strip_prefix('=') else {
                rest = after;
                return Some((name, ""));
            };
            let value = value.trim_start_matches(is_space);
            let quoted =
                ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.split_once(quote));
            let (value, after) =
                quoted.unwrap_or_else(|| value.split_at(value.find(is_space).unwrap_or(value.len())));
            rest = after;
            Some((name, value))
        })
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&'t str> {
        self.attributes().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn is_between(letter: char) -> bool {
    is_space(letter) || letter == '/'
}

/// The tag that begins here, or how far was read to see that none does.
fn tag_at(text: &str, start: usize, manner: Manner) -> Result<Tag<'_>, usize> {
    let bytes = text.as_bytes();
    let closes = bytes.get(start + 1) == Some(&b'/');
    let named = start + 1 + usize::from(closes);
    let is_end = |b: &u8| is_between(char::from(*b)) || *b == b'>' || (*b == b'<' && manner == Manner::Text);
    let rest = bytes.get(named..).unwrap_or_default();
    let name_end = named + rest.iter().position(is_end).unwrap_or(rest.len());
    let mut at = name_end;
    let mut state = State::Before;
    loop {
        let Some(byte) = bytes.get(at) else { return Err(at) };
        let blank = is_space(char::from(*byte));
        state = match (state, byte) {
            (_, b'>') => {
                let (name, inside) = (text.get(named..name_end), text.get(name_end..at));
                let (Some(name), Some(inside)) = (name, inside) else { return Err(at) };
                return Ok(Tag { span: start..at + 1, name, closes, inside });
            }
            (_, b'<') if manner == Manner::Text => return Err(at),
            (State::Value, b'"' | b'\'') => {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                let Some(length) = memchr::memchr(*byte, rest) else { return Err(bytes.len()) };
                at += length + 1;
                State::Before
            }
            (State::Value, _) if !blank => {
                // A value without quotes, which has no end but white space and `>`.
                let rest = bytes.get(at..).unwrap_or_default();
                let is_over =
                    |b: &u8| is_space(char::from(*b)) || *b == b'>' || (*b == b'<' && manner == Manner::Text);
                at += rest.iter().position(is_over).unwrap_or(rest.len());
                state = State::Before;
                continue;
            }
            (_, b'/') if !matches!(state, State::Value) => State::Before,
            (State::Value, _) | (State::Name | State::After, b'=') => State::Value,
            (State::Name | State::After, _) if blank => State::After,
            (State::Before, _) if blank => State::Before,
            _ => State::Name,
        };
        at += 1;
    }
}

/// Where in a tag, as the standard has it.
#[derive(Clone, Copy)]
enum State {
    /// Before the name of an attribute.
    Before,
    /// In it.
    Name,
    /// Behind it: a `=` may come.
    After,
    /// Behind the `=`.
    Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, manner: Manner) -> Vec<String> {
        let piece = |piece: Piece<'_>| match piece {
            Piece::Tag(tag) => {
                let attributes = tag.attributes().map(|(name, value)| format!(" {name}={value}"));
                format!("{}{}{}", if tag.closes { "/" } else { "" }, tag.name, attributes.collect::<String>())
            }
            Piece::Comment(_, inside) => format!("#{}", text.get(inside).unwrap()),
            Piece::Other(_) => "!".to_owned(),
            Piece::Open(span) => format!("open {}", span.start),
        };
        pieces(text, manner).map(piece).collect()
    }

    #[test]
    fn tags_are_read_as_browsers_read_them() {
        for (text, expected) in [
            ("a <b>c</b> d", vec!["b", "/b"]),
            ("<a href='x>y' b>", vec!["a href=x>y b="]),
            ("<a href=x/y>", vec!["a href=x/y"]),
            ("<br/><IMG SRC=a alt=\"b c\" />", vec!["br", "IMG SRC=a alt=b c"]),
            ("<a \"=\"x>\">", vec!["a \"=x>"]),
            ("<a x=\"1\"=\"2>\">", vec!["a x=1 =\"2="]),
            ("<a =x>", vec!["a =x="]),
            ("1 < 2 <3", vec![]),
            ("<!-- a --><!--> <!---> <!-->-->", vec!["# a ", "#", "#", "#"]),
            ("<!doctype html><?xml?></ x>", vec!["!", "!", "!"]),
            ("<!-- a --!> b", vec!["# a "]),
            ("<a <b>", vec!["a <b="]),
            ("<a x=\"", vec!["open 0"]),
        ] {
            assert_eq!(shown(text, Manner::Browser), expected, "{text}");
        }
    }

    #[test]
    fn in_a_text_no_tag_goes_over_the_next() {
        for (text, expected) in [
            ("if a <b && c { Vec<String> }", vec!["String"]),
            ("a <b and <i>c</i>", vec!["i", "/i"]),
            ("<a x=\" <b>", vec!["b"]),
            ("<!-- no end <p>", vec!["p"]),
            ("x <-- y </ z", vec![]),
        ] {
            assert_eq!(shown(text, Manner::Text), expected, "{text}");
        }
    }

    #[test]
    fn what_never_ends_is_not_read_over_and_over() {
        let text = "<a x=\"".to_owned() + &"<b\" x=\"".repeat(100_000);
        assert_eq!(pieces(&text, Manner::Text).filter(|piece| matches!(piece, Piece::Open(_))).count(), 1);
    }
}

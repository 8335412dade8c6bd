//! SVG: a picture that is a program, and that says things.

use std::ops::Range;

use crate::tags::{Manner, Piece, Tag, pieces};

/// Most text that is read. Bytes.
pub const SAID: usize = 64 * 1024;
/// Most findings.
pub const MOST: usize = 256;

/// What is in an SVG beside its shapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Svg {
    /// All that it says, a line for each text: to be judged as text. At most [`SAID`] bytes.
    pub said: String,
    /// What makes it more than a picture, in order.
    pub active: Vec<(Active, Range<usize>)>,
}

/// What makes an SVG more than a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Active {
    /// A program.
    Script,
    /// A program that runs when something happens.
    Handler,
    /// A part of another language, as HTML.
    Foreign,
    /// An address outside of the file, or one that is a program.
    Reference,
    /// Text that stands for other text.
    Entity,
}

impl Active {
    /// The rule, as it stands in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Script => "svg_script",
            Self::Handler => "svg_handler",
            Self::Foreign => "svg_foreign",
            Self::Reference => "svg_reference",
            Self::Entity => "svg_entity",
        }
    }
}

/// Reads an SVG. Comments and what is not drawn count as said. Linear.
pub fn look(text: &str) -> Svg {
    let mut svg = Svg::default();
    let mut from = 0;
    let mut script = false;
    for piece in pieces(text, Manner::Browser) {
        let span = piece.span();
        if !script {
            svg.say(text.get(from..span.start).unwrap_or_default());
        }
        from = span.end;
        match piece {
            Piece::Comment(_, inside) => svg.say(text.get(inside).unwrap_or_default()),
            Piece::Other(span) => {
                let inside = text.get(span.clone()).unwrap_or_default();
                if let Some(data) = inside.strip_prefix("<![CDATA[") {
                    svg.say(data.trim_end_matches("]]>"));
                } else if inside.contains("<!ENTITY")
                    || inside.starts_with("<!DOCTYPE") && inside.contains('[')
                {
                    svg.add(Active::Entity, span);
                } else if inside.starts_with("<?xml-stylesheet") {
                    svg.add(Active::Reference, span);
                }
            }
            Piece::Open(span) => svg.say(text.get(span).unwrap_or_default()),
            Piece::Tag(tag) => {
                if local(tag.name).eq_ignore_ascii_case("script") {
                    script = !tag.closes && !tag.inside.ends_with('/');
                }
                if !tag.closes {
                    svg.tag(&tag);
                }
            }
        }
    }
    svg.say(text.get(from..).unwrap_or_default());
    svg
}

impl Svg {
    fn tag(&mut self, tag: &Tag<'_>) {
        const FOREIGN: [&str; 6] = ["foreignObject", "iframe", "object", "embed", "html", "body"];
        let name = local(tag.name);
        let span = tag.span.clone();
        if name.eq_ignore_ascii_case("script") {
            self.add(Active::Script, span.clone());
        } else if FOREIGN.iter().any(|foreign| name.eq_ignore_ascii_case(foreign)) {
            self.add(Active::Foreign, span.clone());
        }
        for (name, value) in tag.attributes() {
            let name = local(name).to_ascii_lowercase();
            let value = value.trim();
            if name.len() > 2 && name.starts_with("on") {
                self.add(Active::Handler, span.clone());
            } else if matches!(name.as_str(), "href" | "src" | "data" | "from" | "to" | "values")
                && leads_out(value)
                || value.contains("url(")
                    && !value.contains("url(#")
                    && !value.contains("url('#")
                    && !value.contains("url(\"#")
            {
                self.add(Active::Reference, span.clone());
            }
            if matches!(name.as_str(), "aria-label" | "alt" | "title" | "aria-description" | "label" | "desc")
            {
                self.say(value);
            }
        }
    }

    fn say(&mut self, text: &str) {
        let text = text.trim();
        let room = SAID.saturating_sub(self.said.len() + 1);
        if text.is_empty() || room == 0 {
            return;
        }
        if !self.said.is_empty() {
            self.said.push('\n');
        }
        self.said.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
    }

    fn add(&mut self, active: Active, span: Range<usize>) {
        if self.active.len() < MOST {
            self.active.push((active, span));
        }
    }
}

/// Without the prefix of a name space.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Is the address outside of the file? Pictures that stand in the address itself are not.
fn leads_out(value: &str) -> bool {
    let start: String =
        value.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control()).take(12).collect();
    let start = start.to_ascii_lowercase();
    let scheme = start.contains(':') || start.starts_with("//") || start.starts_with('/');
    let picture = start.starts_with("data:image/") && !value.contains("svg");
    scheme && !picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_and_does_is_told() {
        for (text, said, active) in [
            ("<svg><circle r='1'/></svg>", "", vec![]),
            ("<svg><title>A</title><text x='1'>b <tspan>c</tspan></text></svg>", "A\nb\nc", vec![]),
            ("<svg><!-- note --><desc>d</desc><g aria-label='e'/></svg>", "note\nd\ne", vec![]),
            ("<svg><script>x()</script><text>t</text></svg>", "t", vec![Active::Script]),
            ("<svg><script href='a.js'/><text>t</text></svg>", "t", vec![Active::Script]),
            ("<svg onload=x()>", "", vec![Active::Handler]),
            ("<svg><foreignObject><p>p</p></foreignObject></svg>", "p", vec![Active::Foreign]),
            ("<svg><image href='https://a.example/b.png'/></svg>", "", vec![Active::Reference]),
            ("<svg><a xlink:href='java\nscript:x()'>t</a></svg>", "t", vec![Active::Reference]),
            ("<svg><use href='#a'/><image href='data:image/png;base64,AA'/></svg>", "", vec![]),
            (
                "<svg><rect fill='url(#a)'/><rect style='fill:url(http://a.example)'/></svg>",
                "",
                vec![Active::Reference],
            ),
            ("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", "]>", vec![Active::Entity]),
            ("<svg><![CDATA[c]]></svg>", "c", vec![]),
        ] {
            let svg = look(text);
            let told: Vec<Active> = svg.active.iter().map(|(active, _)| *active).collect();
            assert_eq!((svg.said.as_str(), told), (said, active), "{text}");
        }
    }
}

//! One YAML document as a tree that knows where everything stands. Aliases and merge keys are written out, because Go's
//! reader does; a document that grows too large that way is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput};

/// A place in a file, both numbers from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it starts.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Already complained about.
    Broken,
    /// A scalar; `plain` means without quotes, so that it may stand for something other than a text.
    Scalar { text: String, plain: bool },
    /// `[…]`
    List(Vec<Node>),
    /// `{…}`, in the order of the file.
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) text: String,
    /// Without quotes: `<<` merges.
    plain: bool,
}

impl Node {
    /// Nothing, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// In the operator's words.
    pub(super) fn word(&self) -> &'static str {
        match self.kind {
            Kind::Broken => "nothing",
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a text or number",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

/// A document and what else was seen.
pub(super) struct Document {
    /// `None` where the text is empty, or broken: then `errors` says so.
    pub(super) root: Option<Node>,
    pub(super) errors: Vec<(Place, String)>,
    /// Where a second document starts.
    pub(super) second: Option<Place>,
}

/// The deepest nesting.
const DEPTH: usize = 64;
/// The most values of one document, with every alias written out.
const NODES: usize = 200_000;

pub(super) fn read(text: &str) -> Document {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    options.emit_comments = false;
    options.flow_nesting_limit = DEPTH;
    options.block_nesting_limit = DEPTH;
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text, options),
        errors: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
    };
    let (root, second) = reader.document();
    Document { root, errors: reader.errors, second }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    errors: Vec<(Place, String)>,
    /// What each anchor stands for, and how many values that is.
    anchors: BTreeMap<usize, (Node, usize)>,
    /// How many values there are so far.
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> (Option<Node>, Option<Place>) {
        let mut root = None;
        loop {
            let Some((event, span)) = self.next() else { return (root, None) };
            if matches!(event, Event::StreamEnd) {
                return (root, None);
            }
            if !matches!(event, Event::DocumentStart(..)) {
                continue;
            }
            if root.is_some() {
                return (root, Some(place(span.start)));
            }
            let Some((event, span)) = self.next() else { return (None, None) };
            root = self.node(event, &span);
            if root.is_none() {
                return (None, None);
            }
        }
    }

    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        match self.parser.next_event()? {
            Ok(next) => Some(next),
            Err(error) => {
                let what = format!("not valid YAML: {}", error.info().to_lowercase());
                self.errors.push((place(*error.marker()), what));
                None
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span) -> Option<Node> {
        let at = place(span.start);
        let before = self.nodes;
        self.nodes += 1;
        if self.nodes > NODES {
            self.errors.push((at, format!("more than {NODES} values, aliases written out")));
            return None;
        }
        let anchor = event.anchor_id();
        let is_text = event.tag().is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
        if event.tag().is_some() && !is_text {
            self.errors.push((at, "tags other than `!!str` are not supported".to_owned()));
        }
        let kind = match event {
            Event::Scalar(text, style, ..) => {
                Kind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain && !is_text }
            }
            Event::SequenceStart(..) => self.list()?,
            Event::MappingStart(..) => self.map()?,
            Event::Alias(id) => match self.anchors.get(&id) {
                Some((node, size)) if self.nodes + size <= NODES => {
                    self.nodes += size;
                    node.kind.clone()
                }
                Some(_) => {
                    self.errors.push((at, format!("more than {NODES} values, aliases written out")));
                    return None;
                }
                None => {
                    self.errors.push((at, "an alias cannot stand within what it names".to_owned()));
                    Kind::Broken
                }
            },
            // No other event stands where a value does.
            Event::UnresolvedAlias(_)
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::SequenceEnd
            | Event::MappingEnd
            | _ => {
                self.errors.push((at, "this alias names nothing".to_owned()));
                Kind::Broken
            }
        };
        let node = Node { place: at, kind };
        if let Some(id) = anchor {
            self.anchors.insert(id, (node.clone(), self.nodes - before));
        }
        Some(node)
    }

    fn list(&mut self) -> Option<Kind> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(Kind::List(items)),
                (event, span) => items.push(self.node(event, &span)?),
            }
        }
    }

    fn map(&mut self) -> Option<Kind> {
        let mut members: Vec<(Key, Node)> = Vec::new();
        let mut known = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Some(Kind::Map(self.merge(members)));
            }
            let key = self.node(event, &span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span)?;
            if let Some(key) = self.key(key, &mut known) {
                members.push((key, value));
            }
        }
    }

    fn key(&mut self, key: Node, known: &mut BTreeMap<String, usize>) -> Option<Key> {
        let place = key.place;
        let Kind::Scalar { text, plain } = key.kind else {
            self.errors.push((place, "a key must be a text".to_owned()));
            return None;
        };
        if let Some(line) = known.insert(text.clone(), place.line) {
            self.errors.push((place, format!("mapping key {text:?} already defined at line {line}")));
            return None;
        }
        Some(Key { place, text, plain })
    }

    /// Writes out `<<`: what the map itself says counts.
    fn merge(&mut self, mut members: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        let Some(at) = members.iter().position(|(key, _)| key.plain && key.text == "<<") else {
            return members;
        };
        let (key, source) = members.remove(at);
        let sources = if let Kind::List(items) = source.kind { items } else { vec![source] };
        for source in sources {
            let Kind::Map(more) = source.kind else {
                self.errors.push((key.place, "map merge requires a map or a list of maps".to_owned()));
                continue;
            };
            for (key, value) in more {
                if !members.iter().any(|(known, _)| known.text == key.text) {
                    members.push((key, value));
                }
            }
        }
        members
    }
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

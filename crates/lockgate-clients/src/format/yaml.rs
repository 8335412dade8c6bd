//! YAML, as Goose and Continue have it. Aliases are not followed: they stand for nothing.

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput};

use super::{DEPTH, Parsed, TROUBLES};
use crate::tree::{Member, Node, Trouble, Value};

pub(super) fn parse(text: &str) -> Parsed {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    options.emit_comments = false;
    options.flow_nesting_limit = DEPTH;
    options.block_nesting_limit = DEPTH;
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, text, broken: false, troubles: Vec::new() };
    let root = reader.document();
    Parsed { root, troubles: reader.troubles }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    broken: bool,
    troubles: Vec<(Trouble, usize)>,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Option<Node> {
        while let Some((event, span)) = self.next() {
            if matches!(event, Event::StreamEnd | Event::DocumentEnd) {
                break;
            }
            if !matches!(event, Event::StreamStart | Event::DocumentStart(..)) {
                return self.node(event, &span);
            }
        }
        if !self.broken {
            self.troubles.push((Trouble::Malformed("YAML", "the file is empty"), 0));
        }
        None
    }

    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        if self.broken {
            return None;
        }
        match self.parser.next_event()? {
            Ok(next) => Some(next),
            // Its message may hold what stands there.
            Err(error) => {
                self.broken = true;
                let at = error.marker().byte_offset().unwrap_or_default();
                let why = "often wrong indentation, a tab, or a missing quote";
                self.troubles.push((Trouble::Malformed("YAML", why), at));
                None
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span) -> Option<Node> {
        let span = span.byte_range().unwrap_or_default();
        let start = span.start;
        let (value, end) = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => (plain(&text), span.end),
            Event::Scalar(text, ..) => (Value::Text(text.into_owned()), span.end),
            Event::SequenceStart(..) => self.list(),
            Event::MappingStart(..) => self.map(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => (Value::Null, span.end),
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::SequenceEnd
            | Event::MappingEnd
            | _ => return None,
        };
        Some(Node { span: start..end.max(start), value })
    }

    fn list(&mut self) -> (Value, usize) {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next() {
            if matches!(event, Event::SequenceEnd) {
                return (Value::List(items), span.byte_range().unwrap_or_default().end);
            }
            items.extend(self.node(event, &span));
        }
        (Value::List(items), self.text.len())
    }

    fn map(&mut self) -> (Value, usize) {
        let mut members = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some((event, span)) = self.next() {
            if matches!(event, Event::MappingEnd) {
                return (Value::Map(members), span.byte_range().unwrap_or_default().end);
            }
            let key = self.node(event, &span);
            let Some((event, span)) = self.next() else { break };
            let node = self.node(event, &span);
            if let (Some(key), Some(node)) = (key, node) {
                let Some(name) = key.scalar() else { continue };
                if !seen.insert(name.clone()) && self.troubles.len() < TROUBLES {
                    let shown = lockgate_model::Untrusted::new(&name).escaped(64);
                    self.troubles.push((Trouble::DuplicateKey(shown), key.span.start));
                }
                members.push(Member { key: name, key_span: key.span, node });
            }
        }
        (Value::Map(members), self.text.len())
    }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number if number.parse::<f64>().is_ok() => Value::Other(number.to_owned()),
        text => Value::Text(text.to_owned()),
    }
}

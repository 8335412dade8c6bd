//! YAML to a tree that knows where everything stands, with all that is ambiguous about YAML taken out: no anchors, no
//! merge keys, no tags, no duplicate keys, one document. A scalar stays the text it was written as, so `no` is a word.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput};

use super::error::{At, Place, Report, quoted};

/// What the text is meant to be. JSON is YAML too, once its tabs are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A `lockgate.yaml`. Needs six levels.
    Yaml,
    /// The file of an MCP client, which may hold anything else.
    Json,
}

/// One value and where it starts.
pub(super) type Node = At<Kind>;

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Something the report has already complained about: nobody need complain again.
    Broken,
    /// Nothing, or `~`.
    Nothing,
    /// The word `null`. Where nothing can be compared with it, it is nothing.
    Null,
    /// A scalar as it was written.
    Text(String, Style),
    /// `[…]`
    List(Vec<Node>),
    /// `{…}`, in the order of the file, keys all different.
    Map(Vec<(At<String>, Node)>),
}

/// How a scalar was written. It matters only where a number and a text of digits are two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// In quotes, or as a block.
    Quoted,
}

impl Kind {
    /// In the operator's words.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Broken | Self::Nothing | Self::Null => "nothing",
            Self::Text(..) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a section",
        }
    }
}

/// Reads one document. `None` where the report says why; a report with errors may still come with a tree, so that the
/// rest can be checked too.
pub(super) fn read(text: &str, form: Form, report: &Report) -> Option<Node> {
    let depth = match form {
        Form::Yaml => 16,
        Form::Json => 128,
    };
    let mut options = Options::default();
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.emit_comments = false;
    options.flow_nesting_limit = depth;
    options.block_nesting_limit = depth;
    let mut reader = Reader { parser: Parser::new_from_str_with_options(text, options), form, report };
    reader.document()
}

struct Reader<'t, 'r> {
    parser: Parser<'t, StrInput<'t>>,
    form: Form,
    report: &'r Report,
}

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Option<Node> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::StreamEnd) {
                return document.or_else(|| {
                    let hint = "write `servers:` and under it a name with `command` or `url`";
                    self.report.error(Place { line: 1, column: 1 }, "the file is empty", hint);
                    None
                });
            }
            if !matches!(event, Event::DocumentStart(..)) {
                continue;
            }
            if document.is_some() {
                let hint = "a configuration is one document: remove the `---` and what follows it";
                self.report.error(place(span.start), "a second document starts here", hint);
                return document;
            }
            let (event, span) = self.next()?;
            document = Some(self.node(event, &span)?);
        }
    }

    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        match self.parser.next_event()? {
            Ok(next) => Some(next),
            Err(error) => {
                let info = error.info().to_lowercase();
                let (word, common) = match self.form {
                    Form::Yaml => (
                        "yaml",
                        "often a missing space after `:`, wrong indentation, or a value that needs quotes",
                    ),
                    Form::Json => ("json", "often a missing comma or quote"),
                };
                let (what, hint) = if info.contains("tab") {
                    (info.as_str(), "indent with spaces")
                } else if info.contains("recursion") {
                    ("nested too deeply", "a configuration is never this deep")
                } else if info.contains("directive") {
                    ("directives are not supported", "remove the line that starts with `%`")
                } else {
                    (info.as_str(), common)
                };
                self.report.error(place(*error.marker()), format!("not valid {word}: {what}"), hint);
                None
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span) -> Option<Node> {
        let at = place(span.start);
        if event.anchor_id().is_some() {
            self.report.error(at, "anchors are not supported", "remove the `&name` and write the value out");
        }
        if event.tag().is_some() {
            self.report.error(at, "tags are not supported", "remove the `!name` before the value");
        }
        let kind = match event {
            Event::Scalar(value, ScalarStyle::Plain, ..) if matches!(&*value, "" | "~" | "Null" | "NULL") => {
                Kind::Nothing
            }
            Event::Scalar(value, ScalarStyle::Plain, ..) if value == "null" => Kind::Null,
            Event::Scalar(value, ScalarStyle::Plain, ..) => Kind::Text(value.into_owned(), Style::Plain),
            Event::Scalar(value, ..) => Kind::Text(value.into_owned(), Style::Quoted),
            Event::SequenceStart(..) => self.list()?,
            Event::MappingStart(..) => self.map()?,
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.report.error(
                    at,
                    "aliases are not supported",
                    "write the value out; a text that starts with `*` needs quotes",
                );
                Kind::Broken
            }
            // No other event stands where a value does.
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::SequenceEnd
            | Event::MappingEnd
            | _ => Kind::Nothing,
        };
        Some(At { value: kind, place: at })
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
        let mut members: Vec<(At<String>, Node)> = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Some(Kind::Map(members));
            }
            let key = self.node(event, &span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span)?;
            if let Some(key) = self.key(key, &lines) {
                lines.insert(key.value.clone(), key.place.line);
                members.push((key, value));
            }
        }
    }

    fn key(&self, key: Node, lines: &HashMap<String, usize>) -> Option<At<String>> {
        let place = key.place;
        if matches!(key.value, Kind::Broken) {
            return None;
        }
        let Kind::Text(text, _) = key.value else {
            let message = format!("a key must be a text, not {}", key.value.word());
            self.report.error(place, message, "write `key: value`");
            return None;
        };
        if text == "<<" {
            self.report.error(place, "merge keys are not supported", "write the values out");
            return None;
        }
        if let Some(first) = lines.get(&text) {
            let hint = format!("the first one is on line {first}; keep one of them");
            self.report.error(place, format!("duplicate key {}", quoted(&text)), hint);
            return None;
        }
        Some(At { value: text, place })
    }
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

//! TOML, as Codex has it.

use toml_edit::{Document, Item, Key, TableLike, Value as Toml};

use super::Parsed;
use crate::tree::{Member, Node, Trouble, Value};

pub(super) fn parse(text: &str) -> Parsed {
    match Document::parse(text) {
        Ok(document) => {
            let value = table(document.as_table());
            Parsed { root: Some(Node { span: 0..text.len(), value }), troubles: Vec::new() }
        }
        // Its message may hold what stands there.
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let parsed = cut(text, at);
            let why = "often a missing quote, or a key that stands twice";
            Parsed { root: parsed, troubles: vec![(Trouble::Malformed("TOML", why), at)] }
        }
    }
}

/// What stands before the table in which something is broken.
fn cut(text: &str, at: usize) -> Option<Node> {
    let before = text.get(..at)?;
    let line = before.rfind("\n[").map(|at| at + 1)?;
    let document = Document::parse(text.get(..line)?).ok()?;
    Some(Node { span: 0..line, value: table(document.as_table()) })
}

fn table(table: &dyn TableLike) -> Value {
    let member = |(name, item): (&str, &Item)| {
        let key_span = table.key(name).and_then(Key::span).unwrap_or_default();
        let node = node(item)?;
        Some(Member { key: name.to_owned(), key_span, node })
    };
    Value::Map(table.iter().filter_map(member).collect())
}

fn node(item: &Item) -> Option<Node> {
    let value = match item {
        Item::None => return None,
        Item::Value(value) => return Some(scalar(value)),
        Item::Table(inner) => table(inner),
        Item::ArrayOfTables(tables) => {
            let one = |inner| Node { span: 0..0, value: table(inner) };
            Value::List(tables.iter().map(|inner| one(inner as &dyn TableLike)).collect())
        }
    };
    Some(Node { span: item.span().unwrap_or_default(), value })
}

fn scalar(toml: &Toml) -> Node {
    let value = match toml {
        Toml::String(text) => Value::Text(text.value().clone()),
        Toml::Boolean(value) => Value::Bool(*value.value()),
        Toml::Integer(number) => Value::Other(number.value().to_string()),
        Toml::Float(number) => Value::Other(number.value().to_string()),
        Toml::Datetime(date) => Value::Other(date.value().to_string()),
        Toml::Array(items) => Value::List(items.iter().map(scalar).collect()),
        Toml::InlineTable(inner) => table(inner),
    };
    Node { span: toml.span().unwrap_or_default(), value }
}

//! TOML, with comments and order kept.

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

use super::{Refusal, line_end};

pub(super) fn put(
    text: &str,
    keys: &[String],
    gone: &[String],
    name: &str,
    entry: &Value,
) -> Result<String, Refusal> {
    let mut document = parse(text)?;
    let servers = section(&mut document, keys)?;
    let mut made = table(entry);
    let mut comments = String::new();
    let mut position = None;
    for name in gone {
        if let Some(removed) = servers.remove(name).as_ref().and_then(Item::as_table) {
            position = position.or_else(|| first(removed));
            let prefix = removed.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
            if comments.is_empty() || prefix.contains('#') {
                comments.push_str(prefix);
            }
        }
    }
    made.set_position(position);
    if position.is_some() {
        made.decor_mut().set_prefix(comments);
    }
    servers.insert(name, Item::Table(made));
    Ok(ended(text, &document))
}

pub(super) fn restore(
    text: &str,
    before: &str,
    keys: &[String],
    name: &str,
    back: &[String],
) -> Result<String, Refusal> {
    let mut document = parse(text)?;
    let mut original = parse(before)?;
    let servers = section(&mut document, keys)?;
    let originals = section(&mut original, keys)?;
    let removed = servers.remove(name).ok_or(Refusal::Missing)?;
    let position = removed.as_table().and_then(Table::position);
    for name in back {
        let mut item = originals.remove(name).ok_or(Refusal::Missing)?;
        move_to(&mut item, position);
        servers.insert(name, item);
    }
    Ok(ended(text, &document))
}

fn parse(text: &str) -> Result<DocumentMut, Refusal> {
    text.parse().map_err(|_| Refusal::Broken)
}

fn section<'d>(document: &'d mut DocumentMut, keys: &[String]) -> Result<&'d mut dyn TableLike, Refusal> {
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for key in keys {
        table = table.get_mut(key).and_then(Item::as_table_like_mut).ok_or(Refusal::Missing)?;
    }
    Ok(table)
}

/// Where a table stands, or else the first inside.
fn first(table: &Table) -> Option<isize> {
    let inside = || table.iter().filter_map(|(_, item)| first(item.as_table()?)).min();
    table.position().or_else(inside)
}

fn move_to(item: &mut Item, position: Option<isize>) {
    if let Some(table) = item.as_table_mut() {
        if position.is_some() {
            table.set_position(position);
        }
        table.iter_mut().for_each(|(_, inner)| move_to(inner, position));
    }
}

/// Lines as they were in the text; this writer ends them all alike.
fn ended(text: &str, document: &DocumentMut) -> String {
    let made = document.to_string();
    if line_end(text) == "\n" { made } else { made.replace("\r\n", "\n").replace('\n', "\r\n") }
}

fn table(entry: &Value) -> Table {
    let mut table = Table::new();
    for (key, value) in entry.as_object().into_iter().flatten() {
        table.insert(key, Item::Value(value_of(value)));
    }
    table
}

fn value_of(value: &Value) -> toml_edit::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Array(items) => items.iter().map(value_of).collect::<Array>().into(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.as_str(), value_of(value)));
            members.collect::<InlineTable>().into()
        }
        Value::String(text) => text.as_str().into(),
        Value::Null | Value::Number(_) => value.to_string().into(),
    }
}

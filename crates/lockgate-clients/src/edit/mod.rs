//! Rewriting a client's file as text: entries of one section go, one comes, and every other byte stays.

mod json;
mod lines;
mod mask;
mod toml;

use std::ops::Range;

use serde_json::Value;

use crate::format::Format;
use crate::tree::{Node, Trouble, Value as Tree};

pub use mask::mask;

/// Why a text is not rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not what its format says, or a key stands twice in it.
    #[error("the file is broken, or a key stands twice in it")]
    Broken,
    /// The section or an entry is not there.
    #[error("the entry is not there")]
    Missing,
    /// It is written in a way that cannot be changed without touching more.
    #[error("it is written in a way that is not rewritten: change it by hand")]
    Unusual,
}

/// The section of a file that is rewritten.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// What the file is written in.
    pub format: Format,
    /// The keys to the section.
    pub keys: &'a [String],
}

impl Section<'_> {
    /// The text with these entries gone, and in place of the first of them one of this name.
    pub fn put(&self, text: &str, gone: &[String], name: &str, entry: &Value) -> Result<String, Refusal> {
        let mut wanted = self.names(text)?;
        let first = wanted.iter().position(|known| gone.contains(known)).ok_or(Refusal::Missing)?;
        if !gone.iter().all(|gone| wanted.contains(gone)) {
            return Err(Refusal::Missing);
        }
        if let Some(place) = wanted.get_mut(first) {
            name.clone_into(place);
        }
        let mut at = 0;
        wanted.retain(|known| {
            at += 1;
            at - 1 == first || !gone.contains(known)
        });
        let made = match self.format {
            Format::Json => json::put(text, self.node(text)?, gone, name, entry),
            Format::Toml => toml::put(text, self.keys, gone, name, entry),
            Format::Yaml => lines::put(text, &self.node(text)?, gone, name, entry),
        }?;
        self.check(made, wanted)
    }

    /// The text with the entry `name` gone, and in its place those of `before`, another text, that have these names. What
    /// has such a name already stays as it is.
    pub fn restore(&self, text: &str, before: &str, name: &str, back: &[String]) -> Result<String, Refusal> {
        let mut wanted = self.names(text)?;
        let at = wanted.iter().position(|known| known == name).ok_or(Refusal::Missing)?;
        let back: Vec<String> =
            back.iter().filter(|back| *back == name || !wanted.contains(back)).cloned().collect();
        let there = self.names(before)?;
        if !back.iter().all(|back| there.contains(back)) {
            return Err(Refusal::Missing);
        }
        wanted.splice(at..=at, back.iter().cloned());
        let made = match self.format {
            Format::Json => json::restore(text, &self.node(text)?, before, &self.node(before)?, name, &back),
            Format::Toml => toml::restore(text, before, self.keys, name, &back),
            Format::Yaml => lines::restore(text, &self.node(text)?, before, &self.node(before)?, name, &back),
        }?;
        self.check(made, wanted)
    }

    /// The names of the entries, in order.
    pub fn names(&self, text: &str) -> Result<Vec<String>, Refusal> {
        let node = self.node(text)?;
        Ok(match &node.value {
            Tree::List(items) => items.iter().map(named).collect(),
            Tree::Map(members) => members.iter().map(|member| member.key.clone()).collect(),
            Tree::Null | Tree::Bool(_) | Tree::Other(_) | Tree::Text(_) => return Err(Refusal::Missing),
        })
    }

    fn node(&self, text: &str) -> Result<Node, Refusal> {
        let parsed = self.format.parse(text);
        let broken = |trouble: &Trouble| matches!(trouble, Trouble::Malformed(..));
        let mut node = parsed.root.ok_or(Refusal::Broken)?;
        if parsed.troubles.iter().any(|(trouble, _)| broken(trouble)) {
            return Err(Refusal::Broken);
        }
        for key in self.keys {
            let mut found = node.members().iter().filter(|member| member.key == *key);
            let next = found.next().map(|member| member.node.clone()).ok_or(Refusal::Missing)?;
            if found.next().is_some() {
                return Err(Refusal::Broken);
            }
            node = next;
        }
        let inside = |at: usize| node.span.contains(&at);
        if parsed.troubles.iter().any(|(_, at)| inside(*at)) {
            return Err(Refusal::Broken);
        }
        Ok(node)
    }

    /// What was made is read again: nothing but what was wanted may be there.
    fn check(&self, made: String, mut wanted: Vec<String>) -> Result<String, Refusal> {
        let mut found = self.names(&made).map_err(|_| Refusal::Unusual)?;
        wanted.sort();
        found.sort();
        if found == wanted { Ok(made) } else { Err(Refusal::Unusual) }
    }
}

/// The name that an entry of a list has inside.
fn named(item: &Node) -> String {
    item.get("name").and_then(Node::text).unwrap_or("unnamed").to_owned()
}

/// What stands before a byte on its line, if that is only space.
fn indent(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    before.get(start..).filter(|before| before.bytes().all(|b| b == b' ' || b == b'\t'))
}

/// The line end that a text has.
fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The text with a new one in place of each range. Refused where two overlap.
fn splice(text: &str, mut cuts: Vec<(Range<usize>, String)>) -> Result<String, Refusal> {
    cuts.sort_by_key(|(range, _)| range.start);
    let mut out = String::new();
    let mut at = 0;
    for (range, new) in cuts {
        out.push_str(text.get(at..range.start).ok_or(Refusal::Unusual)?);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(text.get(at..).ok_or(Refusal::Unusual)?);
    Ok(out)
}

#[cfg(test)]
mod tests;

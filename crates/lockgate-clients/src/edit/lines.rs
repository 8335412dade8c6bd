//! YAML in blocks, by whole lines. What is written in one line with braces is refused.

use std::ops::Range;

use serde_json::Value;

use super::{Refusal, line_end, named, splice};
use crate::tree::{Node, Value as Tree};

pub(super) fn put(
    text: &str,
    section: &Node,
    gone: &[String],
    name: &str,
    entry: &Value,
) -> Result<String, Refusal> {
    let blocks = blocks(text, section)?;
    let first = blocks.iter().position(|block| gone.contains(&block.name)).ok_or(Refusal::Missing)?;
    let mut cuts = Vec::new();
    for (at, block) in blocks.iter().enumerate().filter(|(_, block)| gone.contains(&block.name)) {
        let new = if at == first { written(text, block, name, entry) } else { String::new() };
        cuts.push((block.lines.clone(), new));
    }
    splice(text, cuts)
}

pub(super) fn restore(
    text: &str,
    section: &Node,
    before: &str,
    original: &Node,
    name: &str,
    back: &[String],
) -> Result<String, Refusal> {
    let own = blocks(text, section)?.into_iter().find(|block| block.name == name).ok_or(Refusal::Missing)?;
    let originals = blocks(before, original)?;
    let originals = originals.iter().filter(|block| back.contains(&block.name));
    let mut lines: String = originals.filter_map(|block| before.get(block.lines.clone())).collect();
    if !lines.is_empty() && !lines.ends_with('\n') && own.lines.end < text.len() {
        lines.push_str(line_end(text));
    }
    splice(text, vec![(own.lines, lines)])
}

struct Block {
    name: String,
    lines: Range<usize>,
    /// What stands before its first word.
    indent: usize,
    listed: bool,
}

fn blocks(text: &str, section: &Node) -> Result<Vec<Block>, Refusal> {
    let starts: Vec<(String, usize, bool)> = match &section.value {
        Tree::Map(members) => {
            members.iter().map(|member| (member.key.clone(), member.key_span.start, false)).collect()
        }
        Tree::List(items) => items.iter().map(|item| (named(item), item.span.start, true)).collect(),
        Tree::Null | Tree::Bool(_) | Tree::Other(_) | Tree::Text(_) => return Err(Refusal::Missing),
    };
    starts.into_iter().map(|(name, at, listed)| block(text, name, at, listed)).collect()
}

/// The lines of an entry: its own, and those that are indented further.
fn block(text: &str, name: String, at: usize, listed: bool) -> Result<Block, Refusal> {
    let before = text.get(..at).ok_or(Refusal::Unusual)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let lead = before.get(start..).unwrap_or_default();
    let trimmed = if listed { lead.trim_end().strip_suffix('-').ok_or(Refusal::Unusual)? } else { lead };
    if !trimmed.bytes().all(|b| b == b' ') {
        return Err(Refusal::Unusual);
    }
    let indent = trimmed.len();
    let mut end = start;
    let mut seen = start;
    for (count, line) in text.get(start..).unwrap_or_default().split_inclusive('\n').enumerate() {
        let blank = line.trim().is_empty();
        let depth = line.len() - line.trim_start_matches(' ').len();
        if count > 0 && !blank && depth <= indent {
            break;
        }
        seen += line.len();
        if !blank {
            end = seen;
        }
    }
    Ok(Block { name, lines: start..end, indent, listed })
}

/// Texts as JSON writes them are texts of YAML too.
fn written(text: &str, block: &Block, name: &str, entry: &Value) -> String {
    let end = line_end(text);
    let outer = " ".repeat(block.indent);
    let mut out = String::new();
    let mut inner = format!("{outer}  ");
    if block.listed {
        inner.clone_from(&outer);
    } else {
        out.push_str(&format!("{outer}{name}:{end}"));
    }
    for (count, (key, value)) in entry.as_object().into_iter().flatten().enumerate() {
        let lead = match (block.listed, count) {
            (true, 0) => format!("{inner}- "),
            (true, _) => format!("{inner}  "),
            (false, _) => inner.clone(),
        };
        let Some(members) = value.as_object() else {
            out.push_str(&format!("{lead}{key}: {value}{end}"));
            continue;
        };
        out.push_str(&format!("{lead}{key}:{end}"));
        for (name, value) in members {
            let deeper = " ".repeat(lead.len() + 2);
            out.push_str(&format!("{deeper}{}: {value}{end}", Value::from(name.as_str())));
        }
    }
    out
}

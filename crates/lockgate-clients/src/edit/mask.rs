//! A file for people: what could be a secret in it as stars, everything else as it stands.

use std::ops::Range;

use crate::Secret;
use crate::format::Format;
use crate::hide::{Hider, STARS};
use crate::tree::{Node, Value};

/// Sections of which every value is a secret.
const SECRET: [&str; 8] =
    ["env", "environment", "envs", "headers", "http_headers", "bearer_token", "oauth", "oauthAccount"];

/// The text with stars in place of what may be a secret. A file that is broken is shown to nobody: nothing is left of it.
pub fn mask(text: &str, format: Format, hider: &Hider) -> String {
    let mut found = Vec::new();
    match format.parse(text).root {
        Some(root) => walk(&root, "", hider, &mut found),
        None => return String::new(),
    }
    found.sort_by_key(|range| range.start);
    let mut out = String::new();
    let mut at = 0;
    for range in found.into_iter().filter(|range| !range.is_empty()) {
        if range.start < at {
            continue;
        }
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(&format!("\"{STARS}\""));
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    // Comments are no part of the tree.
    hider.text(&out)
}

fn walk(node: &Node, key: &str, hider: &Hider, found: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Map(members) => {
            for member in members {
                if SECRET.contains(&member.key.as_str()) {
                    all(&member.node, found);
                } else {
                    walk(&member.node, &member.key, hider, found);
                }
            }
        }
        Value::List(items) => {
            let mut before = "";
            for item in items {
                match item.text() {
                    Some(text) => {
                        if hider.is_secret(before, &Secret::new(text))
                            || hider.url(text) != text && text.contains("://")
                            || before_variable(before)
                        {
                            found.push(item.span.clone());
                        }
                        before = text;
                    }
                    None => walk(item, key, hider, found),
                }
            }
        }
        Value::Text(text) => {
            let value = Secret::new(text.as_str());
            let address = text.contains("://") && hider.url(text) != *text;
            if address || hider.is_secret_value(key, &value) || hider.is_secret("", &value) {
                found.push(node.span.clone());
            }
        }
        Value::Null | Value::Bool(_) | Value::Other(_) => {}
    }
}

fn before_variable(before: &str) -> bool {
    before == "-e" || before == "--env"
}

fn all(node: &Node, found: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Map(members) => members.iter().for_each(|member| all(&member.node, found)),
        Value::List(items) => items.iter().for_each(|item| all(item, found)),
        Value::Text(_) | Value::Other(_) => found.push(node.span.clone()),
        Value::Null | Value::Bool(_) => {}
    }
}

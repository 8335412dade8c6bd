//! Parts of a text that are marked as special: tags, brackets, comments.

use std::ops::Range;

use super::read::reading;

/// What a part is marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As hidden, or as said by the system.
    Hidden,
    /// As important, or as meant for the model.
    Loud,
    /// A comment with instructions.
    Comment,
}

/// Tags that say that the part is hidden, or who speaks. Only where the tag is closed, with words inside: `<secret>` alone
/// stands for a value to fill in.
const HIDDEN: &[&str] =
    &["hidden", "secret", "system", "sys", "inst", "admin", "override", "invisible", "internal_only"];
/// Tags that raise the voice.
const LOUD: &[&str] = &[
    "important",
    "critical",
    "attention",
    "instruction",
    "instructions",
    "warning",
    "assistant",
    "ai",
    "model",
    "llm",
];
/// What tells a model whose turn it is. No text for people has these.
const TURNS: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<<sys>>",
    "[inst]",
    "[/inst]",
    "<|endoftext|>",
    "<|start_header_id|>",
    "<start_of_turn>",
];
/// In brackets and capitals.
const BRACKETED: &[&str] =
    &["SYSTEM", "ADMIN", "HIDDEN", "OVERRIDE", "SYSTEM PROMPT", "SYSTEM MESSAGE", "IMPORTANT", "INTERNAL"];
/// Fewer words between two tags are no speech.
const SPEECH: usize = 3;
/// What a comment tells a model to do, and with what.
const VERBS: &[&str] = &[
    "ignore",
    "disregard",
    "send",
    "read",
    "pass",
    "include",
    "forward",
    "override",
    "bypass",
    "reveal",
    "call",
    "invoke",
    "tell",
    "execute",
    "exfiltrate",
    "forget",
];
const THINGS: &[&str] = &[
    "user",
    "users",
    "instruction",
    "instructions",
    "prompt",
    "previous",
    "assistant",
    "ai",
    "model",
    "system",
    "tool",
    "tools",
    "password",
    "key",
    "keys",
    "secret",
    "secrets",
    "credentials",
    "everything",
    "ssh",
    "id_rsa",
    "env",
    "conversation",
];

/// The marks of a text, and where they stand. Linear.
pub(crate) fn mark(text: &str) -> Vec<(Mark, Range<usize>)> {
    let mut found = Vec::new();
    if !text.contains(['<', '[']) {
        return found;
    }
    let lower = text.to_ascii_lowercase();
    for turn in TURNS {
        found.extend(lower.find(turn).map(|at| (Mark::Hidden, at..at + turn.len())));
    }
    comments(text, &mut found);
    tags(text, &lower, &mut found);
    brackets(text, &mut found);
    found
}

fn comments(text: &str, found: &mut Vec<(Mark, Range<usize>)>) {
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("<!--")).map(|at| from + at) {
        let inner = text.get(start + 4..).unwrap_or_default();
        let length = inner.find("-->").unwrap_or(inner.len());
        let end = (start + 4 + length + 3).min(text.len());
        let seen = reading(inner.get(..length).unwrap_or_default()).to_ascii_lowercase();
        let words: Vec<&str> =
            seen.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())).collect();
        let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
        if any(VERBS) && (any(THINGS) || words.iter().any(|word| word.contains(".ssh"))) {
            found.push((Mark::Comment, start..end));
        }
        from = end;
    }
}

fn tags(text: &str, lower: &str, found: &mut Vec<(Mark, Range<usize>)>) {
    for (list, mark) in [(HIDDEN, Mark::Hidden), (LOUD, Mark::Loud)] {
        for name in list {
            let Some((start, inside)) = opening(lower, name) else { continue };
            let close = format!("</{name}");
            let end = lower.get(inside..).and_then(|rest| rest.rfind(&close)).map(|at| inside + at);
            let words = |end: usize| text.get(inside..end).unwrap_or_default().split_whitespace().count();
            match (end, mark) {
                (Some(end), _) if words(end) >= SPEECH => found.push((mark, start..end)),
                (None, Mark::Loud) if words(text.len()) >= SPEECH => found.push((mark, start..inside)),
                _ => {}
            }
        }
    }
}

/// Where a tag of that name begins and where what is in it does.
fn opening(lower: &str, name: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let start = from + lower.get(from..)?.find('<')?;
        let after = lower.get(start + 1..)?;
        let inner = after.trim_start();
        if let Some(rest) = inner.strip_prefix(name)
            && rest.starts_with(|c: char| c == '>' || c.is_whitespace())
        {
            let space = rest.len() - rest.trim_start().len();
            if rest.trim_start().starts_with('>') {
                return Some((start, lower.len() - rest.len() + space + 1));
            }
        }
        from = start + 1;
    }
}

fn brackets(text: &str, found: &mut Vec<(Mark, Range<usize>)>) {
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find('[')).map(|at| from + at) {
        let inner = text.get(start + 1..).unwrap_or_default();
        let word = BRACKETED
            .iter()
            .find(|word| inner.strip_prefix(**word).is_some_and(|rest| rest.starts_with([']', ':'])));
        if let Some(word) = word {
            found.push((Mark::Loud, start..start + word.len() + 2));
        }
        from = start + 1;
    }
}

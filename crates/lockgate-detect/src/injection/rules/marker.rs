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
    "### system:",
    "### system prompt",
    "### instruction:",
    "### instructions:",
    "### human:",
    "### user:",
    "### assistant:",
];
/// No mark has fewer bytes: `[inst]`.
pub(crate) const SHORTEST: usize = 6;

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
    let places = text.bytes().enumerate().filter(|(_, b)| matches!(b, b'<' | b'[')).map(|(at, _)| at);
    mark_at(text, places)
}

/// May a mark begin here, with a `<`, a `[` or a `#`, by what follows?
pub(crate) fn may_begin(after: &[u8]) -> bool {
    after.first().is_some_and(|b| {
        matches!(
            b.to_ascii_lowercase(),
            b'!' | b'#'
                | b'|'
                | b'<'
                | b'/'
                | b' '
                | b'a'
                | b'c'
                | b'h'
                | b'i'
                | b'l'
                | b'm'
                | b'o'
                | b's'
                | b'w'
                | b'e'
        )
    })
}

/// The marks that begin at one of these places, of which each has a `<`, a `[` or a `#`. Linear, since each tag counts where it
/// first stands.
pub(crate) fn mark_at(text: &str, places: impl Iterator<Item = usize>) -> Vec<(Mark, Range<usize>)> {
    let mut found = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    let mut first = |name: &'static str| {
        let is_first = !known.contains(&name);
        known.extend(is_first.then_some(name));
        is_first
    };
    let mut past = 0;
    for at in places.filter(|at| may_begin(text.as_bytes().get(at + 1..).unwrap_or_default())) {
        let rest = text.get(at..).unwrap_or_default();
        if let Some(turn) = turn(rest) {
            if first(turn) {
                found.push((Mark::Hidden, at..at + turn.len()));
            }
        } else if let Some(inner) = rest.strip_prefix("<!--") {
            if at >= past {
                past = at + comment(inner).map_or(rest.len(), |end| end + 4);
                if orders(text.get(at + 4..past).unwrap_or_default()) {
                    found.push((Mark::Comment, at..past));
                }
            }
        } else if let Some(inner) = rest.strip_prefix('<') {
            if let Some((name, mark, inside)) = opening(inner)
                && first(name)
            {
                found.extend(tag(text, at, at + 1 + inside, name, mark).map(|span| (mark, span)));
            }
        } else if let Some(inner) = rest.strip_prefix('[') {
            let capital = inner.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
            let word = BRACKETED
                .iter()
                .filter(|_| capital)
                .find(|word| inner.strip_prefix(**word).is_some_and(|rest| rest.starts_with([']', ':'])));
            found.extend(word.map(|word| (Mark::Loud, at..at + word.len() + 2)));
        }
    }
    found
}

/// Whose turn the text says it is, where it begins. Few texts begin with the three letters that any of them begins with.
fn turn(rest: &str) -> Option<&'static &'static str> {
    let first = rest.as_bytes().first_chunk::<3>()?.map(|b| b.to_ascii_lowercase());
    let may_be = match first {
        [_, b'|' | b'#' | b'/' | b'i', _] => true,
        [_, b'<' | b's', next] => next.is_ascii_alphabetic(),
        _ => false,
    };
    if !may_be {
        return None;
    }
    let alike = |turn: &&&str| turn.as_bytes().first_chunk() == Some(&first);
    TURNS.iter().filter(alike).find(|turn| begins(rest, turn))
}

fn begins(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// Where a comment ends, behind its end mark.
fn comment(inner: &str) -> Option<usize> {
    inner.find("-->").map(|at| at + 3)
}

/// Does a comment tell a model to do something?
fn orders(inner: &str) -> bool {
    let seen = reading(inner).to_ascii_lowercase();
    let words: Vec<&str> =
        seen.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())).collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    any(VERBS) && (any(THINGS) || words.iter().any(|word| word.contains(".ssh")))
}

/// The tag that is opened behind a `<`, what it is, and how far on what is in it begins.
fn opening(inner: &str) -> Option<(&'static str, Mark, usize)> {
    let start = inner.trim_start();
    let length = start.bytes().take_while(|b| b.is_ascii_alphabetic() || *b == b'_').count();
    if length < 2 {
        return None;
    }
    let name = start.get(..length)?;
    let listed = |list: &'static [&'static str], mark| {
        list.iter().find(|known| known.eq_ignore_ascii_case(name)).map(|name| (*name, mark))
    };
    let (name, mark) = listed(HIDDEN, Mark::Hidden).or_else(|| listed(LOUD, Mark::Loud))?;
    let rest = start.get(length..)?.trim_start().strip_prefix('>')?;
    Some((name, mark, inner.len() - rest.len()))
}

/// The tag with what is in it, where that is speech.
fn tag(text: &str, start: usize, inside: usize, name: &str, mark: Mark) -> Option<Range<usize>> {
    let rest = text.get(inside..)?;
    let closes = |at: &usize| {
        let after = rest.get(at + 1..).and_then(|after| after.strip_prefix('/'));
        after.is_some_and(|after| begins(after, name))
    };
    let close = memchr::memrchr_iter(b'<', rest.as_bytes()).find(closes);
    let words = |part: &str| part.split_whitespace().take(SPEECH).count() == SPEECH;
    match (close, mark) {
        (Some(end), _) if words(rest.get(..end)?) => Some(start..inside + end),
        (None, Mark::Loud) if words(rest) => Some(start..inside),
        _ => None,
    }
}

//! JSON with comments, by splicing.

use std::ops::Range;

use serde_json::Value;

use super::{Refusal, indent, line_end, splice};
use crate::format::skip;
use crate::tree::{Member, Node};

pub(super) fn put(
    text: &str,
    section: Node,
    gone: &[String],
    name: &str,
    entry: &Value,
) -> Result<String, Refusal> {
    let members = section.members();
    let goes = |member: &Member| gone.contains(&member.key);
    let first = members.iter().position(goes).ok_or(Refusal::Missing)?;
    let mut cuts: Vec<(Range<usize>, String)> = Vec::new();
    let mut last_stays = 0;
    for (at, member) in members.iter().enumerate() {
        let whole = member.key_span.start..member.node.span.end;
        if at == first {
            cuts.push((whole, written(text, member, name, entry)));
        } else if goes(member) {
            let end = comma(text, member).map_or(whole.end, |comma| comma + 1);
            cuts.push((line(text, whole.start..end), String::new()));
        }
        if at == first || !goes(member) {
            last_stays = at;
        }
    }
    // Where the last one had no comma behind it, the one that is last now has none either.
    let ended = members.last().is_some_and(|member| comma(text, member).is_some());
    if let Some(comma) = members.get(last_stays).and_then(|member| comma(text, member))
        && last_stays + 1 < members.len()
        && !ended
    {
        cuts.push((comma..comma + 1, String::new()));
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
    let members = section.members();
    let at = members.iter().position(|member| member.key == name).ok_or(Refusal::Missing)?;
    let own = members.get(at).ok_or(Refusal::Missing)?;
    let whole = own.key_span.start..own.node.span.end;
    let raw: Vec<&str> = original
        .members()
        .iter()
        .filter(|member| back.contains(&member.key))
        .filter_map(|member| before.get(member.key_span.start..member.node.span.end))
        .collect();
    if !raw.is_empty() {
        let between = indent(text, own.key_span.start)
            .map_or_else(|| ", ".to_owned(), |indent| format!(",{}{indent}", line_end(text)));
        return splice(text, vec![(whole, raw.join(&between))]);
    }
    let end = comma(text, own).map_or(whole.end, |comma| comma + 1);
    let mut cuts = vec![(line(text, whole.start..end), String::new())];
    let before = at.checked_sub(1).and_then(|at| members.get(at));
    if let Some(comma) = before.and_then(|member| comma(text, member))
        && at + 1 == members.len()
        && end == own.node.span.end
    {
        cuts.push((comma..comma + 1, String::new()));
    }
    splice(text, cuts)
}

/// The comma behind a member.
fn comma(text: &str, member: &Member) -> Option<usize> {
    let at = skip(text, member.node.span.end);
    (text.as_bytes().get(at) == Some(&b',')).then_some(at)
}

/// A range, with all of its lines where nothing else stands on them.
fn line(text: &str, range: Range<usize>) -> Range<usize> {
    let after = text.get(range.end..).unwrap_or_default();
    let blank = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
    match (indent(text, range.start), after.get(blank..)) {
        (Some(indent), Some(rest)) if rest.starts_with('\n') => {
            range.start - indent.len()..range.end + blank + 1
        }
        _ => range,
    }
}

/// The member as it stands in place of another, indented as that one is.
fn written(text: &str, member: &Member, name: &str, entry: &Value) -> String {
    let key = Value::from(name);
    let Some(outer) = indent(text, member.key_span.start) else { return format!("{key}: {entry}") };
    let step = text.lines().find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    let step = step.map_or("  ", |line| line.strip_suffix(line.trim_start()).unwrap_or("  "));
    let formatter = serde_json::ser::PrettyFormatter::with_indent(step.as_bytes());
    let mut bytes = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    let pretty = serde::Serialize::serialize(entry, &mut writer).ok();
    let pretty = pretty.and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_else(|| entry.to_string());
    format!("{key}: {}", pretty.replace('\n', &format!("{}{outer}", line_end(text))))
}

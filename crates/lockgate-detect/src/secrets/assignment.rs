//! A name and its value, as code, settings, JSON, YAML, XML, commands and people write them.

use std::ops::Range;

use super::beside::Named;
use super::name::{self, Sort};
use super::value::{self, Style};
use super::{Secret, SecretClass, Sure};
use crate::shape::is_word;

pub(super) struct Assignment<'t> {
    name: &'t str,
    value: &'t str,
    at: usize,
    style: Style,
    /// Among others, with `;` between them.
    listed: bool,
}

/// Longest name, and longest value. Bytes.
const NAME: usize = 64;
const VALUE: usize = 2048;

/// All of the name that a word stands in; with the word before it, where only a space is between them.
pub(super) fn name_at(text: &str, word: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let is_name = |byte: u8| is_word(byte) || matches!(byte, b'-' | b'.');
    let back = |from: usize| {
        let before = bytes.get(..from).unwrap_or_default().iter().rev().take(NAME);
        from - before.take_while(|byte| is_name(**byte)).count()
    };
    let ahead = bytes.get(word.end..).unwrap_or_default().iter().take(NAME);
    let end = word.end + ahead.take_while(|byte| is_name(**byte)).count();
    let start = back(word.start);
    match bytes.get(..start) {
        Some([.., letter, b' ']) if letter.is_ascii_alphabetic() => back(start - 1)..end,
        _ => start..end,
    }
}

/// What is assigned to that name, if anything is.
pub(super) fn read(text: &str, name: Range<usize>) -> Option<Assignment<'_>> {
    let start = name.start;
    let name = text.get(name)?;
    let rest = text.get(start + name.len()..)?;
    let after = pair(rest).unwrap_or(rest);
    let (after, said) = separator(after, name)?;
    let mut after = after.trim_start_matches([' ', '\t', '*']);
    if let [b'r' | b'b' | b'f' | b'u', b'"' | b'\'', ..] = after.as_bytes() {
        after = after.get(1..)?;
    }
    let after = after.trim_start_matches('\\');
    let quote = after.chars().next().filter(|mark| matches!(mark, '"' | '\'' | '`'));
    let at = text.len() - after.len();
    let first = text.get(..start)?.ends_with(['\n', ' ']) || start == 0;
    let (after, style) = match quote {
        Some(quote) => (after.trim_start_matches(quote), Style::Quoted),
        None if said => (after, Style::Said),
        None => (after, Style::Plain),
    };
    let at = at + (text.len() - at - after.len());
    let head = text.get(at..text.ceil_char_boundary(at.saturating_add(VALUE)))?;
    let is_end = |mark: char| match quote {
        Some(quote) => mark == quote || matches!(mark, '\\' | '\n' | '\r'),
        None if first && rest.starts_with('=') => {
            mark.is_whitespace() || matches!(mark, '"' | '\'' | '`' | '\\' | ';')
        }
        None => mark.is_whitespace() || "\"'`\\,;&<>|(){}[]".contains(mark),
    };
    let end = head.find(is_end).unwrap_or(head.len());
    let follows = head.get(end..)?.chars().next();
    if quote.is_none() && matches!(follows, Some('(' | '[' | '{')) {
        return None;
    }
    let value = head.get(..end).filter(|value| !value.ends_with("..."))?.trim_end_matches(['.', '*']);
    let listed = text.get(..start)?.trim_end().ends_with(';') || follows == Some(';');
    Some(Assignment { name, value, at, style, listed })
}

/// A value that is known to be all of what has that name.
pub(super) fn member<'t>(name: &'t str, value: &'t str) -> Assignment<'t> {
    Assignment { name, value, at: 0, style: Style::Quoted, listed: false }
}

impl Assignment<'_> {
    /// Where the value is.
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.at + self.value.len()
    }

    /// The secret that is assigned, if it is one.
    pub(super) fn secret(&self, text: &str, named: &Named) -> Option<Secret> {
        if !(value::LEAST..VALUE).contains(&self.value.len()) {
            return None;
        }
        // Most values are neither, and to read a name is dearer.
        let token = value::is_token(self.value, self.style);
        let password = value::is_password(self.value, self.style);
        if !token && !password && !named.may_be(self.value) {
            return None;
        }
        let sort = name::sort(self.name)?;
        let known = named.rule(self.name, self.value);
        let (kind, class) = match (known, sort) {
            (Some(rule), _) => (rule.kind, rule.class),
            (None, Sort::Token | Sort::Secret) if token => ("named_token", SecretClass::Token),
            (None, Sort::Password | Sort::Secret) if password => {
                if self.listed && self.is_setting(text) {
                    ("named_connection", SecretClass::ConnectionString)
                } else {
                    ("named_password", SecretClass::Password)
                }
            }
            (None, _) => return None,
        };
        if value::is_placeholder(self.value) {
            return None;
        }
        let mut span = self.span();
        if self.style == Style::Plain && class == SecretClass::Password {
            span.end += rest_of_password(text.get(span.end..)?);
        }
        Some(Secret { kind, class, span, sure: Sure::Likely })
    }

    /// Whether a server is named shortly before: `Server=db;User Id=app;Password=…`.
    fn is_setting(&self, text: &str) -> bool {
        let from = text.ceil_char_boundary(self.at.saturating_sub(200));
        let before = text.get(from..self.at).unwrap_or_default().to_ascii_lowercase();
        ["server=", "host=", "data source=", "endpoint=", "user id=", "uid="]
            .iter()
            .any(|word| before.contains(word))
    }
}

/// How much of a password comes after a mark that ends other values, as `,` in `password: abc,def`.
fn rest_of_password(rest: &str) -> usize {
    let is_end = |mark: char| mark.is_whitespace() || "\"'`\\;&<|".contains(mark);
    let rest = rest.get(..rest.ceil_char_boundary(VALUE)).unwrap_or_default();
    let rest = rest.split(is_end).next().unwrap_or_default();
    rest.trim_end_matches([',', ')', '}', ']', '>', '.', '*']).len()
}

/// What follows where a pair has the name and the value apart: `"name": "DB_PASSWORD", "value": "…"`.
fn pair(rest: &str) -> Option<&str> {
    let after = rest.trim_start_matches(['"', '\'', '\\']);
    let value = after.trim_start_matches([',', ' ', '\t', '\n', '\r', '"', '\'', '\\']);
    let apart = after.len() - value.len();
    let value = value.strip_prefix("value").or_else(|| value.strip_prefix("Value"))?;
    (rest.len() > after.len() || apart > 0).then_some(value).filter(|_| apart > 0 && apart <= 64)
}

/// What follows the mark between a name and its value, and whether that mark is a word.
fn separator<'t>(rest: &'t str, name: &str) -> Option<(&'t str, bool)> {
    let after = rest.trim_start_matches(['"', '\'', '`', '\\', ']', ')', '*']);
    let closed = after.len() < rest.len();
    if after.len() + 6 < rest.len() {
        return None;
    }
    let spaced = after.trim_start_matches([' ', '\t']);
    if after.len() > spaced.len() + 20 {
        return None;
    }
    for mark in [":=", "=>", "?=", "->", "||"] {
        if let Some(rest) = spaced.strip_prefix(mark) {
            return Some((rest, false));
        }
    }
    match spaced.as_bytes() {
        [b'=', b'=', ..] | [b':', b':', ..] => None,
        [b'=' | b':' | b'>' | b'|', ..] => Some((spaced.get(1..)?, false)),
        [b',', ..] if closed => {
            Some((spaced.get(1..)?, false)).filter(|(rest, _)| rest.trim_start().starts_with(['"', '\'']))
        }
        _ if name.rsplit(' ').next().is_some_and(|name| name.starts_with("--"))
            && after.starts_with([' ', '\t']) =>
        {
            Some((spaced, false))
        }
        _ if after.starts_with(' ') => {
            let rest = spaced.strip_prefix("is ").or_else(|| spaced.strip_prefix("is: "));
            Some((rest.unwrap_or(spaced), true))
        }
        _ => None,
    }
}

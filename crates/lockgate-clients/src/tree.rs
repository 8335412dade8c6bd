//! What stands in a file, whatever it is written in, and where.

use std::ops::Range;

use crate::Place;

/// A value and the bytes it stands in. No `Debug`: values may be secrets.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number or anything else that is no text, as it was written.
    Other(String),
    Text(String),
    List(Vec<Node>),
    /// Members in order; a key may stand twice.
    Map(Vec<Member>),
}

#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            Value::Null | Value::Bool(_) | Value::Other(_) | Value::Text(_) | Value::List(_) => &[],
        }
    }

    pub(crate) fn elements(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Null | Value::Bool(_) | Value::Other(_) | Value::Text(_) | Value::Map(_) => &[],
        }
    }

    /// The member of that name; of several the last, as clients take it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.members().iter().rev().find(|member| member.key == key).map(|member| &member.node)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Other(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A text, number or truth value as a text: what would be put into an environment.
    pub(crate) fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Other(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Value::Null | Value::Other(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub trouble: Trouble,
    /// Where.
    pub place: Place,
}

/// What can be wrong with a file. No text of the file is in it, but for names of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The system does not let it be read; in its words.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// Larger than [`crate::LARGEST`].
    #[error("the file is larger than 32MiB and was not read")]
    TooLarge,
    /// A folder, a pipe, a device.
    #[error("this is no file")]
    NotAFile,
    /// It was read, but clients will not.
    #[error("the file is UTF-16, which clients do not read")]
    Utf16,
    /// It was read with marks in place of what is no text.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// The grammar of its format does not hold: which, and what.
    #[error("not valid {0}: {1}")]
    Malformed(&'static str, &'static str),
    /// What is there is read as far as it goes.
    #[error("the key `{0}` stands here for the second time; clients take the last one")]
    DuplicateKey(String),
    /// A section of servers is no section.
    #[error("`{0}` is not a section of servers")]
    NotServers(String),
    /// An entry is no server: its name, and why.
    #[error("the entry `{0}` is no server: {1}")]
    NotAServer(String, &'static str),
}

//! JSON as editors write it: with comments, commas at ends, keys that stand twice. What is cut off is read up to there.

use super::{DEPTH, Parsed, TROUBLES};
use crate::tree::{Member, Node, Trouble, Value};

pub(super) fn parse(text: &str) -> Parsed {
    let mut scanner = Scanner { text, at: 0, depth: 0, broken: false, troubles: Vec::new() };
    scanner.space();
    let root = if scanner.at == text.len() {
        scanner.fail("the file is empty");
        None
    } else {
        scanner.value()
    };
    scanner.space();
    if !scanner.broken && scanner.at < text.len() {
        scanner.fail("something stands after the end");
    }
    Parsed { root, troubles: scanner.troubles }
}

/// Past space and comments.
pub(super) fn skip(text: &str, at: usize) -> usize {
    let mut scanner = Scanner { text, at, depth: 0, broken: false, troubles: Vec::new() };
    scanner.space();
    scanner.at
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// What was read so far is kept, and nothing more is read.
    broken: bool,
    troubles: Vec<(Trouble, usize)>,
}

impl Scanner<'_> {
    fn fail(&mut self, why: &'static str) {
        if !self.broken {
            self.broken = true;
            self.troubles.push((Trouble::Malformed("JSON", why), self.at));
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return self.fail("a comment has no end"),
                }
            } else if rest.starts_with([' ', '\t', '\r', '\n']) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn value(&mut self) -> Option<Node> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b) if b.is_ascii_alphanumeric() || b"+-.".contains(&b) => self.word()?,
            Some(_) => {
                self.fail("a value is missing");
                return None;
            }
            None => {
                self.fail("it ends in the middle");
                return None;
            }
        };
        Some(Node { span: start..self.at, value })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Value) -> Option<Value> {
        if self.depth == DEPTH {
            self.fail("nested too deeply");
            return None;
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        Some(value)
    }

    fn map(&mut self) -> Value {
        let mut members: Vec<Member> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while self.more(b'}') {
            let start = self.at;
            if self.peek() != Some(b'"') {
                self.fail("a key in quotes is missing");
                break;
            }
            let Some(key) = self.string() else { break };
            let key_span = start..self.at;
            if !seen.insert(key.clone()) && self.troubles.len() < TROUBLES {
                self.troubles.push((Trouble::DuplicateKey(shown(&key)), start));
            }
            self.space();
            if self.peek() != Some(b':') {
                self.fail("a `:` is missing");
                break;
            }
            self.at += 1;
            self.space();
            let node = self.value();
            members.extend(node.map(|node| Member { key, key_span, node }));
            self.after(b'}');
        }
        Value::Map(members)
    }

    fn list(&mut self) -> Value {
        let mut items = Vec::new();
        while self.more(b']') {
            items.extend(self.value());
            self.after(b']');
        }
        Value::List(items)
    }

    /// Is there another member? Goes past the end where there is none.
    fn more(&mut self, end: u8) -> bool {
        self.space();
        match self.peek() {
            _ if self.broken => false,
            Some(b) if b == end => {
                self.at += 1;
                false
            }
            Some(_) => true,
            None => {
                self.fail("it ends in the middle");
                false
            }
        }
    }

    /// What follows a member: a comma, or the end.
    fn after(&mut self, end: u8) {
        self.space();
        match self.peek() {
            _ if self.broken => {}
            Some(b',') => self.at += 1,
            Some(b) if b == end => {}
            Some(_) => self.fail("a comma is missing"),
            None => self.fail("it ends in the middle"),
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let mut end = start + 1;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(b'\n') | None => {
                    self.fail("a text has no end");
                    return None;
                }
                Some(_) => end += 1,
            }
        }
        let raw = self.text.get(start..=end)?;
        self.at = end + 1;
        // What is not allowed in a text, clients may read all the same.
        Some(serde_json::from_str(raw).unwrap_or_else(|_| raw.trim_matches('"').to_owned()))
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let word = rest.get(..end.unwrap_or(rest.len()))?.to_owned();
        let value = match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            number if serde_json::from_str::<serde_json::Number>(number).is_ok() => {
                Value::Other(word.clone())
            }
            _ => {
                self.fail("a text without quotes");
                return None;
            }
        };
        self.at += word.len();
        Some(value)
    }
}

/// The name of a key for a message.
fn shown(key: &str) -> String {
    lockgate_model::Untrusted::new(key).escaped(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_write_is_read_and_what_is_broken_is_read_up_to_there() {
        for (text, keys, trouble) in [
            (r#"{"a": 1, "b": [true, null, -2.5e3,],}"#, "a b", None),
            ("// c\n{/* x */\"a\": \"//\", // y\n\"b\": {}\n}\n// z", "a b", None),
            (r#"{"a": 1, "a": 2}"#, "a a", Some(("the key `a` stands", 9))),
            (r#"{"a": {"b": "c", "d"#, "a", Some(("a text has no end", 17))),
            (r#"{"a": 1 "b": 2}"#, "a", Some(("a comma is missing", 8))),
            (r#"{"a": 1, b: 2}"#, "a", Some(("a key in quotes", 9))),
            (r#"{"a": 1} x"#, "a", Some(("after the end", 9))),
            ("{\"a\": tru}", "", Some(("without quotes", 6))),
            ("", "", Some(("empty", 0))),
            ("/* ", "", Some(("no end", 0))),
            (r#"{"a": "\"#, "", Some(("no end", 6))),
        ] {
            let parsed = parse(text);
            let members = parsed.root.map(|root| root.members().to_vec()).unwrap_or_default();
            let found: Vec<&str> = members.iter().map(|member| member.key.as_str()).collect();
            assert_eq!(found.join(" "), keys, "{text}");
            let first = parsed.troubles.first().map(|(trouble, at)| (trouble.to_string(), *at));
            match (first, trouble) {
                (None, None) => {}
                (Some((found, at)), Some((wanted, place))) => {
                    assert!(found.contains(wanted) && at == place, "{text}: {found} at {at}");
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).troubles.iter().any(|(trouble, _)| trouble.to_string().contains("too deeply")));
    }

    proptest::proptest! {
        #[test]
        fn it_reads_what_a_strict_reader_reads(text in "[\\[\\]{}\",:a-c0-9 \\\\\n/*.-]{0,60}") {
            let parsed = parse(&text);
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
                let whole = parsed.root.as_ref().is_some_and(|root| same(root, &value));
                let duplicate = parsed.troubles.iter().any(|(t, _)| matches!(t, Trouble::DuplicateKey(_)));
                proptest::prop_assert!(whole || duplicate, "{}", text);
            }
        }
    }

    fn same(node: &Node, value: &serde_json::Value) -> bool {
        match &node.value {
            Value::Null => value.is_null(),
            Value::Bool(own) => value.as_bool() == Some(*own),
            Value::Other(own) => serde_json::from_str::<serde_json::Value>(own).unwrap() == *value,
            Value::Text(own) => value.as_str() == Some(own),
            Value::List(items) => {
                let all = value.as_array().unwrap();
                items.len() == all.len() && items.iter().zip(all).all(|(one, other)| same(one, other))
            }
            Value::Map(members) => {
                let all = value.as_object().unwrap();
                members.len() == all.len() && members.iter().all(|m| same(&m.node, &all[&m.key]))
            }
        }
    }
}

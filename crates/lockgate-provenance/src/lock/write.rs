use std::collections::BTreeMap;
use std::fmt::Write;

use lockgate_model::Json;

use super::{Definition, Lock, Locked};
use crate::canonical::text;
use crate::definition::Kind;
use crate::value::Value;
use lockgate_model::letter::is_hidden;

pub(super) fn write(lock: &Lock) -> String {
    let mut out = Writer { out: String::new(), depth: 0 };
    out.object(|out| {
        out.member("version", |out| out.out += &Lock::VERSION.to_string());
        out.member("servers", |out| {
            out.object(|out| {
                for (server, locked) in &lock.servers {
                    out.member(server.as_str(), |out| out.server(locked));
                }
            });
        });
    });
    out.out.push('\n');
    out.out
}

/// JSON with two spaces for each level, and one thing a line.
struct Writer {
    out: String,
    depth: usize,
}

impl Writer {
    fn server(&mut self, locked: &Locked) {
        self.object(|out| {
            for (name, texts) in [("origin", &locked.origin), ("owner", &locked.owner)] {
                if !texts.is_empty() {
                    out.member(name, |out| out.texts(texts));
                }
            }
            if !locked.definitions.is_empty() {
                out.member("definitions", |out| out.object(|out| out.definitions(locked)));
            }
        });
    }

    fn definitions(&mut self, locked: &Locked) {
        for kind in Kind::ALL {
            let mut all = locked.definitions.iter().filter(|(name, _)| name.kind == kind).peekable();
            if kind.key().is_none() {
                if let Some((_, definition)) = all.next() {
                    self.member(kind.word(), |out| out.definition(definition));
                }
            } else if all.peek().is_some() {
                self.member(kind.word(), |out| {
                    out.object(|out| {
                        all.for_each(|(name, definition)| {
                            out.member(&name.name, |out| out.definition(definition));
                        });
                    });
                });
            }
        }
    }

    fn definition(&mut self, definition: &Definition) {
        self.object(|out| {
            out.member("digest", |out| out.text(&definition.digest.to_string()));
            // The text was written here, in canonical form.
            if let Ok(json) = Json::check(definition.text.as_bytes(), Definition::DEEPEST) {
                out.member("definition", |out| out.value(&Value::read(json)));
            }
        });
    }

    fn texts(&mut self, texts: &BTreeMap<String, String>) {
        self.object(|out| texts.iter().for_each(|(name, text)| out.member(name, |out| out.text(text))));
    }

    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Text(text) => self.text(text),
            Value::List(list) => self.within(['[', ']'], |out| {
                for value in list {
                    out.line();
                    out.value(value);
                }
            }),
            Value::Table(members) => self.object(|out| {
                for (name, value) in members {
                    out.member(name, |out| out.value(value));
                }
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.out += &text(value),
        }
    }

    fn object(&mut self, inner: impl FnOnce(&mut Self)) {
        self.within(['{', '}'], inner);
    }

    fn member(&mut self, name: &str, value: impl FnOnce(&mut Self)) {
        self.line();
        self.text(name);
        self.out += ": ";
        value(self);
    }

    fn within(&mut self, [open, close]: [char; 2], inner: impl FnOnce(&mut Self)) {
        self.out.push(open);
        self.depth += 1;
        let start = self.out.len();
        inner(self);
        self.depth -= 1;
        if self.out.len() > start {
            self.new_line();
        }
        self.out.push(close);
    }

    /// Begins a line for the next thing inside of something.
    fn line(&mut self) {
        if !self.out.ends_with(['{', '[']) {
            self.out.push(',');
        }
        self.new_line();
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        (0..self.depth).for_each(|_| self.out.push_str("  "));
    }

    /// A text in which everything can be seen.
    fn text(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                ' ' => self.out.push(' '),
                letter if is_hidden(letter) || letter.is_whitespace() => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let written = write!(self.out, "\\u{unit:04x}");
                        debug_assert!(written.is_ok(), "writing to a String does not fail");
                    }
                }
                letter => self.out.push(letter),
            }
        }
        self.out.push('"');
    }
}

//! Lists and dictionaries as Python prints them, and JSON that is not quite JSON.

use super::Found;

/// Reads the whole text; nothing where it is no such literal. O(length).
pub(super) fn read(text: &str) -> Option<Found> {
    let mut reader = Reader { rest: text.trim(), open: Vec::new(), name: None, found: Vec::new() };
    reader.whole()?;
    Some(reader.found)
}

struct Reader<'t> {
    rest: &'t str,
    /// The closing bracket that each open one waits for, and whose value it is.
    open: Vec<(char, String)>,
    /// The name that the next value stands under, where one was read.
    name: Option<String>,
    found: Found,
}

impl Reader<'_> {
    fn whole(&mut self) -> Option<()> {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '{' | '[' | '(' => {
                    let close = if next == '{' {
                        '}'
                    } else if next == '[' {
                        ']'
                    } else {
                        ')'
                    };
                    let under = self.under();
                    self.open.push((close, under));
                    self.skip(1)?;
                }
                '}' | ']' | ')' => {
                    let (close, _) = self.open.pop()?;
                    (close == next).then_some(())?;
                    self.name = None;
                    self.skip(1)?;
                }
                ',' => {
                    self.name = None;
                    self.skip(1)?;
                }
                '\'' | '"' => {
                    let text = self.quoted(next)?;
                    self.value(text);
                }
                c if c.is_whitespace() => self.skip(c.len_utf8())?,
                _ => self.bare()?,
            }
            if self.open.is_empty() && !self.rest.trim().is_empty() {
                return None;
            }
        }
        self.open.is_empty().then_some(())
    }

    fn under(&mut self) -> String {
        self.name.take().or_else(|| self.open.last().map(|(_, name)| name.clone())).unwrap_or_default()
    }

    fn value(&mut self, text: String) {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(':') {
            Some(rest) if self.name.is_none() && self.open.last().is_some_and(|(close, _)| *close == '}') => {
                self.rest = rest;
                self.found.push((text.clone(), None));
                self.name = Some(text);
            }
            _ => {
                let under = self.under();
                self.found.push((under, Some(text)));
            }
        }
    }

    /// A number, or a word such as `True`.
    fn bare(&mut self) -> Option<()> {
        let end = self.rest.find([',', ':', '}', ']', ')', ' ', '\n']).unwrap_or(self.rest.len());
        let word = self.rest.get(..end)?.to_owned();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+' | b'_');
        (!word.is_empty() && word.len() <= 64 && word.bytes().all(plain)).then_some(())?;
        self.skip(end)?;
        self.value(word);
        Some(())
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => match characters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    other => text.push(other),
                },
                c if c == quote => {
                    self.skip(at + c.len_utf8())?;
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.rest = self.rest.get(bytes..)?;
        Some(())
    }
}

//! An object as one text: what the classifier has learned from.

use std::ops::Range;

use super::seen::Seen;

/// Members whose texts say nothing: what a server is called, and what type a parameter has.
const SILENT: [&str; 4] = ["server", "type", "$schema", "format"];

/// Every text of an object, a line each, with the names of its parameters.
#[derive(Default)]
pub(super) struct Flat {
    text: String,
    /// Where each line begins, and the number of the name or text that it is, in the order of [`Json::walk`].
    lines: Vec<(usize, usize)>,
    /// What has begun and not ended.
    open: Vec<Open>,
    /// The number of the name or text that comes next.
    number: usize,
}

/// An object or an array that has begun.
#[derive(Default)]
struct Open {
    /// The members of it are parameters.
    parameters: bool,
    /// What the member is that comes next.
    next: Next,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Said,
    Silent,
    Parameters,
}

impl Flat {
    /// Takes in what comes next in the object.
    pub(super) fn see(&mut self, seen: &Seen<'_, '_>) {
        match seen {
            Seen::Enter(_) => {
                let parameters = self.open.last().is_some_and(|open| open.next == Next::Parameters);
                self.open.push(Open { parameters, next: Next::Said });
            }
            Seen::Leave => drop(self.open.pop()),
            Seen::Name(name) => {
                if let Some(open) = self.open.last_mut() {
                    open.next = match &**name {
                        _ if open.parameters => Next::Said,
                        "properties" => Next::Parameters,
                        name if SILENT.contains(&name) => Next::Silent,
                        _ => Next::Said,
                    };
                    if open.parameters {
                        self.line(name);
                    }
                }
                self.number += 1;
            }
            Seen::Text(text) => {
                if self.open.last().is_none_or(|open| open.next != Next::Silent) {
                    self.line(text);
                }
                self.number += 1;
            }
            Seen::Other => {}
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Which text a part of it is of, and where in that text; of several, the first.
    pub(super) fn place(&self, span: Range<usize>) -> (usize, Range<usize>) {
        let next = self.lines.partition_point(|(start, _)| *start <= span.start);
        let end = self.lines.get(next).map_or(self.text.len(), |(start, _)| start - 1);
        let (start, number) =
            next.checked_sub(1).and_then(|at| self.lines.get(at)).copied().unwrap_or_default();
        (number, span.start.min(end) - start..span.end.min(end) - start)
    }

    fn line(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.text.push('\n');
        }
        self.lines.push((self.text.len(), self.number));
        self.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use lockgate_model::Json;

    use super::*;

    fn flat(object: &str) -> Flat {
        let mut flat = Flat::default();
        Seen::each(Json::check(object.as_bytes(), 64).unwrap(), |seen| flat.see(&seen));
        flat
    }

    #[test]
    fn every_text_is_a_line_and_is_found_again() {
        let object = r#"{"server":"x","name":"add","inputSchema":{"type":"object","properties":{"left":{"type":"number","title":"one"},
            "type":{"enum":["a","b"]}}},"note":"last"}"#;
        let flat = flat(object);
        assert_eq!(flat.text(), "add\nleft\none\ntype\na\nb\nlast");
        for (word, place) in [("add", 3), ("left", 8), ("one", 12), ("b", 16), ("last", 18)] {
            let at = flat.text().find(word).unwrap();
            assert_eq!(flat.place(at..at + word.len()), (place, 0..word.len()), "{word}");
        }
        assert_eq!(flat.place(1..flat.text().len()), (3, 1..3));
        assert_eq!(self::flat("{}").place(0..0), (0, 0..0));
    }
}

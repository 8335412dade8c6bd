//! Lines of names and values, as YAML and many command-line tools print them. No YAML reader: what is not plainly of this
//! form is prose as a whole.

use super::Found;

/// Reads the whole text; nothing where a line is neither a name with a value, nor an item of a list, nor
/// the continuation of one. O(length).
pub(super) fn read(text: &str) -> Option<Found> {
    let mut reader = Reader::default();
    (text.lines().all(|line| reader.line(line)) && reader.finish()).then_some(reader.found)
}

/// Most values of one text; more of them are prose.
const MOST: usize = 20_000;

#[derive(Default)]
struct Reader {
    found: Found,
    open: Option<Open>,
    /// The names that a mapping has had, with the indentation of the mapping: one that comes twice was not written by a
    /// program.
    names: Vec<(usize, Vec<String>)>,
    /// The name whose list follows.
    list: String,
}

/// A value that may go on in the next line.
struct Open {
    name: String,
    indent: usize,
    text: String,
    way: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    /// Until this quote.
    Quoted(char),
    /// `|` and `>`: every line that stands further in.
    Block,
}

impl Reader {
    fn line(&mut self, line: &str) -> bool {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let blank = line.trim().is_empty();
        if let Some(open) = &mut self.open {
            let inside = indent > open.indent || blank;
            match open.way {
                Way::Quoted(quote) => {
                    open.text.push('\n');
                    open.text.push_str(line.trim());
                    if closes(line, quote) {
                        self.close();
                    }
                    return true;
                }
                Way::Block | Way::Plain if inside => {
                    open.text.push('\n');
                    open.text.push_str(line.trim());
                    return true;
                }
                Way::Block | Way::Plain => self.close(),
            }
        }
        blank || (self.found.len() < MOST && self.entry(line.get(indent..).unwrap_or_default(), indent))
    }

    /// A line that begins an entry.
    fn entry(&mut self, mut rest: &str, mut indent: usize) -> bool {
        let mut item = false;
        while let Some(after) = rest.strip_prefix("- ").or_else(|| (rest == "-").then_some("")) {
            self.names.retain(|(at, _)| *at <= indent);
            let trimmed = after.trim_start_matches(' ');
            indent += rest.len() - trimmed.len();
            rest = trimmed;
            item = true;
        }
        if rest.is_empty() {
            return item;
        }
        match name(rest) {
            Some((name, value)) => {
                if !self.note(name, indent, item) {
                    return false;
                }
                self.found.push((name.to_owned(), None));
                name.clone_into(&mut self.list);
                self.value(name.to_owned(), value.trim(), indent);
                true
            }
            None if item => {
                // One item may be continued by lines that stand further in than its dash.
                let name = self.list.clone();
                self.value(name, rest.trim(), indent.saturating_sub(1));
                true
            }
            None => false,
        }
    }

    /// Notes a name of the mapping at this indentation; false where it has it already.
    fn note(&mut self, name: &str, indent: usize, first: bool) -> bool {
        self.names.retain(|(at, _)| *at < indent || (*at == indent && !first));
        if self.names.last().is_none_or(|(at, _)| *at != indent) {
            self.names.push((indent, Vec::new()));
        }
        let Some((_, names)) = self.names.last_mut() else { return false };
        if names.len() > 64 || names.iter().any(|known| known == name) {
            return false;
        }
        names.push(name.to_owned());
        true
    }

    fn value(&mut self, name: String, text: &str, indent: usize) {
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let way = match quote {
            Some(quote) if text.len() > 1 && closes(text.get(1..).unwrap_or_default(), quote) => None,
            Some(quote) => Some(Way::Quoted(quote)),
            None if text.starts_with(['|', '>']) && text.len() <= 3 => Some(Way::Block),
            None if text.is_empty() => None,
            None => Some(Way::Plain),
        };
        match way {
            Some(way) => {
                let text = if way == Way::Block { String::new() } else { text.to_owned() };
                self.open = Some(Open { name, indent, text, way });
            }
            None if text.is_empty() => {}
            None => self.found.push((name, Some(bare(text)))),
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.found.push((open.name, Some(bare(&open.text))));
        }
    }

    fn finish(&mut self) -> bool {
        let whole = self.open.as_ref().is_none_or(|open| !matches!(open.way, Way::Quoted(_)));
        self.close();
        whole && !self.found.is_empty()
    }
}

/// The name at the beginning of a line, and what follows its colon.
fn name(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(':')?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '/' | '.' | '(' | ')' | '#');
    let good = (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name.chars().all(plain)
        && name.split(' ').count() <= 4;
    (good && (rest.is_empty() || rest.starts_with(' '))).then_some((name, rest))
}

/// Does the quoted text end with this line? `''` inside single quotes and `\"` inside double ones do not end it.
fn closes(line: &str, quote: char) -> bool {
    let line = line.trim_end();
    let Some(inner) = line.strip_suffix(quote) else { return false };
    let run = |c: char| inner.chars().rev().take_while(|last| *last == c).count();
    if quote == '"' { run('\\') % 2 == 0 } else { run('\'') % 2 == 0 }
}

/// The value without its quotes.
fn bare(text: &str) -> String {
    let quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    let inner = || text.get(1..text.len() - 1).unwrap_or_default();
    if quoted('\'') {
        inner().replace("''", "'")
    } else if quoted('"') {
        inner().replace("\\\"", "\"").replace("\\n", "\n")
    } else {
        text.to_owned()
    }
}

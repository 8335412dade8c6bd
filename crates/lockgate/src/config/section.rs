//! Reads a section key by key. Whatever was not asked for when the section is closed is an unknown key, so the list of
//! known keys cannot differ from the keys that are read.

use std::cell::RefCell;

use super::bounds::Bounds;
use super::error::{At, Place, Report, either, perhaps, quoted};
use super::yaml::{Kind, Node};

/// A list of sections.
pub(super) struct List {
    /// Its key.
    pub(super) key: &'static str,
    /// How an entry is written, for messages.
    pub(super) form: &'static str,
    /// What each entry must have, and how that is written.
    pub(super) needs: &'static [(&'static str, &'static str)],
    /// Most entries.
    pub(super) most: usize,
    /// What they are called, and what to do where there are more, for messages.
    pub(super) entries: (&'static str, &'static str),
}

/// One section of the file while it is read.
pub(super) struct Section<'n> {
    path: String,
    place: Place,
    members: &'n [(At<String>, Node)],
    known: RefCell<Vec<&'static str>>,
    report: &'n Report,
}

impl<'n> Section<'n> {
    /// Takes a value as a section. `path` says which, for messages; empty for the file as a whole.
    pub(super) fn open(path: &str, node: &'n Node, report: &'n Report) -> Option<Self> {
        let members = members(path, node, report)?;
        Some(Self { path: path.to_owned(), place: node.place, members, known: RefCell::default(), report })
    }

    /// Where the section starts.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The value of a key, if it is there. Makes the key known.
    pub(super) fn take(&self, key: &'static str) -> Option<&'n Node> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        let (_, node) = self.members.iter().find(|(name, _)| name.value == key)?;
        if matches!(node.value, Kind::Broken) {
            return None;
        }
        if matches!(node.value, Kind::Nothing | Kind::Null) {
            let message = format!("{} has no value", quoted(&self.name(key)));
            self.report.error(node.place, message, "write a value, or remove the key");
            return None;
        }
        Some(node)
    }

    /// What stands before its keys in messages; empty for the file as a whole.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where a key stands, if it is there.
    pub(super) fn place_of(&self, key: &str) -> Option<Place> {
        self.members.iter().find(|(name, _)| name.value == key).map(|(name, _)| name.place)
    }

    /// Has it no key at all?
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Is the key there, whatever its value?
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| name.value == key)
    }

    /// A section inside this one.
    pub(super) fn section(&self, key: &'static str) -> Option<Self> {
        Self::open(&self.name(key), self.take(key)?, self.report)
    }

    /// A section inside this one; one without keys where there is none.
    pub(super) fn section_or_empty(&self, key: &'static str) -> Self {
        self.section(key).unwrap_or_else(|| Self {
            path: self.name(key),
            place: self.place,
            members: &[],
            known: RefCell::default(),
            report: self.report,
        })
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<At<String>> {
        text(&self.name(key), self.take(key)?, self.report)
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        let text = self.text(key)?;
        At::map(&text, |text| word(&quoted(&self.name(key)), text, words, self.report))
    }

    /// `true` or `false`; nothing else is one.
    pub(super) fn switch(&self, key: &'static str) -> Option<At<bool>> {
        self.word(key, &[("true", true), ("false", false)])
    }

    /// A number, size or time within bounds; the default, which stands nowhere, where there is none.
    pub(super) fn measure(&self, bounds: &Bounds) -> At<u64> {
        let default = At { value: bounds.default, place: Place::default() };
        let Some(text) = self.text(bounds.key) else { return default };
        match bounds.read(&text.value) {
            Ok(value) => At { value, place: text.place },
            Err((message, hint)) => {
                self.report.error(text.place, message, hint);
                default
            }
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Option<At<Vec<At<String>>>> {
        let At { value, place } = self.list(key, &format!("write `{key}: [first, second]`"))?;
        let value = value.iter().filter_map(|item| text(&self.name(key), item, self.report)).collect();
        Some(At { value, place })
    }

    /// A list of anything. `form` says how it is written, for messages.
    pub(super) fn list(&self, key: &'static str, form: &str) -> Option<At<&'n [Node]>> {
        let node = self.take(key)?;
        if let Kind::List(items) = &node.value {
            return Some(At { value: items, place: node.place });
        }
        let message = format!("{} must be a list, not {}", quoted(&self.name(key)), node.value.word());
        self.report.error(node.place, message, form);
        None
    }

    /// The entries of a list of sections, each as it is read.
    pub(super) fn entries<T>(&self, list: &List, read: impl Fn(&Self) -> T) -> Vec<T> {
        let (report, path, (entries, fewer)) = (self.report, self.name(list.key), list.entries);
        let Some(items) = self.list(list.key, list.form) else { return Vec::new() };
        if items.value.len() > list.most {
            let message = format!("{} holds more than {} {entries}", quoted(&path), list.most);
            report.error(items.place, message, fewer);
        }
        let one = |item| {
            let section = Self::open(&path, item, report)?;
            for (key, form) in list.needs.iter().filter(|(key, _)| !section.has(key)) {
                report.error(section.place, format!("an entry of {} has no `{key}`", quoted(&path)), *form);
            }
            let entry = read(&section);
            section.close();
            Some(entry)
        };
        items.value.iter().filter_map(one).collect()
    }

    /// A section with keys of the operator's own, in the order of the file.
    pub(super) fn named(&self, key: &'static str) -> Option<&'n [(At<String>, Node)]> {
        let node = self.take(key)?;
        members(&self.name(key), node, self.report)
    }

    /// Everything in it, where its keys are the operator's own.
    pub(super) fn members(&self) -> &'n [(At<String>, Node)] {
        self.members
    }

    /// Says which keys were not asked for. Was none?
    pub(super) fn close(self) -> bool {
        let mut clean = true;
        let known = self.known.into_inner();
        for (key, _) in self.members.iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
            let place = if self.path.is_empty() {
                "at the top".to_owned()
            } else {
                format!("in {}", quoted(&self.path))
            };
            let message = format!("unknown key {} {place}", quoted(&key.value));
            let hint = format!("{}known keys: {}", perhaps(&key.value, &known), known.join(", "));
            self.report.error(key.place, message, hint);
            clean = false;
        }
        clean
    }

    /// A key with all that stands before it.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// A value that must be a text.
pub(super) fn text(name: &str, node: &Node, report: &Report) -> Option<At<String>> {
    if let Kind::Text(text, _) = &node.value {
        return Some(At { value: text.clone(), place: node.place });
    }
    let hint = match node.value {
        Kind::Broken => return None,
        Kind::Nothing | Kind::Null => "write a value; for an empty text or the word null write it in quotes",
        Kind::Text(..) | Kind::List(_) | Kind::Map(_) => {
            "write one value; a text that starts with `[` or `{` needs quotes"
        }
    };
    let message = format!("{} must be a text, not {}", quoted(name), node.value.word());
    report.error(node.place, message, hint);
    None
}

/// A text that must be one of several words. `what` names the thing for messages.
pub(super) fn word<T: Copy>(
    what: &str,
    text: &At<String>,
    words: &[(&str, T)],
    report: &Report,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text.value);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = format!("{}write {}", perhaps(&text.value, &known), either(&known));
        report.error(text.place, format!("{what} cannot be {}", quoted(&text.value)), hint);
    }
    found.map(|(_, value)| *value)
}

fn members<'n>(path: &str, node: &'n Node, report: &Report) -> Option<&'n [(At<String>, Node)]> {
    if let Kind::Map(members) = &node.value {
        return Some(members);
    }
    if matches!(node.value, Kind::Broken) {
        return None;
    }
    let what = if path.is_empty() { "the file".to_owned() } else { quoted(path) };
    report.error(
        node.place,
        format!("{what} must be a section, not {}", node.value.word()),
        "write `key: value` lines, indented",
    );
    None
}

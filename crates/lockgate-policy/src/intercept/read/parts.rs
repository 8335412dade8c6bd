//! The parts that every section is made of.

use super::{Members, Reader};
use crate::intercept::yaml::{Kind, Node, Place};
use crate::intercept::{BadFile, Lint};

impl Reader {
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str) -> Members<'n> {
        match &node.kind {
            Kind::Map(members) => members,
            Kind::Scalar { .. } if node.is_null() => &[],
            Kind::Broken | Kind::Scalar { .. } | Kind::List(_) => {
                self.wrong(node.place, format!("{what} must be a map, not {}", node.word()));
                &[]
            }
        }
    }

    pub(super) fn list<'n>(&mut self, node: Option<&'n Node>, what: &str) -> &'n [Node] {
        let Some(node) = node.filter(|node| !node.is_null()) else { return &[] };
        if let Kind::List(items) = &node.kind {
            return items;
        }
        self.wrong(node.place, format!("{what} must be a list, not {}", node.word()));
        &[]
    }

    /// Any scalar is a text here, as it was written; nothing is the empty text.
    pub(super) fn text(&mut self, node: Option<&Node>, what: &str) -> String {
        let Some(node) = node.filter(|node| !node.is_null()) else { return String::new() };
        if let Kind::Scalar { text, .. } = &node.kind {
            return text.clone();
        }
        self.wrong(node.place, format!("{what} must be a text, not {}", node.word()));
        String::new()
    }

    /// A duration as Go writes it (`1h30m`), in milliseconds.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<u64> {
        let text = self.text(Some(node), what);
        let duration = duration(&text);
        if duration.is_none() {
            self.wrong(node.place, format!("{what} must be a duration like \"30m\", got {text:?}"));
        }
        duration
    }

    pub(super) fn unknown(&mut self, members: Members<'_>, known: &[&str], prefix: &str) {
        for (key, _) in members.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            self.lint(key.place, &format!("unknown key `{prefix}{}` is ignored", key.text));
        }
    }

    pub(super) fn wrong(&mut self, place: Place, message: String) {
        self.errors.push(BadFile { place, message });
    }

    pub(super) fn lint(&mut self, place: Place, message: &str) {
        self.lints.push(Lint { place, message: message.to_owned() });
    }
}

/// Whole numbers with units, added up: `1h30m`. Not nothing, at most a year.
fn duration(text: &str) -> Option<u64> {
    const YEAR: u64 = 365 * 86_400_000;
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit)?;
        let length = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(length)?)?;
        rest = after;
    }
    Some(total).filter(|total| (1..=YEAR).contains(total))
}

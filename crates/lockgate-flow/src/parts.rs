//! A record is remembered value by value. One that is copied as a whole is found again by its values.

use lockgate_model::{Integrity, ServerName, Tick};

use crate::history::History;
use crate::index::Origins;
use crate::result::taken_apart;

/// Shortest part of a text that counts as one. Bytes; shorter ones are everywhere.
const SHORTEST: usize = 8;
/// Most parts of a text that are looked up: the longest, which say most.
const MOST: usize = 64;

impl History {
    /// Whose values a text holds that nobody has endorsed, and of how many bytes together. Only what comes from origins that
    /// count. The whole text is no part of itself.
    pub(crate) fn copied_values(
        &self,
        text: &str,
        (server, now): (&ServerName, Tick),
        counts: impl Fn(Origins) -> bool,
    ) -> (Origins, usize) {
        let mut copied = (Origins::NONE, 0);
        for part in parts(text) {
            let grade = self.grade(&part, server, now);
            if grade.integrity < Some(Integrity::Endorsed) && counts(grade.origins) {
                copied = (copied.0.join(grade.origins), copied.1 + part.len());
            }
        }
        copied
    }
}

/// The parts of a text, as a result is taken apart, and cut further at marks that part values.
fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    taken_apart(text, &mut |piece| {
        for part in piece.split(['\n', '\r', '\t', ',', ';', ':', '|']) {
            let part = part.trim_matches(|c: char| !c.is_alphanumeric());
            if part.len() >= SHORTEST && part.len() < text.len() {
                parts.push(part.to_owned());
            }
        }
    });
    parts.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    parts.dedup();
    parts.truncate(MOST);
    parts
}

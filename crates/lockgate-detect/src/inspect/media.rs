//! What is written in a picture or a sound beside what is seen and heard.

use base64::Engine;

use super::{Inspector, Report};
use crate::letters::BASE64;
use crate::media::metadata::{self, Note, NoteKind};
use crate::media::sniff;
use crate::{Genre, Level, Spot, Threat};

/// Base64 of so many letters is enough to tell what it is.
const HEAD: usize = 684;
/// Shortest text that is taken for a file.
const LEAST: usize = 32;

/// What stands in a file of a kind that is known, written as base64; nothing where the text is none. Spans are empty: they would
/// be those of base64. Linear.
pub(super) fn read<'d>(inspector: &'d Inspector, genre: Genre, text: &str) -> Option<Report<'d>> {
    let head = text.get(..text.len().min(HEAD) / 4 * 4).filter(|head| head.len() >= LEAST)?;
    let head = BASE64.decode(head).ok()?;
    sniff(&head).filter(|kind| !kind.starts_with("text/"))?;
    let bytes = BASE64.decode(text).ok()?;
    Some(inspector.notes(genre, &metadata::look(&bytes)))
}

impl Inspector {
    /// What stands against a picture or a sound for what is written beside what is seen and heard, as
    /// [`metadata::look`](crate::media::metadata::look) gives it. Spans are empty. Linear.
    pub fn notes(&self, genre: Genre, notes: &[Note]) -> Report<'_> {
        let mut report = Report::default();
        for note in notes {
            let judged = self.injection.judge(genre, &note.text);
            // Nobody who looks at a picture reads what is written beside it.
            let level = match judged.level {
                Level::Review | Level::Block => Level::Block,
                Level::None if note.kind == NoteKind::Polyglot => Level::Review,
                Level::None => continue,
            };
            report.level = report.level.max(level);
            report.score = report.score.max(judged.score);
            report.findings.push(Spot { rule: note.kind.word(), threat: Threat::Hidden, span: 0..0, level });
            let order = judged.spots.into_iter().max_by_key(|spot| spot.level);
            report.findings.extend(order.map(|order| Spot { span: 0..0, level, ..order }));
        }
        report
    }
}

//! What is hidden in a text, and what it says.

use crate::hidden::{Hidden, HiddenKind, look};
use crate::{Genre, Level, Report, Spot, Threat};

use super::Inspector;

/// Shortest hidden text that can be an order. Bytes.
const ORDER: usize = 8;

/// Finds what is hidden, and judges what can be read in it: an order that nobody sees is worse than one that is seen.
pub(super) fn lift<'d>(inspector: &'d Inspector, genre: Genre, text: &str, report: &mut Report<'d>) {
    for hidden in look(text) {
        let order = said(&hidden).and_then(|said| {
            let judged = inspector.injection.judge(genre, said);
            report.score = report.score.max(judged.score);
            // A comment is ordinary, and who writes one is read by people too.
            let level = match (hidden.kind, judged.level) {
                (_, Level::None) => return None,
                (HiddenKind::Comment, level) => level,
                (_, Level::Review | Level::Block) => Level::Block,
            };
            let worst = judged.spots.into_iter().max_by_key(|spot| spot.level)?;
            Some(Spot { rule: worst.rule, threat: Threat::Injection, span: hidden.span.clone(), level })
        });
        let level = order.as_ref().map_or(hidden.level, |order| order.level.max(hidden.level));
        if level > Level::None {
            report.findings.push(Spot {
                rule: hidden.kind.word(),
                threat: Threat::Hidden,
                span: hidden.span.clone(),
                level,
            });
        }
        report.findings.extend(order);
    }
}

/// What can be read in it, where that may be an order.
fn said(hidden: &Hidden) -> Option<&str> {
    // Of a word in disguise it is that word, which the text is judged with.
    let said = hidden.decoded.as_deref().filter(|_| hidden.kind != HiddenKind::Disguise)?;
    (said.len() >= ORDER).then_some(said)
}

//! What a definition says as a whole, where no rule of its own holds it.

use lockgate_detect::injection::atr::Imported;
use lockgate_detect::injection::{Injection, Judgement, LEARNED};
use lockgate_detect::{Genre, Level};
use lockgate_model::{Json, Visit};

use super::code::Code;
use super::judge::{Place, Suspicion};

/// Adds what rules and the trained classifier together say of a definition, unless something severe is known of it already.
///
/// The classifier alone is wrong about a few honest definitions of a thousand, so that it only tells; it holds a definition
/// where rules object as well: the two are wrong about different texts. Linear.
/// Rules of others only tell.
pub fn orders(
    finder: &Injection,
    others: Option<&Imported>,
    definition: Json<'_>,
    found: &mut Vec<Suspicion>,
) {
    if found.iter().any(|known| known.severe) {
        return;
    }
    let judged = finder.judge_object(Genre::Definition, definition);
    let by_others = || others?.judge_object(Genre::Definition, definition).into_iter().next();
    let Some(code) = code(&judged) else {
        if let Some((text, spot)) = by_others() {
            let (code, place, span) = (Code::ReadsLikeOrders, place(definition, text), spot.span);
            found.push(Suspicion { code, place, span, other: None, severe: false, decoded: None });
        }
        return;
    };
    // What the classifier says is about all of it.
    let by_rule = judged.spots.iter().zip(&judged.texts).filter(|(spot, _)| spot.rule != LEARNED);
    let worst = by_rule.max_by_key(|(spot, _)| spot.level);
    let (place, span) =
        worst.map_or_else(Default::default, |(spot, text)| (place(definition, *text), spot.span.clone()));
    found.push(Suspicion {
        code,
        place,
        span,
        other: None,
        severe: code == Code::GivesOrders,
        decoded: None,
    });
}

fn code(judged: &Judgement<'_>) -> Option<Code> {
    match (judged.by_rules, judged.by_model) {
        (Level::Block, _) | (Level::Review, Level::Block) => Some(Code::GivesOrders),
        (Level::Review, _) | (Level::None, Level::Block) => Some(Code::ReadsLikeOrders),
        // A short name alone can read so.
        (Level::None, Level::None | Level::Review) => None,
    }
}

/// Where the name or text of that number stands, as the finder counts them.
fn place(definition: Json<'_>, number: usize) -> String {
    let (mut place, mut left, mut pointer) = (Place::default(), number, None);
    definition.walk(&mut |visit| {
        let counts = match visit {
            Visit::Enter(inside) => {
                place.enter(inside.kind());
                false
            }
            Visit::Leave => {
                place.leave();
                false
            }
            Visit::Name(key) => {
                place.name(&key.text());
                true
            }
            Visit::Value(value) => value.text().is_some(),
        };
        if counts && left == 0 && pointer.is_none() {
            pointer = Some(place.pointer());
        }
        left = left.saturating_sub(usize::from(counts));
        if matches!(visit, Visit::Value(_)) {
            place.value();
        }
        pointer.is_none()
    });
    pointer.unwrap_or_default()
}
